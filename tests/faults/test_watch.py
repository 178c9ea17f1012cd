"""What the console sees of a simulated run."""

from __future__ import annotations

from typing import Any

import pytest

from arb.console.header_view import LinkView
from arb.console.snapshot import Snapshot
from arb.engine.steering import EngineSteering
from arb.faults.plan import plan_of
from arb.faults.session import simulate
from arb.faults.watch import Watch

# A run in which the engine is killed while it trades.
KILLED = plan_of(1).exactly(["kill-9@engine:3.0:2.0:1"])


def test_a_look_at_every_event_changes_none() -> None:
    """The outcome is that of a run at which nobody looks, to the digest."""
    watches: list[Watch] = []

    def looking(_line: str) -> None:
        watches[0].now()

    looked = simulate(KILLED, on_line=looking, on_watch=watches.append)

    assert looked == simulate(KILLED)
    assert looked.lives == 2


def test_between_two_lives_the_last_picture_is_shown_as_lost() -> None:
    """Before the first there is none; then it is new at each event, and old once it was killed."""
    watches: list[Watch] = []
    shown: list[tuple[str, Snapshot | None, LinkView]] = []
    simulate(
        KILLED,
        on_line=lambda line: shown.append((line, *watches[0].now())),
        on_watch=watches.append,
    )
    (_, nothing, waiting), *_ = shown
    _, before, up = next(each for each in shown if "1 is killed" in each[0])
    _, after, down = next(each for each in shown if "2 starts" in each[0])
    _, again, back = shown[-10]

    assert (nothing, waiting.connected, waiting.ever) == (None, False, False)
    assert before is not None
    assert up.connected
    assert (after, down.connected, down.ever, down.lost_ms) == (before, False, True, 500)
    assert again != before
    assert back.connected


def test_a_picture_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks is told why in one line; the look that comes twice a second is a violation."""

    def strange(_self: EngineSteering) -> dict[str, Any]:
        return {"v": 999}

    monkeypatch.setattr(EngineSteering, "snapshot", strange)
    watches: list[Watch] = []
    why: list[str] = []
    outcome = simulate(
        KILLED,
        on_line=lambda _line: why.append(watches[0].now()[1].why),
        until=40,
        on_watch=watches.append,
    )

    assert "pictures of version 999" in why[-1]
    assert outcome.violations[0].rule == "L4"
