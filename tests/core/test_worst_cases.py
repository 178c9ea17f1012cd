"""The worst case of a game against every end and every subset, tried one by one."""

from __future__ import annotations

from itertools import chain, combinations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arb.core.commands import OrderIntent
from arb.core.events import Fill, Liquidity, Side
from arb.core.exposure import (
    VOID_APART_E4,
    Exposures,
    no_rival,
    total_exposure_e6,
)
from arb.core.ledger import HandOrder, Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from tests.core.order_factory import (
    BOS,
    CASH,
    EXIT,
    GAME,
    NYY,
    accepted,
    closed,
    fill,
    hold,
    intent,
    ledger_with,
    no_fee,
    order,
    plain_fee,
    settlement,
    unknown,
)

# What YES of either market may be worth: one side wins, a tie, and what a void may pay.
ENDS = [(10_000, 0), (0, 10_000), (5_000, 5_000)] + [
    (first, second)
    for first in range(0, 10_001, 1_000)
    for second in range(0, 10_001, 1_000)
    if abs(first + second - 10_000) <= VOID_APART_E4
]


def rival(ticker: str) -> str | None:
    """Return the other market of the one game there is."""
    return GAME.sibling_of(ticker) if ticker in GAME.tickers else None


@attrs.frozen
class Deal:
    """Something that may be lost: so many YES (negative is NO) at the YES price, and a fee."""

    ticker: str
    yes_e2: int
    price_e4: int
    fee_e6: int = 0

    def loss_e6(self, worths: dict[str, int]) -> int:
        """Return what is lost of it, or gained, at an end."""
        return (self.price_e4 - worths[self.ticker]) * self.yes_e2 + self.fee_e6


def worst_by_trying(certain: list[Deal], possible: list[Deal]) -> int:
    """Try every end with every subset of what may fill and of what may have been sold at cost."""
    maybe = certain + possible
    subsets = list(chain.from_iterable(combinations(maybe, n) for n in range(len(maybe) + 1)))
    return max(
        sum(deal.loss_e6({NYY: first, BOS: second}) for deal in subset)
        for first, second in ENDS
        for subset in subsets
    )


SIDES = st.sampled_from((1, -1))
DEALS = st.builds(
    lambda ticker, sign, price, count: Deal(ticker, sign * count, price),
    st.sampled_from((NYY, BOS)),
    SIDES,
    st.integers(1, 9_999),
    st.integers(1, 2_000),
)


def wish_of(deal: Deal) -> OrderIntent:
    """Wish for a deal as an entry: NO is YES sold."""
    return intent(
        ticker=deal.ticker,
        side=Side.BID if deal.yes_e2 > 0 else Side.ASK,
        price_e4=PriceE4(deal.price_e4),
        count_e2=CountE2(abs(deal.yes_e2)),
    )


def with_fee(deal: Deal) -> Deal:
    """Charge a deal what a taker pays."""
    fee_e6 = plain_fee(
        deal.ticker, PriceE4(deal.price_e4), CountE2(abs(deal.yes_e2)), Liquidity.TAKER
    )
    return attrs.evolve(deal, fee_e6=fee_e6)


@settings(max_examples=60)
@given(st.lists(DEALS, max_size=2, unique_by=lambda deal: deal.ticker), st.lists(DEALS, max_size=4))
def test_no_end_and_no_subset_is_worse_and_one_is_as_bad(
    held: list[Deal], open_orders: list[Deal]
) -> None:
    """Positions and entries on both sides of both markets: the sum is the maximum, exactly."""
    ledger = Ledger(CASH)
    for deal in held:
        hold(ledger, deal.yes_e2, deal.price_e4, deal.ticker)
    for number, deal in enumerate(open_orders):
        ledger.open_order(order(f"o{number}", wish=wish_of(deal)))

    expected = worst_by_trying(held, [with_fee(deal) for deal in open_orders])

    assert total_exposure_e6(ledger, plain_fee, rival) == expected
    assert Exposures(ledger, plain_fee, rival).total_e6() == expected
    # To take every market for a game of its own can only overstate.
    assert total_exposure_e6(ledger, plain_fee) >= expected


def test_two_teams_of_one_game_cannot_both_lose() -> None:
    """YES of either team costs five dollars and a half together; only one of them is lost."""
    ledger = Ledger(CASH)
    hold(ledger, 500, 5_000, NYY)
    hold(ledger, 500, 6_000, BOS)

    assert total_exposure_e6(ledger, no_fee) == 5_500_000
    assert total_exposure_e6(ledger, no_fee, rival) == 3_000_000


def test_yes_of_one_team_and_no_of_the_other_are_one_bet() -> None:
    """Both are lost when that team loses."""
    ledger = Ledger(CASH)
    hold(ledger, 500, 5_000, NYY)
    hold(ledger, -500, 6_000, BOS)

    assert total_exposure_e6(ledger, no_fee, rival) == 2_500_000 + 2_000_000


def test_a_void_may_pay_less_than_a_dollar_for_both() -> None:
    """Two sure winners at 95 cents: a void that pays 90 for one and nothing for the other."""
    ledger = Ledger(CASH)
    hold(ledger, 100, 9_500, NYY)
    hold(ledger, 100, 9_500, BOS)

    assert total_exposure_e6(ledger, no_fee, rival) == 950_000 + 50_000


