"""How others post an order: signed as it comes, and sent by a client that many use.

Each ends when the kernel has the last byte, not with the answer.
"""

from __future__ import annotations

import http.client
import importlib
import random
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from types import ModuleType
from typing import Any

import attrs
import httpx
import trio

from arb.core.commands import TimeInForce
from arb.core.events import Side
from arb.core.money import CountE2, PriceE4
from arb.io.url import Endpoint
from arb.kalshi.sign import Signer
from arb.kalshi.wire import CREATE_PATH, order_body
from tools.benchmarks.figures import BenchmarkFailed
from tools.benchmarks.path import PAUSE_MAX_S, PAUSE_MIN_S

API_PATH = "/trade-api/v2"
PATH = API_PATH + CREATE_PATH
SENT = "send_request_body.complete"
WARM_UP = 50

HTTPX_1, HTTPX_2, REQUESTS, STANDARD = "httpx", "httpx/2", "requests", "http.client"


@attrs.frozen
class Place:
    """Where the server is, whom to trust, and the keys to sign with."""

    base_url: str
    ca_path: str
    rsa: Signer
    ed25519: Signer

    @property
    def context(self) -> ssl.SSLContext:
        """Return a context of its own for each client: some leave their protocols in it."""
        return ssl.create_default_context(cafile=self.ca_path)


def body(number: int) -> bytes:
    """Return the body of an order like those that are really sent."""
    return order_body(
        client_order_id=f"arb-bench-{number:08x}",
        ticker="KXNBAGAME-26NOV22LALNYK-LAL",
        side=Side.BID,
        price_e4=PriceE4(5_400),
        count_e2=CountE2(5_00),
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        post_only=False,
        expires_s=None,
        exchange_index=0,
    )


def measured(place: Place, orders: int) -> Mapping[str, list[int]]:
    """Return how long each took, in nanoseconds; requests only where it is installed."""
    took = {
        HTTPX_1: trio.run(_posted, place, orders, False),  # noqa: FBT003 - HTTP/2 or not
        HTTPX_2: trio.run(_posted, place, orders, True),  # noqa: FBT003 - likewise
    }
    try:
        requests = importlib.import_module("requests")
    except ImportError:
        requests = None
    if requests is not None:
        took[REQUESTS] = _by_requests(requests, place, orders)
    took[STANDARD] = _by_standard_library(place, orders)
    return took


def judged(names: Collection[str]) -> list[str]:
    """Return those that the lane is measured against.

    The standard library's client, which requests stands on, stands in for it where it is missing.
    """
    without = STANDARD if REQUESTS in names else REQUESTS
    return [name for name in names if name != without]


async def _posted(place: Place, orders: int, http2: bool) -> list[int]:  # noqa: FBT001 - trio.run
    rng = random.Random(0)
    sent_ns = 0

    async def trace(event: str, _info: object) -> None:
        nonlocal sent_ns
        if event.endswith(SENT):
            sent_ns = time.perf_counter_ns()
        await trio.lowlevel.checkpoint_if_cancelled()

    took_ns = []
    url = place.base_url + CREATE_PATH
    async with httpx.AsyncClient(
        verify=place.context, trust_env=False, http1=not http2, http2=http2
    ) as client:
        for number in range(WARM_UP + orders):
            content = body(number)
            await trio.sleep(rng.uniform(PAUSE_MIN_S, PAUSE_MAX_S))
            began_ns = time.perf_counter_ns()
            answer = await client.post(
                url, content=content, headers=_signed(place, number), extensions={"trace": trace}
            )
            if (answer.http_version == "HTTP/2") != http2:
                raise BenchmarkFailed(f"httpx spoke {answer.http_version}")
            took_ns.append(sent_ns - began_ns)
    return took_ns[WARM_UP:]


def _by_requests(requests: ModuleType, place: Place, orders: int) -> list[int]:
    connections: Any = importlib.import_module("urllib3.connection")
    pools: Any = importlib.import_module("urllib3.connectionpool")
    sent_ns: list[int] = []

    def request(self: Any, *arguments: Any, **more: Any) -> None:
        connections.HTTPSConnection.request(self, *arguments, **more)
        sent_ns.append(time.perf_counter_ns())

    timed = type("Timed", (connections.HTTPSConnection,), {"request": request})
    pool = type("TimedPool", (pools.HTTPSConnectionPool,), {"ConnectionCls": timed})
    url = place.base_url + CREATE_PATH
    with requests.Session() as session:
        session.trust_env = False
        session.verify = place.ca_path
        adapter = session.get_adapter(url)
        adapter.poolmanager.pool_classes_by_scheme = {"https": pool}
        return _in_turn(
            orders,
            lambda number: session.post(url, data=body(number), headers=_signed(place, number)),
            sent_ns,
        )


def _by_standard_library(place: Place, orders: int) -> list[int]:
    at, sent_ns = Endpoint.parse(place.base_url), list[int]()
    connection = http.client.HTTPSConnection(at.host, at.port, context=place.context)

    def post(number: int) -> None:
        connection.request("POST", PATH, body(number), _signed(place, number))
        sent_ns.append(time.perf_counter_ns())
        connection.getresponse().read()

    took_ns = _in_turn(orders, post, sent_ns)
    connection.close()
    return took_ns


def _in_turn(orders: int, post: Callable[[int], object], sent_ns: list[int]) -> list[int]:
    rng, took_ns = random.Random(0), []
    for number in range(WARM_UP + orders):
        time.sleep(rng.uniform(PAUSE_MIN_S, PAUSE_MAX_S))
        began_ns = time.perf_counter_ns()
        post(number)
        took_ns.append(sent_ns[-1] - began_ns)
    return took_ns[WARM_UP:]


def _signed(place: Place, number: int) -> dict[str, str]:
    headers = dict(place.rsa.headers("POST", PATH, number))
    headers["Content-Type"] = "application/json"
    return headers
