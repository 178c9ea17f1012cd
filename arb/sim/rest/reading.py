"""What a private read shows, which may lag behind what is true."""

from __future__ import annotations

from collections.abc import Iterable

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
    moment_ms = venue.clock.wall_ms() - venue.conditions.stale_read_ms
    return order if past is None else past.at(moment_ms, order)


def seen_orders(venue: Venue, account: Account) -> list[Order]:
    """Return the orders that a list shows, newest first; the latest may not be in it yet."""
    newest_ms = _newest_ms(venue)
    return [
        seen_order(venue, account, order)
        for order in account.orders()
        if order.created_ms <= newest_ms
    ]


def seen_fills(venue: Venue, account: Account) -> list[Fill]:
    """Return the fills that a list shows, newest first; the latest may not be in it yet."""
    newest_ms = _newest_ms(venue)
    return [fill for fill in reversed(account.fills) if fill.at_ms <= newest_ms]


def is_seen(venue: Venue, order: Order) -> bool:
    """Return whether an order can be read by its id already."""
    return order.created_ms <= _newest_ms(venue)


def seen_positions(venue: Venue, account: Account) -> list[Position]:
    """Return the positions as they are shown, for a while after a fill as they were before."""
    moment_ms = venue.clock.wall_ms() - venue.conditions.stale_position_ms
    return list(_positions_at(account, moment_ms))


def seen_cash_e6(venue: Venue, account: Account) -> dict[int, int]:
    """Return the cash of each shard as it is shown; an error in it shows on the first shard."""
    conditions = venue.conditions
    moment_ms = venue.clock.wall_ms() - conditions.stale_balance_ms
    shown = dict(account.past_cash_e6.at(moment_ms, account.cash_e6))
    if conditions.balance_error_e6:
        first = min(shown)
        shown[first] += conditions.balance_error_e6
    return shown


def _positions_at(account: Account, moment_ms: int) -> Iterable[Position]:
    for position in account.positions.values():
        past = account.past_positions.get(position.ticker)
        yield position if past is None else past.at(moment_ms, position)


def _newest_ms(venue: Venue) -> int:
    return venue.clock.wall_ms() - venue.conditions.read_lag_ms
