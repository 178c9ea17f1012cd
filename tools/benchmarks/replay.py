"""A made-up tape through the real actors: events a second, reading the file included."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import attrs

from arb.engine.replay import Replay
from arb.io.teams_file import packaged_teams
from arb.settings import Settings
from arb.tape.format import Feed, Record
from arb.tape.writer import TapeWriter
from tools.benchmarks.figures import BenchmarkFailed, Figure, rate
from tools.benchmarks.world import BookMessages, OddsMessages, World, make_world

TOPIC = "replay"
TARGET_PER_S = 120_000.0

# One odds frame for so many book messages.
ODDS_EVERY = 40


@attrs.frozen
class Plan:
    """How long a tape, of how many markets, and how many messages share a millisecond."""

    markets: int = 100
    messages: int = 40_000
    densities: tuple[int, ...] = (2, 50)


QUICK = Plan(messages=5_000)


def run(plan: Plan) -> list[Figure]:
    """Write tapes of several densities and replay each."""
    world = make_world(plan.markets)
    return [_replayed(world, plan, density) for density in plan.densities]


def _replayed(world: World, plan: Plan, density: int) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "made-up.tape"
        events = _write(tape, world, plan.messages, density)
        replay = Replay(tape=tape, settings=Settings(), teams=packaged_teams())
        began_ns = time.perf_counter_ns()
        result = replay.run()
        took_ns = time.perf_counter_ns() - began_ns
    if result["frames"] != events or not result["orders"]:
        raise BenchmarkFailed(f"{result['frames']} of {events} frames, {result['orders']} orders")
    what = f"{plan.markets} markets, {density} messages a millisecond"
    return rate(TOPIC, what, events, took_ns, TARGET_PER_S)


def _write(tape: Path, world: World, messages: int, density: int) -> int:
    """Write a tape and return how many frames it has."""
    books, odds = BookMessages(world), OddsMessages(world)
    begins_ms = world.header.begins_ms
    with TapeWriter(tape, world.header) as writer:
        for raw in books.snapshots():
            writer.append(Record(begins_ms, Feed.BOOKS, "kalshi", raw))
        for raw in odds.first(begins_ms):
            writer.append(Record(begins_ms, Feed.ODDS, "odds-api-io", raw))
        for number in range(messages):
            at_ms = begins_ms + 1 + number // density
            if number % ODDS_EVERY:
                record = Record(at_ms, Feed.BOOKS, "kalshi", books.delta())
            else:
                record = Record(at_ms, Feed.ODDS, "odds-api-io", odds.change(at_ms))
            writer.append(record)
        return writer.records
