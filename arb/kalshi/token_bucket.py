"""One token bucket of the exchange, as we count it. Pure: who asks brings the time."""

from __future__ import annotations

import attrs

NS_PER_S = 1_000_000_000

# Requests that left evenly spaced arrive bunched when one of them was held up on its way. So much
# of a bucket's refill is never counted on; a healthy way to the exchange takes a tenth of it.
JITTER_S = 0.1

# After a 429 nothing is paid from the bucket for this long: whoever else spends the account's
# tokens goes on doing so, and asking each time one token is back would only earn refusals.
REFUSED_PAUSE_S = 0.25


@attrs.frozen
class BucketLimit:
    """A bucket's size and how fast it fills, in tokens and tokens per second."""

    capacity: int = attrs.field(validator=attrs.validators.gt(0))
    refill_per_s: int = attrs.field(validator=attrs.validators.gt(0))


class TokenBucket:
    """Tokens that come back with time. Times are the injected clock's nanoseconds."""

    __slots__ = ("_at_ns", "_limit", "_most", "_per_ns", "_per_s", "_tokens")

    def __init__(self, limit: BucketLimit, now_ns: int) -> None:
        self._set(limit)
        self._tokens = self._most
        self._at_ns = now_ns

    def _set(self, limit: BucketLimit) -> None:
        self._limit = limit
        self._per_s = limit.refill_per_s
        self._per_ns = limit.refill_per_s / NS_PER_S
        # At least half of it, or a bucket that fills very fast would be none at all.
        self._most = max(limit.capacity / 2, limit.capacity - limit.refill_per_s * JITTER_S)

    def change(self, limit: BucketLimit, now_ns: int) -> None:
        """Go on under another limit; what has been spent stays spent."""
        self._refill(now_ns)
        self._set(limit)
        self._tokens = min(self._tokens, self._most)

    def take(self, cost: int, now_ns: int, *, keep: int = 0) -> bool:
        """Spend ``cost`` if that leaves ``keep``; say whether it did."""
        self._refill(now_ns)
        if self._tokens < cost + keep:
            return False
        self._tokens -= cost
        return True

    def give_back(self, cost: int) -> None:
        """Take back what was paid for a request that was not sent."""
        self._tokens = min(self._most, self._tokens + cost)

    def owe(self, cost: int, now_ns: int) -> float:
        """Spend ``cost`` whether it is there or not; return the seconds until it is.

        Who comes later waits longer, so that nobody is overtaken.
        """
        self._refill(now_ns)
        self._tokens -= cost
        return max(0.0, -self._tokens / self._per_s)

    def wait_s(self, cost: int, now_ns: int, *, keep: int = 0) -> float:
        """Return how long until ``cost`` could be spent, infinite where it never can."""
        self._refill(now_ns)
        if cost + keep > self._most:
            return float("inf")
        return max(0.0, (cost + keep - self._tokens) / self._per_s)

    def refused(self, now_ns: int) -> None:
        """Count as empty, and for a while longer: the exchange says so, and it knows better."""
        self._refill(now_ns)
        self._tokens = min(self._tokens, -self._per_s * REFUSED_PAUSE_S)

    def _refill(self, now_ns: int) -> None:
        if now_ns > self._at_ns:
            refilled = self._tokens + (now_ns - self._at_ns) * self._per_ns
            self._tokens = min(self._most, refilled)
            self._at_ns = now_ns

    def __repr__(self) -> str:
        return f"<TokenBucket {self._tokens:.0f}/{self._limit.capacity}>"
