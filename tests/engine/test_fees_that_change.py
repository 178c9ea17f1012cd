"""Fees that the simulated exchange changes while the engine trades, announced or at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from arb.core.events import Liquidity
from arb.core.money import CountE2, PriceE4
from arb.sim.exchange.fee_changes import schedule_event_fee, schedule_series_fee
from arb.sim.exchange.fees import FeeSchedule, FeeType
from tests.engine.conftest import Rig
from tests.engine.listing_bench import first_game, readings

OpenRig = Callable[..., Any]

HALF = FeeSchedule(FeeType.QUADRATIC, 5_000)


def fee_e6(rig: Rig, ticker: str) -> int:
    """Return what taking ten contracts at fifty cents costs now."""
    price, count = PriceE4(5_000), CountE2(1_000)
    return int(rig.parts.fee_e6(ticker, price, count, Liquidity.TAKER))


async def test_announced_fees_of_a_series_are_in_force_at_their_moment(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """They are read before, and no message and no reading tells of the moment itself."""
    async with open_rig() as rig:
        await rig.until_running()
        ticker = first_game(rig).home_ticker
        usual = fee_e6(rig, ticker)
        at_ms = rig.simulation.clock.wall_ms() + 100_000
        schedule_series_fee(rig.simulation.venue, ticker.partition("-")[0], HALF, at_ms)
        await trio.sleep(99.9)
        assert fee_e6(rig, ticker) == usual
        since = readings(rig)
        await trio.sleep(0.2)
        assert fee_e6(rig, ticker) == usual // 2
        assert readings(rig) == since
        await trio.sleep(200)
        assert fee_e6(rig, ticker) == usual // 2


async def test_an_events_own_fees_come_by_message(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Set and cleared: both markets of the game, in the turn in which it is said."""
    async with open_rig() as rig:
        await rig.until_running()
        game, venue = first_game(rig), rig.simulation.venue
        usual, now_ms = fee_e6(rig, game.home_ticker), rig.simulation.clock.wall_ms()
        schedule_event_fee(venue, game.event_ticker, HALF, now_ms)
        await trio.sleep(0.01)
        assert fee_e6(rig, game.home_ticker) == fee_e6(rig, game.away_ticker) == usual // 2
        schedule_event_fee(venue, game.event_ticker, None, rig.simulation.clock.wall_ms())
        await trio.sleep(0.01)
        assert fee_e6(rig, game.home_ticker) == usual
