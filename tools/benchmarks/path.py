"""The way to an order: a frame in hand, the decision, the request's bytes handed over."""

from __future__ import annotations

import gc
import random
import tempfile
import time
from pathlib import Path

import attrs
import trio

from tools.benchmarks.engine import Rig, open_rig

ORDER_TIMEOUT_S = 1.0
WARM_UP = 0.15


@attrs.frozen
class Plan:
    """How much to measure."""

    markets: int = 200
    frames: int = 3_000
    books_per_s: int = 2_000


async def _load(rig: Rig, per_s: int) -> None:
    each_ms = max(1, per_s // 1_000)
    next_s = trio.current_time()
    while True:
        for _ in range(each_ms):
            rig.book_socket.frames.send_nowait(rig.books.delta())
        next_s += each_ms / per_s
        await trio.sleep_until(next_s)


async def _spin() -> None:
    while True:
        await trio.lowlevel.checkpoint()


async def measure(rig: Rig, frames: int, rng: random.Random) -> list[int]:
    took = []
    handed = rig.sink.handed_ns
    for _ in range(frames):
        await trio.sleep(rng.uniform(0.0005, 0.0015))
        handed.clear()
        raw = rig.odds_change()
        t = time.perf_counter_ns()
        rig.odds_feed.tell(rig.frame(raw, t))
        with trio.move_on_after(ORDER_TIMEOUT_S):
            while not handed:
                await trio.lowlevel.checkpoint()
        if handed:
            took.append(handed[0] - t)
    return took


async def main(plan: Plan) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_rig(plan.markets, Path(folder)) as rig:
            rng = random.Random(0)
            for name in ("idle", "load", "load+spin"):
                async with trio.open_nursery() as nursery:
                    if "load" in name:
                        nursery.start_soon(_load, rig, plan.books_per_s)
                    if "spin" in name:
                        nursery.start_soon(_spin)
                    await measure(rig, int(plan.frames * WARM_UP), rng)
                    gc.collect(); gc.freeze()
                    took = sorted(await measure(rig, plan.frames, rng))
                    n = len(took)
                    print(name, n, [took[int(n * q)] / 1000 for q in (0, 0.1, .5, .9, .99)], took[-1] / 1000, rig.sink, rig.signatures)
                    nursery.cancel_scope.cancel()
            b = rig.parts.board
            print(b.counts, b.decisions, b.refusals, b.account, list(b.bad.values())[:3]); print(list(b.log)[-5:])
            print(rig.sink.last_request)

if __name__ == "__main__":
    trio.run(main, Plan())
