"""A day's book over a ledger that holds two contracts, with a clock that a test sets."""

from __future__ import annotations

from typing import Any

import attrs
import orjson

from arb.core.day import Day, Earlier, Mark
from arb.core.events import Top
from arb.core.ledger import Ledger
from arb.core.listing import Catalogue
from arb.core.money import CountE2, PriceE4
from arb.engine.board import Board
from arb.engine.day_book import DayBook
from arb.engine.parts import Parts
from arb.io.clock import NS_PER_S, VirtualClock
from arb.journal.records import RecordKind, day_data, read_day
from arb.journal.writer import Journal, MemoryFile
from arb.settings import Settings
from tests.core.order_factory import CASH, NYY, hold

EPOCH_MS = 1_795_343_226_907
YESTERDAY, TODAY, TOMORROW = "2026-11-21", "2026-11-22", "2026-11-23"
DAY_MS = 86_400_000


@attrs.define
class SetClock:
    """A clock that a test sets."""

    now_ms: int = EPOCH_MS
    running_s: float = 0.0

    def wall_ms(self) -> int:
        """Return what it was set to."""
        return self.now_ms

    def monotonic_ns(self) -> int:
        """Return how long a test lets it run."""
        return int(self.running_s * NS_PER_S)


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

    def shows(self, bid: int | None, ask: int | None, ticker: str = NYY) -> None:
        """Let the book feed have said a market's prices."""
        seen, size_e2 = marked(bid, ask), CountE2(100)
        self.parts.board.tops[ticker] = Top(
            ticker, seen.bid_e4, size_e2, seen.ask_e4, size_e2, usable=True, at_ms=0, received_ns=0
        )

    def restarted(self) -> DayBook:
        """Open the book in a process that has seen nothing yet, by what stands in the journal."""
        self.parts.board.tops.clear()
        return self.book(read_day(orjson.loads(orjson.dumps(self.written[-1]))))


def marked(bid: int | None, ask: int | None) -> Mark:
    """Mark a market."""
    return Mark(None if bid is None else PriceE4(bid), None if ask is None else PriceE4(ask))


def begun(
    day: str,
    before_e6: int,
    mark: Mark | None = None,
    *awaited: str,
    earlier: Earlier | None = None,
) -> dict[str, Any]:
    """Return the record of a day with one market or none."""
    marks = {} if mark is None else {NYY: mark}
    return day_data(Day(day, before_e6, marks, awaited, earlier))


def open_bench() -> Bench:
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
