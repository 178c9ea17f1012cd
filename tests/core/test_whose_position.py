"""Whose a position is, what its open part cost in fees, and since when it stands."""

from __future__ import annotations

from typing import Any

import pytest

from arb.core.adoption import AdoptedAccount, AdoptedOrder, AdoptedPosition, adopt
from arb.core.events import Fill, Side
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from tests.core.order_factory import (
    CASH,
    EXIT,
    NYY,
    accepted,
    fill,
    ledger_with,
    order,
    order_in,
    settlement,
)

BUY, SELL = Side.BID, Side.ASK


def own(trade: str, count: int, side: Side = BUY, **changes: Any) -> Fill:
    """Fill our own entry."""
    return fill(trade, count_e2=CountE2(count), side=side, **changes)


def hand(trade: str, count: int, side: Side = BUY, **changes: Any) -> Fill:
    """Fill an order that a person placed by hand."""
    return own(trade, count, side, client_order_id=None, order_id="by-hand", **changes)


@pytest.mark.parametrize("fills, held, ours", [
    ([own("a", 500)], 500, 500),
    ([hand("a", 500)], 500, 0),
    ([own("a", 300), hand("b", 200)], 500, 300),
    ([hand("a", 200), own("b", 300)], 500, 300),
    ([own("a", 500), hand("b", 200, SELL)], 300, 300),
    ([own("a", 500), hand("b", 200, SELL), hand("c", 200)], 500, 500),
    ([own("a", 500), hand("b", 800, SELL)], -300, 0),
    ([own("a", 500), hand("b", 500, SELL), hand("c", 300)], 300, 0),
    ([own("a", 300, SELL)], -300, -300),
    ([own("a", 300, SELL), hand("b", 500)], 200, 0),
    ([own("a", 300), own("b", 500, SELL)], -200, -200),
    ([hand("a", 500, SELL), own("b", 300)], -200, 0),
])  # fmt: skip
def test_only_what_our_orders_bought_is_ours(fills: list[Fill], held: int, ours: int) -> None:
    """A person's contracts are not ours to sell, and what he sold of ours is gone."""
    ledger = ledger_with(order(count_e2=CountE2(10_000)))
    for each in fills:
        ledger.book(each)

    assert ledger.position(NYY).count_e2 == held
    assert ledger.position(NYY).ours_e2 == ours


def test_a_fill_that_is_known_as_ours_later_is_ours_from_then_on() -> None:
    """The exchange's list names no id of ours: the answer to the order does."""
    ledger = ledger_with(order())
    ledger.book(own("a", 200, client_order_id=None))
    assert ledger.position(NYY).ours_e2 == 0

    ledger.report(accepted("o1", filled=200, remaining=300))

    assert ledger.position(NYY).ours_e2 == 200


def test_whose_it_was_does_not_matter_once_nothing_is_left() -> None:
    """A sale that is known as ours after it left nothing takes nothing from what comes next."""
    sale = order("o2", EXIT)
    ledger = ledger_with(order(count_e2=CountE2(10_000)), sale)
    ledger.book(own("a", 500))
    ledger.book(own("b", 500, SELL, client_order_id=None, order_id="x-o2"))
    assert ledger.position(NYY).own_e2 == 0

    ledger.report(accepted("o2", filled=500, remaining=0))
    ledger.book(own("c", 300))

    assert ledger.position(NYY).ours_e2 == 300


def test_a_market_that_ends_leaves_nothing_that_is_ours() -> None:
    """After its settlement a position begins anew."""
    ledger = ledger_with(order())
    ledger.book(own("a", 500, fee_e6=MoneyE6(70)))
    assert ledger.settle(settlement(500, 10_000))

    position = ledger.position(NYY)
    assert (position.own_e2, position.open_fees_e6, position.opened_ms) == (0, 0, 0)


@pytest.mark.parametrize("held, ours", [(500, 300), (200, 200), (0, 0), (-100, 0)])
def test_what_the_exchange_has_beside_ours_is_a_persons(held: int, ours: int) -> None:
    """Taking the exchange's word makes no contract ours that no order of ours bought."""
    ledger = ledger_with(order(count_e2=CountE2(10_000)))
    ledger.book(own("a", 300))

    adopt(ledger, AdoptedAccount(CASH, (AdoptedPosition(NYY, CountE2(held), MoneyE6(0)),), ()), 7)

    assert ledger.position(NYY).ours_e2 == ours


