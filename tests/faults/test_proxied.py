"""A real engine behind a faulty proxy: that it holds, and that the judges see what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from arb.core.ledger import Ledger
from arb.core.money import MoneyE6
from arb.faults.disturbances import Disturbance, Line, ProxyPlan, Trouble
from arb.faults.processes import start_engine
from arb.faults.proxied import ProxyFailed, ProxyReport, judge_books, judge_words, run_proxied

SECONDS = 10.0
PLAN = ProxyPlan(
    3,
    SECONDS,
    (
        Disturbance(Trouble.CORRUPT, Line.EXCHANGE, 0.5, 0.3, 0.0, 0.5),
        Disturbance(Trouble.DELAY, Line.EXCHANGE, 1.0, 0.5, 0.1, 1.0),
        Disturbance(Trouble.THROTTLE, Line.ODDS, 1.0, 0.5, 10_000.0, 1.0),
        Disturbance(Trouble.SLICE, Line.EXCHANGE, 2.0, 0.5, 3.0, 1.0),
        Disturbance(Trouble.HOLE, Line.EXCHANGE, 3.0, 0.7, 0.0, 0.5),
        Disturbance(Trouble.RESET, Line.EXCHANGE, 4.5, 0.1, 0.0, 1.0),
        Disturbance(Trouble.REFUSE, Line.EXCHANGE, 4.5, 0.6, 0.0, 1.0),
        Disturbance(Trouble.STOP, Line.EXCHANGE, 6.5, 0.5, 0.0, 1.0),
        Disturbance(Trouble.HALF_CLOSE, Line.ODDS, 8.0, 0.1, 0.0, 1.0),
    ),
)


@pytest.mark.slow
async def test_an_engine_behind_a_faulty_proxy_keeps_every_rule(tmp_path: Path) -> None:
    """Every trouble once; it trades, finds back, ends in order, and its books are equal."""
    said: list[str] = []
    report = await run_proxied(PLAN, tmp_path, said.append)

    assert report.violations == []
    assert report.orders > 0
    assert report.fills > 0
    assert report.resets > 0
    assert report.stops == 1
    assert report.converged_s is not None
    assert {str(each) for each in PLAN.disturbances} <= set(said)


@pytest.mark.slow
async def test_an_engine_that_dies_is_a_violation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for, and the plan goes on to its end."""

    async def kill(self: Any, each: Disturbance, began_s: float) -> None:
        del each, began_s
        self.engine.kill()
        await self.engine.wait()

    monkeypatch.setattr("arb.faults.proxied._Run._disturb", kill)
    plan = attrs.evolve(PLAN, seconds=0.5, disturbances=PLAN.disturbances[:1])
    report = await run_proxied(plan, tmp_path, lambda _: None)

    rules = {line.partition(":")[0] for line in report.violations}
    assert {"L3", "L4"} <= rules
    assert "L4: the engine ended with code -9" in report.violations
    assert "L4: the engine ended without its report" in report.violations


@pytest.mark.slow
async def test_an_engine_that_cannot_start_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own last words are told."""

    async def misled(environment: dict[str, str], *options: str, **streams: Any) -> trio.Process:
        return await start_engine(environment, *options, "--nonsense", **streams)

    monkeypatch.setattr("arb.faults.proxied.start_engine", misled)
    expected = pytest.RaisesExc(ProxyFailed, match="the engine did not start: arb: ")
    with pytest.RaisesGroup(expected):
        await run_proxied(PLAN, tmp_path, lambda _: None)


def order(name: str, **more: Any) -> dict[str, Any]:
    """Return an order as the exchange's ledger tells it."""
    known = {"side": "bid", "ticker": "T", "rests": False, "filled_e2": 0, "remaining_e2": 0}
    return {"client_order_id": name} | known | more


RESTING_EXIT: dict[str, Any] = {
    "orders": [order("a", rests=True, side="ask", remaining_e2=200)],
    "positions": {"T": 100},
}
RESTING_EXIT_OF_NO: dict[str, Any] = {
    "orders": [order("a", rests=True, remaining_e2=200)],
    "positions": {"T": -100},
}
NOTHING: dict[str, Any] = {"cash_e6": 5, "positions": {}, "orders": [], "fills": []}


@pytest.mark.parametrize(
    "changes, rule, words",
    [
        ({"orders": [order("a"), order("a")]}, "I1", "used twice: ['a']"),
        ({"orders": [order("a")]}, "I2", "no record tells of: ['a']"),
        ({"fills": ["f"]}, "I4", "1 fills were never booked"),
        ({"positions": {"T": 100}}, "I5", "positions {}, the exchange has {'T': 100}"),
        ({"cash_e6": 6}, "I5", "cash 5, the exchange has 6"),
        ({"orders": [order("a", rests=True)]}, "I12", "entries rest after the stop: ['a']"),
        ({"orders": [order("a", rests=True, side="ask")]}, "I12", "entries rest after the stop"),
        (RESTING_EXIT, "I12", "exits ['a'] rest, the journal owns []"),
        (RESTING_EXIT, "I3", "T: 200 are on sale, 100 are held"),
        (RESTING_EXIT_OF_NO, "I3", "T: 200 are on sale, 100 are held"),
        (RESTING_EXIT_OF_NO | {"positions": {"T": 100}}, "I12", "entries rest after the stop"),
    ],
)
def test_each_difference_of_the_books_is_a_violation(
    changes: dict[str, Any], rule: str, words: str
) -> None:
    """The rule is named, and what differs."""
    report = ProxyReport()
    judge_books(report, Ledger(MoneyE6(5)), NOTHING | changes)

    assert any(line.startswith(f"{rule}: ") and words in line for line in report.violations)


def test_equal_books_are_no_violation() -> None:
    """Neither is an engine that says that all was well."""
    report = ProxyReport()
    judge_books(report, Ledger(MoneyE6(5)), NOTHING)
    judge_words(report, "12:00 ok\n", b'{"invariant_violations":0,"entries_resting_at_stop":0}')

    assert report.violations == []


def test_what_the_engine_says_of_itself_is_judged() -> None:
    """A traceback, its own invariants, and entries that it knows it left behind."""
    report = ProxyReport()
    log = "Traceback (most recent call last):\nValueError: x\n"
    judge_words(report, log, b'{"invariant_violations":2,"entries_resting_at_stop":1}')

    assert report.violations == [
        "L4: a traceback on stderr: ValueError: x",
        "I14: the engine itself found 2 violations",
        "I12: the engine left 1 entries behind",
    ]


def test_an_exit_of_no_is_no_entry() -> None:
    """It bids for YES, and may rest after a stop."""
    report = ProxyReport()
    judge_books(report, Ledger(MoneyE6(5)), NOTHING | RESTING_EXIT_OF_NO)

    assert not any("entries" in line for line in report.violations)
