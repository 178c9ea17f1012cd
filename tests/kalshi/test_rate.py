"""An account's buckets: which of them pays for what."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

import pytest
import trio

from arb.io.clock import VirtualClock
from arb.kalshi.rate import (
    BASIC,
    CANCELS_PER_BATCH_MAX,
    AccountLimits,
    EndpointCosts,
    RateBudget,
)
from arb.kalshi.token_bucket import BucketLimit

PRIME = AccountLimits("prime", BucketLimit(8000, 4000), BucketLimit(8000, 4000))


async def test_cancels_and_sales_find_tokens_when_entries_do_not(autojump_clock: object) -> None:
    """Entries and moves leave room for a sale and cancels, sales for cancels, cancels for none."""
    budget = RateBudget(VirtualClock(0))
    entries = sum(budget.take_entry(0) for _ in range(20))
    assert not budget.take_amend(0)
    sales = sum(budget.take_exit(0) for _ in range(20))

    assert (entries, sales) == (6, 1)
    assert [budget.take_cancel() for _ in range(11)] == [True] * 10 + [False]
    assert budget.cancel_wait_s() == pytest.approx(0.02)


async def test_time_brings_tokens_back(autojump_clock: object) -> None:
    """At the account's own speed."""
    budget = RateBudget(VirtualClock(0))
    while budget.take_exit(0):
        pass
    await trio.sleep(0.1)

    assert budget.take_exit(0)
    assert not budget.take_exit(0)


@pytest.mark.parametrize("moving", [2, 3, 4, 6])
async def test_sales_that_move_all_the_time_leave_room_for_a_new_one(
    moving: int, autojump_clock: object
) -> None:
    """Four times a second, for a minute, all that can be paid for; a new one can be each time."""
    budget = RateBudget(VirtualClock(0))
    moved = 0
    for quarter in range(240):
        moved += sum(budget.take_amend(0) for _ in range(moving))
        if quarter % 20 == 19:
            assert budget.take_exit(0)
        await trio.sleep(0.25)

    # What new sales leave of ten a second is still spent on moves.
    assert moved >= min(moving * 240, 10 * 60 - 12)


async def test_each_shard_but_the_first_has_a_bucket_of_its_own(autojump_clock: object) -> None:
    """What names a shard leaves the others' tokens alone."""
    budget = RateBudget(VirtualClock(0))
    while budget.take_entry(3):
        pass

    assert budget.take_entry(0)
    assert budget.take_entry(1)
    assert not budget.take_entry(3)
    assert "write[3]=" in repr(budget)


async def test_what_its_ticker_routes_is_paid_everywhere(autojump_clock: object) -> None:
    """A cancel that names no shard takes tokens from each, and needs them in each."""
    budget = RateBudget(VirtualClock(0))
    while budget.take_exit(3):
        pass
    assert [budget.take_cancel() for _ in range(11)] == [True] * 10 + [False]
    # Twenty went from the common bucket as well.
    assert sum(budget.take_entry(0) for _ in range(20)) == 4
    assert not budget.take_entry(None)


async def test_a_batch_of_cancels_is_paid_from_the_common_bucket(autojump_clock: object) -> None:
    """Two for each, and no more of them than can be paid."""
    budget = RateBudget(VirtualClock(0))
    assert budget.affordable_cancels() == CANCELS_PER_BATCH_MAX
    assert budget.take_cancels(20)
    assert budget.take_cancels(20)
    assert budget.affordable_cancels() == 5
    assert not budget.take_cancels(6)


async def test_what_was_not_sent_is_not_paid(autojump_clock: object) -> None:
    """It is given back to every bucket that paid."""
    budget = RateBudget(VirtualClock(0))
    while budget.take_cancel():
        pass
    budget.give_back(2, None)

    assert budget.take_cancel()
    assert not budget.take_cancel()


async def test_reads_wait_for_their_tokens(autojump_clock: object) -> None:
    """Forty reads at 20 a second with a bucket of 0.9 seconds take 1.1 seconds."""
    budget = RateBudget(VirtualClock(0))
    async with trio.open_nursery() as nursery:
        for _ in range(40):
            nursery.start_soon(budget.read, "/portfolio/orders")

    assert trio.current_time() == pytest.approx(1.1)


@pytest.mark.parametrize("limits, seconds", [(BASIC, 1.1), (PRIME, 0.3)])
async def test_the_balance_has_a_bucket_of_its_own(
    limits: AccountLimits, seconds: float, autojump_clock: object
) -> None:
    """It is read once a second in the lower tiers, five times in the higher, and costs no read."""
    budget = RateBudget(VirtualClock(0), limits)
    await budget.read("/portfolio/balance")
    assert trio.current_time() == 0
    budget.refused_read("/portfolio/balance")
    await budget.read("/portfolio/balance")

    assert trio.current_time() == pytest.approx(seconds)
    await budget.read("/portfolio/orders")
    assert trio.current_time() == pytest.approx(seconds)


async def test_other_writes_wait_for_the_common_bucket(autojump_clock: object) -> None:
    """A request for an order group is paid for like an order, and waits for what it costs."""
    budget = RateBudget(VirtualClock(0))
    while budget.take_cancel():
        pass
    await budget.write("PUT", "/portfolio/order_groups/x/reset")

    assert trio.current_time() == pytest.approx(0.1)


async def test_a_429_empties_the_buckets_that_paid(autojump_clock: object) -> None:
    """The exchange knows better than our own count."""
    budget = RateBudget(VirtualClock(0))
    budget.take_entry(3)
    budget.refused_read("/portfolio/orders")
    budget.refused_write(3)

    assert budget.take_entry(0)
    assert not budget.take_exit(3)
    budget.refused_write(None)
    assert not budget.take_entry(0)
    await budget.read("/portfolio/orders")
    assert trio.current_time() == pytest.approx(0.3)


async def test_the_accounts_own_limits_and_costs_are_taken_over(autojump_clock: object) -> None:
    """A higher tier fills faster; what was spent stays spent; costs are the exchange's."""
    budget = RateBudget(VirtualClock(0))
    budget.refused_write(0)
    dear = EndpointCosts(10, {("POST", "/trade-api/v2/portfolio/events/orders"): 300})
    budget.apply(PRIME, dear)

    assert not budget.take_entry(0)
    await trio.sleep(0.09)
    assert budget.take_entry(0)
    assert not budget.take_entry(0)
    await trio.sleep(0.01)
    assert budget.take_amend(0)
    assert (budget.create_cost, budget.amend_cost, budget.cancel_cost) == (300, 10, 10)
    assert "prime" in repr(budget)


@pytest.mark.parametrize(
    "path",
    [
        "/trade-api/v2/portfolio/events/orders/:order_id",
        "/portfolio/events/orders/{order_id}",
        "/portfolio/events/orders/*order_id",
    ],
)
def test_costs_are_found_however_a_parameter_is_spelled(path: str) -> None:
    """The exchange's router has its own spelling, its contract another."""
    costs = EndpointCosts(10, {("DELETE", path): 3})

    assert costs.of("DELETE", "/portfolio/events/orders/:order_id") == 3
    assert costs.of("DELETE", "/portfolio/events/orders") == 10
    assert costs.of("POST", "/portfolio/events/orders/:order_id") == 10


async def test_documented_costs_hold_until_the_accounts_are_read(autojump_clock: object) -> None:
    """Orders cost ten, cancels two, in a batch as well."""
    budget = RateBudget(VirtualClock(0))

    assert (budget.create_cost, budget.amend_cost) == (10, 10)
    assert (budget.cancel_cost, budget.batch_cancel_cost) == (2, 2)
