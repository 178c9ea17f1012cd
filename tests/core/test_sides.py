"""Both outcomes of one market: NO is decided on as YES is, in the mirror."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.decide import Action, Decision, MarketView, Reason
from arb.core.fees import FeeSchedule
from arb.core.grid import WHOLE_CENTS, PriceGrid
from arb.core.money import CountE2, PriceE4
from arb.core.parameters import Strategy
from arb.core.sides import decide_outcome, decide_sides, is_cheaper_elsewhere, mirrored
from arb.core.ways import Outcome

STRATEGY = Strategy()
FEES = FeeSchedule("quadratic_with_maker_fees")
# YES wins with 38 per cent: NO is worth 62 cents, and costs 57 against the bid of 43.
VIEW = MarketView(
    fair=0.38,
    bid_e4=PriceE4(4_300),
    bid_size_e2=CountE2(700),
    ask_e4=PriceE4(4_600),
    ask_size_e2=CountE2(10_000),
    count_e2=CountE2(500),
    grid=WHOLE_CENTS,
    fees=FEES,
)
FINE_BELOW = PriceGrid(((0, 1_000, 10), (1_000, 10_000, 100)))
FLAT = CountE2(0)


def decided(held: int = 0, strategy: Strategy = STRATEGY, **changes: Any) -> Decision:
    """Decide on the usual view with some things different."""
    return decide_sides(attrs.evolve(VIEW, **changes), strategy, CountE2(held))


def test_no_is_bought_by_selling_to_the_bid() -> None:
    """Five cents of edge take the bid, for no more than it bids, and count on fair value."""
    decision = decided()

    assert (decision.action, decision.outcome) == (Action.TAKER, Outcome.NO)
    assert (decision.price_e4, decision.exit_e4) == (4_300, 3_800)
    assert (decision.edge_e4, decision.count_e2) == (500, 500)
    assert decided(count_e2=CountE2(900)).count_e2 == 700


@pytest.mark.parametrize(
    "bid, ask, price", [(4_100, 4_600, 4_500), (4_100, 4_300, 4_200), (4_100, 4_200, 4_200)]
)
def test_a_maker_of_no_asks_a_tick_less(bid: int, ask: int, price: int) -> None:
    """One tick below the ask, or at the ask where that tick is the bid."""
    decision = decided(bid_e4=PriceE4(bid), ask_e4=PriceE4(ask))

    assert (decision.action, decision.outcome) == (Action.MAKER, Outcome.NO)
    assert decision.price_e4 == price


def test_no_must_pay_by_its_own_least_chance() -> None:
    """What the worst way of taking margins leaves NO decides, not what it leaves YES."""
    assert decided(low=0.30).edge_e4 == 500
    assert decided(other_low=0.60).edge_e4 == 300
    assert decided(other_low=0.58).reason is Reason.EDGE_TOO_THIN


def test_what_is_held_is_bought_and_nothing_else() -> None:
    """Selling YES that is held is its exit's business, and the other way about."""
    assert decided(held=-500).outcome is Outcome.NO
    assert (decided(held=500).action, decided(held=500).outcome) == (Action.SKIP, Outcome.YES)

    yes = attrs.evolve(VIEW, fair=0.52)
    assert decide_sides(yes, STRATEGY, CountE2(500)).action is Action.TAKER
    assert decide_sides(yes, STRATEGY, FLAT).outcome is Outcome.YES
    assert decide_sides(yes, STRATEGY, CountE2(-500)).action is Action.SKIP


@pytest.mark.parametrize(
    "changes, outcome",
    [
        ({"fair": 0.44}, Outcome.NO),
        ({"fair": 0.45}, Outcome.YES),
        ({"fair": 0.445}, Outcome.YES),
        ({"fair": 0.40, "bid_e4": None}, Outcome.YES),
        ({"fair": 0.445, "ask_e4": None}, Outcome.NO),
        ({"fair": 0.5, "bid_e4": None, "ask_e4": None}, Outcome.YES),
    ],
)
def test_of_two_skips_the_nearer_one_is_told(changes: dict[str, Any], outcome: Outcome) -> None:
    """A person sees the edge that is larger, and YES where both are the same."""
    decision = decided(**changes)

    assert (decision.action, decision.outcome) == (Action.SKIP, outcome)


