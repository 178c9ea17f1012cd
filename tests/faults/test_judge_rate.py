"""The judge of the rate limits: what is too fast is found, and what is not is left alone."""

# flake8: noqa: ASYNC124 - what is judged is stamped with the time of a running loop

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.faults.judge_rate import RateJudge
from arb.faults.requests import SeenRequest
from arb.faults.trace import Trace
from arb.sim.exchange.tiers import ADVANCED

ROOT = "/trade-api/v2"
ORDERS = f"{ROOT}/portfolio/events/orders"


@pytest.fixture
def judge() -> RateJudge:
    """Return a judge of an engine that starts now."""
    judge = RateJudge(ADVANCED, Trace())
    judge.started(100.0)
    return judge


def order(**body: Any) -> SeenRequest:
    """Return a new order."""
    return SeenRequest("POST", ORDERS, {"ticker": "KXMLBGAME-1", **body})


@pytest.mark.parametrize(
    "request_, most",
    [
        (SeenRequest("GET", f"{ROOT}/portfolio/positions?limit=1"), 60),
        (SeenRequest("GET", f"{ROOT}/portfolio/orders/abc"), 300),
        (order(exchange_index=3), 60),
        (order(), 60),
        (SeenRequest("POST", f"{ORDERS}/abc/amend", {"ticker": "KXMLBGAME-1"}), 60),
        (SeenRequest("DELETE", f"{ORDERS}/abc?market_ticker=KXMLBGAME-1"), 300),
        (SeenRequest("DELETE", f"{ORDERS}/batched", {"orders": [{}] * 20}), 15),
        (SeenRequest("PUT", f"{ROOT}/portfolio/order_groups/abc/reset"), 60),
    ],
)
async def test_a_bucket_holds_so_many_requests_and_not_one_more(
    autojump_clock: object, judge: RateJudge, request_: SeenRequest, most: int
) -> None:
    """Six hundred tokens are there at once, and each endpoint has its documented price."""
    for _ in range(most):
        judge.request(request_, 100.0)
    assert not judge.trace.violations
    judge.request(request_, 100.0)
    assert judge.trace.violations[0].rule == "I11"


async def test_tokens_come_back_with_time_and_not_beyond_the_bucket(
    autojump_clock: object, judge: RateJudge
) -> None:
    """After an hour there are as many as after two seconds; a new life begins with all of them."""
    for now_s in (100.0, 3_700.0, 3_702.0):
        for _ in range(60):
            judge.request(order(exchange_index=0), now_s)
    assert not judge.trace.violations
    judge.started(3_702.0)
    judge.request(order(exchange_index=0), 3_702.0)
    assert not judge.trace.violations


async def test_each_shard_has_a_bucket_and_what_names_none_pays_in_all(
    autojump_clock: object, judge: RateJudge
) -> None:
    """An order that only its market routes finds no room where one bucket is empty."""
    for shard in (1, 2):
        for _ in range(60):
            judge.request(order(exchange_index=shard), 100.0)
    assert not judge.trace.violations
    judge.request(order(), 100.0)
    assert len(judge.trace.violations) == 2


async def test_an_entry_leaves_room_for_cancels(autojump_clock: object, judge: RateJudge) -> None:
    """What a sale may spend is more than an entry may."""
    for _ in range(58):
        judge.request(order(exchange_index=0), 100.0, is_entry=True)
    assert not judge.trace.violations
    judge.request(order(exchange_index=0), 100.0)
    assert not judge.trace.violations
    judge.request(order(exchange_index=0), 100.0, is_entry=True)
    assert len(judge.trace.violations) == 1


async def test_what_is_not_signed_costs_nothing(autojump_clock: object, judge: RateJudge) -> None:
    """Buckets are an account's; a lane is kept warm by asking as nobody."""
    status = SeenRequest("GET", f"{ROOT}/exchange/status", signed=False)
    for _ in range(1_000):
        judge.request(status, 100.0)
    assert not judge.trace.violations


async def test_the_balance_is_read_once_a_second(autojump_clock: object, judge: RateJudge) -> None:
    """It has a bucket of its own, of one."""
    balance = SeenRequest("GET", f"{ROOT}/portfolio/balance")
    for now_s in (100.0, 101.0, 102.0):
        judge.request(balance, now_s)
    assert not judge.trace.violations
    judge.request(balance, 102.9)
    assert len(judge.trace.violations) == 1


async def test_an_engine_is_held_to_a_tier_once_it_can_know_it(autojump_clock: object) -> None:
    """Before, it may spend what the lowest documented tier has; what it has spent stays spent."""
    judge = RateJudge(attrs.evolve(ADVANCED, write_per_s=30, write_capacity=30), Trace())
    judge.started(100.0)
    for _ in range(8):
        judge.request(order(exchange_index=0), 100.0)
    judge.limits_read(100.0)
    for _ in range(2):
        judge.request(order(exchange_index=0), 100.0)
    assert not judge.trace.violations
    judge.request(order(exchange_index=0), 100.0)
    assert len(judge.trace.violations) == 1
