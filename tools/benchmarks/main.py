"""Runs benchmarks and prints their figures: a table, or one JSON object."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence

from tools.benchmarks import (
    actors,
    attached,
    books,
    console,
    halting,
    journal,
    lane,
    odds,
    path,
    replay,
    rude,
)
from tools.benchmarks.figures import BenchmarkFailed, Figure, as_json, show

# Each topic measures itself, in full or quickly.
TOPICS: dict[str, Callable[[bool], list[Figure]]] = {
    "path": lambda quick: path.run(path.QUICK if quick else path.Plan()),
    "journal": lambda quick: journal.run(journal.QUICK if quick else journal.Plan()),
    "books": lambda quick: books.run(books.QUICK if quick else books.Plan()),
    "odds": lambda quick: odds.run(odds.QUICK if quick else odds.Plan()),
    "replay": lambda quick: replay.run(replay.QUICK if quick else replay.Plan()),
    "actors": lambda quick: actors.run(actors.QUICK if quick else actors.Plan()),
    "console": lambda quick: console.run(console.QUICK if quick else console.Plan()),
    "attached": lambda quick: attached.run(attached.QUICK if quick else attached.Plan()),
    "rude": lambda quick: rude.run(rude.QUICK if quick else rude.Plan()),
    "lane": lambda quick: lane.run(lane.QUICK if quick else lane.Plan()),
    "halt": lambda quick: halting.run(halting.QUICK if quick else halting.Plan()),
}


def main(arguments: Sequence[str]) -> int:
    """Measure what the arguments name; returns an exit code."""
    options = _options(arguments)
    try:
        figures = list(_measured(options.topics or list(TOPICS), quick=options.quick))
    except BenchmarkFailed as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.json:
        print(as_json(figures, machine()))
    else:
        show(figures, machine())
    return 0


def machine() -> str:
    """Say what was measured on, and how busy it was: others' work shows in every figure."""
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {platform.machine()}, {python}, load {busy}"


def _measured(topics: Sequence[str], *, quick: bool) -> Iterator[Figure]:
    for topic in topics:
        print(f"measuring {topic} ...", file=sys.stderr, flush=True)
        yield from TOPICS[topic](quick)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description="Measures how fast the engine is; figures compare only within one run.",
        epilog="example: tools/bench path lane --quick",
    )
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"of {', '.join(TOPICS)}")
    parser.add_argument(
        "--quick", action="store_true", help="measure less, in a quarter of the time"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    unknown = [topic for topic in options.topics if topic not in TOPICS]
    if unknown:
        parser.error(f"{unknown[0]!r} is no topic: choose from {', '.join(TOPICS)}")
    return options
