"""Faults that came and met nothing are told from those that changed something."""

from __future__ import annotations

import attrs
import pytest
import trio

from arb.faults import matrix
from arb.faults.catalogue import cells_apart, cells_rare
from arb.faults.clock import MachineClock
from arb.faults.matrix import run_cell
from arb.faults.plan import Plan, plan_of, plan_of_cell
from arb.faults.session import Outcome, simulate
from arb.io.clock import NS_PER_S


def strikes(*faults: str, seed: int = 1) -> dict[str, int]:
    """Return what some faults have met in a world without others."""
    outcome = simulate(plan_of(seed).exactly(faults))
    assert outcome.violations == ()
    assert set(outcome.cells) == {fault.partition(":")[0].replace("_", " ") for fault in faults}
    return outcome.strikes


# Of each way to know that a fault strikes, one; seed 1 sends its first orders at 8 s.
STRIKING = (
    "refused@books:2.0:1.0:1",
    "closed@account:2.0:1.0:1",
    "black-hole@odds_stream:2.0:2.0:1",
    "message-repeated@odds_stream:2.0:2.0:1",
    "sequence-gap@exchange:2.0:1.0:1",
    "wrong-prices@odds_stream:2.0:2.0:1",
    "order-refused@orders:7.0:5.0:1",
    "slow-reads@reads:2.0:9.0:1",
    "trading-pause@venue:2.0:1.0:1",
    "additions-refused@market_data:2.0:1.0:1",
    "restarts@venue:2.0:1.0:1",
    "void@market:2.0:1.0:1",
    "crash@books:2.0:9.0:1",
    "actor-killed@market:2.0:1.0:1",
    "mailbox-flood@risk:2.0:1.0:1",
    "kill-9@engine:2.0:1.0:1",
    "sigterm@engine:2.0:1.0:1",
    "kill-9-before-append@engine:2.0:14.0:1",
    "sync-fails@journal:2.0:9.0:1",
    "asleep@engine:2.0:9.0:1",
    "step-back@engine:2.0:1.0:1",
    "halted@engine:2.0:1.0:1",
)


@pytest.mark.parametrize("fault", STRIKING)
def test_a_fault_that_changes_something_strikes(fault: str) -> None:
    """Whatever it lays its hands on: wires, messages, servers, actors, the disk, people."""
    (met,) = strikes(fault).values()
    assert met > 0


MISSING = (
    "order-refused@cancels:2.0:5.0:1",
    "order-refused@amends:2.0:5.0:1",
    "order-vanishes@orders:2.0:1.0:1",
    "stale-reads@reads:2.0:1.0:1",
    "message-lost@account:2.0:0.01:1",
    "crash@gateway:2.0:0.01:1",
    "force-closed@market:2.0:1.0:1",
    "no-space@journal:2.0:0.01:1",
    "ids-reusable@orders:2.0:9.0:1",
)


@pytest.mark.parametrize("fault", MISSING)
def test_a_fault_that_meets_nothing_does_not_strike(fault: str) -> None:
    """Nothing rests, nothing is cancelled and no message comes while it is on."""
    assert strikes(fault) == {}


def test_a_cell_is_run_until_its_fault_has_met_something() -> None:
    """Seed 1 cancels nothing; a later one does, and there it ends."""
    result = run_cell("cancel-lags@cancels", [1])

    assert result.failed == ()
    assert result.strikes > 0
    assert 1 < result.seeds < matrix.SEEDS_MAX
    assert result.times == 3 * result.seeds


