"""The whole engine against the simulated world: it trades, and everything adds up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from arb.engine.messages import StopTrading
from arb.engine.names import RISK

OpenRig = Callable[..., Any]


async def test_it_finds_edges_gets_fills_and_rests_exits(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """Within two virtual minutes an entry fills, its exit rests, and no invariant is broken."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["exits"] >= 1)

        assert rig.board.counts["fills"] >= 1
        assert rig.board.counts["orders"] >= 2
        assert rig.board.counts["invariant_violations"] == 0
        assert rig.board.counts["invariant_checks"] >= rig.board.counts["orders"]


async def test_the_ledger_equals_the_exchanges_own(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """After trading stops, cash and positions are the exchange's to the last unit."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 4)
        await rig.system.address(RISK).ask(StopTrading(cancel_exits=True), timeout_s=1.0)
        await trio.sleep(5)

        account = rig.simulation.member
        held = {t: h.count_e2 for t, h in rig.board.holdings.items() if h.count_e2}
        assert held == {t: p.count_e2 for t, p in account.positions.items() if p.count_e2}
        assert rig.board.account.cash_e6 == sum(account.cash_e6.values())


async def test_the_gateway_forgets_orders_that_have_ended(
    open_rig: OpenRig, autojump_clock: object
) -> None:
    """What it knows of orders is what may still be cancelled, however long it runs."""
    async with open_rig() as rig:
        await rig.until(lambda: rig.board.counts["fills"] >= 4)
        await rig.system.address(RISK).ask(StopTrading(cancel_exits=True), timeout_s=1.0)
        await trio.sleep(5)

        assert rig.board.counts["orders"] >= 4
        assert rig.gateway._desk._known == {}
        assert repr(rig.gateway._desk.cancels) == "<CancelQueue 0 due, 0 out>"
