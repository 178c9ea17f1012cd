"""Conditions of the simulated servers know whether they have changed what anybody gets."""

from __future__ import annotations

import pytest

from arb.sim.conditions import Conditions, ExchangeConditions, OddsConditions, OrderAnswer
from arb.sim.exchange.resting import cancel
from arb.sim.exchange.values import BookSide, Lifetime
from tests.sim.sim_client import Bench, Member, order_wish

BID, ASK = BookSide.BID, BookSide.ASK


@pytest.mark.parametrize("conditions", [ExchangeConditions(), OddsConditions()])
def test_what_is_off_strikes_nothing(conditions: Conditions) -> None:
    """Asking counts only where the condition is on; being on counts for nothing."""
    assert not conditions.holds("rest_status")
    conditions.rest_status = 503  # type: ignore[attr-defined]
    assert conditions.strikes == {}
    assert conditions.holds("rest_status")
    assert conditions.strikes == {"rest_status": 1}


def test_what_happens_once_strikes_once() -> None:
    """Counted faults, skipped numbers and an end count what they have done."""
    conditions = ExchangeConditions(cross_books=1, skip_sequences=3, end_subscription=25)
    for _ in range(3):
        conditions.take("cross_books")
        conditions.take_skip()
        conditions.take_end()

    assert conditions.strikes == {"cross_books": 1, "skip_sequences": 1, "end_subscription": 1}


async def test_a_spoiled_answer_strikes(member: Member, bench: Bench) -> None:
    """By kind of request and answer; requests of other kinds do not count."""
    bench.venue.conditions.cancel_answer = OrderAnswer.REFUSE
    bench.venue.conditions.cancel_delay_s = 1.0
    wish = order_wish(bench.home.ticker, "bid", "0.39", "1.00")
    await member.call("POST", "/portfolio/events/orders", wish)
    assert bench.venue.conditions.strikes == {}

    (order,) = bench.member.resting.values()
    await member.call(
        "DELETE", f"/portfolio/events/orders/{order.order_id}?market_ticker={bench.home.ticker}"
    )
    assert bench.venue.conditions.strikes == {"cancel_answer refuse": 1, "cancel_delay_s": 1}


async def test_a_read_strikes_where_it_shows_what_was(member: Member, bench: Bench) -> None:
    """And only if it would be another one without the condition; the usual lag is none."""
    conditions = bench.venue.conditions
    conditions.stale_read_ms = conditions.stale_position_ms = conditions.stale_balance_ms = 3_000
    bench.place(bench.maker, ASK, 4_000, 300)
    order = bench.place(bench.member, BID, 3_000, 100).order
    bench.later(5_000)
    for path in ("orders", "positions", "balance"):
        await member.get(f"/portfolio/{path}")
    assert conditions.strikes == {}

    bench.place(bench.member, BID, 4_000, 100, Lifetime.IMMEDIATE_OR_CANCEL)
    cancel(bench.venue, bench.member, order.order_id, 3)
    bench.later(300)
    await member.get("/portfolio/orders")
    assert conditions.strikes == {}
    bench.later(1_000)
    for path in ("orders", "positions", "balance"):
        await member.get(f"/portfolio/{path}")
    assert set(conditions.strikes) == {"stale_read_ms", "stale_position_ms", "stale_balance_ms"}


async def test_a_list_strikes_where_something_is_left_out(member: Member, bench: Bench) -> None:
    """A list that lags and leaves nothing out is as it should be."""
    bench.venue.conditions.read_lag_ms = 2_000
    bench.place(bench.member, BID, 3_000, 100)
    bench.later(2_000)
    await member.get("/portfolio/orders")
    assert bench.venue.conditions.strikes == {}
    bench.place(bench.member, BID, 3_000, 100)
    await member.get("/portfolio/orders")
    assert bench.venue.conditions.strikes == {"read_lag_ms": 1}
