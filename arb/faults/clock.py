"""The engine's own clock in a simulation: it may be set, and may run too fast or too slow."""

from __future__ import annotations

from arb.io.clock import NS_PER_MS, NS_PER_S, Clock


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
