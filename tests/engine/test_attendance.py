"""Consoles that come, take their leave, and disappear; and what the engine does then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from arb.engine.attendance import FIRST_GRACE_S, GRACE_S, Attendance, heed
from arb.engine.stopping import StopRequest
from arb.engine.unattended import unattended
from arb.settings import Settings
from arb.settings.sections import Engine
from tests.engine.conftest import Rig

OpenRig = Callable[..., Any]
LATE_S = 0.1


class Watched:
    """An attendance that is heeded, and how often somebody was missed."""

    def __init__(self) -> None:
        self.attendance = Attendance()
        self.missed = 0

    async def run(self) -> None:
        """Heed it."""
        await heed(self.attendance, lambda: "act", {"act": self._act})

    def _act(self) -> None:
        self.missed += 1


@pytest.fixture
def watched(nursery: trio.Nursery) -> Watched:
    """Return an attendance that is heeded."""
    made = Watched()
    nursery.start_soon(made.run)
    return made


async def test_a_console_that_never_comes_is_missed(
    watched: Watched, nursery: trio.Nursery, autojump_clock: object
) -> None:
    """It has the time that a process takes to start, and is missed once."""
    await trio.sleep(FIRST_GRACE_S - LATE_S)
    assert watched.missed == 0
    await trio.sleep(10 * FIRST_GRACE_S)
    assert watched.missed == 1
    nursery.cancel_scope.cancel()


async def test_the_last_one_to_disappear_is_missed(
    watched: Watched, nursery: trio.Nursery, autojump_clock: object
) -> None:
    """Not one of two, nor one that is back in time; each disappearance counts."""
    attendance = watched.attendance
    await trio.sleep(LATE_S)
    attendance.came()
    attendance.came()
    attendance.went(took_leave=False)
    await trio.sleep(10 * GRACE_S)
    attendance.went(took_leave=False)
    await trio.sleep(GRACE_S - LATE_S)
    attendance.came()
    await trio.sleep(10 * GRACE_S)
    assert watched.missed == 0

    for times in (1, 2):
        attendance.went(took_leave=False)
        await trio.sleep(GRACE_S + LATE_S)
        assert watched.missed == times
        attendance.came()
        await trio.sleep(GRACE_S)
    nursery.cancel_scope.cancel()


async def test_whoever_takes_his_leave_is_not_missed(
    watched: Watched, nursery: trio.Nursery, autojump_clock: object
) -> None:
    """The engine was left running on purpose; a later console that disappears is missed."""
    attendance = watched.attendance
    attendance.came()
    attendance.went(took_leave=True)
    await trio.sleep(10 * FIRST_GRACE_S)
    assert watched.missed == 0
    attendance.came()
    assert "of 1>" in repr(attendance)
    attendance.went(took_leave=False)
    assert "[missed]" in repr(attendance)
    await trio.sleep(GRACE_S + LATE_S)
    assert watched.missed == 1
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("wanted", ["run", "reduce", "stop"])
async def test_the_setting_decides(open_rig: OpenRig, autojump_clock: object, wanted: str) -> None:
    """It runs on; it keeps its exits and buys nothing until a person resumes; or it stops."""
    settings = attrs.evolve(Settings(), engine=Engine(unattended=wanted))
    async with open_rig(settings=settings) as rig:
        await rig.until(lambda: bool(rig.resting_exits()))
        stop = StopRequest()
        setting, acts = unattended(rig.parts, rig.system, stop)
        acts[setting()]()
        await trio.sleep(1)

        assert f"engine.unattended = {wanted}" in " ".join(line.text for line in rig.board.log)
        assert rig.state == ("reducing" if wanted == "reduce" else "running")
        assert stop.reason == ("its last console disappeared" if wanted == "stop" else None)
        if wanted == "reduce":
            await _only_exits(rig)


async def _only_exits(rig: Rig) -> None:
    bought = len(rig.entries())
    assert "its last console disappeared" in rig.reasons
    await trio.sleep(20)
    assert len(rig.entries()) == bought
    await rig.steering.steer("resume", {})
    await rig.until(lambda: len(rig.entries()) > bought)
