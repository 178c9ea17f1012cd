"""The brakes on a program that runs wild: orders within a second, refusals in a row, and a rest."""

from __future__ import annotations

import math
from collections import deque

import attrs

NS_PER_S = 1_000_000_000

# Said while the exchange rests: that passes by itself, and is no sign of anything wrong.
RESTING_CODES = frozenset({"trading_is_paused", "exchange_is_paused"})

# So long nothing is begun after it was said. A weekly pause takes two hours, in which two entries
# a second would be refused, journalled and kept; a game is not decided in five seconds.
REST_NS = 5 * NS_PER_S


@attrs.define
class Brakes:
    """When orders left lately, and how many entries in a row the exchange has refused.

    It lives beside the actors: a restart of one must not take the brakes off. ``balance_read_s`` is
    the moment, by Trio's clock, of the balance that was read last.
    """

    refused_in_a_row: int = 0
    balance_read_s: float = -math.inf
    _rested_ns: int | None = None
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

    def rests(self, now_ns: int) -> None:
        """Note that the exchange has said that it rests."""
        self._rested_ns = now_ns

    def rested_ns_ago(self, now_ns: int) -> int | None:
        """Return how long ago it said so; None where it may trade again."""
        if self._rested_ns is None or now_ns - self._rested_ns >= REST_NS:
            return None
        return now_ns - self._rested_ns

    def taken(self) -> None:
        """Note that the exchange has taken an entry, or that a person says it will."""
        self.refused_in_a_row = 0
        self._rested_ns = None

    def __repr__(self) -> str:
        return f"<Brakes {len(self._sent_ns)} sent, {self.refused_in_a_row} refused in a row>"
