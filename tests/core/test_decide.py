"""The decision to buy, and its reasons."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.decide import Action, Decision, MarketView, Reason, decide
from arb.core.edge import round_trip_net_e6
from arb.core.events import Liquidity
from arb.core.fees import FeeSchedule
from arb.core.grid import WHOLE_CENTS, PriceGrid
from arb.core.money import CountE2, PriceE4
from arb.core.parameters import Strategy

STRATEGY = Strategy()
PLAIN = FeeSchedule("quadratic_with_maker_fees")
VIEW = MarketView(
    fair=0.62,
    bid_e4=PriceE4(5400),
    bid_size_e2=CountE2(10_000),
    ask_e4=PriceE4(5700),
    ask_size_e2=CountE2(10_000),
    count_e2=CountE2(500),
    grid=WHOLE_CENTS,
    fees=PLAIN,
)
TENTHS = PriceGrid(((0, 10_000, 10),))


def decided(strategy: Strategy = STRATEGY, **changes: Any) -> Decision:
    """Decide on the usual view with some things different."""
    return decide(attrs.evolve(VIEW, **changes), strategy)


def test_takes_the_ask_from_the_takers_threshold_on() -> None:
    """Five cents of edge buy at the ask."""
    decision = decided()

    assert decision.action is Action.TAKER
    assert decision.reason is Reason.TAKER_EDGE
    assert decision.price_e4 == 5700
    assert decision.count_e2 == 500
    assert decision.edge_e4 == 500
    assert decision.exit_e4 == 6200


def test_below_the_takers_threshold_it_makes() -> None:
    """A hundredth of a cent less than five cents is bought a tick above the bid."""
    decision = decided(fair=0.61995)

    assert decision.action is Action.MAKER
    assert decision.reason is Reason.MAKER_EDGE
    assert decision.price_e4 == 5500
    assert decision.edge_e4 == 499


def test_makes_from_the_makers_threshold_on() -> None:
    """Two cents exactly are enough, a hundredth of a cent less is not."""
    assert decided(fair=0.59).action is Action.MAKER

    decision = decided(fair=0.5899)
    assert decision == Decision(Action.SKIP, Reason.EDGE_TOO_THIN, edge_e4=199)


def test_joins_the_bid_where_the_spread_is_one_tick() -> None:
    """A tick above the bid would be the ask."""
    assert decided(fair=0.60, bid_e4=PriceE4(5600)).price_e4 == 5600
    assert decided(fair=0.60, bid_e4=PriceE4(5500)).price_e4 == 5600


def test_a_tick_is_the_grids() -> None:
    """On a finer grid the next price is nearer."""
    assert decided(fair=0.60, bid_e4=PriceE4(5650), grid=TENTHS).price_e4 == 5660
    assert decided(fair=0.60, bid_e4=PriceE4(5690), grid=TENTHS).price_e4 == 5690


def test_joins_a_bid_above_which_the_grid_has_no_price() -> None:
    """Where the grid ends there is nothing to better the bid with."""
    decision = decided(
        Strategy(min_edge_after_fees=0),
        fair=0.60,
        bid_e4=PriceE4(5000),
        grid=PriceGrid(((0, 5000, 100),)),
        fees=FeeSchedule("quadratic", 0),
    )

    assert decision.price_e4 == decision.exit_e4 == 5000


def test_a_taker_buys_no_more_than_the_ask_shows() -> None:
    """What lies behind the ask costs more."""
    assert decided(ask_size_e2=CountE2(120)).count_e2 == 120


def test_a_maker_is_not_cut_by_the_ask() -> None:
    """A resting order waits for sellers to come."""
    assert decided(fair=0.60, ask_size_e2=CountE2(1)).count_e2 == 500


@pytest.mark.parametrize("bid_e4,reason", [(5700, Reason.LOCKED_BOOK), (5800, Reason.CROSSED_BOOK)])
def test_nothing_is_bought_in_a_locked_or_crossed_book(bid_e4: int, reason: Reason) -> None:
    """Neither as a taker nor as a maker."""
    for fair in (0.60, 0.70):
        decision = decided(fair=fair, bid_e4=PriceE4(bid_e4))
        assert (decision.action, decision.reason) == (Action.SKIP, reason)
        assert decision.edge_e4 is not None


@pytest.mark.parametrize("changes", [{"ask_e4": None}, {"ask_size_e2": CountE2(0)}])
def test_without_an_ask_there_is_no_edge(changes: dict[str, Any]) -> None:
    """Nobody sells, so that nothing can be compared with fair value."""
    assert decided(**changes) == Decision(Action.SKIP, Reason.NO_ASK)


def test_a_maker_needs_a_bid() -> None:
    """With an empty bid side a maker has nobody to better."""
    decision = decided(fair=0.60, bid_e4=None)

    assert decision == Decision(Action.SKIP, Reason.NO_BID, edge_e4=300)


def test_a_taker_needs_no_bid() -> None:
    """The ask can be taken whoever bids."""
    assert decided(bid_e4=None).action is Action.TAKER


@pytest.mark.parametrize("fair", [0.0, 1.0, -0.1, 1.1, math.nan, math.inf])
def test_a_fair_value_must_be_a_chance(fair: float) -> None:
    """Certainties and what is no number are errors somewhere else."""
    assert decided(fair=fair) == Decision(Action.SKIP, Reason.FAIR_OUT_OF_RANGE)


@pytest.mark.parametrize("count_e2", [0, -100])
def test_nothing_is_decided_about_no_contracts(count_e2: int) -> None:
    """An order of nothing is none."""
    for fair in (0.60, 0.70):
        assert decided(fair=fair, count_e2=CountE2(count_e2)).reason is Reason.NO_COUNT


def test_a_thin_edge_is_named_before_a_missing_count() -> None:
    """What a person wants to know first is that there is nothing to trade."""
    assert decided(fair=0.5, count_e2=CountE2(0)).reason is Reason.EDGE_TOO_THIN


def test_the_net_is_after_both_fees() -> None:
    """What a decision promises is the round trip for its own count, per contract."""
    decision = decided()
    net_e6 = round_trip_net_e6(5700, 6200, 500, Liquidity.TAKER, PLAIN)

    assert decision.net_e4 == net_e6 // 500 == 287


def test_too_little_left_after_fees() -> None:
    """Both ways are shut when even a maker's round trip leaves less than the least."""
    strategy = Strategy(min_edge_after_fees=10)
    decision = decided(strategy)

    assert decision.action is Action.SKIP
    assert decision.reason is Reason.NET_TOO_THIN
    assert decision.price_e4 is None
    assert decision.count_e2 == 0
    assert decision.edge_e4 == 500
    # From 55 to 62 as a maker: 7 cents less 0.434 and 0.414, rounded down.
    assert decision.net_e4 == 615


