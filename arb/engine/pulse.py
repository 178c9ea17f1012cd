"""Signs of life of work that an actor does beside its mailbox, which can hang while it hears."""

from __future__ import annotations

import attrs

from arb.io.clock import NS_PER_MS

MS_PER_S = 1000

# Up to here a span is told in seconds, then in minutes.
SECONDS_MAX = 120


@attrs.frozen
class Pulse:
    """When a work was last done, and how soon it is due again.

    ``undone`` says in words that it is not done, and ``trouble`` why the last try has failed.
    """

    undone: str
    at_ns: int
    within_ms: int
    trouble: str = ""

    def age_ms(self, now_ns: int) -> int:
        """Return how long ago the work was done."""
        return (now_ns - self.at_ns) // NS_PER_MS

    def is_late(self, now_ns: int) -> bool:
        """Tell whether the work is overdue."""
        return self.age_ms(now_ns) > self.within_ms

    def text(self, now_ns: int) -> str:
        """Say what has not been done for how long."""
        trouble = f" ({self.trouble})" if self.trouble else ""
        return f"{self.undone} for {span(self.age_ms(now_ns))}{trouble}"


def span(ms: int) -> str:
    """Return a span of time in whole seconds or minutes."""
    seconds = ms // MS_PER_S
    return f"{seconds} s" if seconds <= SECONDS_MAX else f"{seconds // 60} min"
