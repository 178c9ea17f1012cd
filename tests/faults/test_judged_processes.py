"""What real processes leave behind, judged: journals, accounts, and what is said of orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arb.core.ledger import Ledger
from arb.core.money import MoneyE6
from arb.faults.hour import HourReport, judge, judge_files, unexplained
from arb.faults.judge_account import account_differences
from arb.faults.kill9 import Kill9Report, check_journal, check_orders, entries_resting
from arb.faults.processes import journal_path
from arb.journal.records import RecordKind, fill_data, intent_data
from arb.journal.writer import Journal, MemoryFile
from tests.core.order_factory import CASH, ENTRY, EXIT, NYY, accepted, closed, fill, order
from tests.journal.journal_history import StoppedClock

TRUTH: dict[str, Any] = {
    "cash_e6": CASH - 1_000_000 - 500,
    "positions": {NYY: 200},
    "fees_e6": {NYY: 500},
    "realised_e6": {},
    "resting": {"o1": [5_000, 300]},
    "fills": 1,
    "trade_ids": ["t1"],
    "settled": [],
    "ended": 0,
    "orders": 1,
    "filled_e2": [["o1", 200]],
}


def traded() -> Ledger:
    """Return a ledger with one purchase that filled in part and rests."""
    ledger = Ledger(CASH)
    ledger.open_order(order("o1"))
    ledger.report(accepted("o1"))
    ledger.book(fill("t1", fee_e6=MoneyE6(500)))
    return ledger


def journal_of(*entries: tuple[RecordKind, dict[str, Any]]) -> bytes:
    """Return the bytes of a journal of some records."""
    file = MemoryFile()
    journal = Journal(file, StoppedClock())
    for kind, data in entries:
        journal.append(kind, data)
    return file.read()


INTENT = (RecordKind.INTENT, intent_data("o1", ENTRY))
FILL = (RecordKind.FILL, fill_data(fill("t1")))


def test_an_equal_account_has_no_differences() -> None:
    """Everything that is compared is equal, to the last unit."""
    assert account_differences(traded(), TRUTH) == []


@pytest.mark.parametrize(
    "name, there, said",
    [
        ("cash_e6", 1, "cash_e6: 998999500 here, 1 there"),
        ("positions", {NYY: 100, "B": 1}, f"{NYY} 200 here, 100 there, B None here, 1 there"),
        ("fees_e6", {NYY: 501}, "500 here, 501 there"),
        ("realised_e6", {NYY: 1}, "None here, 1 there"),
        ("resting", {}, "resting: o1 [5000, 300] here, None there"),
        ("resting", {"o1": [5_000, 300], "x": [1, 1]}, "resting: x None here, [1, 1] there"),
        ("fills", 2, "fills: 1 here, 2 there"),
        ("trade_ids", ["t2"], "trade_ids: lost ['t2'], invented ['t1']"),
        ("filled_e2", [["o1", 200], ["o1", 200]], "o1 was placed 2 times"),
        ("filled_e2", [["o1", 100]], "o1 filled 200 here, 100 there"),
        ("filled_e2", [["o2", 0]], "o2 was placed and is in no ledger"),
    ],
)
def test_each_difference_is_told(name: str, there: object, said: str) -> None:
    """What is compared can differ, and is then named with both sides."""
    found = account_differences(traded(), TRUTH | {name: there})

    assert any(said in each for each in found), found


def test_what_was_written_and_sent_once_is_right() -> None:
    """A fill may be unknown to a journal whose engine was killed before it heard of it."""
    report = Kill9Report()
    check_orders(journal_of(INTENT), TRUTH, report)
    check_orders(journal_of(INTENT, FILL), TRUTH, report)
    check_orders(b"", TRUTH | {"filled_e2": [], "trade_ids": []}, report)

    assert report.violations == []


@pytest.mark.parametrize(
    "entries, there, said",
    [
        ((), {}, "I2: 1 were sent and not written: ['o1']"),
        ((INTENT,), {"filled_e2": [["o1", 0], ["o1", 0]]}, "I1: 1 were written or placed twice"),
        ((INTENT, INTENT), {}, "I1: 1 were written or placed twice: ['o1']"),
        ((INTENT, FILL), {"trade_ids": []}, "I4: 1 were booked and never happened: ['t1']"),
        ((INTENT, FILL, FILL), {}, "I4: 1 were booked twice: ['t1']"),
    ],
)
def test_what_must_not_be_is_a_violation(
    entries: tuple[tuple[RecordKind, dict[str, Any]], ...], there: dict[str, Any], said: str
) -> None:
    """An order that nobody wrote down, a second one of an id, a fill that never was."""
    report = Kill9Report()
    check_orders(journal_of(*entries), TRUTH | there, report)

    assert [each for each in report.violations if said in each] == report.violations != []


def test_a_killed_engines_journal_is_judged(tmp_path: Path) -> None:
    """It must hold all that it held before; a torn tail is counted, damage is a violation."""
    path, report = tmp_path / "journal", Kill9Report()
    assert check_journal(path, b"", report) == b""
    named = (RecordKind.INTENT, intent_data("arb-i1-00000001", ENTRY))
    whole = journal_of(named, FILL)
    path.write_bytes(whole + b"\x20\0\0\0torn")
    assert check_journal(path, whole[:-1], report) == whole
    assert (report.torn, report.records, report.violations) == (1, 2, [])

    path.write_bytes(journal_of(named))
    check_journal(path, whole, report)
    assert report.violations == ["I13: records that had been written are gone"]
    path.write_bytes(b"?" + whole[1:])
    check_journal(path, b"", report)
    assert "I13: the journal cannot be recovered: byte 0" in report.violations[-1]


def test_entries_that_rest_are_found_and_sales_are_not() -> None:
    """What rests and is in no ledger counts as well: it is nobody's."""
    ledger = traded()
    ledger.open_order(order("o2", EXIT))

    assert entries_resting(ledger, {"resting": {"o1": [], "o2": [], "o3": []}}) == ["o1", "o3"]