def test_a_void_may_pay_more_than_a_dollar_for_both() -> None:
    """NO of both teams for five cents each, of which a void may leave less than the winner does."""
    ledger = Ledger(CASH)
    hold(ledger, -100, 500, NYY)
    hold(ledger, -100, 500, BOS)

    assert total_exposure_e6(ledger, no_fee, rival) == 950_000 + 50_000


def test_a_gain_pays_for_no_loss() -> None:
    """What would win may be sold before the end: a bet on both teams is not free of risk."""
    ledger = Ledger(CASH)
    hold(ledger, 500, 1_000, NYY)
    hold(ledger, 500, 1_000, BOS)

    assert total_exposure_e6(ledger, no_fee, rival) == 500_000


def test_exits_change_nothing() -> None:
    """A sale of what is held, whatever its state, is no risk."""
    ledger = ledger_with()
    hold(ledger, 500)
    before = total_exposure_e6(ledger, plain_fee, rival)
    ledger.open_order(order("o1", wish=EXIT))
    ledger.report(unknown("o1"))

    assert total_exposure_e6(ledger, plain_fee, rival) == before


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("open", "fill", "fill part", "unknown", "close", "settle", "by hand")),
        DEALS,
        st.integers(0, 5),
    ),
    max_size=12,
)


def step(ledger: Ledger, what: str, deal: Deal, number: int, trade: str) -> None:
    """Let one thing happen to a ledger."""
    name = f"o{number}"
    wish = wish_of(deal)
    known = ledger.orders.get(name)
    if what == "open" and known is None:
        ledger.open_order(order(name, wish=wish))
    elif what == "by hand":
        side, price, count = wish.side, wish.price_e4, wish.count_e2
        ledger.by_hand = (HandOrder("x", deal.ticker, side, price, count),) if number else ()
    elif what == "settle":
        held_e2 = ledger.position(deal.ticker).count_e2
        ledger.settle(settlement(held_e2, 10_000, deal.ticker, at_ms=number))
    elif known is None or known.state not in (OrderState.PENDING, OrderState.UNKNOWN):
        return
    elif what == "unknown":
        ledger.report(unknown(name))
    elif what == "close":
        ledger.report(closed(name))
    else:
        ledger.book(_fill_of(known.intent, name, trade, known.at_stake_e2, what == "fill"))


def _fill_of(wish: OrderIntent, name: str, trade: str, left_e2: int, whole: bool) -> Fill:
    return fill(
        trade,
        client_order_id=name,
        order_id=f"x-{name}",
        ticker=wish.ticker,
        side=wish.side,
        price_e4=wish.price_e4,
        count_e2=CountE2(left_e2 if whole else max(1, left_e2 // 2)),
    )


@settings(max_examples=60)
@given(STEPS)
def test_what_is_kept_is_what_is_counted_from_nothing(steps: list[tuple[str, Deal, int]]) -> None:
    """After whatever happened, and one more wish, kept and counted figures are the same."""
    ledger = Ledger(CASH)
    kept = Exposures(ledger, plain_fee, rival)
    for number, (what, deal, which) in enumerate(steps):
        step(ledger, what, deal, which, f"t{number}")
        assert kept.total_e6() == total_exposure_e6(ledger, plain_fee, rival)
        worst = kept.with_entry(wish_of(deal))
        assert worst.game_e6 == worst.total_e6
        ledger.open_order(order(f"next{number}", wish=wish_of(deal)))
        assert worst.total_e6 == total_exposure_e6(ledger, plain_fee, rival)
        ledger.report(closed(f"next{number}"))


def test_games_are_added_and_let_go() -> None:
    """Each game counts by itself, and one that has ended counts no more."""
    ledger = ledger_with(order("o1"), order("o2", ticker="far"))
    kept = Exposures(ledger, no_fee, rival)
    assert kept.total_e6() == 5_000_000
    worst = kept.with_entry(intent(ticker=BOS, price_e4=PriceE4(6_000)))
    assert (worst.game_e6, worst.total_e6) == (3_000_000, 5_500_000)
    assert "2 games" in repr(kept)
    for name in ("o1", "o2"):
        ledger.report(closed(name))

    assert kept.total_e6() == 0
    assert "0 games" in repr(kept)


def test_an_unknown_entry_counts_as_one_that_rests() -> None:
    """Nothing is let go before the exchange has said what became of it."""
    ledger = ledger_with(order("o1"))
    kept = Exposures(ledger, no_fee, rival)
    figures = []
    for event in (unknown("o1"), accepted("o1", filled=200, remaining=300), closed("o1", 200)):
        ledger.report(event)
        figures.append(kept.total_e6())

    assert figures == [2_500_000, 2_500_000, 1_000_000]


@pytest.mark.parametrize("ticker", [NYY, "far"])
def test_without_a_rival_a_market_is_a_game(ticker: str) -> None:
    """A market that no game is known of may end either way."""
    ledger = ledger_with(order("o1", ticker=ticker, fair=0.5))

    assert no_rival(ticker) is None
    assert total_exposure_e6(ledger, no_fee) == MoneyE6(2_500_000)
