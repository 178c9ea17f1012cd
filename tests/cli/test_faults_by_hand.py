"""``arb faults list``, ``on`` and ``off`` against a served engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from arb.cli.app import run
from tests.cli.test_steer_commands import ServedEngine


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedEngine]:
    """Serve an engine in the simulated world where the commands look for one."""
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path))
    engine = ServedEngine(tmp_path, "sim", "seed-7")
    yield engine
    engine.close()


def test_faults_are_listed(served: ServedEngine, capsys: pytest.CaptureFixture[str]) -> None:
    """For people a table with what is on and since when, for scripts the rows themselves."""
    assert run(["faults", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line.split() for line in lines if "answer-lost" in line]
    assert row[:3] == ["ON", "answer-lost", "orders"]
    assert any(line.split()[:2] == ["done", "sequence-gap"] for line in lines if line.strip())
    assert run(["faults", "list", "--world", "seed-7", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out) == served.engine.faults["faults"]


def test_faults_are_switched(served: ServedEngine, capsys: pytest.CaptureFixture[str]) -> None:
    """Each name is a request of its own; all go off by one."""
    assert run(["faults", "on", "order-refused", "frozen"]) == 0
    assert capsys.readouterr().out.splitlines() == ["fault order-refused done", "fault frozen done"]
    assert run(["faults", "off", "frozen"]) == 0
    assert run(["faults", "off", "--all"]) == 0
    assert served.engine.commands == [
        ("fault", {"name": "order-refused", "switch": "on"}),
        ("fault", {"name": "frozen", "switch": "on"}),
        ("fault", {"name": "frozen", "switch": "off"}),
        ("faults_off", {}),
    ]


@pytest.mark.parametrize("typed", [["on"], ["off"], ["off", "frozen", "--all"]])
def test_nothing_and_everything_are_refused(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one line that says what to type."""
    assert run(["faults", *typed]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_without_a_simulated_world_there_is_nothing_to_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An engine of another mode is not even asked."""
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path))
    live = ServedEngine(tmp_path, "live", "account-1")
    assert run(["faults", "on", "order-refused"]) == 1
    live.close()
    assert "no sim engine is running" in capsys.readouterr().err
    assert live.engine.commands == []