def test_a_maker_where_only_a_makers_fee_leaves_enough() -> None:
    """The same opinion at a better price and a lower fee."""
    decision = decided(Strategy(min_edge_after_fees=4))

    assert decision.action is Action.MAKER
    assert decision.reason is Reason.MAKER_IS_CHEAPER
    assert decision.price_e4 == 5500


def test_no_maker_below_its_own_threshold() -> None:
    """Where makers are to want more than takers, a taker's refusal is the end."""
    strategy = Strategy(min_edge_after_fees=4, maker_edge_threshold=6)
    decision = decided(strategy)

    assert (decision.action, decision.reason) == (Action.SKIP, Reason.NET_TOO_THIN)
    assert decision.net_e4 == 287


def test_without_a_bid_a_takers_refusal_stands() -> None:
    """The reason that is shown is the fees', not the missing bid's."""
    decision = decided(Strategy(min_edge_after_fees=4), bid_e4=None)

    assert (decision.reason, decision.net_e4) == (Reason.NET_TOO_THIN, 287)


def test_the_least_net_is_enough_exactly() -> None:
    """A round trip that leaves the least to the last digit is taken."""
    fees = FeeSchedule("quadratic", 0)
    strategy = Strategy(min_edge_after_fees=5)

    assert decided(strategy, fees=fees).action is Action.TAKER
    assert decided(Strategy(min_edge_after_fees=6), fees=fees).action is Action.MAKER


def test_a_small_count_pays_more_of_its_fees_rounding() -> None:
    """The net is that of the real count: for a hundredth of a contract two fees of $0.0001."""
    assert decided(count_e2=CountE2(1)).net_e4 == 200
    assert decided(count_e2=CountE2(500)).net_e4 == 287


def test_what_is_bought_is_never_sold_below_its_price() -> None:
    """At the end of the grid a sale cannot be at fair value, and the fees show it."""
    decision = decided(fair=0.9999, ask_e4=PriceE4(9900), bid_e4=PriceE4(9800))

    assert decision.action is Action.SKIP


def test_a_purchase_must_pay_by_the_least_fair_value() -> None:
    """Edge, net and the sale that is counted on are those of the worst way of taking margins."""
    decision = decided(low=0.61)

    assert (decision.action, decision.edge_e4) == (Action.MAKER, 400)
    assert decision.exit_e4 == 6100
    assert decided(low=0.58).reason is Reason.EDGE_TOO_THIN
    assert decided(low=0.62) == decided()


def test_a_slippage_buffer_is_taken_off_the_edge() -> None:
    """Five cents of edge and one of buffer are four: a maker's, no taker's."""
    decision = decided(Strategy(slippage_buffer=1))

    assert (decision.action, decision.edge_e4) == (Action.MAKER, 400)
    assert decided(Strategy(slippage_buffer=4)).reason is Reason.EDGE_TOO_THIN


