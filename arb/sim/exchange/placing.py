"""How an order arrives: checked, matched against the book, paid for, and laid down to rest."""

from __future__ import annotations

from arb.sim.exchange.account import Account
from arb.sim.exchange.collateral import Claim, claims_in, needed_e6
from arb.sim.exchange.execution import execute
from arb.sim.exchange.markets import Market, MarketStatus
from arb.sim.exchange.netting import free_position_e2
from arb.sim.exchange.order_book import Plan
from arb.sim.exchange.refusals import nested
from arb.sim.exchange.values import (
    BookSide,
    Change,
    Fill,
    Lifetime,
    Order,
    OrderRequest,
    OrderStatus,
    Placed,
)
from arb.sim.exchange.venue import Venue
from arb.sim.timing import MS_PER_S

_ENDED = (MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.FINALIZED)


def place(venue: Venue, account: Account, request: OrderRequest) -> Placed:
    """Take an order and return what became of it; raises `Refused` and then nothing exists."""
    market = venue.market(request.ticker)
    check_open(venue, market)
    _pull_beyond(venue, account, market, request)
    _check_request(venue, account, market, request)
    order = _new_order(venue, account, request, _allowed_count_e2(account, request))
    if request.lifetime is Lifetime.FILL_OR_KILL:
        _check_fillable(account, market, order)
    check_collateral(venue, account, market, request.side, request.price_e4, order.initial_e2)
    account.opened(order)
    fills, cut = trade_now(venue, market, order)
    finish_arrival(venue, account, order, cut=cut)
    return Placed(order, fills, order.created_ms)


def check_open(venue: Venue, market: Market) -> None:
    """Refuse whatever changes orders while the market or the exchange does not trade."""
    check_exchange(venue)
    if market.status in _ENDED:
        raise nested(400, "market_inactive")
    if not venue.trading_active or market.status is not MarketStatus.ACTIVE:
        raise nested(409, "trading_is_paused")


def check_exchange(venue: Venue) -> None:
    """Refuse everything, cancels too, while the whole exchange is paused."""
    if not venue.exchange_active:
        raise nested(409, "exchange_is_paused")


def check_collateral(
    venue: Venue,
    account: Account,
    market: Market,
    side: BookSide,
    price_e4: int,
    count_e2: int,
    *,
    replacing: str | None = None,
) -> None:
    """Refuse an order that the account's cash on this shard could not pay for."""
    if account.bottomless:
        return
    cash_e6 = account.cash_e6.get(market.exchange_index)
    if cash_e6 is None:
        raise nested(404, "user_not_found")
    position_e2 = free_position_e2(venue, account, market)
    claims = claims_in(account, market.ticker, without=replacing)
    before_e6 = needed_e6(position_e2, claims, market.fees)
    claims.append(Claim(side, price_e4, count_e2))
    after_e6 = needed_e6(position_e2, claims, market.fees)
    elsewhere_e6 = _set_aside_elsewhere_e6(venue, account, market)
    if after_e6 > before_e6 and after_e6 > cash_e6 - elsewhere_e6:
        raise nested(400, "insufficient_balance")


def lay_down(venue: Venue, account: Account, order: Order) -> None:
    """Rest what is left of an order on the book."""
    market = venue.markets[order.ticker]
    market.book.add(order)
    account.resting[order.order_id] = order
    if order.expires_s is not None:
        venue.expiring[order.order_id] = order
    venue.level_moved(market, order.side, order.price_e4, order.remaining_e2, order)


def trade_now(venue: Venue, market: Market, order: Order) -> tuple[tuple[Fill, ...], bool]:
    """Match an order against the book; returns its fills and whether it gave way to an own one.

    It is planned anew after each pass, because a fill may set off an order group whose cancels
    take away what was still to be met.
    """
    fills: list[Fill] = []
    while order.remaining_e2:
        plan = _plan(market, order)
        for own in plan.gives_way:
            venue.take_off_book(own, Change.SELF_TRADE)
        fills.extend(
            execute(venue, market, order, meeting)
            for meeting in plan.meetings
            if meeting.resting.status is OrderStatus.RESTING
        )
        if plan.cut or not plan.meetings:
            return tuple(fills), plan.cut
    return tuple(fills), False


def finish_arrival(venue: Venue, account: Account, order: Order, *, cut: bool) -> None:
    """Rest what is left of an order that has traded, or end it."""
    group = venue.groups.get(order.request.group_id or "")
    rests = order.request.lifetime is Lifetime.GOOD_TILL_CANCELED and not cut
    if order.remaining_e2 == 0:
        order.status = OrderStatus.EXECUTED
        account.ended(order)
    elif rests and not (group is not None and group.triggered):
        lay_down(venue, account, order)
    else:
        order.remaining_e2, order.status = 0, OrderStatus.CANCELED
        account.ended(order)
    venue.order_moved(order, Change.SELF_TRADE if cut else order.change)


