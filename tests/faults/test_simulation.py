"""One seed, simulated: repeatable, judged, and found out when something is wrong."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arb.core.commands import OrderIntent
from arb.core.risk import Approved
from arb.engine.gateway import Gateway
from arb.engine.risk_switches import Switchboard
from arb.faults import session
from arb.faults.campaign import run_chunk
from arb.faults.catalogue import KINDS, UnknownFault, cells, chosen
from arb.faults.matrix import (
    BAD,
    BEGIN,
    END,
    GOOD,
    NOT_MET,
    CellResult,
    grid,
    replaced,
    run_cell,
)
from arb.faults.plan import Plan, plan_of, plan_of_cell
from arb.faults.seeds import OldFailure, SeedsFileError, add_seed, read_seeds
from arb.faults.session import simulate
from arb.faults.shrink import DoesNotFail, shrink

# 2 o'clock in New York on 1 November 2026, which becomes 1 o'clock.
END_OF_DAYLIGHT_SAVING_MS = 1_793_512_800_000

SEEDS = Path(__file__).resolve().parents[1] / "seeds.txt"


def quiet(seed: int = 1) -> Plan:
    """Return a plan without any fault."""
    return plan_of(seed).keep(())


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Put this process into a time zone, and back at the end."""

    def put(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


def test_the_end_of_daylight_saving_changes_nothing(
    in_zone: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing asks the machine for its local time, which New York has twice in that hour."""
    monkeypatch.setattr(session, "EPOCH_MS", END_OF_DAYLIGHT_SAVING_MS - 8_000)
    digests = set()
    for zone in ("UTC", "America/New_York", "Asia/Kathmandu"):
        in_zone(zone)
        outcome = simulate(plan_of(7))
        assert outcome.violations == ()
        digests.add(outcome.digest)

    assert len(digests) == 1
    assert digests != {simulate(quiet(7)).digest}


def test_a_quiet_run_trades_and_every_rule_holds() -> None:
    """Without faults orders are sent and filled, the console reads each picture, and it ends."""
    outcomes = [simulate(quiet(seed)) for seed in (1, 2, 3)]

    assert [outcome.violations for outcome in outcomes] == [(), (), ()]
    assert sum(outcome.orders for outcome in outcomes) > 3
    assert sum(outcome.fills for outcome in outcomes) > 0
    assert all(outcome.pictures > 20 for outcome in outcomes)
    assert all(outcome.messages > 50 for outcome in outcomes)


def test_the_same_seed_gives_the_same_events() -> None:
    """Twice the same digest and the same lines; another seed gives others."""
    first: list[str] = []
    second: list[str] = []
    one = simulate(plan_of(5), on_line=first.append)
    same = simulate(plan_of(5), on_line=second.append)

    assert one == same
    assert first == second
    assert simulate(plan_of(6)).digest != one.digest


def test_a_run_can_end_at_an_event() -> None:
    """With an event's number the run ends in the moment of that event, and its ending adds none."""
    lines: list[str] = []
    outcome = simulate(plan_of(5), on_line=lines.append, until=30)

    assert outcome.events == len(lines) == 30 < simulate(plan_of(5)).events
    assert lines[-1].split()[0] == "30"


def test_a_plan_is_a_seed_and_can_be_cut() -> None:
    """The same seed draws the same plan; leaving faults out changes neither world nor others."""
    plan = plan_of(77)
    assert plan == plan_of(77)
    assert len(plan.faults) > 2
    assert plan.keep([2]).faults == (plan.faults[1],)
    assert plan.only([plan.faults[0].cell]).faults[0] == plan.faults[0]
    texts = [fault.text for fault in plan.faults]
    assert plan.exactly(texts).faults == plan.faults
    assert all(str(fault).startswith("#") for fault in plan.faults)
    assert "a minute" in plan.words
    with pytest.raises(UnknownFault, match="is no fault"):
        plan.exactly(["nonsense"])
    with pytest.raises(UnknownFault, match="is no fault"):
        plan.exactly(["nonsense@books:1:2:3"])


def test_the_table_of_faults_is_as_large_as_it_should_be() -> None:
    """At least 40 kinds over 120 cells, each with a name of its own."""
    assert len(KINDS) >= 40
    assert len(cells()) >= 120
    assert len(set(cells())) == len(cells())


def test_faults_are_chosen_by_any_of_their_names() -> None:
    """A cell, a kind, a family and a component each mean some cells; anything else is refused."""
    assert chosen(("reset@books",)) == {"reset@books"}
    assert chosen(("reset",)) > {"reset@books", "reset@lanes"}
    assert chosen(("disk",)) >= {"no-space@journal", "power-loss@journal"}
    assert "latency@lanes" in chosen(("lanes",))
    with pytest.raises(UnknownFault, match="one of"):
        chosen(("earthquake",))


@pytest.mark.parametrize("cell", ["reset@books", "power-loss@journal", "crash@gateway"])
def test_a_cell_holds_alone(cell: str) -> None:
    """One fault three times, and no other."""
    plan = plan_of_cell(cell, 1)
    assert [fault.cell for fault in plan.faults] == [cell] * 3

    result = run_cell(cell, [1], most=1)
    assert (result.failed, result.times) == ((), 3)


def test_the_grid_shows_good_bad_and_what_was_not_run() -> None:
    """A cell that was not run is never shown as good, nor is one whose fault met nothing."""
    results = [
        CellResult("reset@books", 2, (), 6, strikes=1),
        CellResult("reset@lanes", 2, (plan_of_cell("reset@lanes", 1),), 6, "I1", 1),
        CellResult("reset@rest", 20, (), 60),
    ]
    lines = list(grid(results))
    shown = f"| reset | books {GOOD}, account ·, lanes {BAD}, rest {NOT_MET}, "
    assert shown in "\n".join(lines)
    assert not any(GOOD in line for line in lines if "| reset |" not in line)

    document = replaced(f"before\n{BEGIN}\nthe old one\n{END}\nafter\n", lines)
    assert "the old one" not in document
    assert document.startswith("before\n")
    assert document.endswith("after\n")
    with pytest.raises(ValueError, match="no place"):
        replaced("nothing", lines)


def _sent_before_written(self: Gateway, approved: Approved) -> None:
    """Send first and write then: the mistake that the journal exists to prevent."""
    intent = approved.intent
    if isinstance(intent, OrderIntent):
        self.place(approved.client_order_id, intent)
    self._journal(approved)


def test_a_journal_that_is_written_after_the_send_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """I2: the judge sees the order leave before the journal has it."""
    monkeypatch.setattr(Gateway, "_on_approved", _sent_before_written)
    found = {each.rule for seed in (1, 2, 3) for each in simulate(quiet(seed)).violations}

    assert "I2" in found


def test_a_planted_failure_shrinks_to_few_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A risk manager that forgets a pause fails only where somebody pauses."""
    real = Switchboard.withheld

    def careless(self: Switchboard, intent: OrderIntent) -> object:
        self._permission.paused_by = None
        self._permission.halt = None
        return real(self, intent)

    monkeypatch.setattr(Switchboard, "withheld", careless)
    plan = next(
        plan for plan in map(plan_of, range(1, 200)) if _pauses_and_more(plan) and _fails(plan)
    )
    told: list[str] = []
    smaller, outcome = shrink(plan, told.append)

    assert outcome.failed
    assert len(smaller.faults) <= 3 < len(plan.faults)
    assert told
    assert simulate(smaller) == outcome
    assert plan.exactly(smaller.texts) == smaller


def _pauses_and_more(plan: Plan) -> bool:
    pausing = any(fault.cell in ("paused@engine", "halted@engine") for fault in plan.faults)
    return pausing and len(plan.faults) > 3


def _fails(plan: Plan) -> bool:
    return simulate(plan).violations[:1] != () and simulate(plan).violations[0].rule == "I9"


def test_no_fault_begins_after_everything_was_healed() -> None:
    """A machine that stood still beyond the end of its faults wakes up without them."""
    asleep = [f"paused@engine:{at_s}:5.0:1" for at_s in range(6, 15)]
    lines: list[str] = []
    plan = plan_of(1).exactly(["suspended@engine:1.0:2.0:1", *asleep])
    outcome = simulate(plan, on_line=lines.append)

    assert not outcome.failed
    healed = next(at for at, line in enumerate(lines) if "all healed" in line)
    assert not any("begins" in line for line in lines[healed:])


def test_what_does_not_fail_cannot_be_shrunk() -> None:
    """There is nothing to look for in a run that is good."""
    with pytest.raises(DoesNotFail, match="does not fail"):
        shrink(quiet(), lambda _line: None)


def test_old_failures_are_kept_in_a_file(tmp_path: Path) -> None:
    """A line holds a date, a seed, faults and a reason, and is read back as it was written."""
    path = tmp_path / "seeds.txt"
    failure = OldFailure("2026-11-22", 7, ("reset@books:1.5:0.5:3",), "I1: twice")
    add_seed(path, failure)
    add_seed(path, OldFailure("2026-11-22", 8, (), "I2"))
    add_seed(path, OldFailure("2026-11-22", 8, ("none",), "I2"))
    first, second, third = read_seeds("# a comment\n\n" + path.read_text())

    assert first == failure
    assert first.plan.faults[0].cell == "reset@books"
    assert second.plan == plan_of(8)
    assert third.plan == plan_of(8).keep(())
    with pytest.raises(SeedsFileError, match="line 1"):
        list(read_seeds("yesterday"))


@pytest.mark.slow
@pytest.mark.parametrize("old", list(read_seeds(SEEDS.read_text())), ids=lambda old: f"{old.seed}")
def test_what_failed_once_holds_for_ever(old: OldFailure) -> None:
    """Each old failure is run again, with the faults that led to it."""
    assert simulate(old.plan).violations == (), old.reason


def test_a_chunk_of_seeds_leaves_the_collector_as_it_was() -> None:
    """Some seeds in a row give their outcomes in order."""

    assert [outcome.seed for outcome in run_chunk([3, 4])] == [3, 4]
    assert gc.isenabled()