def test_an_edge_beyond_belief_is_no_edge() -> None:
    """Fifteen cents are believed, more is not, whatever the worst case makes of it."""
    assert decided(fair=0.72).action is Action.TAKER

    decision = decided(fair=0.7201, low=0.70)
    assert decision == Decision(Action.SKIP, Reason.TOO_GOOD, edge_e4=1_300)
    assert decided(Strategy(max_edge_threshold=20), fair=0.73).action is Action.TAKER


def test_an_edge_beyond_belief_is_told_before_a_strange_book() -> None:
    """A crossed book with such an edge is first of all an edge that cannot be."""
    assert decided(fair=0.9, bid_e4=PriceE4(5_800)).reason is Reason.TOO_GOOD


PRICES = st.integers(1, 99).map(lambda number: PriceE4(number * 100))
VIEWS = st.builds(
    MarketView,
    fair=st.floats(0.0, 1.0),
    bid_e4=st.none() | PRICES,
    bid_size_e2=st.integers(0, 2_000).map(CountE2),
    ask_e4=st.none() | PRICES,
    ask_size_e2=st.integers(0, 2_000).map(CountE2),
    count_e2=st.integers(0, 2_000).map(CountE2),
    grid=st.sampled_from([WHOLE_CENTS, TENTHS]),
    fees=st.builds(
        FeeSchedule,
        st.sampled_from(["quadratic", "quadratic_with_maker_fees"]),
        st.sampled_from([0, 5_000, 10_000]),
    ),
)
STRATEGIES = st.builds(
    Strategy,
    taker_edge_threshold=st.integers(1, 10),
    maker_edge_threshold=st.integers(1, 10),
    min_edge_after_fees=st.integers(0, 5),
)
ERROR_E4 = Fraction(1, 900_000)


@given(VIEWS, STRATEGIES)
def test_whatever_the_market_a_purchase_keeps_the_rules(
    view: MarketView, strategy: Strategy
) -> None:
    """Never above fair value less the threshold, never for less than the least net."""
    decision = decide(view, strategy)
    if decision.action is Action.SKIP:
        assert (decision.price_e4, decision.count_e2) == (None, 0)
        return
    taker = decision.action is Action.TAKER
    threshold_e4 = strategy.taker_edge_e4 if taker else strategy.maker_edge_e4
    assert view.ask_e4 is not None
    assert decision.price_e4 is not None
    assert decision.exit_e4 is not None
    assert decision.price_e4 + threshold_e4 <= Fraction(view.fair) * 10_000 + ERROR_E4
    assert view.grid.on_grid(decision.price_e4)
    assert view.grid.on_grid(decision.exit_e4)
    assert 0 < decision.count_e2 <= view.count_e2
    assert decision.price_e4 < decision.exit_e4 or strategy.min_net_e4 == 0
    assert decision.net_e4 is not None
    assert decision.net_e4 >= strategy.min_net_e4
    if taker:
        assert decision.price_e4 == view.ask_e4
        assert decision.count_e2 <= view.ask_size_e2
    else:
        assert view.bid_e4 is not None
        assert view.bid_e4 <= decision.price_e4 < view.ask_e4
        assert decision.price_e4 in {view.bid_e4, view.grid.next_above(view.bid_e4)}


@given(VIEWS, STRATEGIES)
def test_a_skip_has_a_true_reason(view: MarketView, strategy: Strategy) -> None:
    """What is shown to a person is what the market looks like."""
    decision = decide(view, strategy)
    lowest_e4 = min(strategy.taker_edge_e4, strategy.maker_edge_e4)
    true_when = {
        Reason.FAIR_OUT_OF_RANGE: view.fair in {0.0, 1.0},
        Reason.NO_ASK: view.ask_e4 is None or view.ask_size_e2 == 0,
        Reason.NO_BID: view.bid_e4 is None,
        Reason.LOCKED_BOOK: view.bid_e4 == view.ask_e4,
        Reason.CROSSED_BOOK: (view.bid_e4 or 0) > (view.ask_e4 or 0),
        Reason.NO_COUNT: view.count_e2 == 0,
        Reason.EDGE_TOO_THIN: decision.edge_e4 is not None and decision.edge_e4 < lowest_e4,
        Reason.NET_TOO_THIN: decision.net_e4 is not None and decision.net_e4 < strategy.min_net_e4,
        Reason.TAKER_EDGE: decision.action is Action.TAKER,
        Reason.MAKER_EDGE: decision.action is Action.MAKER,
        Reason.MAKER_IS_CHEAPER: decision.action is Action.MAKER,
        Reason.TOO_GOOD: view.ask_e4 is not None
        and Fraction(view.fair) * 10_000 + ERROR_E4 > view.ask_e4 + strategy.max_edge_e4,
    }

    assert true_when[decision.reason]
