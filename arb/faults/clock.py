"""The clocks of a simulation: the true time, and the engine's, which may be set or run wrong.

While a machine sleeps the true time goes on, but Trio's clock stands, as those of Linux and macOS
stand by which programs wait: no timer comes due by it.
"""

from __future__ import annotations

import trio

from arb.io.clock import NS_PER_MS, NS_PER_S, Clock, VirtualClock

_SLEPT_S: trio.lowlevel.RunVar[float] = trio.lowlevel.RunVar("slept_s", 0.0)


def true_s() -> float:
    """Return the true time since the run began: Trio's, and what the machine has slept."""
    return trio.current_time() + _SLEPT_S.get()


def fall_asleep(seconds: float) -> None:
    """Let time pass of which Trio's clock sees nothing."""
    _SLEPT_S.set(_SLEPT_S.get() + seconds)


class TrueClock(VirtualClock):
    """The true time, which goes on while the machine sleeps."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds since the run began."""
        return round(true_s() * NS_PER_S)


class MachineClock:
    """A machine's clock on top of the true time; only the wall clock of it can be wrong.

    Its monotonic clock follows true time, as a machine's does when somebody sets the date.
    """

    def __init__(self, true: Clock) -> None:
        self._true = true
        self._step_ms = 0
        self._drift = 0.0
        self._drifts_since_ns = 0

    @property
    def error_ms(self) -> int:
        """Return how far the wall clock is ahead of the truth."""
        drifted_ns = self._drift * (self._true.monotonic_ns() - self._drifts_since_ns)
        return self._step_ms + round(drifted_ns / NS_PER_MS)

    def wall_ms(self) -> int:
        """Return what this machine believes Unix time to be, in milliseconds."""
        return self._true.wall_ms() + self.error_ms

    def monotonic_ns(self) -> int:
        """Return nanoseconds since the simulation began; never wrong."""
        return self._true.monotonic_ns()

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back where ``seconds`` is negative."""
        self._step_ms += round(seconds * NS_PER_S / NS_PER_MS)

    def drift(self, rate: float) -> None:
        """Let the wall clock gain ``rate`` seconds each second from now on."""
        self._step_ms = self.error_ms
        self._drift, self._drifts_since_ns = rate, self._true.monotonic_ns()

    def correct(self) -> None:
        """Set the wall clock right, as a time server would."""
        self._step_ms, self._drift = 0, 0.0

    def __repr__(self) -> str:
        return f"<MachineClock {self.error_ms:+d} ms>"
