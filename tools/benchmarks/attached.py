"""What a console that watches costs an order: the way of the topic ``path``, with one and without.

Runs with a console and without take turns, so that whatever else the machine does falls on both;
compared are the medians of the runs' quantiles.
"""

# flake8: noqa: ASYNC113 - the socket listens before anybody serves it

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import trio

from arb.engine.control import ControlServer
from arb.engine.snapshot import Photographer
from arb.engine.steering import EngineSteering
from arb.engine.stopping import StopRequest
from tools.benchmarks.console import PATIENCE_S, Watched
from tools.benchmarks.engine import Rig, open_rig
from tools.benchmarks.figures import NS_PER_US, Figure, quantile, single
from tools.benchmarks.path import load_books, orders
from tools.benchmarks.waiting import until

TOPIC = "attached"
SHARES = {"p50": 0.5, "p99": 0.99}
TARGETS = {"p50": 1.05, "p99": 1.25}
SETTLE_S = 0.5


@attrs.frozen
class Plan:
    """How much to measure: turns of a run with a console and one without."""

    markets: int = 200
    turns: int = 10
    frames: int = 400
    load_per_s: int = 2_000


QUICK = Plan(turns=3, frames=150)


@attrs.frozen
class Served:
    """An engine under load, and the control socket that consoles attach to."""

    rig: Rig
    server: ControlServer
    path: Path


def run(plan: Plan) -> list[Figure]:
    """Measure by turns under load."""
    return trio.run(_run, plan)


async def _run(plan: Plan) -> list[Figure]:
    alone: list[list[int]] = []
    watched: list[list[int]] = []
    async with open_served(plan.markets, plan.load_per_s) as served:
        dice = random.Random(0)
        await orders(served.rig, plan.frames, dice)
        for _ in range(plan.turns):
            alone.append(await orders(served.rig, plan.frames, dice))
            async with _console(served):
                watched.append(await orders(served.rig, plan.frames, dice))
            await trio.sleep(SETTLE_S)
    return list(_figures(plan, alone, watched))


@asynccontextmanager
async def open_served(markets: int, load_per_s: int) -> AsyncIterator[Served]:
    """Open an engine with a control socket, under so many book messages a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.sock"
        async with open_rig(markets, Path(folder)) as rig, trio.open_nursery() as nursery:
            server = _server(rig, path)
            nursery.start_soon(server.serve)
            nursery.start_soon(load_books, rig, load_per_s)
            yield Served(rig, server, path)
            nursery.cancel_scope.cancel()


def _server(rig: Rig, path: Path) -> ControlServer:
    photographer = Photographer(rig.parts, "sim", "benchmark", rig.parts.clock.wall_ms())
    server = ControlServer(EngineSteering(photographer, StopRequest(), rig.system), path)
    server.open()
    return server


@asynccontextmanager
async def _console(served: Served) -> AsyncIterator[None]:
    console = Watched(served.path)
    try:
        async with trio.open_nursery() as reading:
            reading.start_soon(console.read)
            with trio.fail_after(PATIENCE_S):
                await until(lambda: served.server.attendance.consoles == 1)
            await trio.sleep(SETTLE_S)
            yield
            reading.cancel_scope.cancel()
    finally:
        console.close()


def _figures(plan: Plan, alone: list[list[int]], watched: list[list[int]]) -> Iterator[Figure]:
    for name, share in SHARES.items():
        without = statistics.median(quantile(each, share) for each in alone)
        beside = statistics.median(quantile(each, share) for each in watched)
        yield single(TOPIC, f"frame → request, {name}, no console", "µs", without / NS_PER_US)
        what = f"{name} with a console over without, median of {plan.turns} turns"
        yield single(TOPIC, what, "x", beside / without, TARGETS[name])
