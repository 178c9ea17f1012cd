"""The exchange's token buckets, kept on our side, so that it never has to refuse us.

Reads and writes have buckets of their own; every request costs tokens, and the whole cost must be
there at once. Each shard but the first has a write bucket for what names it; batches, the first
shard and what names none use the common one. A part of every write bucket is kept back for
cancels, which must never wait behind orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import attrs
import trio

from arb.kalshi.token_bucket import JITTER_S, NS_PER_S, BucketLimit, TokenBucket

DEFAULT_COST = 10
_CANCEL_COST = 2

# Ten cancels: the most entries that the default limits let rest, twice over.
CANCEL_RESERVE = 20

# An entry also leaves room for one sale, so that what it buys can be put on sale at once.
EXIT_RESERVE = 10
_ENTRY_KEEPS = CANCEL_RESERVE + EXIT_RESERVE

# So does a move: three sales that each move four times a second spend more than the lowest tier
# gets, and what is not on sale at all comes before what is on sale at a price of just now.
_AMEND_KEEPS = CANCEL_RESERVE + EXIT_RESERVE

# The balance has a bucket of its own: one read a second in the two lowest tiers, five above.
BALANCE_PER_S = 1
BALANCE_PER_S_HIGHER = 5
_LOWER_TIERS = frozenset({"basic", "advanced"})
_BALANCE = "/portfolio/balance"

# Fits twice into the write bucket of the lowest tier.
CANCELS_PER_BATCH_MAX = 20

_API_PATH = "/trade-api/v2"
_ORDERS = "/portfolio/events/orders"


@attrs.frozen
class AccountLimits:
    """What the exchange grants this account."""

    tier: str
    read: BucketLimit
    write: BucketLimit


# The lowest tier, used until the account's own limits have been read.
BASIC = AccountLimits("basic", BucketLimit(200, 200), BucketLimit(100, 100))


def _pattern(path: str) -> str:
    """Return a path without the API's root, and each of its parameters as ``*``."""
    parts = path.removeprefix(_API_PATH).split("/")
    return "/".join("*" if part[:1] in {":", "*", "{"} else part for part in parts)


def _patterns(costs: Mapping[tuple[str, str], int]) -> Mapping[tuple[str, str], int]:
    return MappingProxyType({(verb, _pattern(path)): cost for (verb, path), cost in costs.items()})


# What the exchange documents, and answered in June 2026.
_KNOWN_COSTS = {
    ("DELETE", _ORDERS): _CANCEL_COST,
    ("DELETE", f"{_ORDERS}/:order_id"): _CANCEL_COST,
    ("DELETE", f"{_ORDERS}/batched"): _CANCEL_COST,
    ("GET", "/portfolio/orders/:order_id"): 2,
}


@attrs.frozen
class EndpointCosts:
    """What a request costs in tokens, by method and path; a batch costs that for each item.

    Paths are taken with and without the API's root, parameters in any of the usual spellings.
    """

    default: int = DEFAULT_COST
    others: Mapping[tuple[str, str], int] = attrs.field(default=_KNOWN_COSTS, converter=_patterns)

    def of(self, method: str, path: str) -> int:
        """Return the cost of a request to an endpoint, its parameters written as ``:name``."""
        return self.others.get((method, _pattern(path)), self.default)


class MonotonicClock(Protocol):
    """What of a clock the budget needs."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds since some fixed moment."""


