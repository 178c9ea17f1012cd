"""A minute of random faults under many seeds: what must hold during them, and after them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.io.clock import VirtualClock
from arb.sim.conditions import OrderAnswer
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.world.games import Calendar
from tests.engine.conftest import EPOCH_MS, Rig

OpenRig = Callable[..., Any]

FAULTY_S = 60.0
QUIET_S = 60.0

# Games that end in the middle of it all, and are decided and paid within half a minute.
SHORT_GAMES = Calendar(start_in_ms=40_000, stagger_ms=7_000, length_ms=15_000)
SETTLE_SCALE = 0.1

PARTS = ("journal", "risk", "gateway", "books", "odds")


@attrs.frozen
class Mischief:
    """Breaks one thing at a time, as its dice say, and sometimes mends all of them."""

    rig: Rig
    dice: random.Random

    def once(self) -> None:
        """Do one thing."""
        self.dice.choice(
            (
                self._cut,
                self._spoil_orders,
                self._spoil_sockets,
                self._spoil_reads,
                self._spoil_odds,
                self._kill,
                self.rig.heal,
                self.rig.heal,
            )
        )()

    def _cut(self) -> None:
        dice, sim = self.dice, self.rig.simulation
        dice.choice(
            (
                self.rig.network.cut,
                sim.exchange.cut_connections,
                sim.odds.cut_connections,
            )
        )()

    def _spoil_orders(self) -> None:
        conditions = self.rig.simulation.exchange_conditions
        conditions.order_answer = self.dice.choice(list(OrderAnswer))
        conditions.order_delay_s = self.dice.choice((0.0, 0.0, 0.3, 3.0))

    def _spoil_sockets(self) -> None:
        conditions = self.rig.simulation.exchange_conditions
        conditions.drop_private = self.dice.random() < 0.3
        conditions.duplicate_fills = self.dice.random() < 0.3
        conditions.stall_sockets = self.dice.random() < 0.2
        conditions.skip_sequences = self.dice.choice((0, 1, 7))
        conditions.refuse_upgrades = self.dice.choice((None, None, 503))

    def _spoil_reads(self) -> None:
        conditions = self.rig.simulation.exchange_conditions
        conditions.rest_status = self.dice.choice((None, 500, 503))
        conditions.answer_429 = self.dice.random() < 0.2
        conditions.stale_read_ms = self.dice.choice((0, 400))

    def _spoil_odds(self) -> None:
        conditions = self.rig.simulation.odds_conditions
        conditions.freeze = self.dice.random() < 0.3
        conditions.duplicate = self.dice.random() < 0.3
        conditions.rest_status = self.dice.choice((None, 500))
        conditions.shift = self.dice.choice((0.0, 0.05, -0.05))
        if self.dice.random() < 0.3:
            self.rig.simulation.odds.inject_frame('{"type": "rubbish')
            self.rig.simulation.exchange.inject_frame("rubbish")

    def _kill(self) -> None:
        names = [*PARTS, *self.rig.markets()]
        self.rig.system.kill(self.dice.choice(names))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
async def test_faults_at_random(seed: int, open_rig: OpenRig, autojump_clock: object) -> None:
    """The invariants and the cap hold; healed, trading resumes, and all books are equal."""
    dice = random.Random(seed)
    async with open_rig(seed=seed) as rig:
        mischief = Mischief(rig, dice)
        with trio.move_on_after(FAULTY_S):
            while True:
                await trio.sleep(dice.uniform(0.1, 3.0))
                mischief.once()
                assert rig.board.exposure_max_e6 <= rig.settings.risk.max_total_exposure_e6
        rig.heal()
        await rig.until(lambda: rig.state == "running", QUIET_S)
        await rig.withdraw(cancel_exits=True)
        await trio.sleep(3)

        rig.assert_books_equal()
        rig.assert_no_orphan()
        assert rig.resting() == []
        assert rig.board.counts["invariant_checks"] >= rig.board.counts["orders"]
        assert all(node.state == "running" for node in rig.system.snapshot())


def ending_world(seed: int) -> Simulation:
    """Make a world whose games are over within a minute and a half, a third of them tied."""
    settings = SimulationSettings(seed=seed, games=4, calendar=SHORT_GAMES)
    world = Simulation(settings, VirtualClock(EPOCH_MS))
    world.world.referee.tie_share = 0.3
    world.world.referee._scale = SETTLE_SCALE
    return world


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
async def test_games_end_amid_faults(seed: int, open_rig: OpenRig, autojump_clock: object) -> None:
    """When all games are paid, cash, positions, gains and fees are the exchange's own."""
    dice = random.Random(seed)
    world = ending_world(seed)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(simulation=world) as rig:
            mischief = Mischief(rig, dice)
            with trio.move_on_after(100.0):
                while True:
                    await trio.sleep(dice.uniform(0.1, 3.0))
                    mischief.once()
            rig.heal()
            await rig.until(lambda: world.world.referee._pending == [], QUIET_S)
            await rig.until(lambda: "equal" in repr(rig.risk._reconciler), QUIET_S)
            await trio.sleep(35)

            ledger = rig.risk._books.ledger
            assert rig.held_e2 == {}
            assert rig.resting() == []
            rig.assert_books_equal()
            for ticker, theirs in rig.account.positions.items():
                ours = ledger.position(ticker)
                assert ours.realised_e6 == theirs.realised_e6, ticker
                assert ours.fees_e6 == theirs.fees_e6, ticker
            assert len(ledger.settled) == len(rig.account.settlements)
            assert "not reconciled" not in rig.reasons
        nursery.cancel_scope.cancel()
