"""Earlier states of something, for reads that lag behind what happened to it."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")

# Far beyond every lag that was ever seen; older states would only cost memory.
KEPT_MS = 120_000


@attrs.define
class Lagging(Generic[T]):
    """What one thing was before each of its changes, the oldest first."""

    _before: deque[tuple[int, T]] = attrs.field(factory=deque)

    def __len__(self) -> int:
        return len(self._before)

    def keep(self, before: T, changed_ms: int) -> None:
        """Remember what it was until ``changed_ms``, and forget what nobody can ask for."""
        while self._before and self._before[0][0] <= changed_ms - KEPT_MS:
            self._before.popleft()
        self._before.append((changed_ms, before))

    def at(self, moment_ms: int, now: T) -> T:
        """Return what it was at a moment; ``now`` is what it has become since."""
        return next((state for changed, state in self._before if changed > moment_ms), now)
