"""The sequence of one subscription's messages: whether each follows the one before.

Numbers start at 1, are shared by all markets of a subscription and are used up by replies
(``ok``, ``unsubscribed``) too, so every message with a number must be shown to the guard.
"""

from __future__ import annotations

import attrs

FIRST_SEQ = 1


@attrs.define
class SequenceGuard:
    """Watches one subscription; after a gap it stays broken until `reset`.

    ``gap`` is the number expected and the number that came where it broke; ``gaps`` counts them.
    """

    expected: int = FIRST_SEQ
    gap: tuple[int, int] | None = None
    gaps: int = 0

    def __repr__(self) -> str:
        """Say what comes next, or where the sequence broke."""
        if self.gap is None:
            return f"<SequenceGuard: next {self.expected}>"
        return f"<SequenceGuard: broken, expected {self.gap[0]} and got {self.gap[1]}>"

    def next(self, seq: int) -> bool:
        """Return whether this message follows the last; a number that came before does not."""
        if seq == self.expected and self.gap is None:
            self.expected = seq + 1
            return True
        if self.gap is None:
            self.gap = (self.expected, seq)
            self.gaps += 1
        return False

    def reset(self, expected: int = FIRST_SEQ) -> None:
        """Begin anew: at 1 with a new subscription, elsewhere when its books are asked for anew."""
        self.expected = expected
        self.gap = None
