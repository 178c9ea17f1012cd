"""Messages that nobody handled: counted by reason, with the last example of each."""

from __future__ import annotations

import attrs
import trio

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


@attrs.define(eq=False, repr=False)
class DeadLetters:
    """The counts of one tree."""

    _counts: dict[str, DeadLetterCount] = attrs.field(factory=dict)

    def __repr__(self) -> str:
        """Say how many letters there are."""
        return f"<DeadLetters {self.total} for {len(self._counts)} reasons>"

    @property
    def total(self) -> int:
        """Return how many letters came in all."""
        return sum(each.count for each in self._counts.values())

    def add(self, path: str, message: object, reason: str, traceback: str | None = None) -> None:
        """Count a letter and keep it as the last example of its reason."""
        letter = DeadLetter(path, reason, message, trio.current_time(), traceback)
        if reason not in self._counts and len(self._counts) >= REASONS_MAX:
            reason = OTHER_REASON
        known = self._counts.get(reason)
        self._counts[reason] = DeadLetterCount(reason, known.count + 1 if known else 1, letter)

    def counts(self) -> tuple[DeadLetterCount, ...]:
        """Return every reason with its count and last example, the most frequent first."""
        return tuple(sorted(self._counts.values(), key=lambda each: (-each.count, each.reason)))
