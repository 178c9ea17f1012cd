"""What can be done to an order that rests: cancel, amend, decrease, expire."""

from __future__ import annotations

import attrs

from arb.sim.exchange.account import Account
from arb.sim.exchange.markets import Market, MarketStatus
from arb.sim.exchange.placing import (
    check_collateral,
    check_exchange,
    check_open,
    finish_arrival,
    shrink,
    trade_now,
)
from arb.sim.exchange.refusals import nested, not_found
from arb.sim.exchange.values import BookSide, Change, Fill, Order
from arb.sim.exchange.venue import Venue
from arb.sim.timing import MS_PER_S

_TRADED_OUT = (MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.FINALIZED)


@attrs.frozen
class Amendment:
    """A change of a resting order; ``count_e2`` is what filled already plus what shall rest.

    ``expires_s`` is None to keep the expiry, 0 to remove it.
    """

    ticker: str
    side: BookSide
    price_e4: int
    count_e2: int
    client_order_id: str | None = None
    updated_client_order_id: str | None = None
    expires_s: int | None = None


@attrs.frozen
class Amended:
    """What an amendment did; ``resized`` says whether the resting count is another one now."""

    order: Order
    fills: tuple[Fill, ...]
    resized: bool


def find_resting(venue: Venue, account: Account, order_id: str, shard: int) -> Order:
    """Return an account's resting order on a shard, or refuse with the 404 that proves nothing."""
    order = account.resting.get(order_id)
    if order is None or venue.markets[order.ticker].exchange_index != shard:
        raise not_found()
    return order


def cancel(venue: Venue, account: Account, order_id: str, shard: int) -> tuple[Order, int]:
    """Take an order off the book; returns it and how much of it was resting."""
    check_exchange(venue)
    order = find_resting(venue, account, order_id, shard)
    _check_not_ended(venue.markets[order.ticker])
    return order, venue.take_off_book(order, Change.CANCEL)


def cancel_all(venue: Venue, account: Account) -> int:
    """Cancel everything that rests, on every shard; returns how many orders it were."""
    check_exchange(venue)
    orders = [
        order
        for order in account.resting.values()
        if venue.markets[order.ticker].status not in _TRADED_OUT
    ]
    for order in orders:
        venue.take_off_book(order, Change.CANCEL)
    venue.swept_until_ms[account.name] = (
        venue.clock.wall_ms() + venue.conditions.cancel_all_lingers_ms
    )
    return len(orders)


def sweep_late_orders(venue: Venue) -> None:
    """Cancel what was placed shortly after everything was cancelled, while that lingers."""
    now_ms = venue.clock.wall_ms()
    for name, until_ms in list(venue.swept_until_ms.items()):
        if now_ms >= until_ms:
            del venue.swept_until_ms[name]
            continue
        for order in list(venue.accounts[name].resting.values()):
            venue.take_off_book(order, Change.CANCEL)


def decrease(venue: Venue, order: Order, remaining_e2: int) -> Order:
    """Leave less of an order resting, its place in the queue kept; none of it is a cancel."""
    market = venue.markets[order.ticker]
    check_open(venue, market)
    if not 0 <= remaining_e2 < order.remaining_e2:
        raise nested(400, "invalid_order_size")
    if remaining_e2 == 0:
        venue.take_off_book(order, Change.DECREASE)
        return order
    shrink(venue, market, order, remaining_e2)
    venue.order_moved(order, Change.DECREASE)
    return order


def amend(venue: Venue, account: Account, order: Order, wish: Amendment) -> Amended:
    """Move an order to another price or count; it keeps its place only when merely smaller."""
    market = venue.markets[order.ticker]
    check_open(venue, market)
    remaining_e2 = wish.count_e2 - order.filled_e2
    _check_amendment(venue, account, market, order, wish, remaining_e2)
    resized = remaining_e2 != order.remaining_e2
    _rename(venue, account, order, wish)
    if wish.price_e4 == order.price_e4 and remaining_e2 <= order.remaining_e2:
        if resized:
            shrink(venue, market, order, remaining_e2)
        venue.order_moved(order, Change.AMEND)
        return Amended(order, (), resized)
    market.book.remove(order)
    venue.level_moved(market, order.side, order.price_e4, -order.remaining_e2, order)
    order.price_e4, order.remaining_e2 = wish.price_e4, remaining_e2
    order.initial_e2 = wish.count_e2
    order.change = Change.AMEND
    fills, cut = trade_now(venue, market, order)
    finish_arrival(venue, account, order, cut=cut)
    return Amended(order, fills, resized or bool(fills))


def expire(venue: Venue) -> None:
    """Cancel every resting order whose expiry has passed."""
    now_ms = venue.clock.wall_ms()
    for order in list(venue.expiring.values()):
        if order.expires_s is not None and order.expires_s * MS_PER_S <= now_ms:
            venue.take_off_book(order, Change.EXPIRY)


def _check_not_ended(market: Market) -> None:
    if market.status in _TRADED_OUT:
        raise nested(400, "market_inactive")


def _check_amendment(
    venue: Venue,
    account: Account,
    market: Market,
    order: Order,
    wish: Amendment,
    remaining_e2: int,
) -> None:
    if wish.ticker != order.ticker:
        raise nested(400, "order_ticker_mismatch")
    if wish.side is not order.side:
        raise nested(400, "order_side_mismatch")
    if wish.client_order_id not in (None, order.client_order_id):
        raise nested(400, "order_id_and_client_order_id_mismatch")
    if remaining_e2 <= 0:
        raise nested(400, "invalid_order_size")
    if not market.grid.allows(wish.price_e4):
        raise nested(400, "invalid_price")
    if wish.updated_client_order_id in account.client_order_ids:
        raise nested(409, "order_already_exists")
    if wish.expires_s and wish.expires_s * MS_PER_S <= venue.clock.wall_ms():
        raise nested(400, "invalid_order", "expiration is in the past")
    if order.request.post_only and market.book.crosses(order.side, wish.price_e4):
        raise nested(400, "invalid_order", "post only cross")
    check_collateral(
        venue, account, market, order.side, wish.price_e4, remaining_e2, replacing=order.order_id
    )


def _rename(venue: Venue, account: Account, order: Order, wish: Amendment) -> None:
    if wish.updated_client_order_id:
        order.client_order_id = wish.updated_client_order_id
        account.client_order_ids[wish.updated_client_order_id] = order.order_id
    if wish.expires_s is not None:
        order.expires_s = wish.expires_s or None
        venue.expiring.pop(order.order_id, None)
        if order.expires_s is not None:
            venue.expiring[order.order_id] = order
