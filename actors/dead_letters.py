"""Messages that nobody handled: counted by reason, with the last example of each."""

from __future__ import annotations

from collections.abc import Callable

import attrs

# Reasons are written by programmers, so there are few; an endless stream of them is a fault.
REASONS_MAX = 256
OTHER_REASON = "other reasons"


@attrs.frozen
class DeadLetter:
    """One message that was not handled: whose, why, when, and the traceback if it failed."""

    path: str
    reason: str
    message: object
    at_s: float
    traceback: str | None = None


@attrs.frozen
class DeadLetterCount:
    """How often a reason occurred, and its last example."""

    reason: str
    count: int
    last: DeadLetter


class DeadLetters:
    """The counts of one tree, and a listener for each letter as it comes."""

    __slots__ = ("_counts", "_last", "_now")

    def __init__(self, now_s: Callable[[], float]) -> None:
        """Start without letters."""
        self._now = now_s
        self._counts: dict[str, int] = {}
        self._last: dict[str, DeadLetter] = {}

    def __repr__(self) -> str:
        """Say how many letters there are."""
        return f"<DeadLetters {self.total} for {len(self._counts)} reasons>"

    @property
    def total(self) -> int:
        """Return how many letters came in all."""
        return sum(self._counts.values())

    def add(self, path: str, message: object, reason: str, traceback: str | None = None) -> None:
        """Count a letter and keep it as the last example of its reason."""
        letter = DeadLetter(path, reason, message, self._now(), traceback)
        if reason not in self._counts and len(self._counts) >= REASONS_MAX:
            reason = OTHER_REASON
        self._counts[reason] = self._counts.get(reason, 0) + 1
        self._last[reason] = letter

    def counts(self) -> tuple[DeadLetterCount, ...]:
        """Return every reason with its count and last example, the most frequent first."""
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(DeadLetterCount(reason, n, self._last[reason]) for reason, n in ordered)
