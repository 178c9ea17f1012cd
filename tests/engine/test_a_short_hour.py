"""What an hour at twenty times its speed must end with, in virtual time and a hundredth of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from arb.cli.why import SAME_TURN_MS, Answer
from arb.core.exit_parameters import Exits
from arb.engine.decision_log import DecisionLog
from arb.engine.offload import call_in_place
from arb.faults.hour import HourReport, judge, unexplained
from arb.faults.judge_account import account_differences
from arb.io.clock import VirtualClock
from arb.journal.decisions import read_decisions
from arb.journal.orders import OrderLife, lives_of
from arb.journal.recovery import recover
from arb.journal.trades import account_of
from arb.settings import Settings
from arb.settings.sections import Engine
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.truth import truth_of
from arb.sim.world.games import Calendar
from tests.engine.conftest import EPOCH_MS, MAKER_ONLY, Rig

OpenRig = Callable[..., Any]

# Both games begin soon and end soon after; what is paid then is paid at twenty times the speed.
CALENDAR = Calendar(start_in_ms=20_000, stagger_ms=5_000, length_ms=10_000)
SETTINGS = attrs.evolve(MAKER_ONLY, engine=Engine(discovery_interval_ms=15_000))
# Others buy within a second what is on sale at fair value: what does not follow it down is held.
STUBBORN = Settings(engine=SETTINGS.engine, exits=Exits(exit_follow_down=False))


async def settled(rig: Rig) -> list[str]:
    """Freeze the world, and return what still differs when all that moved has had its time."""
    rig.simulation.stands_still = True
    found: list[str] = []
    for _ in range(180):
        await trio.sleep(0.5)
        ledger = rig.risk._books.ledger
        found = account_differences(ledger, truth_of(rig.simulation))
        if not found:
            break
    return found


def answer_of(life: OrderLife, path: Path) -> dict[str, Any]:
    """Return what ``arb why`` says of an order."""
    ticker = life.intent.ticker
    rows = read_decisions(path, ticker, life.at_ms - SAME_TURN_MS)
    return Answer(ticker, tuple(rows), (life,)).as_json()


@pytest.mark.slow
@pytest.mark.parametrize("seed, settings, held_at_the_end", [(1, STUBBORN, 1), (2, SETTINGS, 0)])
async def test_an_hour_ends_with_the_exchanges_own_ledger(
    seed: int,
    settings: Settings,
    held_at_the_end: int,
    open_rig: OpenRig,
    autojump_clock: object,
    tmp_path: Path,
) -> None:
    """Cash, positions, fees and gains are equal to the last unit, and every order is explained."""
    clock = VirtualClock(EPOCH_MS)
    world = Simulation(SimulationSettings(seed=seed, games=2, speed=20, calendar=CALENDAR), clock)
    path = tmp_path / "decisions"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(simulation=world, settings=settings) as rig:
            log = DecisionLog(path, rig.parts.clock, lambda _text: None, call_in_place)
            rig.parts.decisions = log
            await rig.until_running()
            await trio.sleep(10)
            added = world.list_another()
            await rig.until(lambda: added.home_ticker in rig.markets(), 40)
            await rig.until(lambda: truth_of(world)["ended"] >= 4, 120)
            assert await settled(rig) == []
            log.close()

            records = rig.parts.journal.records()
            truth, report = truth_of(world), HourReport()
            ledger = recover(records).ledger
            judge(ledger, truth, [added.event_ticker], report)
            assert report.violations == []
            assert report.orders > 5
            assert report.new_games_traded == 1
            assert report.settled >= held_at_the_end
            lives = lives_of(records)
            for name in random.Random(seed).sample(sorted(lives), min(20, len(lives))):
                assert unexplained(ledger, name, answer_of(lives[name], path)) is None

            account = account_of(records)
            gained_e6 = sum(trade.gained_e6 for trade in account.trades)
            assert gained_e6 == sum(truth["realised_e6"].values()) - sum(truth["fees_e6"].values())
            closed_e6 = sum(lot.gained_e6 for lot in account.lots if lot.gained_e6 is not None)
            open_fees_e6 = sum(lot.fees_e6 for lot in account.lots if lot.closed_ms is None)
            assert closed_e6 == gained_e6 + open_fees_e6
        nursery.cancel_scope.cancel()
