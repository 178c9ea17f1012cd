"""How far back fills and settlements are read while the account differs from our books.

The exchange may list either long after its stamp, and a settlement that was read before the last
fill of its market was not booked: what is new at each reading does not show them any more.
"""

from __future__ import annotations

from arb.core.ledger import Ledger
from arb.core.unseen import unseen_since_ms
from arb.io.clock import NS_PER_S, Clock

# What is read again is booked once, however often. A market is paid within minutes of its result;
# what is not listed a day later is for a person to look at.
LOOKED_BACK_MS = 86_400_000

# What a process finds missing at its start may be listed late, too: within a day of it, a reading
# goes back to before the absence, however long that was.

# A day's fills are some pages of a thousand, paid like any other read, and each takes the loop ten
# milliseconds while exits still go out: not at every reading, of which there is one in two seconds.
LOOKED_BACK_EVERY_S = 30.0


class LookBack:
    """Says now and then that a reading is to go back, for as long as something differs."""

    def __init__(self, clock: Clock, ledger: Ledger) -> None:
        self._clock = clock
        self._ledger = ledger
        self._began_ms = clock.wall_ms()
        self._unseen_since_ms = unseen_since_ms(ledger)
        self._next_ns = 0

    def to_ms(self) -> int | None:
        """Return since when the next reading is to be; None where what is new will do.

        What is older than the account that was last taken for the truth is within it.
        """
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._next_ns:
            return None
        self._next_ns = now_ns + round(LOOKED_BACK_EVERY_S * NS_PER_S)
        since_ms = self._clock.wall_ms() - LOOKED_BACK_MS
        if since_ms < self._began_ms:
            since_ms = min(since_ms, self._unseen_since_ms)
        return max(self._ledger.adopted_ms, since_ms)

    def agreed(self) -> None:
        """Go back at once when something differs the next time."""
        self._next_ns = 0

    def __repr__(self) -> str:
        return f"<LookBack next at {self._next_ns} ns>"
