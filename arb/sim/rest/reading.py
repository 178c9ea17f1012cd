"""What a private read shows, which may lag behind what is true."""

from __future__ import annotations

from arb.sim.conditions import ORDER_READ_LAG_MS, POSITION_READ_LAG_MS
from arb.sim.exchange.account import Account, Position
from arb.sim.exchange.values import Fill, Order
from arb.sim.exchange.venue import Venue


def as_of_ms(venue: Venue) -> int:
    """Return the moment up to which all private reads are complete."""
    conditions = venue.conditions
    lags = (conditions.stale_read_ms, conditions.stale_position_ms, conditions.read_lag_ms)
    return venue.clock.wall_ms() - max(lags)


def seen_order(venue: Venue, account: Account, order: Order) -> Order:
    """Return an order as it is shown, for a while after a cancel as it was before."""
    past = account.past_orders.get(order.order_id)
    if past is None:
        return order
    now_ms = venue.clock.wall_ms()
    seen = past.at(now_ms - venue.conditions.stale_read_ms, order)
    if seen is not past.at(now_ms - ORDER_READ_LAG_MS, order):
        venue.conditions.struck("stale_read_ms")
    return seen


def seen_orders(venue: Venue, account: Account) -> list[Order]:
    """Return the orders that a list shows, newest first; the latest may not be in it yet."""
    orders, newest_ms = account.orders(), _newest_ms(venue)
    listed = [order for order in orders if order.created_ms <= newest_ms]
    _note_shorter(venue, len(orders) - len(listed))
    return [seen_order(venue, account, order) for order in listed]


def seen_fills(venue: Venue, account: Account) -> list[Fill]:
    """Return the fills that a list shows, newest first; the latest may not be in it yet."""
    newest_ms = _newest_ms(venue)
    listed = [fill for fill in reversed(account.fills) if fill.at_ms <= newest_ms]
    _note_shorter(venue, len(account.fills) - len(listed))
    return listed


def is_seen(venue: Venue, order: Order) -> bool:
    """Return whether an order can be read by its id already."""
    is_seen_now = order.created_ms <= _newest_ms(venue)
    _note_shorter(venue, int(not is_seen_now))
    return is_seen_now


def seen_positions(venue: Venue, account: Account) -> list[Position]:
    """Return the positions as they are shown, for a while after a fill as they were before."""
    now_ms = venue.clock.wall_ms()
    shown = _positions_at(account, now_ms - venue.conditions.stale_position_ms)
    usual = _positions_at(account, now_ms - POSITION_READ_LAG_MS)
    if any(one is not other for one, other in zip(shown, usual, strict=True)):
        venue.conditions.struck("stale_position_ms")
    return shown


def seen_cash_e6(venue: Venue, account: Account) -> dict[int, int]:
    """Return the cash of each shard as it is shown; an error in it shows on the first shard."""
    conditions = venue.conditions
    moment_ms = venue.clock.wall_ms() - conditions.stale_balance_ms
    shown = dict(account.past_cash_e6.at(moment_ms, account.cash_e6))
    if shown != account.cash_e6:
        conditions.struck("stale_balance_ms")
    if conditions.balance_error_e6:
        first = min(shown)
        shown[first] += conditions.balance_error_e6
    return shown


def _positions_at(account: Account, moment_ms: int) -> list[Position]:
    return [
        position if past is None else past.at(moment_ms, position)
        for position in account.positions.values()
        for past in (account.past_positions.get(position.ticker),)
    ]


def _note_shorter(venue: Venue, left_out: int) -> None:
    if left_out:
        venue.conditions.struck("read_lag_ms")


def _newest_ms(venue: Venue) -> int:
    return venue.clock.wall_ms() - venue.conditions.read_lag_ms
