"""Token buckets: what a request costs, and whose bucket pays for it."""

from __future__ import annotations

import orjson
import pytest
import trio

from arb.sim.exchange.tiers import ADVANCED
from arb.sim.rest.limits import Buckets, charged_shards
from arb.sim.serving.http import Request, make_request
from arb.sim.signatures import KeyRing
from arb.sim.websocket.server import ExchangeServer
from tests.sim.sim_client import Bench, Member, order_wish

ORDERS = "/portfolio/events/orders"
ONE = f"{ORDERS}/{{order_id}}"


def asked(method: str, target: str, body: object = None) -> Request:
    return make_request(method, target, {}, b"" if body is None else orjson.dumps(body))


def test_buckets_charge_by_the_item() -> None:
    """A batch costs its items, a cancel two, a read ten; a bucket refills with time."""
    buckets = Buckets.full(ADVANCED, 0)
    many = asked("POST", f"{ORDERS}/batched", {"orders": [{}] * 60})
    cancel = asked("DELETE", f"{ORDERS}/x")
    assert buckets.take(many, f"{ORDERS}/batched", 0)
    assert not buckets.take(cancel, ONE, 6)
    assert buckets.take(cancel, ONE, 7)
    cancels = asked("DELETE", f"{ORDERS}/batched", {"orders": [{}] * 100})
    assert not buckets.take(cancels, f"{ORDERS}/batched", 600)
    assert buckets.take(cancels, f"{ORDERS}/batched", 700)


def test_reading_one_order_is_cheaper_than_a_list() -> None:
    """Two tokens against ten, both out of the bucket of reads."""
    buckets = Buckets.full(ADVANCED, 0)
    one, many = asked("GET", "/portfolio/orders/x"), asked("GET", "/portfolio/orders")
    for _ in range(295):
        assert buckets.take(one, "/portfolio/orders/{order_id}", 0)
    assert buckets.take(many, "/portfolio/orders", 0)
    assert not buckets.take(many, "/portfolio/orders", 0)


def test_the_balance_has_a_bucket_of_its_own() -> None:
    """Once a second, and it takes nothing from other reads."""
    buckets = Buckets.full(ADVANCED, 0)
    balance = asked("GET", "/portfolio/balance")
    taken = [buckets.take(balance, "/portfolio/balance", now) for now in (0, 500, 1_000, 1_999)]
    assert taken == [True, False, True, False]
    assert buckets.read.tokens == ADVANCED.read_capacity


@pytest.mark.parametrize(
    ("request_", "pattern", "shards"),
    [
        (asked("POST", ORDERS, {"ticker": "T", "exchange_index": 3}), ORDERS, (3,)),
        (asked("POST", ORDERS, {"ticker": "T", "exchange_index": 0}), ORDERS, (0,)),
        (asked("POST", ORDERS, {"ticker": "T"}), ORDERS, (0, 1, 2, 3)),
        (asked("POST", ORDERS, {"ticker": "T", "exchange_index": -1}), ORDERS, (0, 1, 2, 3)),
        (asked("POST", ORDERS, {"ticker": "T", "exchange_index": 9}), ORDERS, (0,)),
        (asked("DELETE", f"{ORDERS}/x?exchange_index=2"), ONE, (2,)),
        (asked("DELETE", f"{ORDERS}/x?market_ticker=T"), ONE, (0, 1, 2, 3)),
        (asked("DELETE", f"{ORDERS}/x"), ONE, (0,)),
        (asked("POST", f"{ORDERS}/batched", {"orders": []}), f"{ORDERS}/batched", (0,)),
        (asked("POST", "/portfolio/subaccounts", {}), "/portfolio/subaccounts", (0,)),
        (asked("POST", ORDERS, [1]), ORDERS, (0,)),
    ],
)
def test_a_write_is_charged_to_its_shards(
    request_: Request, pattern: str, shards: tuple[int, ...]
) -> None:
    """Named: that shard's bucket; routed by its market: all of them; else the common one."""
    assert charged_shards(request_, pattern) == shards


def test_a_write_is_charged_everywhere_or_nowhere() -> None:
    """A routed order that one shard's bucket cannot pay for takes nothing from the others."""
    buckets = Buckets.full(ADVANCED, 0)
    buckets.writes[3].tokens = 9
    assert not buckets.take(asked("POST", ORDERS, {"ticker": "T"}), ORDERS, 0)
    assert buckets.writes[0].tokens == ADVANCED.write_capacity


async def test_limits_can_be_enforced(bench: Bench, nursery: trio.Nursery) -> None:
    """Beyond the bucket every private request is 429 until it has refilled."""
    server = ExchangeServer(bench.venue, KeyRing(), enforce_limits=True)
    member = Member(server, nursery)
    statuses = [(await member.call("GET", "/portfolio/orders")).status for _ in range(62)]
    assert statuses == [200] * 60 + [429] * 2
    bench.clock.now_ms += 100
    assert (await member.call("GET", "/portfolio/orders")).status == 200
    assert (await member.call("GET", "/exchange/status")).status == 200
    wishes: dict[str, list[object]] = {"orders": [{}] * 61}
    path = f"{ORDERS}/batched"
    assert (await member.call("POST", path, wishes)).status == 429
    assert (await member.call("POST", path, b"[")).status == 400
    assert "RestApp" in repr(server.rest)


async def test_each_shard_has_a_write_bucket(bench: Bench, nursery: trio.Nursery) -> None:
    """Orders that name their shard go on while the common bucket is empty."""
    server = ExchangeServer(bench.venue, KeyRing(), enforce_limits=True)
    member = Member(server, nursery)
    path = f"{ORDERS}/batched"
    assert (await member.call("POST", path, {"orders": [{}] * 60})).status == 201
    wish = order_wish(bench.home.ticker, "bid", "0.40", "1")
    assert (await member.call("POST", ORDERS, wish)).status == 429
    assert (await member.call("POST", ORDERS, wish | {"exchange_index": 3})).status == 201
