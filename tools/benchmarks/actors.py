"""The actor runtime: messages a second, the time to a handler, many actors, restarts.

Beside it in the same run: Trio's own channels and tasks, and pykka and Ray where installed.
"""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import attrs
import trio

from actors import (
    NO_BACKOFF,
    Actor,
    ActorSpec,
    Address,
    Context,
    SupervisorSpec,
    System,
    fail,
    open_system,
)
from tools.benchmarks.beside import channel_ns, task_memory_bytes, tasks_started_s, woken_ns
from tools.benchmarks.figures import NS_PER_S, Figure, latencies, rate, single
from tools.benchmarks.foreign import foreign_figures

TOPIC = "actors"

# Messages told in one turn, before the actor's own task handles them.
BURST = 1_000
MAILBOX_MAX = 2 * BURST

PAUSE_S = 0.001
ASK_TIMEOUT_S = 5.0
FEW = 10
KIB = 1_024

START_S_TARGET = 1.0
KIB_TARGET = 12.0


@attrs.frozen
class Plan:
    """How many messages, waits, questions, actors and restarts."""

    messages: int = 300_000
    waits: int = 1_000
    asks: int = 3_000
    actors: int = 5_000
    restarts: int = 300


QUICK = Plan(messages=30_000, waits=200, asks=500, actors=1_000, restarts=50)


