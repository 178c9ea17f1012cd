"""What an exit asks for at least, and when it waits no longer."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import Fill, Liquidity, Side
from arb.core.exit_parameters import Exits
from arb.core.exit_policy import (
    NO_FLOOR,
    Bought,
    Floors,
    break_even_e4,
    floors,
    own_fair,
    why_close,
)
from arb.core.fees import FeeMeter, FeeSchedule
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from tests.core.order_factory import CASH, NYY, PLAIN, fill

FREE = FeeSchedule("quadratic")
MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER


def bought(count: int = 500, cost: int = 2_500_000, fees: int = 0, **changes: Any) -> Bought:
    """Hold five contracts bought at 50 cents."""
    made = Bought(CountE2(count), MoneyE6(cost), MoneyE6(fees), since_ms=1_000, fair=0.55)
    return attrs.evolve(made, **changes)


@pytest.mark.parametrize("count, worth", [(500, 0.7), (-500, 0.3)])
def test_no_is_worth_what_yes_is_not(count: int, worth: float) -> None:
    """Fair value of the side that is held follows from the chance of YES."""
    assert own_fair(0.7, count) == pytest.approx(worth)


@pytest.mark.parametrize("count", [500, -500])
def test_the_usual_exit_asks_for_fair_value_whatever_was_paid(count: int) -> None:
    """With the defaults nothing holds an exit back."""
    assert floors(bought(count), PLAIN, Exits()) == NO_FLOOR == Floors(PriceE4(0), PriceE4(0))


@pytest.mark.parametrize("count, fair, least", [
    (500, 0.55, 5_500),
    (-500, 0.45, 5_500),
    (500, 0.5512345, 5_513),
    (500, None, 0),
])  # fmt: skip
def test_it_may_be_kept_from_following_down(count: int, fair: float | None, least: int) -> None:
    """It then stays at what a contract was worth when it was bought, where that is known."""
    held = bought(count, fair=fair)

    assert floors(held, PLAIN, Exits(exit_follow_down=False)) == Floors(
        PriceE4(least), PriceE4(least)
    )


@pytest.mark.parametrize("fees, schedule, maker, taker", [
    (0, FREE, 5_000, 5_175),
    (0, PLAIN, 5_044, 5_175),
    (87_500, PLAIN, 5_219, 5_350),
    (12_345, FREE, 5_025, 5_200),
])  # fmt: skip
def test_break_even_pays_both_fees(
    fees: int, schedule: FeeSchedule, maker: int, taker: int
) -> None:
    """The purchase's fee is known to the last unit, and the sale's depends on where it is."""
    held = bought(fees=fees)

    assert floors(held, schedule, Exits(exit_break_even=True)) == Floors(
        PriceE4(maker), PriceE4(taker)
    )


def test_the_higher_of_two_floors_holds() -> None:
    """What was worth 55 cents when it was bought at 50 is not sold at break-even either."""
    both = Exits(exit_break_even=True, exit_follow_down=False)

    assert floors(bought(), PLAIN, both) == Floors(PriceE4(5_500), PriceE4(5_500))


@pytest.mark.parametrize("cost", [4_999_000, 5_000_000])
def test_where_no_price_pays_it_is_a_dollar(cost: int) -> None:
    """What was bought at 99.98 cents with a fee cannot be sold for as much."""
    assert break_even_e4(bought(cost=cost, fees=2_000), PLAIN, MAKER) == 10_000


@given(
    st.integers(1, 3_000),
    st.booleans(),
    st.integers(100, 9_700),
    st.integers(0, 20_000),
    st.sampled_from(Liquidity),
)
def test_a_sale_at_break_even_loses_nothing_and_a_unit_below_it_does(
    count: int, is_no: bool, paid: int, fees: int, liquidity: Liquidity
) -> None:
    """Judged by the ledger's own cash: buying and selling leave at least what there was."""
    held = bought(-count if is_no else count, cost=paid * count, fees=fees)
    price = break_even_e4(held, PLAIN, liquidity)
    if price >= 10_000:
        return

    assert _left_e6(held, price, paid, liquidity) >= 0
    assert _left_e6(held, price - 1, paid, liquidity) < 0


def _left_e6(held: Bought, own_e4: int, paid_e4: int, liquidity: Liquidity) -> int:
    """Buy and sell in a ledger, and return what that left."""
    ledger = Ledger(CASH)
    sides = (Side.BID, Side.ASK) if held.count_e2 > 0 else (Side.ASK, Side.BID)
    sold_e4 = _yes(own_e4, held)
    fee_e6 = FeeMeter(PLAIN).charge_e6(sold_e4, abs(held.count_e2), liquidity, sides[1])
    trades = ((_yes(paid_e4, held), held.fees_e6), (sold_e4, fee_e6))
    for number, (side, (price_e4, paid_fee_e6)) in enumerate(zip(sides, trades, strict=True)):
        ledger.book(_fill(number, side, price_e4, abs(held.count_e2), paid_fee_e6))
    return ledger.cash_e6 - CASH


def _fill(number: int, side: Side, price_e4: int, count_e2: int, fee_e6: int) -> Fill:
    return fill(
        f"t{number}",
        ticker=NYY,
        side=side,
        price_e4=PriceE4(price_e4),
        count_e2=CountE2(count_e2),
        fee_e6=MoneyE6(fee_e6),
    )


def _yes(own_e4: int, held: Bought) -> int:
    return own_e4 if held.count_e2 > 0 else 10_000 - own_e4


@pytest.mark.parametrize("after, now, waits", [
    (0, 10**12, True),
    (60, 60_999, True),
    (60, 61_000, False),
    (60, 90_000, False),
])  # fmt: skip
def test_it_waits_no_longer_than_it_may(after: int, now: int, waits: bool) -> None:
    """The time counts from the first fill; 0 waits for ever."""
    why = why_close(bought(), 0.55, now, Exits(exit_after_s=after))

    assert why == (None if waits else "held for 60 s")


@pytest.mark.parametrize("count, stop, fair, waits", [
    (500, 0, 0.01, True),
    (500, 10, 0.4001, True),
    (500, 10, 0.4000, False),
    (500, 10, 0.2000, False),
    (-500, 10, 0.5999, True),
    (-500, 10, 0.6000, False),
])  # fmt: skip
def test_it_waits_no_longer_than_a_loss(count: int, stop: int, fair: float, waits: bool) -> None:
    """The loss is by fair value of the side that is held, against what was paid for it."""
    why = why_close(bought(count), fair, 1_000, Exits(exit_stop=stop))

    assert why == (None if waits else "worth 10c less than was paid")


def test_what_was_paid_is_rounded_against_us() -> None:
    """An average that is no whole unit counts as the next one."""
    assert bought(300, cost=1_000_001).entry_e4 == 3_334


def test_settings_are_whole_cents() -> None:
    """Differences are given in the units that prices have."""
    made = Exits(exit_stop=7, flatten_step=4)

    assert (made.exit_stop_e4, made.flatten_step_e4) == (700, 400)
