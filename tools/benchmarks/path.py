"""The way to an order: an odds frame in hand, the decision, the request's bytes handed over.

From the frame's text on everything is the engine's own: parsing, both markets of the game, the
risk manager, the journal on a real file, the order lane and a request signed ahead. It ends where
the connection takes the bytes: TLS and the kernel are in the topic ``lane``. Each frame changes
one book's price and leads to one order, which is answered as not filled a turn later.
"""

from __future__ import annotations

import gc
import random
import tempfile
import time
from pathlib import Path

import attrs
import trio

from tools.benchmarks.engine import Rig, open_rig
from tools.benchmarks.figures import BenchmarkFailed, Figure, latencies, rate
from tools.benchmarks.waiting import until

TOPIC = "path"

# A frame that has led to no order by then leads to none.
ORDER_TIMEOUT_S = 2.0

# What a process does after a pause is slower than what it does at once: orders come after pauses.
PAUSE_MIN_S, PAUSE_MAX_S = 0.0005, 0.0015

# Real orders come seconds apart, and find other programs' work in the processor's caches.
RARE_MIN_S, RARE_MAX_S = 0.25, 0.35

# Of all frames, those before the measured ones, after which memory is collected and frozen.
WARM_UP = 0.2

TARGETS_US = {"p50": 50.0, "p99": 150.0}
POLLING_TARGETS_US = {"p50": 35.0, "p99": 100.0}


@attrs.frozen
class Plan:
    """How much to measure; the load is in messages a second."""

    markets: int = 200
    frames: int = 3_000
    rare_frames: int = 60
    load_per_s: int = 2_000


QUICK = Plan(frames=500, rare_frames=20)


def run(plan: Plan) -> list[Figure]:
    """Measure idle, under load, and under load with busy polling."""
    return trio.run(_run, plan)


async def _run(plan: Plan) -> list[Figure]:
    where = f"{plan.markets} markets"
    loaded_by = f"{where}, {plan.load_per_s:,} book messages/s"
    with tempfile.TemporaryDirectory() as folder:
        async with open_rig(plan.markets, Path(folder)) as rig:
            idle = await _measured(rig, plan)
            rare = await orders(rig, plan.rare_frames, random.Random(0), (RARE_MIN_S, RARE_MAX_S))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(load_books, rig, plan.load_per_s)
                loaded = await _measured(rig, plan)
                reached = await _load_reached(rig)
                nursery.start_soon(_poll)
                polling = await _measured(rig, plan)
                nursery.cancel_scope.cancel()
    return [
        latencies(TOPIC, f"frame → request, {where}, idle", idle),
        latencies(TOPIC, f"frame → request, {where}, idle, 0.3 s between orders", rare),
        latencies(TOPIC, f"frame → request, {loaded_by}", loaded, TARGETS_US),
        latencies(TOPIC, f"frame → request, {loaded_by}, polling", polling, POLLING_TARGETS_US),
        reached,
    ]


async def _measured(rig: Rig, plan: Plan) -> list[int]:
    rng = random.Random(0)
    await orders(rig, max(1, int(plan.frames * WARM_UP)), rng)
    gc.collect()
    gc.freeze()
    try:
        return await orders(rig, plan.frames, rng)
    finally:
        gc.unfreeze()


async def orders(
    rig: Rig,
    frames: int,
    rng: random.Random,
    pause_s: tuple[float, float] = (PAUSE_MIN_S, PAUSE_MAX_S),
) -> list[int]:
    """Tell frames one by one, and return how long each took to become an order, in nanoseconds."""
    took_ns = []
    for _ in range(frames):
        await trio.sleep(rng.uniform(*pause_s))
        rig.sink.handed_ns.clear()
        raw = rig.odds_change()
        began_ns = time.perf_counter_ns()
        rig.odds_feed.tell(rig.frame(raw, began_ns))
        await _order_left(rig)
        took_ns.append(rig.sink.handed_ns[0] - began_ns)
    return took_ns


async def _order_left(rig: Rig) -> None:
    """Wait until the order is out, which it mostly is already, and answered."""
    with trio.move_on_after(ORDER_TIMEOUT_S) as limit:
        await until(lambda: bool(rig.sink.handed_ns) and not rig.sink.unanswered)
    if limit.cancelled_caught or len(rig.sink.handed_ns) != 1:
        board = rig.parts.board
        raise BenchmarkFailed(
            f"{len(rig.sink.handed_ns)} orders of one frame; refusals: {dict(board.refusals)},"
            f" bad input: {[bad.reason for bad in board.bad.values()]}"
        )


async def load_books(rig: Rig, per_s: int) -> None:
    """Send book messages through the book feed's own connection, some every millisecond."""
    together = max(1, per_s // 1_000)
    next_s = trio.current_time()
    while True:
        for _ in range(together):
            await rig.book_socket.frames.send(rig.books.delta())
        next_s += together / per_s
        await trio.sleep_until(next_s)


async def _load_reached(rig: Rig) -> Figure:
    """Return how many book messages the engine really takes a second, with nothing else to do."""
    counts = rig.parts.board.counts
    before, began_ns = counts["book_frames"], time.perf_counter_ns()
    await trio.sleep(0.2)
    taken = counts["book_frames"] - before
    return rate(TOPIC, "book messages taken meanwhile", taken, time.perf_counter_ns() - began_ns)


async def _poll() -> None:
    """Keep the loop from sleeping: a process that polls meets a frame with warm caches."""
    await until(lambda: False)
