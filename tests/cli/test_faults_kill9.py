"""``arb faults kill9``: what it prints first and last, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import orjson
import pytest
import trio

from arb.cli import faults_kill9 as command
from arb.cli.app import run
from arb.faults.kill9 import Kill9Failed, Kill9Report

TYPED = ["faults", "kill9", "--cycles", "2", "--seed", "7"]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Kill9Report:
    """Return what a run will show, without killing anything."""
    made = Kill9Report(cycles=2, records=7)

    async def pretend(
        cycles: int, folder: Path, dice: Random, tell: Callable[[Kill9Report], None]
    ) -> Kill9Report:
        assert await trio.Path(folder).is_dir()
        assert (cycles, dice.random()) == (2, Random(7).random())
        tell(made)
        return made

    monkeypatch.setattr(command, "run_cycles", pretend)
    return made


def test_it_begins_with_seed_and_version(
    report: Kill9Report, capsys: pytest.CaptureFixture[str]
) -> None:
    """What happens on the way goes to standard error, the counts come last."""
    del report
    assert run(TYPED) == 0
    said = capsys.readouterr()
    first, last = said.out.splitlines()
    assert first.startswith("seed 7, arb 0.")
    assert last == "2 cycles, 7 records, 0 torn, 0 orders, 0 fills, 0 violations"
    assert said.err == "2 cycles, 7 records, 0 torn\n"


def test_a_failure_ends_with_the_command(
    report: Kill9Report, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, the rule that was violated, and what to type."""
    report.violations.append("I13: records are gone")
    assert run(TYPED) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "violated I13: records are gone" in lines
    assert lines[-1].split() == ["arb", *TYPED]


def test_json_is_all_that_standard_output_gets(
    report: Kill9Report, capsys: pytest.CaptureFixture[str]
) -> None:
    """One object with the seed, the counts and what was violated."""
    report.violations.append("I13: records are gone")
    assert run([*TYPED, "--json"]) == 1
    said = capsys.readouterr()
    document = orjson.loads(said.out)
    assert (document["seed"], document["records"], document["violations"]) == (7, 7, 1)
    assert document["violated"] == ["I13: records are gone"]
    assert said.err.splitlines()[-1].split() == ["arb", *TYPED]


def test_what_cannot_be_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cycle at all, and a world that does not start."""

    async def no_world(*_args: object) -> Kill9Report:
        async with trio.open_nursery():
            raise Kill9Failed("the simulated world said nothing")

    monkeypatch.setattr(command, "run_cycles", no_world)
    assert run(TYPED) == 1
    assert capsys.readouterr().err == "arb: the simulated world said nothing\n"
    assert run(["faults", "kill9", "--cycles", "0"]) == 2
    assert "--cycles 0 are none" in capsys.readouterr().err