PRICES = st.none() | st.integers(1, 99).map(lambda number: PriceE4(number * 100))
SIZES = st.integers(0, 2_000).map(CountE2)


@st.composite
def views(draw: st.DrawFn) -> MarketView:
    """Draw a market whose least chances are below fair value, in thousandths."""
    fair = draw(st.integers(1, 999))
    low = draw(st.none() | st.integers(0, 40))
    other = draw(st.none() | st.integers(0, 40))
    return MarketView(
        fair=fair / 1_000,
        bid_e4=draw(PRICES),
        bid_size_e2=draw(SIZES),
        ask_e4=draw(PRICES),
        ask_size_e2=draw(SIZES),
        count_e2=draw(SIZES),
        grid=draw(st.sampled_from([WHOLE_CENTS, FINE_BELOW])),
        fees=draw(st.sampled_from([FEES, FeeSchedule("quadratic", 5_000)])),
        low=None if low is None else (fair - low) / 1_000,
        other_low=None if other is None else (1_000 - fair - other) / 1_000,
    )


STRATEGIES = st.builds(
    Strategy,
    taker_edge_threshold=st.integers(1, 10),
    maker_edge_threshold=st.integers(1, 10),
    min_edge_after_fees=st.integers(0, 3),
    slippage_buffer=st.integers(0, 2),
)


def reflected(decision: Decision) -> Decision:
    """Return what a decision is in the mirror."""
    return attrs.evolve(
        decision,
        outcome=decision.outcome.other,
        price_e4=None if decision.price_e4 is None else PriceE4(10_000 - decision.price_e4),
        exit_e4=None if decision.exit_e4 is None else PriceE4(10_000 - decision.exit_e4),
    )


@given(views(), STRATEGIES)
def test_a_mirrored_market_is_decided_on_in_the_mirror(
    view: MarketView, strategy: Strategy
) -> None:
    """To the last unit, and whatever is held; of two equal skips either is told."""
    for held in (-300, 0, 300):
        straight = decide_sides(view, strategy, CountE2(held))
        mirror = decide_sides(mirrored(view), strategy, CountE2(-held))

        if straight.action is Action.SKIP and straight.outcome is mirror.outcome:
            assert mirror.action is Action.SKIP
            assert mirror.edge_e4 == straight.edge_e4
        else:
            assert mirror == reflected(straight)


@given(views(), STRATEGIES)
def test_never_are_both_outcomes_bought(view: MarketView, strategy: Strategy) -> None:
    """No book has an edge on both sides, unless it is crossed."""
    both = [decide_outcome(view, strategy, outcome) for outcome in Outcome]

    assert Action.SKIP in {each.action for each in both}


# One bet in two markets.


def there(bid: int | None, ask: int | None, **changes: Any) -> MarketView:
    """View the opponent's market."""
    made = attrs.evolve(
        VIEW,
        fair=1.0 - VIEW.fair,
        bid_e4=None if bid is None else PriceE4(bid),
        ask_e4=None if ask is None else PriceE4(ask),
        ask_size_e2=CountE2(10_000),
    )
    return attrs.evolve(made, **changes)


@pytest.mark.parametrize(
    "bid, ask, elsewhere",
    [
        (5_400, 5_600, True),
        (5_400, 5_700, True),
        (5_400, 5_800, False),
        (5_400, 6_100, False),
        (5_400, None, False),
        (4_000, 4_600, True),
    ],
)
def test_the_better_terms_win(bid: int, ask: int | None, elsewhere: bool) -> None:
    """NO at 43, which is 57, against YES of the opponent: cheaper, alike, dearer, unbelievable."""
    here = (decided(), VIEW)

    assert is_cheaper_elsewhere(here, there(bid, ask), STRATEGY, CountE2(500)) is elsewhere