def test_a_cell_whose_fault_never_meets_anything_has_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After so many seeds it is left; the first are as they are for every cell, the others wait."""
    run: list[Plan] = []

    def nothing_met(plan: Plan) -> Outcome:
        run.append(plan)
        return attrs.evolve(Outcome(plan.seed, (), 0), cells={"reset@books": 3})

    monkeypatch.setattr(matrix, "simulate", nothing_met)
    result = run_cell("reset@books", [4, 5], most=4)

    assert (result.seeds, result.times, result.strikes) == (4, 12, 0)
    assert [plan.seed for plan in run] == [4, 5, 6, 7]
    assert run[:2] == [plan_of_cell("reset@books", seed) for seed in (4, 5)]
    assert run[2:] == [plan_of_cell("reset@books", seed, patient=True) for seed in (6, 7)]


def test_patient_faults_leave_hardly_a_gap() -> None:
    """From the start to the end of the part in which faults come, and never two at once."""
    faults = plan_of_cell("reset@books", 3, patient=True).faults
    ends = [fault.at_s + fault.length_s for fault in faults]

    assert faults[0].at_s == 0.0
    assert all(0 < fault.at_s - end < 1 for fault, end in zip(faults[1:], ends, strict=False))
    assert ends[-1] >= plan_of(3).faulty_s


def test_an_actor_whose_work_hangs_does_none_until_it_is_restarted() -> None:
    """Its connection is down all the time, and nobody connects again but whoever restarts it."""
    lines: list[str] = []
    hangs = "run-hangs@books:3.0:8.0:1"
    outcome = simulate(plan_of(1).exactly([hangs]), on_line=lines.append)
    told = [(float(line.split()[1]), line) for line in lines if "Kalshi books" in line]
    down, *again = [(at_s, line) for at_s, line in told if at_s >= 1.0]

    assert (outcome.violations, outcome.strikes) == ((), {"run-hangs@books": 1})
    assert "Kalshi books down" in down[1]
    assert down[0] < 11.0 <= again[0][0]
    assert any("Kalshi books connected" in line for _, line in again)


def test_work_that_hangs_is_broken_once() -> None:
    """Whoever hangs already has no work that could fail: the second fault meets nothing."""
    outcome = simulate(
        plan_of(1).exactly(["run-hangs@odds:3.0:8.0:1", "work-fails@odds:5.0:1.0:2"])
    )

    assert outcome.violations == ()
    assert outcome.strikes == {"run-hangs@odds": 1}


def test_some_runs_have_one_more_fault_of_the_cells_apart() -> None:
    """Always the last but a rare one, so that a seed's others are what they would be without."""
    usual = {
        seed: [fault.cell for fault in plan_of(seed).faults if fault.cell not in cells_rare()]
        for seed in range(200)
    }
    last = [cells[-1] for cells in usual.values() if cells]
    apart = [cell for cell in last if cell in cells_apart()]

    assert 20 < len(apart) < 80
    assert len(set(apart)) > 10
    assert {cell.partition("@")[2] for cell in cells_apart()} >= {"discovery", "journal"}
    for cells in usual.values():
        assert not any(cell in cells_apart() for cell in cells[:-1])


def test_few_runs_have_a_rare_fault() -> None:
    """It came later than the others, and is the last: nearly all seeds mean what they did."""
    rare = [seed for seed in range(400) if _cells(seed) & set(cells_rare())]

    assert 10 < len(rare) < 40
    for seed in rare:
        assert plan_of(seed).faults[-1].cell in cells_rare()


def _cells(seed: int) -> set[str]:
    return {fault.cell for fault in plan_of(seed).faults}


def test_a_machine_that_slept_believes_no_connection_of_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a clock that stood meanwhile, books that nobody sends any more would pass as live."""
    asleep = plan_of(68).exactly(["asleep@engine:2.054465024404249:5.0:1213815359"])
    lines: list[str] = []
    assert simulate(asleep, on_line=lines.append).violations == ()
    assert any("the machine slept for" in line for line in lines)
    assert any("this machine stood still for" in line for line in lines)

    monkeypatch.setattr(
        MachineClock, "monotonic_ns", lambda _self: round(trio.current_time() * NS_PER_S)
    )
    found = simulate(asleep).violations
    assert [each.rule for each in found] == ["I8"]
    assert "on books that were silent" in found[0].text
