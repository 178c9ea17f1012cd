"""What objects hold in memory is weighed once, by the attribute that holds it."""

from __future__ import annotations

import sys
from collections import deque
from random import Random

from arb.core.ledger import Ledger, Position
from arb.core.money import MoneyE6
from arb.engine.board import Board
from arb.faults.day import Day
from arb.faults.weight import weigh
from arb.io.clock import SystemClock


def test_each_object_is_weighed_once_where_it_is_held() -> None:
    """A second way to it, and a second weighing, add nothing."""
    ledger = Ledger(MoneyE6(5_000_000_000))
    empty = weigh([ledger], set()).by_place
    position = Position("KXNFLGAME-26NOV22SEAARI-SEA")
    ledger.positions["a"] = ledger.positions["b"] = position
    seen: set[int] = set()
    full = weigh([ledger], seen)

    assert full.by_place["Position.ticker"] == sys.getsizeof(position.ticker)
    grown = full.by_place["Ledger.positions"] - empty["Ledger.positions"]
    assert grown > sys.getsizeof(position)
    assert full.by_place["Ledger"] == sys.getsizeof(ledger)
    assert weigh([position, ledger], seen).rest == 0


def test_what_drops_its_oldest_is_weighed_apart() -> None:
    """A queue with a limit may fill up; one without must not grow."""
    board = Board(SystemClock(), print)
    before = weigh([board], set())
    board.latencies_ns.extend(range(1_000_000, 1_000_100))
    after = weigh([board], set())

    assert after.rings > before.rings + 100 * sys.getsizeof(1_000_000)
    assert after.by_place == before.by_place


def test_the_harness_is_not_weighed() -> None:
    """Neither what belongs to it, nor what only that leads to."""
    day = Day(1.0)
    day.hours.append("x" * 10_000)  # type: ignore[arg-type]

    assert weigh([day, Random, weigh, print], set()).rest == 0
    weight = weigh([deque([day, "y" * 10_000])], set())
    assert 10_000 < weight.rest < 12_000
