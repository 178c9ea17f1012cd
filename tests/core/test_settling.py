"""Markets that end, and accounts that are adopted: what the ledger says afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.adoption import AdoptedAccount, AdoptedOrder, AdoptedPosition, adopt
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6
from arb.core.orders import OrderState
from tests.core.order_factory import BOS, CASH, NYY, closed, fill, hold, ledger_with, order_in
from tests.core.order_factory import settlement as ended


@pytest.mark.parametrize(
    "held, value, paid, gain",
    [
        (500, 10_000, 5_000_000, 2_500_000),
        (500, 0, 0, -2_500_000),
        (500, 5_000, 2_500_000, 0),
        (-500, 10_000, 0, -2_500_000),
        (-500, 0, 5_000_000, 2_500_000),
        (-500, 5_000, 2_500_000, 0),
        (123, 3_333, 409_959, -205_041),
        (-123, 3_333, 820_041, 205_041),
    ],
)
def test_a_decided_market_pays_count_times_value(
    held: int, value: int, paid: int, gain: int
) -> None:
    """YES, NO, a tie and a price between: nothing is held then, and cash has what was paid."""
    ledger = Ledger(CASH)
    hold(ledger, held)
    before = ledger.cash_e6
    end = ended(held, value)

    assert ledger.settle(end)
    position = ledger.position(NYY)
    assert (position.count_e2, position.cost_e6) == (0, 0)
    assert (ledger.cash_e6 - before, position.realised_e6, end.paid_e6) == (paid, gain, paid)
    assert ledger.active_tickers() == []


def test_it_is_booked_once_by_ticker_and_time() -> None:
    """The same end again changes nothing; another one, at another time, may come."""
    ledger = Ledger(CASH)
    hold(ledger, 500)
    assert ledger.settle(ended(500, 10_000))
    ledger.book(fill("again", count_e2=CountE2(500), client_order_id=None))
    cash = ledger.cash_e6

    assert not ledger.settle(ended(500, 10_000))
    assert ledger.cash_e6 == cash
    assert ledger.settle(ended(500, 10_000, at_ms=9_001))


@pytest.mark.parametrize("held, count", [(0, 500), (300, 500), (-500, 500), (500, 0)])
def test_it_is_not_booked_against_another_count(held: int, count: int) -> None:
    """While a fill is missing here, or where nothing is held, nothing is paid out."""
    ledger = Ledger(CASH)
    if held:
        hold(ledger, held)
    cash = ledger.cash_e6

    assert not ledger.settle(ended(count, 10_000))
    assert (ledger.cash_e6, ledger.position(NYY).count_e2, ledger.settled) == (cash, held, set())


@given(st.integers(-900, 900).filter(bool), st.integers(1, 9_999), st.integers(0, 10_000))
def test_no_money_is_made_by_ending(held: int, price: int, value: int) -> None:
    """Whatever was paid and whatever it is worth: gain is what cash gained, to the last unit."""
    ledger = Ledger(CASH)
    hold(ledger, held, price_e4=price)
    ledger.settle(ended(held, value))

    assert ledger.cash_e6 - CASH == ledger.position(NYY).realised_e6


def test_adopting_replaces_cash_and_positions() -> None:
    """What the account names is so, and what it does not name is flat; gains and fees stay."""
    ledger = Ledger(CASH)
    ledger.book(fill("t1", ticker=NYY, fee_e6=MoneyE6(700), client_order_id=None))
    ledger.book(fill("t2", ticker=BOS, client_order_id=None))
    account = AdoptedAccount(
        MoneyE6(7),
        (AdoptedPosition(NYY, CountE2(-300), MoneyE6(9), MoneyE6(1_000)),),
        ("t9",),
    )
    adopt(ledger, account, at_ms=44)

    held = ledger.position(NYY)
    assert (ledger.cash_e6, ledger.adopted_ms) == (7, 44)
    assert (held.count_e2, held.cost_e6) == (-300, 9)
    assert (held.fees_e6, held.fees_before_e6) == (700, 300)
    assert ledger.position(BOS).count_e2 == 0
    assert not ledger.book(fill("t9"))


def test_adopting_says_how_much_of_orders_may_still_fill() -> None:
    """A resting order has what rests, and one that has ended waits for no fill any more."""
    ended_order = order_in(OrderState.RESTING, name="o2")
    ended_order.apply(closed("o2", filled=400))
    ledger = ledger_with(order_in(OrderState.RESTING), ended_order)
    assert [order.at_stake_e2 for order in ledger.at_stake(NYY)] == [500, 400]
    orders = (AdoptedOrder("o1", CountE2(200)), AdoptedOrder("o2", CountE2(0)))
    adopt(ledger, AdoptedAccount(CASH, (), (), orders), at_ms=1)

    assert [(o.client_order_id, o.at_stake_e2) for o in ledger.at_stake(NYY)] == [("o1", 200)]
    assert ledger.active_tickers() == [NYY]


def test_fees_that_nobody_told_are_left_as_they_are() -> None:
    """An account without fees, as older journals have it, says nothing of them."""
    ledger = Ledger(CASH)
    account = AdoptedAccount(CASH, (AdoptedPosition(NYY, CountE2(100), MoneyE6(9)),), ())
    adopt(ledger, account, at_ms=1)

    assert ledger.position(NYY).fees_before_e6 == 0
    assert ledger.position(NYY).count_e2 == 100