def _pull_beyond(venue: Venue, account: Account, market: Market, request: OrderRequest) -> None:
    """Take away what a member's order would meet beyond the conditions' count."""
    left_e2 = venue.conditions.pull_beyond_e2
    if left_e2 is None or account.bottomless or not market.grid.allows(request.price_e4):
        return
    plan = market.book.plan(
        request.side, request.price_e4, request.count_e2, account.name, request.self_trade
    )
    for meeting in plan.meetings:
        if meeting.count_e2 <= left_e2:
            left_e2 -= meeting.count_e2
            continue
        venue.conditions.struck("pull_beyond_e2")
        shrink(venue, market, meeting.resting, left_e2)
        left_e2 = 0


def shrink(venue: Venue, market: Market, order: Order, remaining_e2: int) -> None:
    """Leave less of an order resting, its place kept, or nothing of it."""
    if remaining_e2 == 0:
        venue.take_off_book(order, Change.CANCEL)
        return
    delta_e2 = remaining_e2 - order.remaining_e2
    order.remaining_e2 = remaining_e2
    order.initial_e2 += delta_e2
    venue.level_moved(market, order.side, order.price_e4, delta_e2, order)


def _plan(market: Market, order: Order) -> Plan:
    return market.book.plan(
        order.side, order.price_e4, order.remaining_e2, order.account, order.request.self_trade
    )


def _check_request(venue: Venue, account: Account, market: Market, request: OrderRequest) -> None:
    if request.count_e2 <= 0:
        raise nested(400, "invalid_order_size")
    if not market.grid.allows(request.price_e4):
        raise nested(400, "invalid_price")
    _check_client_order_id(venue, account, request.client_order_id)
    _check_lifetime(venue, request)
    _check_group(venue, account, market, request.group_id)
    if request.post_only and market.book.crosses(request.side, request.price_e4):
        raise nested(400, "invalid_order", "post only cross")


def _check_client_order_id(venue: Venue, account: Account, client_order_id: str | None) -> None:
    if not client_order_id:
        return
    if "." in client_order_id:
        raise nested(400, "invalid_parameters", "invalid client_order_id")
    known = account.client_order_ids.get(client_order_id)
    if known is None:
        return
    if known not in account.resting and venue.conditions.holds("dedup_open_orders_only"):
        return
    raise nested(409, "order_already_exists")


def _check_lifetime(venue: Venue, request: OrderRequest) -> None:
    if request.reduce_only and request.lifetime is not Lifetime.IMMEDIATE_OR_CANCEL:
        raise nested(400, "invalid_order", "reduce only requires immediate or cancel")
    if request.expires_s is None:
        return
    if request.lifetime is not Lifetime.GOOD_TILL_CANCELED:
        raise nested(400, "invalid_order", "expiration requires good till canceled")
    if request.expires_s * MS_PER_S <= venue.clock.wall_ms():
        raise nested(400, "invalid_order", "expiration is in the past")


def _check_group(venue: Venue, account: Account, market: Market, group_id: str | None) -> None:
    if group_id is None:
        return
    group = venue.groups.get(group_id)
    known = group is not None and group.account == account.name
    if group is None or not known or group.exchange_index != market.exchange_index:
        raise nested(404, "order_group_not_found")
    if group.triggered:
        raise nested(409, "exceeded_order_group_risk_limit")


def _allowed_count_e2(account: Account, request: OrderRequest) -> int:
    if not request.reduce_only:
        return request.count_e2
    held_e2 = account.position(request.ticker).closing_e2(request.side, request.count_e2)
    if held_e2 == 0:
        raise nested(400, "invalid_order", "reduce only without a position")
    return held_e2


def _set_aside_elsewhere_e6(venue: Venue, account: Account, market: Market) -> int:
    tickers = dict.fromkeys(order.ticker for order in account.resting.values())
    elsewhere = [venue.markets[ticker] for ticker in tickers if ticker != market.ticker]
    return sum(
        needed_e6(free_position_e2(venue, account, one), claims_in(account, one.ticker), one.fees)
        for one in elsewhere
        if one.exchange_index == market.exchange_index
    )


def _new_order(venue: Venue, account: Account, request: OrderRequest, count_e2: int) -> Order:
    now_ms = venue.clock.wall_ms()
    return Order(
        order_id=venue.new_id(),
        account=account.name,
        request=request,
        price_e4=request.price_e4,
        initial_e2=count_e2,
        remaining_e2=count_e2,
        created_ms=now_ms,
        updated_ms=now_ms,
        expires_s=request.expires_s,
        client_order_id=request.client_order_id or "",
    )


def _check_fillable(account: Account, market: Market, order: Order) -> None:
    if _plan(market, order).count_e2 >= order.initial_e2:
        return
    # A killed order uses up its client order id all the same [observed on the real exchange].
    order.status, order.remaining_e2 = OrderStatus.CANCELED, 0
    account.opened(order)
    raise nested(409, "fill_or_kill_insufficient_resting_volume")
