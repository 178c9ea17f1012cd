"""Lanes to a small server, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from arb.io.clock import VirtualClock
from arb.io.memory import MemoryNetwork
from arb.kalshi.lane import Answer, OrderLanes, Request
from tests.io.http_server import URL, Asked, HttpServer, Reply
from tests.kalshi.keys import PlainSigner

EPOCH_MS = 1_786_000_000_000
CREATE = "/trade-api/v2/portfolio/events/orders"


def order(tag: object = 1, path: str = "/portfolio/events/orders") -> Request:
    """Return a request as an order makes it."""
    return Request(tag, "POST", path, b'{"ticker":"T"}')


def taken(asked: Asked) -> Reply:
    """Answer orders with 201 and everything else with 200."""
    return Reply(201, b'{"order_id":"o"}') if asked.method == "POST" else Reply()


@asynccontextmanager
async def lanes_to(
    answer: Callable[[Asked], Any], *, count: int = 3, **options: Any
) -> AsyncIterator[tuple[OrderLanes, list[Answer], HttpServer, MemoryNetwork]]:
    """Run lanes to a small server, all of them up."""
    answers: list[Answer] = []
    server = HttpServer(answer)
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("sim", 80, server)
        lanes = OrderLanes(
            network,
            URL,
            PlainSigner(),
            VirtualClock(EPOCH_MS),
            lanes=count,
            on_answer=answers.append,
            **options,
        )
        nursery.start_soon(lanes.run)
        await trio.testing.wait_all_tasks_blocked()
        yield lanes, answers, server, network
        nursery.cancel_scope.cancel()


async def settle() -> None:
    """Let everything that can happen now happen."""
    await trio.testing.wait_all_tasks_blocked()
