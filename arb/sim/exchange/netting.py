"""Collateral that comes back on mutually exclusive markets, as events of type MECNET promise.

At most one market of such an event resolves to yes, so of the NO contracts held in all of them
every one but those of a single market is sure to pay its dollar. That dollar is paid at once and
taken back when a contract is sold or settled. The exchange does so where netting is enabled for
the account (its contract of October 2026 on ``collateral_return_type``).
"""

from __future__ import annotations

from arb.sim.exchange.account import ONE_DOLLAR_E4, Account
from arb.sim.exchange.markets import Event, Market
from arb.sim.exchange.venue import Venue


def return_collateral(venue: Venue, account: Account, event: Event) -> None:
    """Bring what was returned on an event in line with what is held there."""
    if not account.netting:
        return
    due_e6 = _sure_e2(venue, account, event) * ONE_DOLLAR_E4
    change_e6 = due_e6 - account.returned_e6.get(event.ticker, 0)
    if change_e6:
        account.returned_e6[event.ticker] = due_e6
        account.pay(event.series.exchange_index, change_e6, venue.clock.wall_ms())


def free_position_e2(venue: Venue, account: Account, market: Market) -> int:
    """Return the part of a position that can be closed without giving returned collateral back."""
    held_e2 = account.position(market.ticker).count_e2
    if not account.netting or held_e2 >= 0:
        return held_e2
    return min(held_e2 + _sure_e2(venue, account, market.event), 0)


def _sure_e2(venue: Venue, account: Account, event: Event) -> int:
    held = (account.positions.get(market.ticker) for market in venue.markets_of(event.ticker))
    short_e2 = [-one.count_e2 for one in held if one is not None and one.count_e2 < 0]
    return sum(short_e2) - max(short_e2, default=0)
