"""How far this machine's clock is from the exchange's, bounded by every answer it dates.

An answer's ``Date`` is a whole second and was written between question and answer, so each gives
a lowest and a highest difference, about a second apart. What all answers of some minutes have in
common is narrower: they fall on different parts of their seconds.
"""

from __future__ import annotations

from collections import deque
from email.utils import parsedate_to_datetime

import attrs

from arb.io.clock import NS_PER_MS, Clock

# Two quartz clocks drift apart by some 30 ms in this time, far below what is asked of the result.
KEPT_NS = 300 * 1_000_000_000

# An account that is read every second would give this many within that time.
BOUNDS_MAX = 300

_MS_PER_S = 1000


@attrs.frozen
class Bounds:
    """Between what the exchange's clock less our monotonic one must lie, in milliseconds."""

    low_ms: float
    high_ms: float
    at_ns: int


class ExchangeClock:
    """Collects bounds and says how far our wall clock is off.

    Bounds are kept against the monotonic clock, so that a wall clock that is set shows at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bounds: deque[Bounds] = deque(maxlen=BOUNDS_MAX)
        self.unreadable = 0

    def note_date(self, date: str, asked_ns: int, answered_ns: int) -> None:
        """Take the ``Date`` of an answer that was written between two monotonic readings."""
        try:
            second_ms = parsedate_to_datetime(date).timestamp() * _MS_PER_S
        except ValueError:
            self.unreadable += 1
            return
        self._add(
            Bounds(
                second_ms - answered_ns / NS_PER_MS,
                second_ms + _MS_PER_S - asked_ns / NS_PER_MS,
                answered_ns,
            )
        )

    def _add(self, bounds: Bounds) -> None:
        self._bounds.append(bounds)
        oldest_ns = bounds.at_ns - KEPT_NS
        while self._bounds[0].at_ns < oldest_ns:
            self._bounds.popleft()
        # Where they contradict each other, the exchange's clock was set: the newest are right.
        while self._high_ms < self._low_ms:
            self._bounds.popleft()

    @property
    def _low_ms(self) -> float:
        return max(bounds.low_ms for bounds in self._bounds)

    @property
    def _high_ms(self) -> float:
        return min(bounds.high_ms for bounds in self._bounds)

    @property
    def behind_ms(self) -> int | None:
        """Return how far our clock is behind the exchange's, below 0 ahead; None if unknown.

        The middle of what is possible: right to half a second after one answer.
        """
        if not self._bounds:
            return None
        ours_ms = self._clock.wall_ms() - self._clock.monotonic_ns() / NS_PER_MS
        return round((self._low_ms + self._high_ms) / 2 - ours_ms)

    def earliest_ns(self, exchange_ms: int) -> int | None:
        """Return the earliest that a moment of the exchange's can be by our monotonic clock.

        None where nothing is known of its clock.
        """
        if not self._bounds:
            return None
        return int((exchange_ms - self._high_ms) * NS_PER_MS)

    def __repr__(self) -> str:
        return f"<ExchangeClock behind_ms={self.behind_ms} from {len(self._bounds)} answers>"
