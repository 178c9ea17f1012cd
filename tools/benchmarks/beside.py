"""What the actor runtime is compared with: Trio's memory channels, and pykka where it is there."""

from __future__ import annotations

import importlib
import time
from types import ModuleType
from typing import Any

import trio

from tools.benchmarks.figures import NS_PER_S, Figure, latencies, rate
from tools.benchmarks.waiting import until

ASK_TIMEOUT_S = 10.0


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


def pykka_figures(topic: str, messages: int, asks: int) -> list[Figure]:
    """Return what pykka gives on this machine; nothing where it is not installed."""
    try:
        pykka = importlib.import_module("pykka")
    except ImportError:
        return []
    actor = _pykka_actor(pykka).start()
    try:
        return [
            rate(topic, "beside: pykka, tell", messages, _pykka_told_ns(actor, messages)),
            latencies(topic, "beside: pykka, ask", _pykka_asked_ns(actor, asks)),
        ]
    finally:
        actor.stop()


def _pykka_actor(pykka: ModuleType) -> Any:
    def on_receive(_self: object, message: object) -> object:
        return message

    return type("Echo", (pykka.ThreadingActor,), {"on_receive": on_receive})


def _pykka_told_ns(actor: Any, messages: int) -> int:
    began_ns = time.perf_counter_ns()
    for _ in range(messages):
        actor.tell(None)
    actor.ask(None, timeout=messages * ASK_TIMEOUT_S / NS_PER_S + ASK_TIMEOUT_S)
    return time.perf_counter_ns() - began_ns


def _pykka_asked_ns(actor: Any, asks: int) -> list[int]:
    took_ns = []
    for _ in range(asks):
        began_ns = time.perf_counter_ns()
        actor.ask(None, timeout=ASK_TIMEOUT_S)
        took_ns.append(time.perf_counter_ns() - began_ns)
    return took_ns
