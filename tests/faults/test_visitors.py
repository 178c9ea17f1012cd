"""Consoles that stall, send rubbish and die, at an engine that must not notice."""

from __future__ import annotations

from random import Random

import pytest
import trio

from arb.engine.control import ControlServer
from arb.faults.plan import plan_of
from arb.faults.session import simulate
from arb.faults.visitors import Visitors, visitors_apart


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[ControlServer]:
    """Return every server that is visited."""
    seen: list[ControlServer] = []
    made = ControlServer.__init__

    def note(server: ControlServer, *given: object) -> None:
        made(server, *given)  # type: ignore[arg-type]
        seen.append(server)

    monkeypatch.setattr(ControlServer, "__init__", note)
    return seen


@pytest.mark.parametrize("seed", [1, 5, 7])
def test_the_trace_is_the_one_without_them(seed: int, servers: list[ControlServer]) -> None:
    """Every event at its time, with the seed's own faults; and they did all that they can do."""
    alone: list[str] = []
    visited: list[str] = []
    one = simulate(plan_of(seed), on_line=alone.append)
    assert servers == []
    other = simulate(plan_of(seed), on_line=visited.append, visitors=True)

    assert visited == alone
    assert one == other
    assert sum(each.counts.accepted for each in servers) > 10
    assert sum(each.counts.malformed for each in servers) > 10
    assert sum(each.counts.dropped_slow for each in servers) > 0
    assert sum(each.counts.dropped_rude for each in servers) > 0


def test_the_order_of_others_is_the_one_without_visitors() -> None:
    """Trio's dice are thrown for the others alone, and lent for everything else."""
    run = trio._core._run
    run._r.seed(3)
    with visitors_apart(3):
        assert run._r.random() == Random(3).random()
        assert "_Apart from" in repr(run._r)
    assert isinstance(run._r, Random)


def test_what_is_told_of_them() -> None:
    """How many engines they have been at."""
    assert repr(Visitors(1, lambda: None)) == "<Visitors of 0 engines>"
