"""Each provider of odds drives a whole engine, and no trouble of it lets a stale price through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.faults.engine import ODDS
from arb.settings import OddsFeed, Settings
from arb.settings.sections import PROVIDERS, TheOddsApi
from arb.sim.exchange.values import BookSide
from tests.engine.conftest import Rig

OpenRig = Callable[..., Any]

GARBAGE = (
    "event: odds\ndata: {broken\n\n",
    '{"type":"data","payload":7}',
    '[{"id":5}]',
    "\x00\xff not a message",
)


# Often enough for a change to be seen while it is fresh.
QUICK = TheOddsApi(poll_interval_ms=1_000)


def settings_of(*providers: str) -> Settings:
    """Return settings in which some providers give the odds."""
    return attrs.evolve(Settings(), odds_feed=OddsFeed(provider=providers, the_odds_api=QUICK))


def bought(rig: Rig) -> int:
    """Count the entries that ever reached the exchange."""
    return len(rig.orders(BookSide.BID))


async def stands_still(rig: Rig, seconds: float) -> None:
    """Check that nothing is bought for a while, once what was fresh is old."""
    await trio.sleep(5.1)
    before = bought(rig)
    await trio.sleep(seconds)
    assert bought(rig) == before


async def goes_on(rig: Rig) -> None:
    """Heal the world, and wait until something is bought again."""
    before = bought(rig)
    rig.heal()
    await rig.until_running()
    await rig.until(lambda: bought(rig) > before)


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_drives_the_engine_and_survives_its_troubles(
    provider: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """A minute of trading, then a restart, silence, garbage and throttling, one after another."""
    async with open_rig(games=4, settings=settings_of(provider)) as rig:
        await trio.sleep(60)
        assert bought(rig) >= 2
        assert rig.board.counts["quotes"] > 300

        rig.network.deafen(*ODDS)
        rig.simulation.odds.cut_connections()
        await rig.until(lambda: rig.state == "paused", 60)
        assert "Odds is down" in rig.reasons
        await stands_still(rig, 20)
        rig.network.listen(*ODDS, rig.simulation.odds.serve_stream)
        await goes_on(rig)

        rig.simulation.odds_conditions.freeze = True
        rig.simulation.odds_conditions.silent = True
        rig.simulation.odds_conditions.rest_status = 503
        await stands_still(rig, 60)
        await goes_on(rig)

        before = bought(rig)
        for text in GARBAGE:
            rig.simulation.odds.inject_frame(text)
        await rig.until(lambda: bought(rig) > before)

        rig.simulation.odds_conditions.rest_status = 429
        rig.simulation.odds_conditions.refuse_upgrades = 429
        rig.simulation.odds.cut_connections()
        await stands_still(rig, 60)
        await goes_on(rig)

        assert rig.board.counts["invariant_violations"] == 0
        assert all(node.restarts == 0 for node in rig.system.snapshot())


@pytest.mark.slow
async def test_all_providers_run_at_once(open_rig: OpenRig, autojump_clock: object) -> None:
    """Each has an actor and a connection of its own, and each must be up for an order."""
    async with open_rig(games=4, settings=settings_of(*PROVIDERS)) as rig:
        await rig.until_running()
        names = {node.name for node in rig.system.snapshot()}
        assert {"odds", *(f"odds-{each}" for each in PROVIDERS[1:])} <= names
        assert {f"Odds {each}" for each in PROVIDERS[1:]} <= set(rig.board.connections)
        await rig.until(lambda: bought(rig) >= 2)
        assert all(node.restarts == 0 for node in rig.system.snapshot())
