"""Many seeds, over several processes, with a state to go on from."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import orjson

from arb.faults.plan import plan_of
from arb.faults.session import Outcome, simulate
from arb.faults.sometimes import missing
from arb.faults.spread import chunks, spread

# Enough that handing them out costs nothing, few enough that progress shows and little is lost.
CHUNK_SEEDS = 10

# What a run leaves behind in circles is freed by hand now and then: looking for it all the time
# costs a twentieth of the whole.
COLLECT_EVERY_SEEDS = 5


_COUNTERS = ("sometimes", "cells", "strikes")


@attrs.define
class Summary:
    """What a campaign has come to; ``next_seed`` is where to go on.

    ``cells`` counts how often each fault began, ``strikes`` how often it met anything.
    """

    first: int
    next_seed: int
    seeds: int = 0
    violations: int = 0
    seconds: float = 0.0
    virtual_s: float = 0.0
    events: int = 0
    orders: int = 0
    fills: int = 0
    failed: list[int] = attrs.field(factory=list)
    sometimes: Counter[str] = attrs.field(factory=Counter)
    cells: Counter[str] = attrs.field(factory=Counter)
    strikes: Counter[str] = attrs.field(factory=Counter)

    @classmethod
    def begun(cls, first: int) -> Summary:
        """Return an empty one."""
        return cls(first, first)

    def add(self, outcome: Outcome) -> None:
        """Count one seed."""
        self.seeds += 1
        self.next_seed = outcome.seed + 1
        self.violations += outcome.violated
        self.virtual_s += outcome.virtual_s
        self.events += outcome.messages
        self.orders += outcome.orders
        self.fills += outcome.fills
        if outcome.failed:
            self.failed.append(outcome.seed)
        self.sometimes.update(outcome.sometimes)
        self.cells.update(outcome.cells)
        self.strikes.update(outcome.strikes)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what should have been seen and was not."""
        return missing(self.sometimes, self.seeds)

    @property
    def good(self) -> bool:
        """Tell whether nothing was violated and everything was seen."""
        return not self.violations and not self.missing

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        fields = attrs.asdict(self)
        fields["sometimes"] = dict(sorted(self.sometimes.items()))
        fields["cells"] = len(self.cells)
        fields["strikes"] = len(self.strikes)
        fields["missing"] = list(self.missing)
        fields["seconds"] = round(self.seconds, 3)
        fields["virtual_s"] = round(self.virtual_s, 3)
        return fields

    def save(self, path: Path) -> None:
        """Keep it, so that a campaign can go on from here."""
        path.parent.mkdir(parents=True, exist_ok=True)
        counters = {name: getattr(self, name) for name in _COUNTERS}
        kept = {**attrs.asdict(self), **counters}
        draft = path.with_suffix(".draft")
        draft.write_bytes(orjson.dumps(kept))
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> Summary:
        """Return a kept one; raises `OSError` or `ValueError`."""
        kept = orjson.loads(path.read_bytes())
        for name in _COUNTERS:
            kept[name] = Counter(kept.get(name, {}))
        return cls(**kept)


def run_chunk(seeds: Sequence[int]) -> list[Outcome]:
    """Simulate some seeds in this process."""
    gc.disable()
    outcomes = []
    try:
        for number, seed in enumerate(seeds):
            if number % COLLECT_EVERY_SEEDS == 0:
                gc.collect()
            outcomes.append(_outcome(seed))
    finally:
        gc.enable()
    return outcomes


def _outcome(seed: int) -> Outcome:
    try:
        return simulate(plan_of(seed))
    except Exception as error:  # noqa: BLE001 - the other seeds of a night are not to be lost
        return Outcome.of_error(seed, error)


def outcomes_of(first: int, count: int, jobs: int) -> Iterator[Outcome]:
    """Yield what came of each seed, in order, from so many processes."""
    for outcomes in spread(run_chunk, chunks(first, count, CHUNK_SEEDS), jobs):
        yield from outcomes


def run_campaign(
    summary: Summary,
    until: int,
    jobs: int,
    *,
    tell: Callable[[Outcome, Summary], bool],
    now_s: Callable[[], float],
    keep: Path | None = None,
) -> Summary:
    """Go on with a campaign up to seed ``until``; ``tell`` may end it by returning False."""
    begun_s, before_s = now_s(), summary.seconds
    for outcome in outcomes_of(summary.next_seed, until - summary.next_seed, jobs):
        summary.add(outcome)
        summary.seconds = before_s + now_s() - begun_s
        if keep is not None and summary.seeds % CHUNK_SEEDS == 0:
            summary.save(keep)
        if not tell(outcome, summary):
            break
    if keep is not None:
        summary.save(keep)
    return summary
