"""``arb faults``: the command that a failure ends with, typed, makes the same run."""

from __future__ import annotations

import attrs
import orjson
import pytest

from arb.cli import faults as command
from arb.cli.app import run
from arb.cli.faults_said import plan_asked_for, repeating
from arb.faults.catalogue import cells
from arb.faults.matrix import CellResult
from arb.faults.plan import plan_of, plan_of_cell
from arb.faults.session import simulate

# It draws three faults, none of which the broken engine needs to fail.
SEED = 3


def typed(line: str) -> list[str]:
    """Return what a line of the output says behind ``arb``."""
    name, *rest = line.split()
    assert name == "arb"
    return rest


def said_of(line: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Run a printed command and return its lines."""
    run(typed(line))
    return capsys.readouterr().out.splitlines()


def test_every_plan_is_read_as_it_was_written() -> None:
    """World, settings and the moment of each fault: of seeds, of no fault, and of every cell."""
    own = plan_of(SEED)
    plans = [own, own.keep(()), own.keep([1])]
    plans += [plan_of_cell(cell, SEED) for cell in cells()]
    for plan in plans:
        _, _, *options = typed(repeating(plan))
        again = plan_asked_for(SEED, (), tuple(options[3:]) or None)

        assert options[:2] == ["--seed", str(SEED)]
        assert options[2:3] in ([], ["--faults"])
        assert again.faults == plan.faults
        assert attrs.evolve(again, rates=plan.rates) == plan


@pytest.mark.usefixtures("broken")
def test_a_failure_that_needs_no_fault_is_repeated_without_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``--faults none`` ends what shrinks to nothing, and a run of faults that its seed has not."""
    run(["faults", "run", "--seed", str(SEED), "--only", "flood"])
    only = capsys.readouterr().out.splitlines()
    run(["faults", "shrink", "--seed", str(SEED)])
    shrunk = capsys.readouterr().out.splitlines()

    assert only[0].endswith("faults: none")
    assert only[-1] == f"arb faults run --seed {SEED} --faults none"
    assert said_of(only[-1], capsys) == only
    # Shrinking tells of its steps first; from the last events on it is the same.
    assert shrunk[-25:] == only[-25:]


@pytest.mark.usefixtures("broken")
def test_what_is_printed_can_be_shrunk_and_replayed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another word in place of ``run`` it is the same run, with its faults and without."""
    monkeypatch.setattr("builtins.input", lambda _prompt: "q")
    plan = plan_of(SEED).keep([1])
    for line in (repeating(plan), repeating(plan.keep(()))):
        ran = said_of(line, capsys)
        assert said_of(line.replace(" run ", " replay "), capsys)[-4:] == ran[-4:]
        assert said_of(line.replace(" run ", " shrink "), capsys)[0] == ran[0]


@pytest.mark.usefixtures("broken")
def test_a_cell_that_fails_ends_with_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    """So does the matrix, with that of the first cell; each is exactly the run that failed."""
    chosen = ["--only", "closed@books", "closed@account"]
    assert run(["faults", "matrix", "--seeds", "1", "--first", str(SEED), *chosen]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("closed@books fails at"))
    outcome = simulate(plan_of_cell("closed@books", SEED))

    assert f"at seeds {SEED}: I2" in lines[at]
    assert lines[at + 1].strip() == lines[-1]
    assert lines[-2].startswith("0 of 2 cells hold")
    assert any(f"digest {outcome.digest[:16]}" in line for line in said_of(lines[-1], capsys))


def test_each_seed_of_a_cell_has_its_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seeds that fail are two commands, under the line that names both."""
    plans = tuple(plan_of_cell("no-space@journal", seed) for seed in (1, 3))
    bad = CellResult("no-space@journal", 3, plans, 9, "I2 at 1.000 s: lost")
    monkeypatch.setattr(command, "run_cell", lambda _cell, _seeds: bad)
    assert run(["faults", "matrix", "--only", "no-space"]) == 1
    _, line, one, other, *_rest = capsys.readouterr().out.splitlines()

    assert line == "no-space@journal fails at seeds 1, 3: I2 at 1.000 s: lost"
    assert [one.strip(), other.strip()] == [repeating(plan) for plan in plans]


def test_a_run_that_was_stopped_does_not_say_that_it_held(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Most rules were not asked; an event that never comes stops nothing."""
    ask = ["faults", "run", "--seed", str(SEED), "--until"]
    assert run([*ask, "30", "--trace"]) == 0
    *_, event, counted, last = capsys.readouterr().out.splitlines()
    assert event.split()[0] == "30"
    assert ", 30 events, " in counted
    assert last == "stopped at event 30; nothing violated so far"

    assert run([*ask, "1000000"]) == 0
    assert capsys.readouterr().out.endswith("every rule held\n")
    for until, stopped in (("30", True), ("1000000", False)):
        run([*ask, until, "--json"])
        assert orjson.loads(capsys.readouterr().out)["stopped"] is stopped


@pytest.mark.usefixtures("broken")
def test_a_violation_before_the_stop_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Stopped or not, it ends with the command that repeats it."""
    assert run(["faults", "run", "--seed", str(SEED), "--until", "60"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"arb faults run --seed {SEED}"
    assert any(line.startswith("violated I2") for line in lines)
