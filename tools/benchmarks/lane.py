"""One order onto the wire: our lanes against what others would do, over TLS to the same server.

From the order handed over to its last byte taken by the kernel, each on a connection that was
idle for a millisecond. The others sign every order as it comes.
"""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import attrs
import trio
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from arb.core.parameters import LANE_HTTP1, LANE_HTTP2
from arb.io.clock import SystemClock
from arb.io.net import SocketNetwork
from arb.kalshi.lane import OrderLanes, Request
from arb.kalshi.sign import RequestSigner, Signer, load_signer
from arb.kalshi.signatures_ahead import SignaturesAhead
from arb.kalshi.wire import CREATE_PATH
from arb.sim.credentials import make_member_key, make_server_context
from tools.benchmarks import posting
from tools.benchmarks.figures import VALUE, BenchmarkFailed, Figure, latencies, quantile
from tools.benchmarks.path import PAUSE_MAX_S, PAUSE_MIN_S
from tools.benchmarks.posting import API_PATH, PATH, WARM_UP, Place, body
from tools.benchmarks.waiting import until

TOPIC = "lane"

KEY_ID = "benchmark"

LANE_TARGETS_US = {"p50": 45.0, "p99": 120.0}
ED25519_TARGET_US = {"p50": 30.0}
RATIO_TARGET = 10.0

# The two lanes take turns so often in one run.
TURNS = 10
CONNECT_TIMEOUT_S = 5.0
SERVER = Path(__file__).with_name("loopback.py")


@attrs.frozen
class Plan:
    """How many orders each way sends."""

    orders: int = 1_000


QUICK = Plan(orders=200)


def run(plan: Plan) -> list[Figure]:
    """Measure signing alone, the lanes, and the others, all in turns of the same run."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as place:
        rsa_ns, ed25519_ns = (_signed_ns(each, plan) for each in (place.rsa, place.ed25519))
        ours = trio.run(_over_lanes, place, plan)
        others = posting.measured(place, plan.orders)
    median = quantile(ours.http1, 0.5)
    judged = posting.judged(others)
    best = min(quantile(others[name], 0.5) for name in judged)
    return [
        latencies(TOPIC, "order → kernel, HTTP/1.1, RSA signed ahead", ours.http1, LANE_TARGETS_US),
        latencies(TOPIC, "order → kernel, HTTP/2, RSA signed ahead", ours.http2),
        latencies(TOPIC, "order → kernel, HTTP/1.1, Ed25519 on the way", ours.ed25519),
        latencies(TOPIC, "cancel → kernel, HTTP/1.1, RSA on the way", ours.cancel),
        *[
            latencies(TOPIC, f"order → kernel, {name}, RSA each time", took_ns)
            for name, took_ns in others.items()
        ],
        Figure(
            TOPIC,
            f"the best of {', '.join(judged)}, to the lane, p50",
            "times",
            {VALUE: best / median},
            {VALUE: RATIO_TARGET},
            more_is_better=True,
        ),
        Figure(
            TOPIC,
            "HTTP/2 against HTTP/1.1, p50",
            "times",
            {VALUE: quantile(ours.http2, 0.5) / median},
        ),
        latencies(TOPIC, "one signature, RSA", rsa_ns),
        latencies(TOPIC, "one signature, Ed25519", ed25519_ns, ED25519_TARGET_US),
    ]


@contextmanager
def _server(folder: Path) -> Iterator[Place]:
    _, ca_path = make_server_context(folder, dt.datetime.now(dt.UTC))
    rsa_path = make_member_key(folder).path
    command = [sys.executable, str(SERVER), str(folder / "server.pem")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise BenchmarkFailed("the server has no pipes")
        port = process.stdout.readline().strip()
        try:
            yield Place(
                f"https://127.0.0.1:{port}{API_PATH}",
                str(ca_path),
                load_signer(KEY_ID, rsa_path),
                load_signer(KEY_ID, _ed25519_key(folder)),
            )
        finally:
            process.stdin.close()
            process.wait()


def _ed25519_key(folder: Path) -> Path:
    path = folder / "ed25519.pem"
    path.touch(mode=0o600)
    key = ed25519.Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def _signed_ns(signer: Signer, plan: Plan) -> list[int]:
    took_ns = []
    for number in range(plan.orders):
        began_ns = time.perf_counter_ns()
        signer.headers("POST", PATH, number)
        took_ns.append(time.perf_counter_ns() - began_ns)
    return took_ns


# Our way.


@attrs.frozen
class Ours:
    """How long our own ways took, in nanoseconds."""

    http1: list[int]
    http2: list[int]
    cancel: list[int]
    ed25519: list[int]


async def _over_lanes(place: Place, plan: Plan) -> Ours:
    clock = SystemClock()
    ahead = SignaturesAhead(place.rsa, clock, (("POST", PATH),))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ahead.run)
        await ahead.prepare()
        async with _lanes(place, ahead) as lanes, _lanes(place, ahead, LANE_HTTP2) as other:
            http1, http2 = await _in_turns((lanes, other), plan)
            cancel = await _sent_ns(lanes, plan, _cancel)
        async with _lanes(place, place.ed25519) as lanes:
            ed25519 = await _sent_ns(lanes, plan, _create)
        nursery.cancel_scope.cancel()
    if ahead.made_late:
        raise BenchmarkFailed(f"{ahead.made_late} signatures were not ready")
    return Ours(http1, http2, cancel, ed25519)


@asynccontextmanager
async def _lanes(
    place: Place, signer: RequestSigner, protocol: str = LANE_HTTP1
) -> AsyncIterator[OrderLanes]:
    network = SocketNetwork(place.context)
    lanes = OrderLanes(network, place.base_url, signer, SystemClock(), protocol=protocol)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lanes.run)
        await _until_free(lanes)
        yield lanes
        nursery.cancel_scope.cancel()


async def _until_free(lanes: OrderLanes) -> None:
    with trio.fail_after(CONNECT_TIMEOUT_S):
        await until(lambda: lanes.free > 0)


def _create(number: int) -> Request:
    return Request(number, "POST", CREATE_PATH, body(number))


def _cancel(number: int) -> Request:
    return Request(number, "DELETE", f"{CREATE_PATH}/x{number}?market_ticker=KXNBAGAME")


async def _in_turns(all_lanes: Sequence[OrderLanes], plan: Plan) -> list[list[int]]:
    """Measure several lanes by turns of some orders, so that a busy moment hits each alike."""
    took_ns: list[list[int]] = [[] for _ in all_lanes]
    per_turn = max(1, plan.orders // TURNS)
    for turn in range(TURNS):
        warm_up = WARM_UP if not turn else WARM_UP // TURNS
        for lanes, own in zip(all_lanes, took_ns, strict=True):
            own.extend(await _sent_ns(lanes, attrs.evolve(plan, orders=per_turn), _create, warm_up))
    return took_ns


async def _sent_ns(
    lanes: OrderLanes,
    plan: Plan,
    request_of: Callable[[int], Request],
    warm_up: int = WARM_UP,
) -> list[int]:
    rng = random.Random(0)
    took_ns = []
    for number in range(warm_up + plan.orders):
        request = request_of(number)
        await trio.sleep(rng.uniform(PAUSE_MIN_S, PAUSE_MAX_S))
        await _until_free(lanes)
        began_ns = time.perf_counter_ns()
        sent = lanes.send(request)
        took_ns.append(sent.sent_ns - began_ns)
    return took_ns[warm_up:]
