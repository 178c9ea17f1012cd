"""What a benchmark gives: figures with their units and targets, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import orjson
from rich.console import Console
from rich.table import Table

NS_PER_US = 1_000
NS_PER_S = 1_000_000_000

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}

# The name of the only value of a figure that has one.
VALUE = "value"

# Wide enough for every line: a table that is read from a file must not be broken up.
COLUMNS = 132

DIGITS = 3

COLOURS = {True: "green", False: "red", None: "white"}


class BenchmarkFailed(Exception):
    """A measurement that would not mean what it says: one line with what went wrong."""


@attrs.frozen
class Figure:
    """One measurement: its values by name, and the targets that some of them have.

    A target is the least where ``more_is_better``, else the most.
    """

    topic: str
    what: str
    unit: str
    values: Mapping[str, float]
    targets: Mapping[str, float] = attrs.field(factory=dict)
    more_is_better: bool = False

    def reached(self, name: str) -> bool | None:
        """Tell whether a value reaches its target; None where it has none."""
        target = self.targets.get(name)
        if target is None:
            return None
        value = self.values[name]
        return value >= target if self.more_is_better else value <= target


def quantile(values: Iterable[int], share: float) -> int:
    """Return the value below which a share of all lies; raises `BenchmarkFailed` for none."""
    ordered = sorted(values)
    if not ordered:
        raise BenchmarkFailed("nothing was measured")
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def latencies(
    topic: str, what: str, took_ns: Sequence[int], targets_us: Mapping[str, float] | None = None
) -> Figure:
    """Return the quantiles of some durations, in microseconds."""
    values = {name: quantile(took_ns, share) / NS_PER_US for name, share in QUANTILES.items()}
    return Figure(topic, what, "µs", values, targets_us or {})


def single(topic: str, what: str, unit: str, value: float, target: float | None = None) -> Figure:
    """Return a figure of one value, of which less is better."""
    targets = {} if target is None else {VALUE: target}
    return Figure(topic, what, unit, {VALUE: value}, targets)


def rate(topic: str, what: str, count: int, took_ns: int, target: float | None = None) -> Figure:
    """Return how many of something a second took."""
    per_s = count * NS_PER_S / max(1, took_ns)
    return attrs.evolve(single(topic, what, "/s", per_s, target), more_is_better=True)


def show(figures: Iterable[Figure], machine: str) -> None:
    """Print a table."""
    table = Table(title="Benchmarks", caption=machine, caption_justify="left")
    for column in ("topic", "what"):
        table.add_column(column, no_wrap=True)
    for column in (*QUANTILES, "target"):
        table.add_column(column, justify="right", no_wrap=True)
    topic = None
    for figure in figures:
        if topic not in (None, figure.topic):
            table.add_section()
        first = figure.topic if figure.topic != topic else ""
        table.add_row(first, figure.what, *_cells(figure), _targets(figure))
        topic = figure.topic
    Console(width=COLUMNS).print(table)


def as_json(figures: Iterable[Figure], machine: str) -> str:
    """Return one JSON object."""
    rows: list[dict[str, Any]] = [
        attrs.asdict(figure) | {"reached": {name: figure.reached(name) for name in figure.targets}}
        for figure in figures
    ]
    return orjson.dumps({"machine": machine, "figures": rows}).decode()


def number(value: float) -> str:
    """Write a number with about three digits."""
    digits = max(0, DIGITS - len(f"{value:.0f}"))
    return f"{value:,.{digits}f}"


def _cells(figure: Figure) -> list[str]:
    shown = [
        f"[{COLOURS[figure.reached(name)]}]{number(value)} {figure.unit}[/]"
        for name, value in figure.values.items()
    ]
    return shown + [""] * (len(QUANTILES) - len(shown))


def _targets(figure: Figure) -> str:
    sign = "≥" if figure.more_is_better else "≤"
    return ", ".join(f"{sign} {number(target)}" for target in figure.targets.values())
