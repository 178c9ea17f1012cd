"""What people are shown, and what is sold, while the risk manager cannot know or cannot speak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from arb.core.permission import TradingState
from arb.core.risk import RefusalCode
from arb.engine.messages import HaltTrading

OpenRig = Callable[..., Any]


async def test_a_risk_manager_that_is_down_is_shown(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """What it said last is not true any more: the picture says that nothing is sent, and why."""
    async with open_rig() as rig:
        await rig.until_running()
        assert rig.steering.snapshot()["trading"]["state"] == "running"
        await rig.system.quarantine("risk")
        shown = rig.steering.snapshot()["trading"]

        assert shown["state"] == TradingState.PAUSED
        assert shown["reasons"] == ["the risk manager is quarantined: nothing is sent"]


async def test_a_halt_stays_a_halt_while_the_risk_manager_is_down(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """The stronger word stands, and both reasons."""
    async with open_rig() as rig:
        await rig.until_running()
        await rig.ask(HaltTrading("a test", "me"))
        await rig.system.quarantine("risk")
        shown = rig.steering.snapshot()["trading"]

        assert shown["state"] == TradingState.HALTED
        assert "halted by me" in shown["reasons"][0]
        assert "the risk manager is quarantined" in shown["reasons"][-1]


async def test_nothing_is_sold_before_it_is_known_what_rests(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """A sale waits for a list without strangers; the wait is counted, and it goes afterwards."""
    async with open_rig() as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        rig.simulation.odds_conditions.freeze = True
        await trio.sleep(0.5)
        rig.parts.switches.resting_known = False
        rig.simulation.exchange_conditions.rest_status = 503
        (sale, *_) = rig.resting_exits()
        rig.simulation.venue.take_off_book(sale, sale.change)
        before = rig.exits()
        await trio.sleep(1)
        assert rig.exits() == before
        assert rig.board.refusals[RefusalCode.RESTING_UNKNOWN.value] >= 1

        rig.simulation.exchange_conditions.rest_status = None
        await rig.until(lambda: rig.parts.switches.resting_known, 60)
        await rig.until(lambda: len(rig.exits()) > len(before), 10)