class RateBudget:
    """One account's buckets. A shard is named by its exchange index, None where routing finds it.

    What is routed by its ticker the exchange charges to every shard, so it is paid in every bucket.
    """

    def __init__(
        self,
        clock: MonotonicClock,
        limits: AccountLimits = BASIC,
        costs: EndpointCosts | None = None,
    ) -> None:
        self._clock = clock
        now_ns = clock.monotonic_ns()
        self.limits = limits
        self._set_costs(EndpointCosts() if costs is None else costs)
        self._read = TokenBucket(limits.read, now_ns)
        self._next_balance_ns = now_ns
        self._write = {0: TokenBucket(limits.write, now_ns)}

    def _set_costs(self, costs: EndpointCosts) -> None:
        self.costs = costs
        self.create_cost = costs.of("POST", _ORDERS)
        self.amend_cost = costs.of("POST", f"{_ORDERS}/:order_id/amend")
        self.cancel_cost = costs.of("DELETE", f"{_ORDERS}/:order_id")
        self.batch_cancel_cost = costs.of("DELETE", f"{_ORDERS}/batched")

    def apply(self, limits: AccountLimits, costs: EndpointCosts) -> None:
        """Go on under what the exchange says the account has."""
        now_ns = self._clock.monotonic_ns()
        self.limits = limits
        self._set_costs(costs)
        self._read.change(limits.read, now_ns)
        for bucket in self._write.values():
            bucket.change(limits.write, now_ns)

    def take_entry(self, exchange_index: int | None) -> bool:
        """Spend for a new entry, leaving what is kept for cancels and for its sale."""
        return self._take(self.create_cost, exchange_index, _ENTRY_KEEPS)

    def take_exit(self, exchange_index: int | None) -> bool:
        """Spend for a new sale, leaving what is kept for cancels."""
        return self._take(self.create_cost, exchange_index, CANCEL_RESERVE)

    def take_amend(self, exchange_index: int | None) -> bool:
        """Spend for an amendment, leaving what is kept for cancels and for a new sale."""
        return self._take(self.amend_cost, exchange_index, _AMEND_KEEPS)

    def take_cancel(self) -> bool:
        """Spend for one cancel, which its ticker routes, down to the last token."""
        return self._take(self.cancel_cost, None, 0)

    def take_cancels(self, count: int) -> bool:
        """Spend for a batch of cancels, down to the last token."""
        return self._take(self.batch_cancel_cost * count, 0, 0)

    def affordable_cancels(self) -> int:
        """Return how many cancels a batch could have now."""
        bucket = self._write[0]
        low, high = 0, CANCELS_PER_BATCH_MAX
        now_ns = self._clock.monotonic_ns()
        while low < high and not bucket.wait_s(self.batch_cancel_cost * (low + 1), now_ns):
            low += 1
        return low

    def cancel_wait_s(self) -> float:
        """Return how long until a cancel could be paid for."""
        now_ns = self._clock.monotonic_ns()
        return max(bucket.wait_s(self.cancel_cost, now_ns) for bucket in self._write.values())

    def give_back(self, cost: int, exchange_index: int | None) -> None:
        """Take back what was paid for a request that was not sent."""
        for bucket in self._buckets(exchange_index):
            bucket.give_back(cost)

    async def read(self, path: str) -> None:
        """Pay for a read, and wait until its bucket has what was paid."""
        now_ns = self._clock.monotonic_ns()
        if path == _BALANCE:
            await trio.sleep(self._balance_wait_s(now_ns))
        else:
            await trio.sleep(self._read.owe(self.costs.of("GET", path), now_ns))

    def _balance_wait_s(self, now_ns: int) -> float:
        low = self.limits.tier.lower() in _LOWER_TIERS
        per_s = BALANCE_PER_S if low else BALANCE_PER_S_HIGHER
        at_ns = max(now_ns, self._next_balance_ns)
        self._next_balance_ns = at_ns + round((1 / per_s + JITTER_S) * NS_PER_S)
        return (at_ns - now_ns) / NS_PER_S

    async def write(self, method: str, path: str) -> None:
        """Pay for a write that is no order, and wait until the common bucket has what was paid."""
        await trio.sleep(self.pay_ahead(method, path))

    def pay_ahead(self, method: str, path: str) -> float:
        """Pay for a write that is no order; return the seconds until its bucket has had it."""
        cost = self.costs.of(method, path)
        return self._write[0].owe(cost, self._clock.monotonic_ns())

    def refused_read(self, path: str) -> None:
        """Note a 429 to a read: the bucket is empty, whatever we had counted."""
        # Reads of the balance are spaced by the exchange's own rule, and the next one waits anyway.
        if path != _BALANCE:
            self._read.refused(self._clock.monotonic_ns())

    def refused_write(self, exchange_index: int | None) -> None:
        """Note a 429 to a write."""
        now_ns = self._clock.monotonic_ns()
        for bucket in self._buckets(exchange_index):
            bucket.refused(now_ns)

    def _take(self, cost: int, exchange_index: int | None, keep: int) -> bool:
        now_ns = self._clock.monotonic_ns()
        bucket = self._write.get(exchange_index)  # type: ignore[arg-type]
        if bucket is not None:
            return bucket.take(cost, now_ns, keep=keep)
        buckets = self._buckets(exchange_index)
        if any(bucket.wait_s(cost, now_ns, keep=keep) for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.owe(cost, now_ns)
        return True

    def _bucket(self, exchange_index: int) -> TokenBucket:
        bucket = self._write.get(exchange_index)
        if bucket is None:
            bucket = TokenBucket(self.limits.write, self._clock.monotonic_ns())
            self._write[exchange_index] = bucket
        return bucket

    def _buckets(self, exchange_index: int | None) -> tuple[TokenBucket, ...]:
        if exchange_index is not None:
            return (self._bucket(exchange_index),)
        return tuple(self._write.values())

    def __repr__(self) -> str:
        writes = " ".join(f"write[{index}]={each!r}" for index, each in self._write.items())
        return f"<RateBudget {self.limits.tier} read={self._read!r} {writes}>"
