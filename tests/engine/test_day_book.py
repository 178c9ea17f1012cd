"""The day as the risk manager counts it: when it begins, what it is marked at, what shifts it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.day import Day
from arb.core.ledger import Ledger
from arb.core.listing import Catalogue
from arb.core.money import CountE2, PriceE4
from arb.engine.board import Board, MarketRow
from arb.engine.day_book import DayBook
from arb.engine.parts import Parts
from arb.io.clock import VirtualClock
from arb.journal.records import RecordKind
from arb.journal.writer import Journal, MemoryFile
from arb.settings import Settings
from tests.core.order_factory import CASH, NYY, hold, settlement

EPOCH_MS = 1_795_343_226_907
TODAY, TOMORROW = "2026-11-22", "2026-11-23"
DAY_MS = 86_400_000


@attrs.define
class SetClock:
    """A clock that a test sets."""

    now_ms: int = EPOCH_MS

    def wall_ms(self) -> int:
        """Return what it was set to."""
        return self.now_ms

    def monotonic_ns(self) -> int:
        """Stand still."""
        return 0


@attrs.define
class Bench:
    """A day's book over a ledger, and what it wrote down."""

    clock: SetClock
    parts: Parts
    ledger: Ledger
    written: list[dict[str, Any]]

    def book(self, day: Day | None = None) -> DayBook:
        """Open the book."""

        def record(kind: RecordKind, data: dict[str, Any]) -> None:
            assert kind is RecordKind.DAY
            self.written.append(data)

        return DayBook(self.parts, self.ledger, day, record)

    def shows(self, bid: int | None, ask: int | None) -> None:
        """Let the market's actor have said its prices."""
        bid_e4 = None if bid is None else PriceE4(bid)
        ask_e4 = None if ask is None else PriceE4(ask)
        self.parts.board.markets[NYY] = MarketRow(
            NYY, 0, None, bid_e4, 0, ask_e4, 0, None, None, "SKIP", "", None, 0
        )


@pytest.fixture
def bench() -> Bench:
    """Hold two contracts at fifty cents."""
    clock = SetClock()
    virtual = VirtualClock(EPOCH_MS)
    parts = Parts(
        clock=clock,
        board=Board(clock),
        journal=Journal(MemoryFile(), virtual),
        catalogue=Catalogue(()),
        settings=Settings(),
        installation="test",
    )
    ledger = Ledger(CASH)
    hold(ledger, 200)
    return Bench(clock, parts, ledger, [])


def test_a_day_begins_with_the_first_look_and_is_written_down(bench: Bench) -> None:
    """What is held then is at its price of then; only what follows is this day's."""
    bench.shows(4_800, 5_200)
    book = bench.book()
    book.look()
    book.look()

    assert bench.written == [{"date": TODAY, "before_e6": -40_000}]
    assert (book.gained_e6, book.lost_e6) == (0, 0)
    bench.shows(4_700, 5_300)
    book.look()
    assert (book.gained_e6, book.lost_e6) == (-20_000, 20_000)
    bench.shows(5_700, None)
    book.look()
    assert (book.gained_e6, book.lost_e6) == (180_000, 0)
    assert repr(book).endswith("gained_e6=180000>")


def test_a_day_that_stands_in_the_journal_goes_on(bench: Bench) -> None:
    """After a restart what was lost before it is still lost, and nothing is written."""
    book = bench.book(Day(TODAY, 70_000))
    book.look()

    assert book.lost_e6 == 70_000
    assert bench.written == []


def test_a_new_day_forgets_the_old_one(bench: Bench) -> None:
    """At midnight in the east the count begins anew, with what is held as it is marked."""
    book = bench.book(Day(TODAY, 70_000))
    bench.shows(4_900, 5_200)
    bench.clock.now_ms += DAY_MS
    book.look()

    assert book.lost_e6 == 0
    assert bench.written == [{"date": TOMORROW, "before_e6": -20_000}]


def test_a_clock_that_goes_back_brings_no_day_back(bench: Bench) -> None:
    """Yesterday does not come again, and today's loss is not forgotten."""
    book = bench.book(Day(TODAY, 70_000))
    bench.clock.now_ms -= DAY_MS
    book.look()

    assert book.lost_e6 == 70_000
    assert bench.written == []


def test_an_empty_side_was_worth_something_when_it_was_last_seen(bench: Bench) -> None:
    """The last bid that was known goes on to mark what is held."""
    book = bench.book(Day(TODAY, 0))
    bench.shows(4_000, 5_200)
    book.look()
    bench.shows(None, 5_200)
    book.look()

    assert book.lost_e6 == 200_000


def test_what_was_cleared_is_not_counted_again(bench: Bench) -> None:
    """The count begins anew at what is gained now, and that is written down."""
    book = bench.book(Day(TODAY, 70_000))
    book.look()
    book.begin_anew()
    book.begin_anew()

    assert book.lost_e6 == 0
    assert bench.written == [{"date": TODAY, "before_e6": 0}]


def test_what_the_exchange_says_of_a_cost_is_no_loss(bench: Bench) -> None:
    """A position that is taken on the exchange's word leaves the day as it was."""
    bench.shows(4_000, 6_000)
    book = bench.book(Day(TODAY, 0))
    book.look()

    def dearer() -> None:
        position = bench.ledger.positions[NYY]
        position.count_e2, position.cost_e6 = CountE2(300), position.cost_e6 * 2  # type: ignore[assignment]

    book.without_gain(dearer)

    assert book.lost_e6 == 200_000
    bench.ledger.settle(settlement(300, 0))
    book.look()
    assert book.lost_e6 == 200_000 + 300 * 4_000


def test_before_the_first_look_nothing_is_written(bench: Bench) -> None:
    """An account that is taken before there was a day begins it."""
    book = bench.book()
    book.without_gain(lambda: hold(bench.ledger, 100))

    assert [each["date"] for each in bench.written] == [TODAY]
    assert book.gained_e6 == 0
