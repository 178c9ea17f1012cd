"""How long each step of an order's way takes, how late the loop is, and what a second brings."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from arb.console import formats
from arb.console.cells import Cell, Column, Tone
from arb.console.closeups import Latencies, Look, Step
from arb.console.fact_view import Fact, facts_table
from arb.console.spark import bar
from arb.console.table_view import TableView

# The upper ends of the engine's bars, as `arb.engine.closeup` has them.
BAR_ENDS_US = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 200_000)
BAR_COLUMNS_MAX = 120
SECOND_MS = 1_000
# The engine's own limit for its loop: what is later holds orders up.
LATE_US = 50_000


@attrs.frozen
class BarRow:
    """One bar of a histogram: times up to its end, how many, and the tallest bar's count."""

    words: str
    count: int
    tallest: int
    total: int


def seen_latencies(look: Look | None) -> Latencies | None:
    """Return what was seen of the latencies, None before an answer."""
    seen = look.seen if look is not None else None
    return seen if isinstance(seen, Latencies) else None


class CountRates:
    """What is counted each second, from looks at least a second apart."""

    def __init__(self) -> None:
        self._before: Latencies | None = None
        self._per_s: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<CountRates of {len(self._per_s)} counts>"

    def observe(self, seen: Latencies) -> Mapping[str, float]:
        """Take a look in and return the newest rates; none before the second look."""
        before = self._before
        if before is None or seen.at_ms < before.at_ms:
            self._before, self._per_s = seen, {}
        elif seen.at_ms - before.at_ms >= SECOND_MS:
            elapsed_ms = seen.at_ms - before.at_ms
            self._per_s = {
                name: (count - before.counts.get(name, 0)) * SECOND_MS / elapsed_ms
                for name, count in seen.counts.items()
            }
            self._before = seen
        return self._per_s


def steps_table(seen: Latencies | None, why: str) -> TableView[Step]:
    """Return percentiles of every step from a frame to an order's answer."""
    return TableView(
        title="Order Path",
        note="entries only; an exit follows a fill, not a frame" if seen is not None else "",
        columns=_STEP_COLUMNS,
        rows=seen.steps if seen is not None else (),
        key=lambda step: step.name,
        empty=why,
    )


def histogram_table(step: Step | None) -> TableView[BarRow]:
    """Return the histogram of one step."""
    rows: tuple[BarRow, ...] = ()
    if step is not None and step.count:
        tallest = max(step.bars, default=0)
        words = (*(f"< {formats.latency(end)}" for end in BAR_ENDS_US), "slower")
        pairs = zip(words, step.bars, strict=False)
        rows = tuple(BarRow(word, count, tallest, step.count) for word, count in pairs)
    name = "" if step is None else formats.one_line(step.name)
    return TableView(
        title="Histogram",
        note=name,
        columns=_BAR_COLUMNS,
        rows=rows,
        key=lambda row: row.words,
        empty="no entry has gone this way yet: nothing was measured",
        heading=False,
    )


def rates_table(seen: Latencies | None, rates: Mapping[str, float], why: str) -> TableView[Fact]:
    """Return the loop's lag and everything that is counted, with its rate."""
    if seen is None:
        return facts_table("Loop and Rates", (), empty=why)
    late = None if seen.lag_p99_us is None else seen.lag_p99_us < LATE_US
    lag = f"{formats.latency(seen.lag_p50_us)} median, {formats.latency(seen.lag_p99_us)} p99"
    if seen.lag_worst_us is not None:
        lag += f", {formats.latency(seen.lag_worst_us)} worst in 30 s"
    facts = [Fact("loop lag", lag, late)]
    for name, count in sorted(seen.counts.items()):
        per_s = f"{formats.amount(rates[name])}/s" if name in rates else formats.NOTHING
        facts.append(Fact(formats.one_line(name), f"{per_s:>8}  {formats.amount(count)} in all"))
    return facts_table("Loop and Rates", facts, empty=why, name_columns=22)


def _time(time_us: int | None) -> Cell:
    return Cell(formats.latency(time_us), Tone.DIM if time_us is None else Tone.PLAIN)


def _share(row: BarRow) -> Cell:
    return Cell(formats.share(row.count, row.total), Tone.DIM)


_STEP_COLUMNS: tuple[Column[Step], ...] = (
    Column("Step", 24, 0, lambda s, _: Cell(formats.one_line(s.name), Tone.STRONG), 40),
    Column("p50", 7, 1, lambda s, _: _time(s.p50_us), right=True, sort=lambda s: s.p50_us),
    Column("p90", 7, 3, lambda s, _: _time(s.p90_us), right=True, sort=lambda s: s.p90_us),
    Column("p99", 7, 2, lambda s, _: _time(s.p99_us), right=True, sort=lambda s: s.p99_us),
    Column("Max", 7, 4, lambda s, _: _time(s.max_us), right=True, sort=lambda s: s.max_us),
    Column("Orders", 6, 5, lambda s, _: Cell(formats.amount(s.count), Tone.DIM), right=True),
)

_BAR_COLUMNS: tuple[Column[BarRow], ...] = (
    Column("", 8, 0, lambda row, _: Cell(row.words, Tone.DIM), right=True),
    Column("", 5, 2, lambda row, _: Cell(formats.amount(row.count)), right=True),
    Column("", 4, 3, lambda row, _: _share(row), right=True),
    Column("", 8, 1, lambda row, w: Cell(bar(row.count, row.tallest, w), Tone.NOTE),
           BAR_COLUMNS_MAX),
)  # fmt: skip
