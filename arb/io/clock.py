"""The one clock: injected wherever time is read, so that a whole run can be simulated."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import trio

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """Two readings of time: one to stamp what happens, one to measure how long it took."""

    def wall_ms(self) -> int:
        """Return Unix time in milliseconds; it may jump when the machine's clock is set."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds since some fixed moment; it goes on in sleep, and never back."""


def sleepless(system: Any = time, platform: str = sys.platform) -> Callable[[], int]:
    """Return the monotonic clock of a machine that goes on while it sleeps, where it has one."""
    # Python's own and Trio's stand meanwhile, on Linux as on macOS, where the raw one does not.
    name = "CLOCK_MONOTONIC_RAW" if platform == "darwin" else "CLOCK_BOOTTIME"
    which = getattr(system, name, None)
    if which is None:
        fallback: Callable[[], int] = system.monotonic_ns
        return fallback
    return partial(system.clock_gettime_ns, which)


class SystemClock:
    """The clocks of this machine; ``monotonic_ns`` counts from its start, sleep included."""

    def __init__(self) -> None:
        # Read several times for each frame: a method around it would take near half as long again.
        self.monotonic_ns = sleepless()

    def wall_ms(self) -> int:
        """Return Unix time in milliseconds."""
        return time.time_ns() // NS_PER_MS

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
