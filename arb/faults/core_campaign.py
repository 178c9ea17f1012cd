"""Many random histories of the core alone, over several processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from arb.faults.core_checks import HistoryWrong
from arb.faults.core_history import play, rolled
from arb.faults.spread import chunks, spread

# A chunk takes a second or so: handing it out costs nothing, and progress shows.
CHUNK_SEEDS = 500

# Enough of them to look at; every further one is counted.
FAILURES_KEPT = 50

# What histories must have gone through, or they prove nothing; thousands of them see all of it.
ASKED_FROM_SEEDS = 2_000
REQUIRED = (
    "an entry of this game is in flight",
    "concurrent markets",
    "contracts per market",
    "game exposure",
    "total exposure",
    "entry bid filled",
    "entry ask filled",
    "exit bid filled",
    "exit ask filled",
    "an exit moved",
    "a fill told twice",
    "unknown found",
    "unknown absent",
    "settled",
    "a settlement before its fills",
)


@attrs.define
class CoreSummary:
    """What some histories came to; ``failed`` is seeds with what was wrong."""

    first: int
    seeds: int = 0
    violations: int = 0
    seconds: float = 0.0
    failed: list[tuple[int, str]] = attrs.field(factory=list)
    sometimes: Counter[str] = attrs.field(factory=Counter)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what should have been seen and was not."""
        if self.seeds < ASKED_FROM_SEEDS:
            return ()
        return tuple(name for name in REQUIRED if not self.sometimes[name])

    @property
    def good(self) -> bool:
        """Tell whether nothing was wrong and everything was seen."""
        return not self.violations and not self.missing

    def add(self, other: CoreSummary) -> None:
        """Count in what came of a chunk."""
        self.seeds += other.seeds
        self.violations += other.violations
        self.failed = (self.failed + other.failed)[:FAILURES_KEPT]
        self.sometimes.update(other.sometimes)

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "first": self.first,
            "seeds": self.seeds,
            "violations": self.violations,
            "seconds": round(self.seconds, 3),
            "failed": [{"seed": seed, "why": why} for seed, why in self.failed],
            "sometimes": dict(sorted(self.sometimes.items())),
            "missing": list(self.missing),
        }


def run_chunk(seeds: Sequence[int]) -> CoreSummary:
    """Play some histories in this process."""
    found = CoreSummary(seeds[0])
    for seed in seeds:
        found.seeds += 1
        try:
            found.sometimes.update(play(rolled(seed)).seen)
        except HistoryWrong as error:
            found.violations += 1
            found.failed.append((seed, str(error)))
    return found


def run_core(
    first: int,
    count: int,
    jobs: int,
    *,
    now_s: Callable[[], float],
    tell: Callable[[CoreSummary], None],
) -> CoreSummary:
    """Play so many histories; ``tell`` hears of each chunk what all came to so far."""
    begun_s, summary = now_s(), CoreSummary(first)
    for found in spread(run_chunk, chunks(first, count, CHUNK_SEEDS), jobs):
        summary.add(found)
        summary.seconds = now_s() - begun_s
        tell(summary)
    return summary
