"""Token buckets of requests, filled as the account's tier grants, and what each endpoint costs."""

from __future__ import annotations

from typing import Any

import attrs
import orjson

from arb.sim.exchange.tiers import Tier
from arb.sim.serving.http import Request

_PREFIX = "/trade-api/v2"
DEFAULT_COST = 10


SHARDS = (0, 1, 2, 3)
ORDERS_PATH = "/portfolio/events/orders"
BALANCE_PATH = "/portfolio/balance"
_COMMON = 0
_AUTO_ROUTE = -1

ENDPOINT_COSTS: tuple[tuple[str, str, int], ...] = (
    ("POST", f"{_PREFIX}/account/api_usage_level/upgrade", 30),
    ("DELETE", f"{_PREFIX}/portfolio/events/orders", 2),
    ("DELETE", f"{_PREFIX}/portfolio/events/orders/:order_id", 2),
    ("DELETE", f"{_PREFIX}/portfolio/events/orders/batched", 2),
    ("GET", f"{_PREFIX}/portfolio/orders/:order_id", 2),
)
_COSTS = {(method, path): cost for method, path, cost in ENDPOINT_COSTS}


@attrs.define
class Bucket:
    """A token bucket that starts full; a request must fit as a whole."""

    capacity: float
    per_s: float
    tokens: float
    at_ms: int

    def take(self, cost: float, now_ms: int) -> bool:
        """Take tokens if they are there; returns whether they were."""
        if not self.holds(cost, now_ms):
            return False
        self.tokens -= cost
        return True

    def holds(self, cost: float, now_ms: int) -> bool:
        """Return whether so many tokens are there."""
        refilled = self.tokens + (now_ms - self.at_ms) / 1_000 * self.per_s
        self.tokens, self.at_ms = min(self.capacity, refilled), now_ms
        return self.tokens >= cost


@attrs.define
class Buckets:
    """One account's buckets: reads, writes on each shard, and the balance for itself.

    Shard 0 is the common write bucket: batches and whatever names no shard are charged there.
    """

    read: Bucket
    writes: dict[int, Bucket]
    balance: Bucket

    @classmethod
    def full(cls, tier: Tier, now_ms: int) -> Buckets:
        """Return the buckets of an account that has been idle."""

        def bucket(capacity: int, per_s: int) -> Bucket:
            return Bucket(capacity, per_s, capacity, now_ms)

        return cls(
            bucket(tier.read_capacity, tier.read_per_s),
            {shard: bucket(tier.write_capacity, tier.write_per_s) for shard in SHARDS},
            bucket(tier.balance_per_s, tier.balance_per_s),
        )

    def take(self, request: Request, pattern: str, now_ms: int) -> bool:
        """Charge one request, as a whole or not at all; returns whether it may go on."""
        if pattern == BALANCE_PATH:
            return self.balance.take(1, now_ms)
        cost = cost_of(request, pattern)
        if request.method == "GET":
            return self.read.take(cost, now_ms)
        buckets = [self.writes[shard] for shard in charged_shards(request, pattern)]
        if not all(bucket.holds(cost, now_ms) for bucket in buckets):
            return False
        return all(bucket.take(cost, now_ms) for bucket in buckets)


def cost_of(request: Request, pattern: str) -> int:
    """Return the tokens of a request; a batch costs by its items."""
    colons = pattern.replace("{", ":").replace("}", "")
    cost = _COSTS.get((request.method, _PREFIX + colons), DEFAULT_COST)
    return cost * max(_items(request), 1) if pattern.endswith("/batched") else cost


def charged_shards(request: Request, pattern: str) -> tuple[int, ...]:
    """Return whose write buckets a request is charged to.

    A single order write that names its shard uses that shard's bucket, one that is routed by its
    market is charged to all of them, and everything else to the common one.
    """
    if not pattern.startswith(ORDERS_PATH) or pattern.endswith("/batched"):
        return (_COMMON,)
    named = _body(request)
    index = named.get("exchange_index", request.text("exchange_index", ""))
    if str(index) not in ("", str(_AUTO_ROUTE)):
        shard = int(index)
        return (shard,) if shard in SHARDS else (_COMMON,)
    by_market = named.get("ticker") or named.get("market_ticker") or request.text("market_ticker")
    return SHARDS if by_market else (_COMMON,)


def _body(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _items(request: Request) -> int:
    orders = _body(request).get("orders")
    return len(orders) if isinstance(orders, list) else 1
