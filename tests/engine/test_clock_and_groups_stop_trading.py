"""A clock that is off and an order group that is hit, in a whole engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from arb.core.parameters import Execution
from arb.engine.messages import ClearHalt, TriggerGroups
from arb.engine.names import GATEWAY
from arb.engine.venue_watch import CLOCK
from arb.io.clock import VirtualClock
from arb.settings import Settings
from arb.sim.simulation import Simulation, SimulationSettings
from tests.engine.conftest import EPOCH_MS

OpenRig = Callable[..., Any]


class SettableClock(VirtualClock):
    """The exchange's clock, which a test may set."""

    def __init__(self) -> None:
        super().__init__(EPOCH_MS)
        self.ahead_ms = 0

    def wall_ms(self) -> int:
        """Return what it shows."""
        return super().wall_ms() + self.ahead_ms


@pytest.mark.parametrize(
    "ahead_ms, words", [(4_000, "s behind the exchange's"), (-4_000, "s ahead of the exchange's")]
)
async def test_a_clock_that_is_off_stops_entries_until_it_is_set(
    ahead_ms: int, words: str, open_rig: OpenRig, autojump_clock: object
) -> None:
    """Either way; the reason says how far and what to do, and nothing is sent meanwhile."""
    clock = SettableClock()
    world = Simulation(SimulationSettings(games=2), clock)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.run)
        async with open_rig(simulation=world) as rig:
            await rig.until_running()
            assert rig.board.connections[CLOCK].connected
            clock.ahead_ms = ahead_ms
            await rig.until(lambda: CLOCK in rig.reasons, 120)
            assert words in rig.reasons
            assert "set-ntp" in rig.reasons
            assert rig.state == "paused"
            before = len(rig.entries())
            await trio.sleep(20)
            assert len(rig.entries()) == before

            clock.ahead_ms = 0
            await rig.until(lambda: rig.board.connections[CLOCK].connected, 120)
            assert CLOCK not in rig.reasons
        nursery.cancel_scope.cancel()


async def test_a_group_that_is_hit_halts_and_a_clear_resets_it(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The exchange stops entries beyond the limit; a person clears it, and trading goes on."""
    settings = Settings(execution=Execution(order_group_contracts=5))
    async with open_rig(settings=settings) as rig:
        await rig.until(lambda: rig.state == "halted", 300)
        assert "order group" in rig.reasons
        assert "Kalshi order groups" in rig.reasons
        assert rig.board.refusals["exchange: exceeded_order_group_risk_limit"] >= 1
        for group in rig.simulation.venue.groups.values():
            group.limit_e2 = 100_000
        before = len(rig.entries())
        assert await rig.ask(ClearHalt("looked at it", "me"))
        await rig.until_running()
        await rig.until(lambda: len(rig.entries()) > before, 120)


async def test_the_gateway_can_pull_the_exchanges_own_brake(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Entries are gone and stay away, sales stay, and the books are right."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        rig.system.address(GATEWAY).tell(TriggerGroups())
        await trio.sleep(0.5)
        assert rig.state == "paused"
        before = len(rig.entries())
        await trio.sleep(20)
        assert not rig.resting_entries()
        assert len(rig.entries()) == before
        assert rig.resting_exits() or not rig.held_e2
        rig.assert_books_equal()


async def test_the_accounts_tier_is_read_and_read_again(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Until it can be read the lowest tier holds; that is said."""
    async with open_rig() as rig:
        await rig.until_running()
        assert rig.gateway._exchange.budget.limits.tier == "advanced"
        assert rig.said("rate limits of tier advanced: 300 reading, 300 writing a second")
        rig.simulation.exchange_conditions.rest_status = 503
        assert not await rig.gateway._watch._read_limits()
        assert rig.said("rate limits not read")


async def test_an_order_that_the_exchange_refuses_shows_in_its_markets_row(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """With the exchange's own code, as a wish that risk has refused does."""
    async with open_rig() as rig:
        await rig.until_running()
        budget = rig.gateway._exchange.budget
        for shard in (0, 3):
            budget.take_entry(shard)
        budget.take_entry = lambda _shard: False
        await rig.until(lambda: rig.board.refusals["exchange: no tokens"] > 0, 120)
        await trio.sleep(0.001)
        shown = [row.reason for row in rig.board.markets.values() if row.action == "REFUSED"]
        assert any("no tokens: the rate budget of tier advanced is spent" in one for one in shown)