class Probe(Actor):
    """Keeps the moment at which it handled its last message."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.at_ns: list[int] = []

    def receive(self, message: object) -> list[int]:
        """Note the moment; asked, return every moment since it was last asked."""
        if message is None:
            self.at_ns.append(time.perf_counter_ns())
            return self.at_ns
        noted, self.at_ns = self.at_ns, []
        return noted


class Quiet(Actor):
    """Does nothing at all, so that only the runtime is measured."""

    def receive(self, message: object) -> None:
        """Take a message."""


def run(plan: Plan) -> list[Figure]:
    """Measure each with a tree of its own."""
    return [
        *trio.run(_throughput, plan),
        *trio.run(_to_handler, plan),
        *trio.run(_questions, plan),
        *trio.run(_many, plan),
        *trio.run(_restarts, plan),
        *foreign_figures(TOPIC, plan.messages // 10, plan.asks, plan.actors),
    ]


@asynccontextmanager
async def _tree(specs: Sequence[ActorSpec]) -> AsyncIterator[System]:
    root = SupervisorSpec("root", children=specs, backoff=NO_BACKOFF)
    async with open_system(root, rng=random.Random(0)) as system:
        yield system


def _spec(name: str, build: type[Actor] = Quiet, *, direct: bool = False) -> ActorSpec:
    return ActorSpec(name, build=build, mailbox=fail(MAILBOX_MAX), direct=direct)


async def _throughput(plan: Plan) -> list[Figure]:
    count = plan.messages
    async with _tree([_spec("queued"), _spec("direct", direct=True)]) as system:
        queued_ns = await _told_ns(system.address("queued"), count)
        direct_ns = await _told_ns(system.address("direct"), count)
    drained_ns = await channel_ns(count, BURST, drain=True)
    singly_ns = await channel_ns(count, BURST, drain=False)
    return [
        rate(TOPIC, "tell through a drained mailbox", count, queued_ns, 1_000_000),
        rate(TOPIC, "tell, direct", count, direct_ns),
        rate(TOPIC, "beside: memory channel, drained", count, drained_ns),
        rate(TOPIC, "beside: memory channel, one receive a pass", count, singly_ns),
    ]


async def _told_ns(address: Address, count: int) -> int:
    """Return how long it takes until so many messages, told in bursts, are all handled."""
    tell = address.tell
    await trio.sleep(PAUSE_S)
    began_ns = time.perf_counter_ns()
    for number in range(count):
        tell(None)
        if number % BURST == BURST - 1:
            await address.ask(None, timeout_s=ASK_TIMEOUT_S)
    return time.perf_counter_ns() - began_ns


async def _to_handler(plan: Plan) -> list[Figure]:
    async with _tree([_spec("queued", Probe), _spec("direct", Probe, direct=True)]) as system:
        direct = await _after_pauses(system.address("direct"), plan.waits)
        queued = await _after_pauses(system.address("queued"), plan.waits)
    task = await woken_ns(plan.waits, PAUSE_S)
    return [
        latencies(TOPIC, "tell → handler after 1 ms idle, direct", direct, {"p50": 3.0}),
        latencies(TOPIC, "tell → handler after 1 ms idle, queued", queued, {"p50": 30.0}),
        latencies(TOPIC, "beside: memory channel → task after 1 ms idle", task),
    ]


async def _after_pauses(address: Address, waits: int) -> list[int]:
    told_ns = []
    for _ in range(waits):
        await trio.sleep(PAUSE_S)
        told_ns.append(time.perf_counter_ns())
        address.tell(None)
    handled_ns = await address.ask("moments", timeout_s=ASK_TIMEOUT_S)
    return [handled - told for told, handled in zip(told_ns, handled_ns, strict=True)]


async def _questions(plan: Plan) -> list[Figure]:
    names = [f"a{number}" for number in range(FEW)]
    async with _tree([_spec(name) for name in names]) as system:
        queued = await _asked_ns(system, names, plan.asks)
    async with _tree([_spec(name, direct=True) for name in names]) as system:
        direct = await _asked_ns(system, names, plan.asks)
    return [
        latencies(TOPIC, "ask → answer, queued", queued, {"p50": 20.0}),
        latencies(TOPIC, "ask → answer, direct", direct),
    ]


async def _asked_ns(system: System, names: Sequence[str], asks: int) -> list[int]:
    addresses = [system.address(name) for name in names]
    took_ns = []
    for number in range(asks):
        address = addresses[number % len(addresses)]
        began_ns = time.perf_counter_ns()
        await address.ask(None, timeout_s=ASK_TIMEOUT_S)
        took_ns.append(time.perf_counter_ns() - began_ns)
    return took_ns


async def _many(plan: Plan) -> list[Figure]:
    names = [f"a{number}" for number in range(plan.actors)]
    began_ns = time.perf_counter_ns()
    async with _tree([_spec(name, direct=True) for name in names]) as system:
        started_s = (time.perf_counter_ns() - began_ns) / NS_PER_S
        asked = await _asked_ns(system, names, plan.asks)
    each_kib = await _memory_kib(names)
    bare_s = await tasks_started_s(plan.actors)
    bare_kib = await task_memory_bytes(plan.actors) / KIB
    what = f"{plan.actors:,} actors"
    return [
        single(TOPIC, f"{what}, start", "s", started_s, START_S_TARGET),
        single(TOPIC, f"{what}, memory of each", "KiB", each_kib, KIB_TARGET),
        latencies(TOPIC, f"{what}, ask → answer, direct", asked),
        single(TOPIC, f"beside: {plan.actors:,} bare Trio tasks, start", "s", bare_s),
        single(TOPIC, f"beside: {plan.actors:,} bare Trio tasks, memory of each", "KiB", bare_kib),
    ]


async def _memory_kib(names: Sequence[str]) -> float:
    """Return what one of so many actors holds; apart, because counting makes all slower."""
    gc.collect()
    tracemalloc.start()
    try:
        async with _tree([_spec(name, direct=True) for name in names]):
            gc.collect()
            return tracemalloc.get_traced_memory()[0] / len(names) / KIB
    finally:
        tracemalloc.stop()


async def _restarts(plan: Plan) -> list[Figure]:
    took_ns = []
    async with _tree([_spec("leaf"), _spec("sibling")]) as system:
        leaf = system.address("leaf")
        for _ in range(plan.restarts):
            await trio.sleep(PAUSE_S)
            began_ns = time.perf_counter_ns()
            await system.kill("leaf")
            await leaf.ask(None, timeout_s=ASK_TIMEOUT_S)
            took_ns.append(time.perf_counter_ns() - began_ns)
    what = "a leaf killed → its next instance answers"
    return [latencies(TOPIC, what, took_ns, {"p50": 1_000.0})]
