"""Token buckets."""

from __future__ import annotations

import pytest
import trio

from arb.io.clock import VirtualClock
from arb.kalshi.rate import (
    BASIC,
    AccountLimits,
    BucketLimit,
    RateBudget,
    TokenBucket,
)

S = 1_000_000_000


def test_a_bucket_is_spent_and_fills_again() -> None:
    """The whole cost must be there at once; time brings it back up to the capacity."""
    bucket = TokenBucket(BucketLimit(100, 50), 0)

    assert bucket.take(100, 0)
    assert not bucket.take(10, 0)
    assert bucket.wait_s(10, 0) == pytest.approx(0.2)
    assert bucket.take(10, S // 5)
    assert bucket.take(100, 100 * S)
    assert not bucket.take(1, 100 * S)
    assert repr(bucket) == "<TokenBucket 0/100>"


def test_a_part_can_be_kept_back() -> None:
    """What is kept for others is not spent, and is waited for."""
    bucket = TokenBucket(BucketLimit(100, 50), 0)

    assert not bucket.take(90, 0, keep=20)
    assert bucket.take(80, 0, keep=20)
    assert bucket.take(20, 0)
    assert bucket.wait_s(10, 0, keep=20) == pytest.approx(0.6)


def test_what_never_fits_is_waited_for_for_ever() -> None:
    """A cost beyond the capacity has no moment at which it could be paid."""
    assert TokenBucket(BucketLimit(100, 50), 0).wait_s(101, 0) == float("inf")


def test_a_clock_that_stands_still_brings_nothing() -> None:
    """Nor does one that were to go back."""
    bucket = TokenBucket(BucketLimit(10, 10), 5 * S)
    assert bucket.take(10, 5 * S)

    assert not bucket.take(1, 4 * S)
    assert not bucket.take(1, 5 * S)


def test_debts_are_paid_in_turn() -> None:
    """Who comes later waits longer."""
    bucket = TokenBucket(BucketLimit(10, 10), 0)

    assert [bucket.owe(10, 0) for _ in range(3)] == [0.0, 1.0, 2.0]


def test_a_bucket_of_nothing_is_refused() -> None:
    """Limits are above nothing, or nobody could ever send."""
    with pytest.raises(ValueError):
        BucketLimit(0, 10)
    with pytest.raises(ValueError):
        BucketLimit(10, 0)


async def test_cancels_find_tokens_when_orders_do_not(autojump_clock: object) -> None:
    """Orders leave a reserve that only cancels may spend."""
    budget = RateBudget(VirtualClock(0))
    orders = 0
    while budget.take_order():
        orders += 1

    assert orders == 8
    assert budget.order_wait_s() == pytest.approx(0.1)
    assert [budget.take_cancel() for _ in range(11)] == [True] * 10 + [False]
    assert budget.cancel_wait_s() == pytest.approx(0.02)
    await trio.sleep(1)
    assert budget.take_order()


async def test_reads_wait_for_their_tokens(autojump_clock: object) -> None:
    """Forty reads at 20 a second with a bucket of a second take a second."""
    budget = RateBudget(VirtualClock(0))
    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(budget.read)

    assert trio.current_time() == pytest.approx(1.0)


async def test_a_429_empties_the_bucket(autojump_clock: object) -> None:
    """The exchange knows better than our own count."""
    budget = RateBudget(VirtualClock(0))
    budget.refused_read()
    budget.refused_write()

    assert not budget.take_cancel()
    await budget.read()
    assert trio.current_time() == pytest.approx(0.05)


async def test_the_accounts_own_limits_are_taken_over(autojump_clock: object) -> None:
    """A higher tier fills faster; what was spent stays spent."""
    budget = RateBudget(VirtualClock(0))
    budget.refused_write()
    budget.apply(AccountLimits("prime", BucketLimit(8000, 4000), BucketLimit(8000, 4000)))

    assert not budget.take_order()
    await trio.sleep(0.1)
    assert budget.take_order(300)
    assert "prime" in repr(budget)
    assert BASIC.tier == "basic"
