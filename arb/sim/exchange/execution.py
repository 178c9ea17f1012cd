"""How two orders trade: both are filled, both accounts pay, and everybody is told."""

from __future__ import annotations

from arb.sim.exchange.account import Account
from arb.sim.exchange.fees import charge_e6
from arb.sim.exchange.grouping import trigger_group
from arb.sim.exchange.markets import Market
from arb.sim.exchange.netting import return_collateral
from arb.sim.exchange.order_book import Meeting
from arb.sim.exchange.values import BookSide, Change, Fill, Order, OrderStatus, Trade
from arb.sim.exchange.venue import Venue


def execute(venue: Venue, market: Market, taker: Order, meeting: Meeting) -> Fill:
    """Trade one meeting at the resting price and return the taker's fill."""
    resting, count_e2 = meeting.resting, meeting.count_e2
    trade = Trade(
        venue.new_id(), market.ticker, resting.price_e4, count_e2, taker.side, venue.clock.wall_ms()
    )
    _note_trade(venue, market, taker, resting, count_e2)
    maker_fill = _fill(venue, market, resting, trade, is_taker=False)
    taker_fill = _fill(venue, market, taker, trade, is_taker=True)
    if resting.remaining_e2 == 0:
        market.book.remove(resting)
        resting.status = OrderStatus.EXECUTED
        venue.accounts[resting.account].ended(resting)
        venue.expiring.pop(resting.order_id, None)
    _announce(venue, market, taker, resting, trade, (maker_fill, taker_fill))
    for fill, order in ((maker_fill, resting), (taker_fill, taker)):
        _count_in_group(venue, order, fill)
    return taker_fill


def _note_trade(venue: Venue, market: Market, taker: Order, resting: Order, count_e2: int) -> None:
    market.last_price_e4 = resting.price_e4
    market.volume_e2 += count_e2
    for order in (taker, resting):
        position = venue.accounts[order.account].position(market.ticker)
        before_e2 = max(position.count_e2, 0)
        signed_e2 = count_e2 if order.side is BookSide.BID else -count_e2
        market.open_interest_e2 += max(position.count_e2 + signed_e2, 0) - before_e2


def _fill(venue: Venue, market: Market, order: Order, trade: Trade, *, is_taker: bool) -> Fill:
    account = venue.accounts[order.account]
    position = account.position(market.ticker)
    revenue_e6 = position.revenue_e6(order.side, trade.price_e4, trade.count_e2)
    fee_e6 = charge_e6(
        market.fees, order, revenue_e6, trade.price_e4, trade.count_e2, is_taker=is_taker
    )
    account.about_to_change(position, trade.at_ms)
    account.pay(market.exchange_index, revenue_e6 - fee_e6, trade.at_ms)
    venue.fees_e6 += fee_e6
    position.apply(order.side, trade.price_e4, trade.count_e2)
    return_collateral(venue, account, market.event)
    position.fees_e6 += fee_e6
    position.updated_ms = account.updated_ms = trade.at_ms
    _book_on_order(order, trade, fee_e6, is_taker=is_taker)
    fill = Fill(
        trade.trade_id,
        order.order_id,
        order.client_order_id,
        account.name,
        market.ticker,
        order.side,
        trade.price_e4,
        trade.count_e2,
        fee_e6,
        is_taker,
        trade.at_ms,
        position.count_e2,
    )
    if not account.bottomless:
        account.fills.append(fill)
    return fill


def _book_on_order(order: Order, trade: Trade, fee_e6: int, *, is_taker: bool) -> None:
    order.remaining_e2 -= trade.count_e2
    order.filled_e2 += trade.count_e2
    order.change = Change.TRADE
    cost_e6 = trade.price_e4 * trade.count_e2
    if is_taker:
        order.taker_cost_e6 += cost_e6
        order.taker_fees_e6 += fee_e6
    else:
        order.maker_cost_e6 += cost_e6
        order.maker_fees_e6 += fee_e6


def _announce(
    venue: Venue,
    market: Market,
    taker: Order,
    resting: Order,
    trade: Trade,
    fills: tuple[Fill, ...],
) -> None:
    market.trades.append(trade)
    market.candles.trade(trade.at_ms, trade.price_e4, trade.count_e2, market.open_interest_e2)
    venue.level_moved(market, resting.side, trade.price_e4, -trade.count_e2, resting, taker)
    for listener in list(venue.listeners):
        listener.traded(trade)
        for fill in fills:
            listener.filled(fill)
            account: Account = venue.accounts[fill.account]
            listener.position_changed(fill.account, account.position(market.ticker))
    venue.order_moved(resting, Change.TRADE)


def _count_in_group(venue: Venue, order: Order, fill: Fill) -> None:
    group = venue.groups.get(order.request.group_id or "")
    if group is None:
        return
    if group.note(fill.at_ms, fill.count_e2) or group.triggered:
        trigger_group(venue, group, sparing=order)
