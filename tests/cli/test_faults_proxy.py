"""``arb faults proxy``: what it prints first and last, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import trio

from arb.cli import faults_proxy as command
from arb.cli.app import run
from arb.faults.disturbances import ProxyPlan
from arb.faults.proxied import ProxyFailed, ProxyReport

TYPED = ["faults", "proxy", "--seconds", "12", "--seed", "7"]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> ProxyReport:
    """Return what a run will show, without running anything."""
    made = ProxyReport(orders=3, fills=2)

    async def pretend(plan: ProxyPlan, folder: Path, tell: Callable[[str], None]) -> ProxyReport:
        await trio.lowlevel.checkpoint()
        assert (plan.seed, plan.seconds) == (7, 12.0)
        assert await trio.Path(folder).is_dir()
        tell("everything is healed")
        return made

    monkeypatch.setattr(command, "run_proxied", pretend)
    return made


def test_it_begins_with_seed_version_and_rates(
    report: ProxyReport, capsys: pytest.CaptureFixture[str]
) -> None:
    """What happens on the way goes to standard error, the counts come last."""
    del report
    assert run(TYPED) == 0
    said = capsys.readouterr()
    first, last = said.out.splitlines()
    assert first.startswith("seed 7, arb 0.")
    assert first.endswith(" a minute")
    assert last.startswith("3 orders, 2 fills, ")
    assert last.endswith("0 violations")
    assert said.err == "everything is healed\n"


def test_a_failure_ends_with_the_command(
    report: ProxyReport, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, the rules, and what to type."""
    report.violations.append("I5: cash 5, the exchange has 6")
    assert run(TYPED) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "violated I5: cash 5, the exchange has 6" in lines
    assert lines[-1] == "arb faults proxy --seconds 12 --seed 7"


def test_json_is_alone_on_standard_output(
    report: ProxyReport, capsys: pytest.CaptureFixture[str]
) -> None:
    """One object with the counts and what was violated."""
    report.violations.append("I5: x")
    assert run([*TYPED, "--json"]) == 1
    said = capsys.readouterr()
    document = orjson.loads(said.out)
    assert (document["seed"], document["orders"], document["violations"]) == (7, 3, 1)
    assert document["violated"] == ["I5: x"]
    assert said.err.splitlines()[0].startswith("seed 7, ")


@pytest.mark.parametrize("seconds", ["1", "4000"])
def test_a_time_that_makes_no_sense_is_refused(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and the limits."""
    assert run(["faults", "proxy", "--seconds", seconds]) == 2
    assert "between 2 and 3600" in capsys.readouterr().err


def test_a_run_that_could_not_be_made_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever nursery it came out of."""

    async def fail(*_: object) -> ProxyReport:
        async with trio.open_nursery():
            await trio.lowlevel.checkpoint()
            raise ProxyFailed("the engine did not start: no key")

    monkeypatch.setattr(command, "run_proxied", fail)
    assert run(TYPED) == 1
    assert capsys.readouterr().err == "arb: the engine did not start: no key\n"
