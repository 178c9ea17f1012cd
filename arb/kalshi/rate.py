"""The exchange's token buckets, kept on our side, so that it never has to refuse us.

Reads and writes have a bucket each; every request costs tokens, and the whole cost must be there
at once. A part of the writes is kept back for cancels, which must never wait behind entries.
"""

from __future__ import annotations

from typing import Protocol

import attrs
import trio

NS_PER_S = 1_000_000_000

DEFAULT_COST = 10

# Costs that differ, in tokens; GETs of the portfolio and of markets cost the default.
CREATE_COST = 10
AMEND_COST = 10
CANCEL_COST = 2

# Ten cancels: the most entries that the default limits let rest, twice over.
CANCEL_RESERVE = 20


@attrs.frozen
class BucketLimit:
    """A bucket's size and how fast it fills, in tokens and tokens per second."""

    capacity: int = attrs.field(validator=attrs.validators.gt(0))
    refill_per_s: int = attrs.field(validator=attrs.validators.gt(0))


@attrs.frozen
class AccountLimits:
    """What the exchange grants this account."""

    tier: str
    read: BucketLimit
    write: BucketLimit


# The lowest tier, used until the account's own limits have been read.
BASIC = AccountLimits("basic", BucketLimit(200, 200), BucketLimit(100, 100))


class TokenBucket:
    """Tokens that come back with time. Times are the injected clock's nanoseconds."""

    def __init__(self, limit: BucketLimit, now_ns: int) -> None:
        self._limit = limit
        self._tokens = float(limit.capacity)
        self._at_ns = now_ns

    def change(self, limit: BucketLimit, now_ns: int) -> None:
        """Go on under another limit; what has been spent stays spent."""
        self._refill(now_ns)
        self._limit = limit
        self._tokens = min(self._tokens, limit.capacity)

    def take(self, cost: int, now_ns: int, *, keep: int = 0) -> bool:
        """Spend ``cost`` if that leaves ``keep``; say whether it did."""
        self._refill(now_ns)
        if self._tokens < cost + keep:
            return False
        self._tokens -= cost
        return True

    def owe(self, cost: int, now_ns: int) -> float:
        """Spend ``cost`` whether it is there or not; return the seconds until it is.

        Who comes later waits longer, so that nobody is overtaken.
        """
        self._refill(now_ns)
        self._tokens -= cost
        return max(0.0, -self._tokens / self._limit.refill_per_s)

    def wait_s(self, cost: int, now_ns: int, *, keep: int = 0) -> float:
        """Return how long until ``cost`` could be spent, infinite where it never can."""
        self._refill(now_ns)
        if cost + keep > self._limit.capacity:
            return float("inf")
        return max(0.0, (cost + keep - self._tokens) / self._limit.refill_per_s)

    def empty(self, now_ns: int) -> None:
        """Count as empty: the exchange says so, and it knows better."""
        self._refill(now_ns)
        self._tokens = min(self._tokens, 0.0)

    def _refill(self, now_ns: int) -> None:
        passed_s = max(0, now_ns - self._at_ns) / NS_PER_S
        self._at_ns = max(self._at_ns, now_ns)
        self._tokens = min(
            float(self._limit.capacity), self._tokens + passed_s * self._limit.refill_per_s
        )

    def __repr__(self) -> str:
        return f"<TokenBucket {self._tokens:.0f}/{self._limit.capacity}>"


class MonotonicClock(Protocol):
    """What of a clock the budget needs."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds since some fixed moment."""


class RateBudget:
    """One account's buckets."""

    def __init__(self, clock: MonotonicClock, limits: AccountLimits = BASIC) -> None:
        self._clock = clock
        now_ns = clock.monotonic_ns()
        self.limits = limits
        self._read = TokenBucket(limits.read, now_ns)
        self._write = TokenBucket(limits.write, now_ns)

    def apply(self, limits: AccountLimits) -> None:
        """Go on under what the exchange says the account has."""
        now_ns = self._clock.monotonic_ns()
        self.limits = limits
        self._read.change(limits.read, now_ns)
        self._write.change(limits.write, now_ns)

    def take_order(self, cost: int = CREATE_COST) -> bool:
        """Spend for a create or an amend, leaving what is kept for cancels."""
        return self._write.take(cost, self._clock.monotonic_ns(), keep=CANCEL_RESERVE)

    def take_cancel(self, cost: int = CANCEL_COST) -> bool:
        """Spend for a cancel, down to the last token."""
        return self._write.take(cost, self._clock.monotonic_ns())

    def order_wait_s(self, cost: int = CREATE_COST) -> float:
        """Return how long until an order could be paid for."""
        return self._write.wait_s(cost, self._clock.monotonic_ns(), keep=CANCEL_RESERVE)

    def cancel_wait_s(self, cost: int = CANCEL_COST) -> float:
        """Return how long until a cancel could be paid for."""
        return self._write.wait_s(cost, self._clock.monotonic_ns())

    async def read(self, cost: int = DEFAULT_COST) -> None:
        """Pay for a read, and wait until the bucket has what was paid."""
        await trio.sleep(self._read.owe(cost, self._clock.monotonic_ns()))

    def refused_read(self) -> None:
        """Note a 429 to a read: the bucket is empty, whatever we had counted."""
        self._read.empty(self._clock.monotonic_ns())

    def refused_write(self) -> None:
        """Note a 429 to an order."""
        self._write.empty(self._clock.monotonic_ns())

    def __repr__(self) -> str:
        return f"<RateBudget {self.limits.tier} read={self._read!r} write={self._write!r}>"