@pytest.mark.parametrize("state", [OrderState.RESTING, OrderState.CLOSED])
def test_what_our_order_filled_unseen_is_ours(state: OrderState) -> None:
    """What is at stake of an order and will not come any more is in the position, as ours."""
    one = order_in(state)
    one.reported_filled_e2 = CountE2(300)
    ledger = ledger_with(one)
    left = CountE2(200 if state is OrderState.RESTING else 0)

    held = AdoptedPosition(NYY, CountE2(400), MoneyE6(0))
    adopt(ledger, AdoptedAccount(CASH, (held,), (), (AdoptedOrder("o1", left),)), 7)

    assert ledger.position(NYY).ours_e2 == 300
    assert ledger.position(NYY).opened_ms == 7


@pytest.mark.parametrize("filled, ours", [(0, 500), (100, 400), (200, 300)])
def test_what_a_person_has_taken_off_our_order_has_not_filled(filled: int, ours: int) -> None:
    """Of a sale of five three rest, and the exchange says what has filled: the rest stays ours."""
    ledger = ledger_with(order())
    ledger.book(own("a", 500))
    sale = order("o2", EXIT)
    ledger.open_order(sale)
    ledger.report(accepted("o2"))

    held = AdoptedPosition(NYY, CountE2(500 - filled), MoneyE6(0))
    there = AdoptedOrder("o2", CountE2(300), CountE2(filled))
    adopt(ledger, AdoptedAccount(CASH, (held,), (), (there,)), 7)

    assert ledger.position(NYY).ours_e2 == ours
    assert (sale.at_stake_e2, sale.filled_e2, sale.count_e2) == (300, filled, 300 + filled)
    ledger.report(accepted("o2", filled=filled, remaining=300))
    assert sale.reported_filled_e2 <= sale.filled_e2


def test_a_list_that_is_behind_the_fills_gives_nothing_back() -> None:
    """What was booked stays booked, whatever the list of orders says of it yet."""
    one = order_in(OrderState.RESTING)
    ledger = ledger_with(one)
    ledger.book(own("a", 300, client_order_id="o1"))
    there = AdoptedOrder("o1", CountE2(200), CountE2(100))
    held = AdoptedPosition(NYY, CountE2(300), MoneyE6(0))
    adopt(ledger, AdoptedAccount(CASH, (held,), (), (there,)), 7)

    assert ledger.position(NYY).ours_e2 == 300
    assert (one.filled_e2, one.at_stake_e2) == (300, 200)


@pytest.mark.parametrize("fills, fees", [
    ([own("a", 500, fee_e6=MoneyE6(100))], 100),
    ([own("a", 500, fee_e6=MoneyE6(100)), own("b", 200, SELL, fee_e6=MoneyE6(9))], 60),
    ([own("a", 500, fee_e6=MoneyE6(100)), own("b", 500, SELL, fee_e6=MoneyE6(9))], 0),
    ([own("a", 200, fee_e6=MoneyE6(100)), own("b", 500, SELL, fee_e6=MoneyE6(50))], 30),
])  # fmt: skip
def test_the_fees_of_what_is_open_are_known(fills: list[Fill], fees: int) -> None:
    """A purchase adds its fee, a sale takes its share with it, a flip leaves the opening part."""
    ledger = Ledger(CASH)
    for each in fills:
        ledger.book(each)

    assert ledger.position(NYY).open_fees_e6 == fees


def test_a_position_stands_since_its_first_fill() -> None:
    """A further fill changes nothing; one that turns it over begins another."""
    ledger = Ledger(CASH)
    since = []
    for at_ms, each in enumerate((own("a", 300), own("b", 200), own("c", 600, SELL)), start=1):
        ledger.book(own(each.trade_id, each.count_e2, each.side, at_ms=at_ms))
        since.append(ledger.position(NYY).opened_ms)

    assert since == [1, 1, 3]


def test_what_is_open_is_averaged_over_what_it_cost() -> None:
    """The average price is as before: fees are beside it."""
    ledger = Ledger(CASH)
    ledger.book(own("a", 200, price_e4=PriceE4(4_000), fee_e6=MoneyE6(50)))

    assert ledger.position(NYY).entry_e4 == 4_000
