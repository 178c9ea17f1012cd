"""What the actor runtime is compared with: what Trio itself gives."""

from __future__ import annotations

import time
import tracemalloc

import trio
import trio.testing

from tools.benchmarks.figures import NS_PER_S
from tools.benchmarks.waiting import until


async def channel_ns(count: int, burst: int, *, drain: bool) -> int:
    """Return how long so many messages take through a memory channel, sent in bursts."""
    send, receive = trio.open_memory_channel[None](burst)
    take = _take_drained if drain else _take_singly
    began_ns = time.perf_counter_ns()
    async with trio.open_nursery() as nursery, send:
        nursery.start_soon(take, receive, count)
        for number in range(count):
            send.send_nowait(None)
            if number % burst == burst - 1:
                await until(lambda: not send.statistics().current_buffer_used)
        send.close()
    return time.perf_counter_ns() - began_ns


async def _take_singly(receive: trio.MemoryReceiveChannel[None], count: int) -> None:
    for _ in range(count):
        await receive.receive()


async def _take_drained(receive: trio.MemoryReceiveChannel[None], count: int) -> None:
    while count:
        await receive.receive()
        count -= 1
        try:
            while count:
                receive.receive_nowait()
                count -= 1
        except trio.WouldBlock:
            continue


async def woken_ns(waits: int, pause_s: float) -> list[int]:
    """Return how long a task that waits on a memory channel takes to wake after each pause."""
    send, receive = trio.open_memory_channel[int](1)
    took_ns: list[int] = []

    async def take() -> None:
        async for sent_ns in receive:
            took_ns.append(time.perf_counter_ns() - sent_ns)  # noqa: PERF401 - each as it comes

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        async with send:
            for _ in range(waits):
                await trio.sleep(pause_s)
                send.send_nowait(time.perf_counter_ns())
    return took_ns


async def tasks_started_s(count: int) -> float:
    """Return how long it takes until so many bare tasks wait."""
    began_ns = time.perf_counter_ns()
    async with trio.open_nursery() as nursery:
        await _start_waiting(nursery, count)
        took_s = (time.perf_counter_ns() - began_ns) / NS_PER_S
        nursery.cancel_scope.cancel()
    return took_s


async def task_memory_bytes(count: int) -> float:
    """Return what each of so many bare tasks holds."""
    tracemalloc.start()
    try:
        async with trio.open_nursery() as nursery:
            await _start_waiting(nursery, count)
            held = tracemalloc.get_traced_memory()[0] / count
            nursery.cancel_scope.cancel()
    finally:
        tracemalloc.stop()
    return held


async def _start_waiting(nursery: trio.Nursery, count: int) -> None:
    for _ in range(count):
        nursery.start_soon(trio.sleep_forever)
    await trio.testing.wait_all_tasks_blocked()
