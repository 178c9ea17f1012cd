"""Two brakes on a program that runs wild: orders within a second, and refusals in a row."""

from __future__ import annotations

from collections import deque

import attrs

NS_PER_S = 1_000_000_000

# Said while the exchange rests: that passes by itself, and is no sign of anything wrong.
RESTING_CODES = frozenset({"trading_is_paused", "exchange_is_paused"})


@attrs.define
class Brakes:
    """When orders left lately, and how many entries in a row the exchange has refused.

    It lives beside the actors: a restart of one must not take the brakes off.
    """

    refused_in_a_row: int = 0
    _sent_ns: deque[int] = attrs.field(factory=deque)

    def sent(self, now_ns: int) -> None:
        """Note that an order leaves."""
        self._sent_ns.append(now_ns)

    def within_a_second(self, now_ns: int) -> int:
        """Return how many orders have left in the second that ends now."""
        while self._sent_ns and now_ns - self._sent_ns[0] >= NS_PER_S:
            self._sent_ns.popleft()
        return len(self._sent_ns)

    def refused(self, code: str) -> None:
        """Note that the exchange has refused an entry."""
        if code not in RESTING_CODES:
            self.refused_in_a_row += 1

    def taken(self) -> None:
        """Note that the exchange has taken an entry, or that a person says it will."""
        self.refused_in_a_row = 0

    def __repr__(self) -> str:
        return f"<Brakes {len(self._sent_ns)} sent, {self.refused_in_a_row} refused in a row>"
