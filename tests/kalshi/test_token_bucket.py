"""One token bucket."""

from __future__ import annotations

import pytest

from arb.kalshi.token_bucket import JITTER_S, REFUSED_PAUSE_S, BucketLimit, TokenBucket

S = 1_000_000_000

# Counted as 90: a tenth of a second of refill is never relied on.
HUNDRED = BucketLimit(100, 100)


def test_a_bucket_is_spent_and_fills_again() -> None:
    """The whole cost must be there at once; time brings it back up to what is counted on."""
    bucket = TokenBucket(HUNDRED, 0)

    assert bucket.take(90, 0)
    assert not bucket.take(10, 0)
    assert bucket.wait_s(10, 0) == pytest.approx(0.1)
    assert bucket.take(10, S // 10)
    assert bucket.take(90, 100 * S)
    assert not bucket.take(1, 100 * S)
    assert repr(bucket) == "<TokenBucket 0/100>"


def test_a_part_can_be_kept_back() -> None:
    """What is kept for others is not spent, and is waited for."""
    bucket = TokenBucket(HUNDRED, 0)

    assert not bucket.take(80, 0, keep=20)
    assert bucket.take(70, 0, keep=20)
    assert bucket.take(20, 0)
    assert bucket.wait_s(10, 0, keep=20) == pytest.approx(0.3)


def test_requests_that_bunch_up_on_their_way_still_fit() -> None:
    """All that can be spent in any stretch of time fits a bucket that sees it shorter by a bit."""
    bucket = TokenBucket(HUNDRED, 0)
    spent = 0
    for at_ms in range(5_000):
        spent += 10 * bucket.take(10, at_ms * S // 1_000)

    assert spent <= 100 + 100 * (5 - JITTER_S)
    assert spent >= 90 + 100 * (5 - JITTER_S) - 20


def test_a_bucket_that_fills_in_no_time_is_still_one() -> None:
    """Half of its capacity may be spent at least."""
    assert TokenBucket(BucketLimit(100, 10_000), 0).take(50, 0)


def test_what_never_fits_is_waited_for_for_ever() -> None:
    """A cost beyond the capacity has no moment at which it could be paid."""
    assert TokenBucket(HUNDRED, 0).wait_s(101, 0) == float("inf")


def test_a_clock_that_stands_still_brings_nothing() -> None:
    """Nor does one that were to go back."""
    bucket = TokenBucket(HUNDRED, 5 * S)
    assert bucket.take(90, 5 * S)

    assert not bucket.take(1, 4 * S)
    assert not bucket.take(1, 5 * S)


def test_debts_are_paid_in_turn() -> None:
    """Who comes later waits longer."""
    bucket = TokenBucket(HUNDRED, 0)

    assert [round(bucket.owe(90, 0), 6) for _ in range(3)] == [0.0, 0.9, 1.8]


def test_what_was_not_sent_is_given_back() -> None:
    """Never beyond the full bucket."""
    bucket = TokenBucket(HUNDRED, 0)
    bucket.take(90, 0)
    bucket.give_back(90)
    bucket.give_back(90)

    assert bucket.take(90, 0)
    assert not bucket.take(1, 0)


def test_a_refused_bucket_rests_a_while() -> None:
    """It is empty, and nothing is spent from it for a moment beyond."""
    bucket = TokenBucket(HUNDRED, 0)
    bucket.refused(0)

    assert bucket.wait_s(2, 0) == pytest.approx(REFUSED_PAUSE_S + 0.02)
    bucket.refused(0)
    assert bucket.wait_s(2, 0) == pytest.approx(REFUSED_PAUSE_S + 0.02)


def test_another_limit_is_taken_over() -> None:
    """What has been spent stays spent, and what is there stays within the new capacity."""
    bucket = TokenBucket(BucketLimit(1_000, 1_000), 0)
    bucket.change(HUNDRED, 0)
    assert bucket.take(90, 0)
    assert not bucket.take(1, 0)
    bucket.change(BucketLimit(1_000, 1_000), 0)
    assert not bucket.take(1, 0)


def test_a_bucket_of_nothing_is_refused() -> None:
    """Limits are above nothing, or nobody could ever send."""
    with pytest.raises(ValueError):
        BucketLimit(0, 10)
    with pytest.raises(ValueError):
        BucketLimit(10, 0)
