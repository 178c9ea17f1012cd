"""The two ways to hold one opinion, priced."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import Liquidity, Side
from arb.core.fees import FeeSchedule
from arb.core.money import CountE2, PriceE4
from arb.core.ways import Outcome, Way, preferred, way_of

FEES = FeeSchedule("quadratic_with_maker_fees")
FIVE = CountE2(500)


def yes(price: int, liquidity: Liquidity = Liquidity.TAKER) -> Way:
    """Price five YES."""
    return way_of(Outcome.YES, PriceE4(price), FIVE, liquidity, FEES)


def no(price: int, liquidity: Liquidity = Liquidity.TAKER) -> Way:
    """Price five NO at a YES price."""
    return way_of(Outcome.NO, PriceE4(price), FIVE, liquidity, FEES)


def test_an_outcome_knows_its_side_and_its_price() -> None:
    """YES is bought on the bid at its price, NO on the ask at a dollar less it."""
    assert (Outcome.YES.side, Outcome.NO.side) == (Side.BID, Side.ASK)
    assert (Outcome.YES.other, Outcome.NO.other) == (Outcome.NO, Outcome.YES)
    assert Outcome.YES.own_price_e4(PriceE4(4_300)) == 4_300
    assert Outcome.NO.own_price_e4(PriceE4(4_300)) == 5_700


def test_both_ways_cost_their_price_and_the_fee() -> None:
    """Five YES at 57 cents and five NO against a bid of 43 cost the same, fee included."""
    assert (yes(5_700).outcome, no(4_300).outcome) == (Outcome.YES, Outcome.NO)
    assert (yes(5_700).price_e4, no(4_300).price_e4) == (5_700, 5_700)
    assert yes(5_700).cost_e6 == no(4_300).cost_e6 == 5_700 * 500 + 85_800
    assert yes(5_700).contract_e4 == 5_872


def test_the_cheaper_way_is_preferred_and_yes_where_both_are_equal() -> None:
    """Whoever asks, in whichever order."""
    for dear, cheap in ((yes(5_700), no(4_310)), (no(4_300), yes(5_690)), (no(4_300), yes(5_700))):
        assert preferred(dear, cheap) is preferred(cheap, dear) is cheap


def test_what_fills_now_is_preferred_to_what_may_not_fill() -> None:
    """A taker's way before a maker's, although the maker's costs less."""
    resting = yes(5_600, Liquidity.MAKER)

    assert preferred(resting, no(4_300)).outcome is Outcome.NO
    assert preferred(no(4_300), resting).outcome is Outcome.NO
    assert preferred(resting, no(4_300, Liquidity.MAKER)) is resting


@given(st.integers(1, 9_999), st.integers(1, 5_000), st.sampled_from(Liquidity))
def test_a_no_costs_what_a_yes_at_its_price_costs(
    price: int, count: int, liquidity: Liquidity
) -> None:
    """The exchange charges both alike, to the last unit."""
    bought = way_of(Outcome.NO, PriceE4(price), CountE2(count), liquidity, FEES)
    same = way_of(Outcome.YES, PriceE4(10_000 - price), CountE2(count), liquidity, FEES)

    assert (bought.cost_e6, bought.price_e4) == (same.cost_e6, same.price_e4)
