"""How long clients that misbehave hold up the engine's loop: killed, stopped, blocked and rude.

Three consoles of one engine under load: one is killed, one is stopped, of one nobody reads the
terminal; beside them processes send rubbish to the socket, are thrown out, and come again.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs
import trio

from tools.benchmarks.attached import open_served
from tools.benchmarks.console import PATIENCE_S, Watched
from tools.benchmarks.figures import NS_PER_S, BenchmarkFailed, Figure, quantile, single
from tools.benchmarks.waiting import until

TOPIC = "rude"
# The loop is asked so often whether it is there; a turn that takes longer shows.
LOOK_S = 0.002
NS_PER_MS = 1_000_000
HELD_UP_TARGET_MS = 50.0
SHARE = 0.99
SETTLE_S = 0.5
# What nobody reads fills a terminal's buffer within some such keys; more of them than a terminal
# keeps would block whoever types them, which is this process.
KEYS = "2135"
TYPED_TIMES = 200
# Ends by itself: after its time, and as soon as nobody listens any more.
RUBBISH = """
import os, socket, sys, time
ends_s = time.monotonic() + float(sys.argv[2])
while time.monotonic() < ends_s:
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect(sys.argv[1])
        except OSError:
            break
        try:
            for size in (10, 2_000, 20_000):
                for _ in range(50):
                    one.sendall(os.urandom(size) + b"\\n")
        except OSError:
            continue
"""


@attrs.frozen
class Plan:
    """How much to measure: so long without clients, and so long with them."""

    markets: int = 200
    load_per_s: int = 2_000
    alone_s: float = 20.0
    seconds: float = 20.0
    rude: int = 3


# Longer than the engine waits for a client that takes nothing.
QUICK = Plan(alone_s=5.0, seconds=10.0)


def run(plan: Plan) -> list[Figure]:
    """Measure the loop alone, and then among its clients."""
    return trio.run(_run, plan)


async def _run(plan: Plan) -> list[Figure]:
    async with open_served(plan.markets, plan.load_per_s) as served:
        server, path = served.server, served.path
        await _lags(SETTLE_S)
        alone = await _lags(plan.alone_s)
        with _consoles(path) as consoles, _rubbish(path, plan):
            async with trio.open_nursery() as reading:
                for each in consoles:
                    reading.start_soon(each.read)
                with trio.fail_after(PATIENCE_S):
                    await until(lambda: server.attendance.consoles == len(consoles))
                reading.cancel_scope.cancel()
            async with trio.open_nursery() as typing:
                typing.start_soon(_misbehave, consoles)
                among = await _lags(plan.seconds)
                typing.cancel_scope.cancel()
    if not (server.counts.dropped_rude and server.counts.dropped_slow):
        raise BenchmarkFailed(f"nobody was rude or slow enough: {server.counts}")
    return [
        *_figures("without clients", alone, None),
        *_figures("with killed, stopped, blocked and rude ones", among, HELD_UP_TARGET_MS),
    ]


async def _lags(seconds: float) -> list[int]:
    """Return by how much each look was late."""
    lags: list[int] = []
    until_s = trio.current_time() + seconds
    while trio.current_time() < until_s:
        due_ns = time.perf_counter_ns() + int(LOOK_S * NS_PER_S)
        await trio.sleep(LOOK_S)
        lags.append(max(0, time.perf_counter_ns() - due_ns))
    return lags


async def _misbehave(consoles: list[Watched]) -> None:
    killed, stopped, blocked = consoles
    stopped.process.send_signal(signal.SIGSTOP)
    killed.process.kill()
    for _ in range(TYPED_TIMES):
        blocked.press(KEYS)
        await trio.sleep(LOOK_S)


@contextmanager
def _consoles(path: Path) -> Iterator[list[Watched]]:
    with ExitStack() as stack:
        consoles = [Watched(path) for _ in range(3)]
        for each in consoles:
            stack.callback(each.close)
        yield consoles


@contextmanager
def _rubbish(path: Path, plan: Plan) -> Iterator[None]:
    seconds = str(PATIENCE_S + plan.seconds)
    command = [sys.executable, "-c", RUBBISH, str(path), seconds]
    processes = [subprocess.Popen(command) for _ in range(plan.rude)]
    try:
        yield
    finally:
        for each in processes:
            each.kill()
            each.wait()


def _figures(when: str, lags: list[int], target_ms: float | None) -> Iterator[Figure]:
    late_ms = quantile(lags, SHARE) / NS_PER_MS
    yield single(TOPIC, f"loop late, p99, {when}", "ms", late_ms)
    yield single(TOPIC, f"loop held up at most, {when}", "ms", max(lags) / NS_PER_MS, target_ms)
