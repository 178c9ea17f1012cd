"""A person's own orders and our sales, which share what is held between them."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import Purpose
from arb.core.events import Side
from arb.core.exposure import Exposures, claims, total_exposure_e6
from arb.core.ledger import HandOrder, Ledger
from arb.core.money import CountE2, PriceE4
from arb.core.orders import OrderState
from tests.core.order_factory import BOS, CASH, EXIT, NYY, hold, no_fee, order_in

TEN_E2 = 1_000


def asks(*prices_e4: int, ticker: str = NYY) -> tuple[HandOrder, ...]:
    """Return orders by hand that sell ten contracts each."""
    return tuple(
        HandOrder(f"x{number}", ticker, Side.ASK, PriceE4(price_e4), CountE2(TEN_E2))
        for number, price_e4 in enumerate(prices_e4)
    )


def claimed_e6(ledger: Ledger) -> int:
    """Return the cash that all orders may still take."""
    return sum(cash_e6 for _, cash_e6 in claims(ledger, no_fee))


def test_what_is_held_is_closed_once() -> None:
    """Ten are held and two orders sell ten each: one of them buys NO, the dearer at worst."""
    ledger = Ledger(CASH)
    hold(ledger, TEN_E2)
    ledger.by_hand = asks(7_000)
    assert (claimed_e6(ledger), total_exposure_e6(ledger, no_fee)) == (0, 5_000_000)
    ledger.by_hand = asks(9_000, 4_000, 4_000)
    assert claimed_e6(ledger) == 2 * 6_000_000
    assert total_exposure_e6(ledger, no_fee) == 2 * 6_000_000
    ledger.by_hand = asks(9_000, ticker=BOS)
    assert total_exposure_e6(ledger, no_fee) == 6_000_000


def test_a_sale_of_ours_closes_what_a_persons_then_opens() -> None:
    """Whichever comes first leaves the other to buy NO; ours alone adds nothing."""
    ledger = Ledger(CASH)
    hold(ledger, TEN_E2)
    kept = Exposures(ledger, no_fee)
    sale = order_in(OrderState.RESTING, "o9", wish=EXIT, ticker=NYY, count_e2=CountE2(TEN_E2))
    ledger.open_order(sale)
    assert (claimed_e6(ledger), kept.total_e6()) == (0, 5_000_000)
    ledger.by_hand = asks(4_000)
    assert (claimed_e6(ledger), kept.total_e6()) == (6_000_000, 6_000_000)
    ledger.by_hand = asks(9_900)
    assert sale.price_e4 < 9_900
    assert claimed_e6(ledger) == (10_000 - sale.price_e4) * TEN_E2
    assert kept.total_e6() == total_exposure_e6(ledger, no_fee)


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(("hand", "ours")),
        st.sampled_from(Side),
        st.integers(1, 9_999),
        st.integers(1, 900),
    ),
    max_size=4,
)


def taken_e6(held_e2: int, orders: tuple[tuple[str, Side, int, int], ...], side: Side) -> int:
    """Return the cash that the orders of a side take which fill one after the other."""
    left_e2, cash_e6 = max(0, held_e2 if side is Side.ASK else -held_e2), 0
    for _, each, price_e4, count_e2 in orders:
        if each is side:
            closing_e2 = min(left_e2, count_e2)
            left_e2 -= closing_e2
            own_e4 = price_e4 if side is Side.BID else 10_000 - price_e4
            cash_e6 += own_e4 * (count_e2 - closing_e2)
    return cash_e6


@given(st.integers(-1_500, 1_500), ORDERS)
def test_no_order_of_fills_takes_more_and_one_takes_as_much(
    held_e2: int, orders: list[tuple[str, Side, int, int]]
) -> None:
    """Every sequence tried, on each side on which a person has an order."""
    ledger = Ledger(CASH)
    if held_e2:
        hold(ledger, held_e2)
    for number, (whose, side, price_e4, count_e2) in enumerate(orders):
        price, count = PriceE4(price_e4), CountE2(count_e2)
        if whose == "hand":
            ledger.by_hand += (HandOrder(f"x{number}", NYY, side, price, count),)
        else:
            wish = {"side": side, "price_e4": price, "count_e2": count}
            made = order_in(OrderState.RESTING, f"o{number}", wish=EXIT, ticker=NYY, **wish)
            assert made.intent.purpose is Purpose.EXIT
            ledger.open_order(made)
    by_hand = {each.side for each in ledger.by_hand}

    assert claimed_e6(ledger) == sum(
        max(taken_e6(held_e2, each, side) for each in permutations(orders)) for side in by_hand
    )
