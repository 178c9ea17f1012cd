"""``arb faults``: what it prints, how it ends, and what it refuses."""

# flake8: noqa: ASYNC124 - a stand-in has the shape of what it stands for

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import trio

from arb.cli import faults as command
from arb.cli import faults_day, faults_hour
from arb.cli.app import run
from arb.faults.day import S_PER_HOUR, DayReport, Hour
from arb.faults.determinism import Unequal
from arb.faults.hour import HourReport
from arb.faults.kill9 import Kill9Failed
from arb.faults.matrix import BEGIN, END
from arb.faults.plan import Plan
from arb.faults.seeds import read_seeds
from arb.faults.session import Outcome


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path / "state"))


def test_a_run_begins_with_its_seed_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    """First the seed, the version and the rates; at the end that every rule held."""
    assert run(["faults", "run", "--seed", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].startswith("seed 3, arb 0.")
    assert "a minute" in lines[0]
    assert lines[-1] == "every rule held"


def test_a_trace_is_the_same_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Every event is printed, and twice the same ones."""
    assert run(["faults", "run", "--seed", "3", "--trace", "--only", "network"]) == 0
    first = capsys.readouterr().out
    run(["faults", "run", "--seed", "3", "--trace", "--only", "network"])

    assert capsys.readouterr().out == first
    assert "process   1 starts" in first


@pytest.mark.usefixtures("broken")
def test_a_failure_ends_with_the_command_that_repeats_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The last line, typed, fails in the same way."""
    assert run(["faults", "run", "--seed", "3"]) == 1
    first = capsys.readouterr().out.splitlines()
    assert first[-1] == "arb faults run --seed 3"
    assert any(line.startswith("violated I2") for line in first)

    assert run(["faults", "shrink", "--seed", "3"]) == 1
    shrunk = capsys.readouterr().out.splitlines()[-1].split()
    assert shrunk[:4] == ["arb", "faults", "run", "--seed"]
    assert run(shrunk[1:]) == 1


def test_a_run_gives_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One object and nothing else."""
    assert run(["faults", "run", "--seed", "3", "--json"]) == 0
    document = orjson.loads(capsys.readouterr().out)

    assert (document["seed"], document["violations"]) == (3, [])
    assert len(document["digest"]) == 64


def test_a_reader_who_leaves_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ``| head``: no more is said, nothing fails of it, and the run goes no further."""
    said: list[str] = []

    def gone(line: str) -> None:
        said.append(line)
        if "process   1 starts" in line:
            raise BrokenPipeError

    monkeypatch.setattr(command, "show", gone)
    monkeypatch.setattr(command, "tell_outcome", lambda outcome, *_args, **_: said.append(outcome))

    assert run(["faults", "run", "--seed", "3", "--trace"]) == 0
    assert "process   1 starts" in said[-2]
    assert said[-1].events < 100  # type: ignore[attr-defined]


def test_a_campaign_sums_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Its last line is JSON where that is wanted; progress goes elsewhere."""
    assert run(["faults", "campaign", "--seeds", "2", "--json"]) == 0
    summary = orjson.loads(capsys.readouterr().out)
    assert (summary["seeds"], summary["violations"]) == (2, 0)
    assert {"seconds", "sometimes"} <= summary.keys()

    assert run(["faults", "campaign", "--seeds", "3", "--resume"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("seeds 3 to 3")
    assert "0 violations in 3 seeds" in said.out


@pytest.mark.usefixtures("broken")
def test_a_campaign_keeps_what_failed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It stops where it was told to, and adds the seed to a file."""
    path = tmp_path / "seeds.txt"
    typed = ["faults", "campaign", "--seeds", "9", "--stop", "--add-to", str(path)]
    assert run(typed) == 1
    assert "seed 1 failed: I2" in capsys.readouterr().out
    (old,) = read_seeds(path.read_text())

    assert old.seed == 1
    assert old.plan.faults


def test_the_matrix_is_written_into_a_document(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The grid of the chosen cells stands where the marks are."""
    path = tmp_path / "faults.md"
    path.write_text(f"{BEGIN}\n{END}\n")
    typed = ["faults", "matrix", "--seeds", "1", "--only", "closed@books", "--write", str(path)]
    assert run(typed) == 0

    assert "1 of 1 cells hold" in capsys.readouterr().out
    assert "| closed | books ✓" in path.read_text()
    path.write_text("nothing")
    assert run(typed) == 1


@pytest.mark.parametrize(
    "typed, said",
    [
        (["run", "--seed", "1", "--only", "earthquake"], "is no fault"),
        (["run", "--seed", "1", "--faults", "nonsense"], "is no fault"),
        (["run", "--seed", "1", "--faults", "none", "none"], "is no fault"),
        (["run", "--seed", "1", "--faults"], "for a run without any, --faults none"),
        (["run", "--seed", "1", "--only", "disk", "--faults", "none"], "exclude each other"),
        (["run", "--seed", "1", "--until", "0"], "the first is 1"),
        (["matrix", "--only", "earthquake"], "is no fault"),
        (["matrix", "--seeds", "0"], "at least 1"),
        (["campaign", "--seeds", "0"], "at least 1"),
        (["campaign", "--seeds", "1", "--jobs", "1000"], "--jobs"),
    ],
)
def test_what_is_typed_wrongly_is_refused(
    typed: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and exit code 2."""
    assert run(["faults", *typed]) == 2
    assert said in capsys.readouterr().err


def test_what_does_not_fail_cannot_be_shrunk(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and one line."""
    assert run(["faults", "shrink", "--seed", "3"]) == 1
    assert "does not fail" in capsys.readouterr().err


@pytest.mark.parametrize("violations", [[], ["I5: cash_e6: 1 here, 2 there"]])
def test_an_hour_is_reported(
    violations: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seed first, then the figures as words or JSON; a violation ends with what to type."""

    async def an_hour(_folder: Path, _dice: object, speed: float) -> HourReport:
        return HourReport(seconds=speed, orders=7, violations=violations)

    monkeypatch.setattr(faults_hour, "run_hour", an_hour)
    assert run(["faults", "hour", "--seed", "7"]) == len(violations)
    head, *broken, figures = capsys.readouterr().out.splitlines()[: 2 + len(violations)]
    assert head.startswith("seed 7, arb 0.")
    assert broken == [f"violated {line}" for line in violations]
    assert figures.startswith("seconds 20.0, orders 7, ")

    run(["faults", "hour", "--json", "--seed", "7", "--speed", "40"])
    said = capsys.readouterr()
    assert orjson.loads(said.out)["seconds"] == 40
    assert ("arb faults hour --seed 7 --speed 40" in said.err) == bool(violations)


def test_an_hour_that_cannot_be_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A world that does not start, and a speed that is none."""

    async def no_hour(_folder: Path, _dice: object, _speed: float) -> HourReport:
        async with trio.open_nursery():
            raise Kill9Failed("the simulated world said nothing")

    monkeypatch.setattr(faults_hour, "run_hour", no_hour)
    assert run(["faults", "hour"]) == 1
    assert "arb: the simulated world said nothing" in capsys.readouterr().err
    assert run(["faults", "hour", "--speed", "0.5"]) == 2
    assert "--speed 0.5 must be between 1 and 100" in capsys.readouterr().err


@pytest.mark.parametrize("grown", [(), ("I16: what is in no ring has grown: Board.log",)])
def test_a_day_is_reported(
    grown: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seed first, a line for each weighing, then the figures; growth ends with what to type."""
    weighed = Hour(3_600.0, 1, 4, 500, 90, 400_000, 80_000, 300_000, 8)

    def a_day(plan: Plan, tell: Callable[[Hour], None]) -> DayReport:
        tell(weighed)
        hours = int(plan.faulty_s / S_PER_HOUR)
        return DayReport(Outcome(plan.seed, (), 0, events=hours), (weighed,), 3, grown)

    monkeypatch.setattr(faults_day, "run_day", a_day)
    assert run(["faults", "day", "--seed", "7", "--hours", "2"]) == len(grown)
    head, line, *broken, figures = capsys.readouterr().out.splitlines()[: 3 + len(grown)]
    assert head.startswith("seed 7, arb 0.")
    assert line == f"{weighed}"
    assert broken == [f"violated {each}" for each in grown]
    assert figures.startswith(f"violations {len(grown)}, events 2, ")

    run(["faults", "day", "--seed", "7", "--json"])
    said = capsys.readouterr()
    assert orjson.loads(said.out)["rest_bytes"] == 300_000
    assert ("arb faults day --hours 24 --seed 7" in said.err) == bool(grown)


def test_a_day_of_no_length_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """In less than an hour nothing is weighed."""
    assert run(["faults", "day", "--hours", "0.5"]) == 2
    assert "--hours 0.5 must be between 1 and 48" in capsys.readouterr().err


def test_equality_is_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeds that differ are named, and the last line compares the first of them again."""
    assert run(["faults", "digests", "--seeds", "1", "--first", "3"]) == 0
    assert capsys.readouterr().out.startswith("3 ")
    monkeypatch.setattr(command, "unequal", lambda _first, _count: [Unequal(2, "a 1", "b 1")])
    assert run(["faults", "equal", "--seeds", "2"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["seed 2: a 1 and b 1", "1 of 2 seeds are equal"]
    monkeypatch.setattr(command, "unequal", lambda _first, _count: [])
    assert run(lines[-1].split()[1:]) == 0
    assert "seeds 2 to 2 twice" in capsys.readouterr().out


def test_histories_of_the_core_begin_with_their_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line names the seeds and the version, beside the object where that is JSON."""
    assert run(["faults", "core", "--seeds", "20", "--first", "7"]) == 0
    head = capsys.readouterr().out.splitlines()[0]
    assert head.startswith("histories 7 to 26 of the core, arb 0.")
    assert run(["faults", "core", "--seeds", "20", "--first", "7", "--json"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith(head)
    assert orjson.loads(said.out)["seeds"] == 20
