"""Order groups: a limit on what may trade within a rolling window, and a switch for all at once."""

from __future__ import annotations

from collections import deque

import attrs

# Documented length of the window over which an order group counts what it traded.
WINDOW_MS = 15_000
# Documented: a user can have so many at a time.
GROUPS_MAX = 100_000


@attrs.frozen
class GroupEvent:
    """Something that became of a group; ``limit_e2`` is told when it is made or changed."""

    event_type: str
    group_id: str
    account: str
    at_ms: int
    limit_e2: int | None = None


@attrs.define(eq=False)
class OrderGroup:
    """A group of one account's orders.

    Once more than ``limit_e2`` traded within the window, or a person pulled the trigger, the
    group's orders are cancelled and new ones refused until it is reset.
    """

    group_id: str
    account: str
    limit_e2: int
    exchange_index: int = 0
    triggered: bool = False
    traded: deque[tuple[int, int]] = attrs.field(factory=deque)

    def note(self, at_ms: int, count_e2: int) -> bool:
        """Count a fill and return whether it took the group over its limit."""
        self.traded.append((at_ms, count_e2))
        return self.is_over(at_ms)

    def is_over(self, at_ms: int) -> bool:
        """Return whether more than the limit traded within the window that ends now."""
        while self.traded and self.traded[0][0] <= at_ms - WINDOW_MS:
            self.traded.popleft()
        return sum(count for _, count in self.traded) > self.limit_e2

    def reset(self) -> None:
        """Let the group trade again, its window empty."""
        self.triggered = False
        self.traded.clear()
