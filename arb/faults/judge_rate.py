"""The judge of how fast the engine asks: every request that leaves, held against the buckets.

The buckets are counted anew from the exchange's documentation and from the wire; neither the
engine's budget nor the exchange's meter is asked. A new life of the engine cannot know what the one
before has spent, so each begins with full buckets.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import attrs

from arb.faults.requests import SeenRequest
from arb.faults.trace import Trace
from arb.sim.exchange.tiers import Tier

# The balance may be read once a second in the lower tiers.
BALANCE_EVERY_S = 1.0
SHARDS = (0, 1, 2, 3)

# An entry leaves room for ten cancels at two tokens each.
KEPT_FOR_CANCELS = 20.0

# Sums of floating-point seconds; a token is some milliseconds.
ROUNDING = 1e-6

_ROOT = "/trade-api/v2"
_ORDERS = "/portfolio/events/orders"
_BALANCE = "/portfolio/balance"
# The lowest documented tier: how much a bucket holds, and how much a second it gets.
READ, WRITE = (200.0, 200.0), (100.0, 100.0)

_COST = 10
_SMALL_COST = 2


@attrs.define
class Meter:
    """One bucket as the exchange fills it."""

    capacity: float
    per_s: float
    at_s: float
    tokens: float = attrs.field()

    @tokens.default
    def _full(self) -> float:
        return self.capacity

    def change(self, capacity: float, per_s: float, now_s: float) -> None:
        """Go on under another limit; what has been spent stays spent."""
        self.spend(0.0, now_s)
        self.capacity, self.per_s = capacity, per_s
        self.tokens = min(self.tokens, capacity)

    def spend(self, cost: float, now_s: float) -> float:
        """Take tokens whether they are there or not, and return how many are left."""
        self.tokens = min(self.capacity, self.tokens + (now_s - self.at_s) * self.per_s)
        self.tokens -= cost
        self.at_s = now_s
        return self.tokens


@attrs.define
class RateJudge:
    """Counts the tokens of every request of one life of the engine.

    Until the engine has read what its account is granted, it may count on the lowest tier there is.
    """

    tier: Tier
    trace: Trace
    _read: Meter = attrs.field(init=False)
    _write: dict[int, Meter] = attrs.field(init=False)
    _balance_s: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin at the beginning of time."""
        self.started(0.0)

    def started(self, now_s: float) -> None:
        """Begin anew with an engine that has just been started."""
        self._read = Meter(*_most(self.tier.read_capacity, self.tier.read_per_s, READ), now_s)
        write = _most(self.tier.write_capacity, self.tier.write_per_s, WRITE)
        self._write = {shard: Meter(*write, now_s) for shard in SHARDS}
        self._balance_s = now_s - BALANCE_EVERY_S

    def limits_read(self, now_s: float) -> None:
        """Note that the engine knows what its account is granted."""
        tier = self.tier
        self._read.change(tier.read_capacity, tier.read_per_s, now_s)
        for meter in self._write.values():
            meter.change(tier.write_capacity, tier.write_per_s, now_s)

    def request(self, request: SeenRequest, now_s: float, *, is_entry: bool = False) -> None:
        """Look at one request that is about to leave; one that is nobody's costs nothing."""
        if not request.signed:
            return
        path = request.path.partition("?")[0].removeprefix(_ROOT)
        if request.method == "GET" and path == _BALANCE:
            self._balance(now_s)
        elif request.method == "GET":
            left = self._read.spend(_cost(request, path), now_s)
            self._check(left, f"GET {path}")
        else:
            for shard in _charged(request, path):
                left = self._write[shard].spend(_cost(request, path), now_s)
                keep = KEPT_FOR_CANCELS if is_entry else 0.0
                self._check(left - keep, f"{request.method} {path} on shard {shard}")

    def _balance(self, now_s: float) -> None:
        since_s = now_s - self._balance_s
        self._balance_s = now_s
        in_time = since_s >= BALANCE_EVERY_S - ROUNDING
        self.trace.check("I11", in_time, f"the balance was read again after {since_s:.3f} s")

    def _check(self, left: float, what: str) -> None:
        self.trace.check("I11", left >= -ROUNDING, f"{what} left {-left:.1f} tokens short")


def _most(capacity: float, per_s: float, lowest: tuple[float, float]) -> tuple[float, float]:
    return max(capacity, lowest[0]), max(per_s, lowest[1])


def _cost(request: SeenRequest, path: str) -> int:
    if request.method == "DELETE" and path.startswith(_ORDERS):
        return _SMALL_COST * max(1, len((request.body or {}).get("orders", ())))
    is_one_order = request.method == "GET" and path.startswith("/portfolio/orders/")
    return _SMALL_COST if is_one_order else _COST


def _charged(request: SeenRequest, path: str) -> tuple[int, ...]:
    # A write that names its shard pays there, one that a market routes pays everywhere, and what
    # names neither pays in the common bucket, as batches do.
    if not path.startswith(_ORDERS) or path.endswith("/batched"):
        return (0,)
    query = parse_qs(request.path.partition("?")[2])
    body = request.body or {}
    index = body.get("exchange_index", query.get("exchange_index", [None])[0])
    if index is not None and int(index) in SHARDS:
        return (int(index),)
    return SHARDS if "ticker" in body or "market_ticker" in query else (0,)
