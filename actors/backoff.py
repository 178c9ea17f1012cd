"""When to restart: how long to wait before it, and how often is too often."""

from __future__ import annotations

from collections import deque
from random import Random

import attrs

# 2**60 times any delay is past every cap, and below where a float overflows.
EXPONENT_MAX = 60


@attrs.frozen
class Backoff:
    """The wait before a restart: uniform in [0, min(cap, base * 2**failures in a row)].

    Full jitter, because children that failed together should not come back together. A child
    that was up for ``healthy_after_s`` begins again at ``base_s``; ``base_s`` 0 means no wait.
    """

    base_s: float = 0.1
    cap_s: float = 10.0
    healthy_after_s: float = 30.0

    def ceiling_s(self, failures: int) -> float:
        """Return the longest wait after so many earlier failures in a row."""
        return float(min(self.cap_s, self.base_s * 2.0 ** min(failures, EXPONENT_MAX)))

    def delay_s(self, failures: int, rng: Random) -> float:
        """Draw the wait after so many earlier failures in a row."""
        return rng.uniform(0.0, self.ceiling_s(failures))


NO_BACKOFF = Backoff(base_s=0.0, cap_s=0.0)


@attrs.frozen
class Intensity:
    """At most ``limit`` restarts within any ``per_s`` seconds; one more is too many.

    ``same_kind`` is a second, earlier limit: that many failures of one actor over one kind of
    message within the window, because a message that kills each instance will kill the next.
    None turns it off. Levels multiply: give upper supervisors less.
    """

    limit: int = 3
    per_s: float = 5.0
    same_kind: int | None = 3


class FailureWindow:
    """The failures of the last ``per_s`` seconds; one that is exactly that old still counts."""

    __slots__ = ("_failures", "_per_s")

    def __init__(self, per_s: float) -> None:
        """Start without failures."""
        self._per_s = per_s
        self._failures: deque[tuple[float, str | None]] = deque()

    def __repr__(self) -> str:
        """Say how many failures are remembered."""
        return f"<FailureWindow {len(self._failures)} in {self._per_s:g} s>"

    def add(self, now_s: float, kind: str | None) -> None:
        """Remember a failure and the kind of message it came of, if of one."""
        self._failures.append((now_s, kind))

    def count(self, now_s: float) -> int:
        """Return how many failures the window holds now."""
        failures = self._failures
        while failures and now_s - failures[0][0] > self._per_s:
            failures.popleft()
        return len(failures)

    def count_kind(self, now_s: float, kind: str | None) -> int:
        """Return how many of them came of this kind of message."""
        self.count(now_s)
        return sum(1 for _, other in self._failures if kind is not None and other == kind)

    def clear(self) -> None:
        """Forget them all, as a new generation of the supervisor does."""
        self._failures.clear()
