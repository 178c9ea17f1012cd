"""The two ways to hold one opinion, priced."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import Liquidity
from arb.core.fees import FeeSchedule
from arb.core.money import CountE2, PriceE4
from arb.core.ways import Outcome, cheaper, no_way, yes_way

FEES = FeeSchedule("quadratic_with_maker_fees")
FIVE = CountE2(500)


def test_both_ways_cost_their_price_and_the_fee() -> None:
    """Five YES at 57 cents and five NO against a bid of 43 cost the same, fee included."""
    yes = yes_way(PriceE4(5_700), FIVE, Liquidity.TAKER, FEES)
    no = no_way(PriceE4(4_300), FIVE, FEES)

    assert (yes.outcome, no.outcome) == (Outcome.YES, Outcome.NO)
    assert (yes.price_e4, no.price_e4) == (5_700, 5_700)
    assert yes.cost_e6 == no.cost_e6 == 5_700 * 500 + 85_800
    assert yes.contract_e4 == 5_872


def test_the_cheaper_way_is_chosen_after_fees() -> None:
    """A lower price wins, the same one is YES, and a maker's fee may make up for a price."""
    yes = yes_way(PriceE4(5_700), FIVE, Liquidity.TAKER, FEES)

    assert cheaper(yes, no_way(PriceE4(4_300), FIVE, FEES)) is yes
    assert cheaper(yes, no_way(PriceE4(4_310), FIVE, FEES)).outcome is Outcome.NO

    making = yes_way(PriceE4(5_700), FIVE, Liquidity.MAKER, FEES)
    assert cheaper(making, no_way(PriceE4(4_400), FIVE, FEES)) is making
    assert cheaper(making, no_way(PriceE4(4_500), FIVE, FEES)).outcome is Outcome.NO


@given(st.integers(1, 9_999), st.integers(1, 5_000))
def test_a_no_costs_what_a_yes_at_its_price_costs(bid: int, count: int) -> None:
    """The exchange charges both alike, but for a hundredth of a cent of rounding."""
    no = no_way(PriceE4(bid), CountE2(count), FEES)
    yes = yes_way(PriceE4(10_000 - bid), CountE2(count), Liquidity.TAKER, FEES)

    assert abs(no.cost_e6 - yes.cost_e6) <= 100