def test_a_journal_is_found_where_its_engine_filed_it(tmp_path: Path) -> None:
    """Wherever its account's directory is; the state that lies beside it is none."""
    assert not journal_path(tmp_path).exists()
    place = tmp_path / "state" / "demo" / "account-1"
    place.mkdir(parents=True)
    for name in ("journal.state", "journal"):
        (place / name).touch()

    assert journal_path(tmp_path) == place / "journal"


def test_an_hour_is_summed_up() -> None:
    """What there was to judge is told, and differences are violations."""
    report = HourReport()
    added = [NYY.rpartition("-")[0], "KXNONE"]
    judge(traded(), TRUTH | {"settled": [[NYY, 1, 0]], "ended": 2}, added, report)

    assert report.violations == []
    assert (report.orders, report.fills, report.fees_e6) == (1, 1, 500)
    assert (report.settled, report.markets_ended) == (1, 2)
    assert (report.games_added, report.new_games_traded) == (2, 1)
    judge(traded(), TRUTH | {"cash_e6": 0}, [], report)
    assert report.violations == [f"I5: cash_e6: {TRUTH['cash_e6']} here, 0 there"]


LIFE: dict[str, Any] = {
    "id": "o1",
    "decision": 7,
    "why": "buy",
    "steps": [{"kind": "report", "type": "OrderAccepted"}, {"kind": "fill", "count_e2": 200}],
}
ANSWER: dict[str, Any] = {"orders": [LIFE], "decisions": [{"number": 7, "inputs": {"fair": 0.5}}]}


def test_an_order_is_explained_by_its_decision_and_its_life() -> None:
    """One that rests needs no end; a sale needs no decision."""
    assert unexplained(traded(), "o1", ANSWER) is None

    ledger = traded()
    ledger.open_order(order("o2", EXIT))
    sale = {**LIFE, "id": "o2", "decision": None, "steps": []}
    assert unexplained(ledger, "o2", {"orders": [sale], "decisions": []}) is None


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"orders": []}, "0 lives of it"),
        ({"decisions": []}, "no decision that it followed from"),
        ({"decisions": [{"number": 7, "inputs": {"fair": None}}]}, "no decision"),
        ({"orders": [{**LIFE, "steps": []}]}, "it tells of 0 that filled, not of 200"),
        ({"orders": [{**LIFE, "why": ""}]}, "it does not tell what it was for"),
    ],
)
def test_what_an_explanation_lacks_is_told(changes: dict[str, Any], said: str) -> None:
    """No life, no decision, no inputs, a fill that is left out."""
    assert said in str(unexplained(traded(), "o1", ANSWER | changes))


def test_an_end_must_be_told() -> None:
    """An order that is over without having filled whole ended in some way."""
    ledger = traded()
    ledger.report(closed("o1", 200))
    assert "how it ended: canceled: test" in str(unexplained(ledger, "o1", ANSWER))

    told = {**LIFE, "steps": [*LIFE["steps"], {"kind": "report", "type": "OrderClosed"}]}
    assert unexplained(ledger, "o1", ANSWER | {"orders": [told]}) is None


@pytest.mark.parametrize(
    ("counts", "wrong"),
    [((), []), ((20, 33, 24), []), ((20, 28, 37), ["I16: open files pile up: [20, 28, 37]"])],
)
def test_files_that_pile_up_are_found(counts: tuple[int, ...], wrong: list[str]) -> None:
    """A burst of reads opens some connections; a leak does not end. No figure is no fault."""
    report = HourReport()
    judge_files(counts, report)

    assert report.violations == wrong
    assert report.open_files == max(counts, default=0)
