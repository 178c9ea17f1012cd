"""Token buckets of requests: what a tier grants and what each endpoint costs."""

from __future__ import annotations

import attrs

_PREFIX = "/trade-api/v2"
DEFAULT_COST = 10


@attrs.frozen
class Tier:
    """One usage tier; capacities are tokens, rates tokens per second."""

    name: str
    read_per_s: int
    write_per_s: int
    read_capacity: int
    write_capacity: int


# Advanced: 300 each, a write bucket of two seconds, as documented.
TIER = Tier("advanced", 300, 300, 600, 600)

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
        refilled = self.tokens + (now_ms - self.at_ms) / 1_000 * self.per_s
        self.tokens, self.at_ms = min(self.capacity, refilled), now_ms
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True


@attrs.define
class Buckets:
    """One account's read and write bucket."""

    read: Bucket
    write: Bucket

    @classmethod
    def full(cls, tier: Tier, now_ms: int) -> Buckets:
        """Return the buckets of an account that has been idle."""
        return cls(
            Bucket(tier.read_capacity, tier.read_per_s, tier.read_capacity, now_ms),
            Bucket(tier.write_capacity, tier.write_per_s, tier.write_capacity, now_ms),
        )

    def take(self, method: str, pattern: str, items: int, now_ms: int) -> bool:
        """Charge one request; batches cost by their items."""
        cost = _COSTS.get((method, _PREFIX + pattern.replace("{", ":").replace("}", "")))
        total = (DEFAULT_COST if cost is None else cost) * max(items, 1)
        return (self.read if method == "GET" else self.write).take(total, now_ms)
