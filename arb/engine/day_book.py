"""The day's gain or loss as the risk manager counts it, from the journal's beginning of the day.

What is held is worth the last price that was seen, by this process or, until books are there again,
by the one before. A day that begins before anybody has looked begins with the first price there is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import attrs

from arb.core.day import Day, Earlier, Mark, Midnight, day_of, gained_e6
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6
from arb.engine.parts import Parts
from arb.io.clock import NS_PER_S
from arb.journal.records import RecordKind, day_data

# Marks in the journal are as old as this at most: a start judges by them until books are there,
# which takes seconds, and a record a minute costs nothing.
MARKS_KEPT_EVERY_S = 60

# Books are there within seconds of a start. What has none by then is not listed or has an empty
# side: it stays at the last price that was ever seen.
AWAITED_MAX_S = 60


class DayBook:
    """Knows what the day began with, and what every market was last seen at.

    A restart finds both in the journal.
    """

    def __init__(
        self,
        parts: Parts,
        ledger: Ledger,
        day: Day | None,
        record: Callable[[RecordKind, dict[str, Any]], None],
    ) -> None:
        self._parts = parts
        self._ledger = ledger
        self._day = day
        self._midnight = Midnight()
        self._record = record
        self._marks: dict[str, Mark] = dict(day.marks) if day is not None else {}
        self._seen: set[str] = set()
        self._waits_since_ns: int | None = None
        self._kept_ns = 0
        self._fills_kept = ledger.fills_booked
        self._is_known = False
        self.gained_e6 = MoneyE6(0)

    @property
    def lost_e6(self) -> MoneyE6:
        """Return the day's loss as of the last look, 0 where it is a gain or cannot be told yet."""
        return MoneyE6(max(0, -self.gained_e6) if self._is_known else 0)

    @property
    def before_e6(self) -> int:
        """Return what had been gained in all when the day began."""
        return self._day.before_e6 if self._day is not None else 0

    def look(self) -> None:
        """Mark what is held, begin a day that has come, and count what this one has gained."""
        if self._waits_since_ns is None:
            self._wait()
        self._begin_awaited()
        # What was sold since the last look loses its mark, which it still has.
        self._mark(dict.fromkeys((*self._marks, *self._held())))
        now_ns, date = self._parts.clock.monotonic_ns(), day_of(self._parts.clock.wall_ms())
        if self._day is None or self._midnight.has_come(self._day.date, date, now_ns):
            self._wait()
            awaited = tuple(ticker for ticker in self._held() if ticker not in self._seen)
            earlier = None if self._midnight.stands(now_ns) else _earlier(self._day)
            self._write(Day(date, self._in_all_e6(), awaited=awaited, earlier=earlier))
        else:
            day = self._proven(self._day, date, now_ns)
            if day is not self._day or self._are_marks_due(day):
                self._write(day)
        self.gained_e6 = MoneyE6(self._in_all_e6() - self.before_e6)
        self._is_known = self._has_waited() or not self._unpriced()

    def _proven(self, day: Day, date: str, now_ns: int) -> Day:
        """Return the day before a start whose clock was put right, else the one that is counted.

        A machine may be started before it has fetched the time.
        """
        earlier = day.earlier
        if earlier is not None and date == earlier.date:
            return Day(earlier.date, earlier.before_e6, awaited=earlier.awaited)
        if earlier is not None and date == day.date and self._midnight.stands(now_ns):
            return attrs.evolve(day, earlier=None)
        return day

    def begin_anew(self) -> None:
        """Forget what the day has gained or lost."""
        self._shift(self.gained_e6)

    def without_gain(self, change: Callable[[], None]) -> None:
        """Let something change what is held or what it cost, and take that for no gain or loss."""
        before_e6, counts = self._in_all_e6(), self._held()
        change()
        held = self._held().items()
        others = {each for each, count_e2 in held if counts.get(each) != count_e2}
        self._shift(self._in_all_e6() - before_e6, others - self._seen)

    def _in_all_e6(self) -> MoneyE6:
        return gained_e6(self._ledger, self._marks)

    def _held(self) -> dict[str, CountE2]:
        return {position.ticker: position.count_e2 for position in self._ledger.held()}

    def _shift(self, by_e6: int, awaited: Collection[str] = ()) -> None:
        day = self._day
        if awaited:
            self._wait()
        if day is not None and (by_e6 or awaited):
            both = tuple(sorted({*day.awaited, *awaited}))
            before_e6, earlier = day.before_e6 + by_e6, day.earlier
            if earlier is not None:
                earlier = attrs.evolve(earlier, before_e6=earlier.before_e6 + by_e6)
            self._write(attrs.evolve(day, before_e6=before_e6, awaited=both, earlier=earlier))
        self.look()

    # What was not seen yet.

    def _begin_awaited(self) -> None:
        """Let the day begin, for what it awaits, with the first price that is seen there."""
        day = self._day
        if day is None or not day.awaited:
            return
        then_e6, held = self._in_all_e6(), self._held().keys()
        # What never had a price is awaited on: its cost is nothing that a market has said.
        left = held & self._never_priced() if self._has_waited() else held
        self._mark(day.awaited)
        left = left & {*day.awaited} - self._seen
        if left != {*day.awaited}:
            before_e6 = day.before_e6 + self._in_all_e6() - then_e6
            self._write(attrs.evolve(day, before_e6=before_e6, awaited=tuple(sorted(left))))

    def _never_priced(self) -> set[str]:
        """Return what is held and counts at its cost, because no price ever was seen for it."""
        held, nothing = self._held().items(), Mark()
        return {
            ticker
            for ticker, count_e2 in held
            if self._marks.get(ticker, nothing).closing_e4(count_e2) is None
        }

    def _unpriced(self) -> set[str]:
        """Return what counts at its cost and may be worth something else since the day began."""
        return self._never_priced().difference(self._day.awaited if self._day is not None else ())

    def _wait(self) -> None:
        self._waits_since_ns = self._parts.clock.monotonic_ns()

    def _has_waited(self) -> bool:
        since_ns, now_ns = self._waits_since_ns, self._parts.clock.monotonic_ns()
        return since_ns is not None and now_ns - since_ns >= AWAITED_MAX_S * NS_PER_S

    # Marks, and what is kept.

    def _mark(self, tickers: Iterable[str]) -> None:
        # Not by the markets' rows: that of a market that is away stands still.
        tops = self._parts.board.tops
        for ticker in tickers:
            top, position = tops.get(ticker), self._ledger.position(ticker)
            if position.count_e2 and top is not None:
                seen = Mark(top.bid_e4, top.ask_e4)
                self._marks[ticker] = self._marks.get(ticker, seen).followed_by(seen)
                if seen.closing_e4(position.count_e2) is not None:
                    self._seen.add(ticker)
            elif not position.count_e2:
                self._marks.pop(ticker, None)
                self._seen.discard(ticker)

    def _are_marks_due(self, day: Day) -> bool:
        # After a fill at once: what was bought must not count at an older price than it was paid.
        kept_ns = self._parts.clock.monotonic_ns() - self._kept_ns
        is_time = kept_ns >= MARKS_KEPT_EVERY_S * NS_PER_S
        is_due = is_time or self._ledger.fills_booked != self._fills_kept
        return is_due and day.marks != self._marks

    def _write(self, day: Day) -> None:
        self._kept_ns = self._parts.clock.monotonic_ns()
        self._fills_kept = self._ledger.fills_booked
        self._day = attrs.evolve(day, marks=dict(self._marks))
        self._record(RecordKind.DAY, day_data(self._day))

    def __repr__(self) -> str:
        return f"<DayBook {self._day} gained_e6={self.gained_e6}>"


def _earlier(day: Day | None) -> Earlier | None:
    if day is None or day.earlier is not None:
        return None if day is None else day.earlier
    return Earlier(day.date, day.before_e6, day.awaited)
