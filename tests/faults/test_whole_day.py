"""A day of one engine: what is drawn for it, what grows in it, and that it goes by unharmed."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest

from arb.faults.catalogue import kind_of
from arb.faults.day import FAMILIES, FAULT_EVERY_S, Hour, day_plan, judge, run_day

HOUR = Hour(
    at_s=3_600.0,
    life=1,
    markets=4,
    orders=500,
    fills=90,
    ledger_bytes=400_000,
    rings_bytes=80_000,
    rest_bytes=300_000,
    connections=8,
    by_place=Counter({"RiskManager._markets": 20_000, "Board.rows": 280_000}),
)


def test_a_day_is_drawn_from_its_seed() -> None:
    """Faults come all along, and none of them ends the engine."""
    plan = day_plan(3, 2)

    assert plan == day_plan(3, 2)
    assert plan.faults != day_plan(4, 2).faults
    assert len(plan.faults) == 2 * 3_600 // FAULT_EVERY_S - 1
    assert {kind_of(fault.cell)[0].family for fault in plan.faults} == set(FAMILIES)
    assert max(fault.at_s + fault.length_s for fault in plan.faults) < plan.faulty_s


def test_what_varies_with_the_games_is_no_growth() -> None:
    """More markets in one hour than in another, rings that fill up, and orders, are as expected."""
    hours = [
        attrs.evolve(
            HOUR,
            rest_bytes=300_000 + 30_000 * (number % 2),
            rings_bytes=80_000 * number,
            orders=500 * number,
            ledger_bytes=400_000 * number,
        )
        for number in range(1, 13)
    ]

    assert judge(hours) == []


def test_what_grows_is_found_and_named() -> None:
    """A leak of a few kilobytes a market is half a megabyte a day."""
    hours = [
        attrs.evolve(
            HOUR,
            rest_bytes=300_000 + 28_000 * number,
            by_place=HOUR.by_place + Counter({"RiskManager._markets": 28_000 * number}),
        )
        for number in range(1, 13)
    ]

    (found,) = judge(hours)
    assert "RiskManager._markets by 168,000 to 356,000 bytes" in found


def test_a_ledger_that_grows_faster_than_its_orders_is_found() -> None:
    """Each order may leave so much behind, and no more."""
    heavy = attrs.evolve(HOUR, ledger_bytes=1_500_001)

    (found,) = judge([HOUR, heavy, heavy])
    assert found.startswith("I16: the ledger has over 3000 bytes an order")


def test_connections_that_pile_up_are_found() -> None:
    """Each holds an open file; a process has a thousand of them."""
    hours = [attrs.evolve(HOUR, connections=8 + 3 * number) for number in range(9)]

    (found,) = judge(hours)
    assert found.startswith("I16: 29 connections stand, at most 26 are used")


def test_an_engine_that_was_started_again_shows_nothing() -> None:
    """What a process holds is gone with it."""
    assert judge([HOUR, attrs.evolve(HOUR, life=2)]) == [
        "I16: the engine was started again, so that nothing could grow"
    ]


@pytest.mark.slow
def test_an_engine_lives_through_games_and_faults() -> None:
    """The first game ends and is paid, another comes, and no rule is broken."""
    report = run_day(day_plan(3, 0.3), every_s=360.0)

    assert report.outcome.violations == ()
    assert report.grown == ()
    assert len(report.hours) == 3
    assert report.games == 1
    assert report.hours[-1].orders > 50
    assert sum(report.outcome.cells.values()) == 8
