"""The engine's log as far as this console has seen it, and what of it a person wants to see."""

from __future__ import annotations

from collections import deque

import attrs

from arb.console.snapshot import LogLine, Snapshot
from arb.console.tickers import shorten

# An engine's picture carries its last hundred; a console that has watched for longer scrolls back
# through this many, some 200 bytes each.
LINES_KEPT = 1_000

# What each step of the level leaves in the log, with the words for it.
LEVELS: tuple[tuple[str, frozenset[str]], ...] = (
    ("", frozenset()),
    ("warnings and errors", frozenset({"warning", "error"})),
    ("errors", frozenset({"error"})),
)


@attrs.frozen
class LogChoice:
    """Which lines are shown: from which level on, and of which market; by default all."""

    level: int = 0
    ticker: str = ""

    def next_level(self) -> LogChoice:
        """Return the same with the next level, after the last all lines again."""
        return attrs.evolve(self, level=(self.level + 1) % len(LEVELS))

    def of_market(self, ticker: str) -> LogChoice:
        """Return the same for one market, or for all where it was that one already."""
        return attrs.evolve(self, ticker="" if ticker == self.ticker else ticker)

    @property
    def words(self) -> str:
        """Say what is shown, empty where all is."""
        of = f"of {shorten(self.ticker)}" if self.ticker else ""
        return " · ".join(filter(None, (LEVELS[self.level][0], of)))

    def lines(self, lines: tuple[LogLine, ...]) -> tuple[LogLine, ...]:
        """Return the lines to show."""
        wanted = LEVELS[self.level][1]
        return tuple(
            line
            for line in lines
            if (not wanted or line.level in wanted) and self.ticker in line.text
        )


class LogKept:
    """Every line once, in the engine's order; an engine that is new begins a new log."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=LINES_KEPT)
        self.lines: tuple[LogLine, ...] = ()

    def __repr__(self) -> str:
        return f"<LogKept of {len(self._lines)} lines>"

    def observe(self, picture: Snapshot) -> None:
        """Take in what is new of a picture's log."""
        newest = picture.log[-1:]
        if newest == tuple(self._lines)[-1:]:
            return
        last = self._lines[-1] if self._lines else None
        if last is not None and not _follows(last, picture.log):
            self._lines.clear()
            last = None
        self._lines.extend(line for line in picture.log if last is None or line.seq > last.seq)
        self.lines = tuple(self._lines)


def _follows(last: LogLine, log: tuple[LogLine, ...]) -> bool:
    same = next((line for line in log if line.seq == last.seq), None)
    if same is not None:
        return same == last
    return bool(log) and log[0].seq > last.seq
