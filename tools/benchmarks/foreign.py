"""Other actor libraries in the same run: pykka and Ray, each where it is installed.

Neither is a dependency: ``pip install pykka ray`` into the environment gives the rows.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import attrs

from tools.benchmarks.figures import NS_PER_S, Figure, latencies, rate, single

ASK_TIMEOUT_S = 10.0


@attrs.frozen
class Foreign:
    """One actor of another library, as the few things that are measured."""

    name: str
    tell: Callable[[object], object]
    ask: Callable[[object], object]


def foreign_figures(topic: str, messages: int, asks: int, actors: int) -> list[Figure]:
    """Return what the others give on this machine; nothing of those that are not installed."""
    figures: list[Figure] = []
    for name, opened in (("pykka", _pykka_actor), ("ray", _ray_actor)):
        module = _module(name)
        if module is not None:
            with opened(module) as foreign:
                figures += _figures(topic, foreign, messages, asks)
    pykka = _module("pykka")
    if pykka is not None:
        figures.append(_pykka_started(topic, pykka, actors))
    return figures


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _figures(topic: str, foreign: Foreign, messages: int, asks: int) -> list[Figure]:
    return [
        rate(topic, f"beside: {foreign.name}, tell", messages, _told_ns(foreign, messages)),
        latencies(topic, f"beside: {foreign.name}, ask → answer", _asked_ns(foreign, asks)),
    ]


def _told_ns(foreign: Foreign, messages: int) -> int:
    foreign.ask(None)
    began_ns = time.perf_counter_ns()
    for _ in range(messages):
        foreign.tell(None)
    foreign.ask(None)
    return time.perf_counter_ns() - began_ns


def _asked_ns(foreign: Foreign, asks: int) -> list[int]:
    took_ns = []
    for _ in range(asks):
        began_ns = time.perf_counter_ns()
        foreign.ask(None)
        took_ns.append(time.perf_counter_ns() - began_ns)
    return took_ns


@contextmanager
def _pykka_actor(pykka: ModuleType) -> Iterator[Foreign]:
    actor = _pykka_kind(pykka).start()
    try:
        yield Foreign("pykka", actor.tell, lambda it: actor.ask(it, timeout=ASK_TIMEOUT_S))
    finally:
        actor.stop()


def _pykka_kind(pykka: ModuleType) -> Any:
    def on_receive(_self: object, message: object) -> object:
        return message

    return type("Echo", (pykka.ThreadingActor,), {"on_receive": on_receive})


def _pykka_started(topic: str, pykka: ModuleType, actors: int) -> Figure:
    kind = _pykka_kind(pykka)
    began_ns = time.perf_counter_ns()
    started = [kind.start() for _ in range(actors)]
    took_s = (time.perf_counter_ns() - began_ns) / NS_PER_S
    for actor in started:
        actor.stop(block=False)
    return single(topic, f"beside: pykka, {actors:,} actors, start", "s", took_s)


@contextmanager
def _ray_actor(ray: ModuleType) -> Iterator[Foreign]:
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")

    def echo(_self: object, message: object) -> object:
        return message

    actor = ray.remote(type("Echo", (), {"echo": echo})).remote()
    try:
        yield Foreign(
            "Ray",
            actor.echo.remote,
            lambda message: ray.get(actor.echo.remote(message), timeout=ASK_TIMEOUT_S),
        )
    finally:
        ray.shutdown()
