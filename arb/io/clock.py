"""The one clock: injected wherever time is read, so that a whole run can be simulated."""

from __future__ import annotations

import time
from typing import Protocol

import trio

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """Two readings of time: one to stamp what happens, one to measure how long it took."""

    def wall_ms(self) -> int:
        """Return Unix time in milliseconds; it may jump when the machine's clock is set."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds since some fixed moment; it never goes back."""


class SystemClock:
    """The clocks of this machine."""

    def wall_ms(self) -> int:
        """Return Unix time in milliseconds."""
        return time.time_ns() // NS_PER_MS

    def monotonic_ns(self) -> int:
        """Return the monotonic clock in nanoseconds."""
        return time.monotonic_ns()

    def __repr__(self) -> str:
        return "<SystemClock>"


class VirtualClock:
    """Trio's clock read as wall time, ``epoch_ms`` being where Trio's clock stands at zero.

    Under a mock clock, which starts at zero, both readings follow virtual time exactly.
    """

    def __init__(self, epoch_ms: int) -> None:
        self._epoch_ms = epoch_ms

    def wall_ms(self) -> int:
        """Return the epoch and what has passed of Trio's clock, in milliseconds."""
        return self._epoch_ms + self.monotonic_ns() // NS_PER_MS

    def monotonic_ns(self) -> int:
        """Return Trio's clock in nanoseconds."""
        # Rounded, not cut: 0.3 s is 0.29999... in binary, and a millisecond must not get lost.
        return round(trio.current_time() * NS_PER_S)

    def __repr__(self) -> str:
        return f"<VirtualClock epoch_ms={self._epoch_ms}>"
