"""Order books: messages a second through parsing, sequence check and book, alone and as actors."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import attrs
import trio

from arb.engine.subscribed_books import SubscribedBooks
from arb.kalshi.wire import parse_frame
from tools.benchmarks.engine import Rig, open_rig
from tools.benchmarks.figures import BenchmarkFailed, Figure, rate
from tools.benchmarks.waiting import until
from tools.benchmarks.world import BookMessages, make_world

TOPIC = "books"
TARGET_PER_S = 120_000.0

# What a connection reads at once at most; then others have their turn.
TOGETHER = 64


@attrs.frozen
class Plan:
    """How many markets on the one subscription, and how many messages."""

    markets: int = 1_000
    messages: int = 100_000
    through_actors: int = 20_000


QUICK = Plan(messages=20_000, through_actors=4_000)


def run(plan: Plan) -> list[Figure]:
    """Measure the books alone, then behind the book feed's actor and its connection."""
    return [_alone(plan), *trio.run(_as_actors, plan)]


def _alone(plan: Plan) -> Figure:
    world = make_world(plan.markets)
    messages = BookMessages(world)
    bad: list[str] = []
    books = SubscribedBooks(
        world.catalogue.listings, lambda _source, reason, _example: bad.append(reason)
    )
    for raw in messages.snapshots():
        books.take(parse_frame(raw))
    deltas = [messages.delta() for _ in range(plan.messages)]
    began_ns = time.perf_counter_ns()
    for raw in deltas:
        books.take(parse_frame(raw))
    took_ns = time.perf_counter_ns() - began_ns
    if bad or books.broken():
        raise BenchmarkFailed(f"books went wrong: {bad[:3]}")
    what = f"parse, sequence, book; {plan.markets:,} markets"
    return rate(TOPIC, what, plan.messages, took_ns, TARGET_PER_S)


async def _as_actors(plan: Plan) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_rig(plan.markets, Path(folder)) as rig:
            told_ns = await _told(rig, plan.through_actors)
            received_ns = await _received(rig, plan.through_actors)
            if rig.parts.board.bad:
                raise BenchmarkFailed(f"books went wrong: {list(rig.parts.board.bad)}")
    count = plan.through_actors
    return [
        rate(TOPIC, "through the book feed's actor, tops to the markets", count, told_ns),
        rate(TOPIC, "through its connection's task as well", count, received_ns),
    ]


async def _told(rig: Rig, count: int) -> int:
    deltas = [rig.books.delta() for _ in range(count)]
    began_ns = time.perf_counter_ns()
    for number, raw in enumerate(deltas):
        rig.book_feed.tell(rig.frame(raw))
        if not number % TOGETHER:
            await trio.lowlevel.checkpoint()
    return time.perf_counter_ns() - began_ns


async def _received(rig: Rig, count: int) -> int:
    deltas = [rig.books.delta() for _ in range(count)]
    counts = rig.parts.board.counts
    last = counts["book_frames"] + count
    began_ns = time.perf_counter_ns()
    for raw in deltas:
        await rig.book_socket.frames.send(raw)
    await until(lambda: counts["book_frames"] >= last)
    return time.perf_counter_ns() - began_ns
