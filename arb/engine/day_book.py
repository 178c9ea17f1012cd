"""The day's gain or loss as the risk manager counts it, from the journal's beginning of the day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from arb.core.day import Day, Mark, day_of, gained_e6
from arb.core.ledger import Ledger
from arb.core.money import MoneyE6
from arb.engine.parts import Parts
from arb.journal.records import RecordKind, day_data


class DayBook:
    """Knows what the day began with, and what every market was last seen at.

    A restart finds the day in the journal; marks it finds again as the books come.
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
        self._record = record
        self._marks: dict[str, Mark] = {}
        self.gained_e6 = MoneyE6(0)

    @property
    def lost_e6(self) -> MoneyE6:
        """Return the day's loss as of the last look, 0 where it is a gain."""
        return MoneyE6(max(0, -self.gained_e6))

    def look(self) -> None:
        """Mark what is held, begin a day that has come, and count what this one has gained."""
        self._mark()
        in_all_e6 = gained_e6(self._ledger, self._marks)
        date = day_of(self._parts.clock.wall_ms())
        # A clock that is set back must not bring yesterday back, and forget what today has lost.
        if self._day is None or date > self._day.date:
            self._begin(Day(date, in_all_e6))
        before_e6 = self._day.before_e6 if self._day is not None else in_all_e6
        self.gained_e6 = MoneyE6(in_all_e6 - before_e6)

    def begin_anew(self) -> None:
        """Forget what the day has gained or lost."""
        self._shift(self.gained_e6)

    def without_gain(self, change: Callable[[], None]) -> None:
        """Let something change what is held or what it cost, and take that for no gain or loss."""
        before_e6 = gained_e6(self._ledger, self._marks)
        change()
        self._shift(gained_e6(self._ledger, self._marks) - before_e6)

    def _shift(self, by_e6: int) -> None:
        if self._day is not None and by_e6:
            self._begin(attrs.evolve(self._day, before_e6=self._day.before_e6 + by_e6))
        self.look()

    def _begin(self, day: Day) -> None:
        self._day = day
        self._record(RecordKind.DAY, day_data(day))

    def _mark(self) -> None:
        rows = self._parts.board.markets
        for ticker, position in self._ledger.positions.items():
            row = rows.get(ticker)
            if position.count_e2 and row is not None:
                seen = Mark(row.bid_e4, row.ask_e4)
                self._marks[ticker] = self._marks.get(ticker, seen).followed_by(seen)

    def __repr__(self) -> str:
        return f"<DayBook {self._day} gained_e6={self.gained_e6}>"
