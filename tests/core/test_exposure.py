"""The most that can be lost."""

from __future__ import annotations

import pytest

from arb.core.events import Liquidity, Side
from arb.core.exposure import (
    claims,
    entry_cost_e6,
    market_losses,
    order_cost_e6,
    total_exposure_e6,
    worst_e6,
)
from arb.core.ledger import HandOrder, Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from tests.core.order_factory import (
    BOS,
    CASH,
    EXIT,
    NYY,
    PLAIN,
    accepted,
    closed,
    fill,
    hold,
    ledger_with,
    no_fee,
    order,
    order_in,
    plain_fee,
)

FIVE_AT_FIFTY = 2_500_000


def test_an_entry_costs_its_price_and_a_takers_fee() -> None:
    """A maker's order is counted with the dearer fee, because nobody knows what it will pay."""
    fee = PLAIN.fee_e6(5_000, 500, Liquidity.TAKER)
    cost = entry_cost_e6(NYY, Side.BID, PriceE4(5_000), CountE2(500), plain_fee)

    assert cost == FIVE_AT_FIFTY + fee
    assert fee > PLAIN.fee_e6(5_000, 500, Liquidity.MAKER) > 0


def test_an_entry_by_selling_costs_what_no_costs() -> None:
    """To sell YES at 60 cents from flat is to buy NO at 40."""
    cost = entry_cost_e6(NYY, Side.ASK, PriceE4(6_000), CountE2(100), no_fee)

    assert cost == 400_000


@pytest.mark.parametrize("count, cost", [(200, 1_000_000), (-200, 1_000_000), (0, 0)])
def test_a_position_can_lose_what_it_cost(count: int, cost: int) -> None:
    """Either side, at worst all that was paid for it is gone."""
    ledger = Ledger(CASH)
    if count:
        hold(ledger, count)

    assert worst_e6(market_losses(ledger, NYY, no_fee)) == cost


@pytest.mark.parametrize(
    "state, exposed",
    [
        (OrderState.PENDING, FIVE_AT_FIFTY),
        (OrderState.RESTING, FIVE_AT_FIFTY),
        (OrderState.UNKNOWN, FIVE_AT_FIFTY),
        (OrderState.CLOSED, 0),
        (OrderState.REFUSED, 0),
    ],
)
def test_an_entry_counts_until_its_end(state: OrderState, exposed: int) -> None:
    """Pending, resting and unknown entries count in full; ended ones do not."""
    assert order_cost_e6(order_in(state), no_fee) == exposed


def test_an_ended_entry_counts_what_filled_and_is_not_booked() -> None:
    """What an answer says has filled is at risk before its fill is here."""
    one = order()
    one.apply(accepted(filled=200, remaining=0))

    assert order_cost_e6(one, no_fee) == 1_000_000


@pytest.mark.parametrize("state", OrderState)
def test_exits_add_nothing(state: OrderState) -> None:
    """An exit only lessens a position, whatever its state."""
    assert order_cost_e6(order_in(state, wish=EXIT), plain_fee) == 0


def test_a_fill_moves_exposure_from_the_order_to_the_position() -> None:
    """Booking a part of an entry neither hides nor doubles what it may lose."""
    ledger = ledger_with(order_in(OrderState.RESTING))
    before = worst_e6(market_losses(ledger, NYY, no_fee))
    ledger.book(fill())

    assert worst_e6(market_losses(ledger, NYY, no_fee)) == before == FIVE_AT_FIFTY


def test_the_answer_before_its_fills_changes_nothing() -> None:
    """Answered but not booked, and booked but not answered, count the same."""
    answered, booked = ledger_with(order()), ledger_with(order())
    answered.report(accepted(filled=200, remaining=300))
    booked.book(fill())

    exposures = {total_exposure_e6(ledger, no_fee) for ledger in (answered, booked)}
    assert exposures == {FIVE_AT_FIFTY}


def test_an_empty_market_exposes_nothing() -> None:
    """Where nothing is held and nothing is out, nothing can be lost."""
    ledger = Ledger(CASH)

    assert worst_e6(market_losses(ledger, NYY, no_fee)) == 0
    assert total_exposure_e6(ledger, no_fee) == 0


def test_the_total_is_the_sum_over_all_markets() -> None:
    """Positions and orders of every market count, exits and ended orders do not."""
    ledger = ledger_with(
        order("o1"),
        order("o2", ticker=BOS, price_e4=PriceE4(2_000)),
        order("o3", wish=EXIT),
        order("o4", ticker="third"),
    )
    hold(ledger, 100, ticker="held only")
    ledger.report(closed("o4"))

    assert total_exposure_e6(ledger, no_fee) == FIVE_AT_FIFTY + 1_000_000 + 500_000


def test_each_market_brings_its_own_fee() -> None:
    """The fee is asked for with the market, the price and what is still at stake."""
    asked = []

    def fee_of(ticker: str, price: PriceE4, count: CountE2, liquidity: Liquidity) -> MoneyE6:
        asked.append((ticker, price, count, liquidity))
        return MoneyE6(7)

    ledger = ledger_with(order_in(OrderState.RESTING))
    ledger.book(fill())

    assert total_exposure_e6(ledger, fee_of) == FIVE_AT_FIFTY + 7
    assert asked == [(NYY, 5_000, 300, Liquidity.TAKER)]


@pytest.mark.parametrize(
    "side, held, cost, worst",
    [
        (Side.BID, 0, 1_000_000, 1_000_000),
        (Side.ASK, 0, 4_000_000, 4_000_000),
        (Side.BID, -200, 600_000, 1_000_000),
        (Side.BID, -900, 0, 4_500_000),
        (Side.ASK, 300, 1_600_000, 1_600_000),
        (Side.ASK, 400, 800_000, 2_000_000),
        (Side.BID, 300, 1_000_000, 2_500_000),
    ],
)
def test_a_persons_own_order_counts_as_far_as_it_opens(
    side: Side, held: int, cost: int, worst: int
) -> None:
    """Five contracts by hand at 20 cents: what closes a position adds nothing.

    What opens the other side of it can only be lost where the position is won.
    """
    ledger = Ledger(CASH)
    if held:
        hold(ledger, held)
    ledger.by_hand = (HandOrder("x", NYY, side, PriceE4(2_000), CountE2(500)),)

    assert dict(claims(ledger, no_fee)) == ({NYY: cost} if cost else {})
    assert total_exposure_e6(ledger, no_fee) == worst
