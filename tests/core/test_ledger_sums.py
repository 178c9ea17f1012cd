"""What a ledger keeps as it goes: which positions are not flat, and the sums of all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.adoption import AdoptedAccount, AdoptedOrder, AdoptedPosition, adopt
from arb.core.events import CashMove, Settlement, Side
from arb.core.exposure import no_rival, total_exposure_e6
from arb.core.invariants import Invariants
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from arb.core.reconcile import differences
from tests.core.order_factory import (
    BOS,
    CASH,
    NYY,
    Unwalkable,
    fill,
    hold,
    ledger_with,
    no_fee,
    order_in,
)

TICKERS = (NYY, BOS, "C", "D")
Change = Callable[[Ledger], object]


def kept_is_counted(ledger: Ledger) -> bool:
    """Compare what is kept with what all positions ever come to."""
    positions = ledger.positions
    return (ledger.held(), ledger.realised_e6, ledger.fees_e6) == (
        [positions[ticker] for ticker in sorted(positions) if positions[ticker].count_e2],
        sum(each.realised_e6 for each in positions.values()),
        sum(each.fees_e6 for each in positions.values()),
    )


@st.composite
def fills(draw: st.DrawFn) -> Change:
    """Draw a trade; counts are few, so that many close exactly what is held."""
    ticker, side = draw(st.sampled_from(TICKERS)), draw(st.sampled_from(Side))
    booked = fill(
        f"t{draw(st.integers(0, 10_000))}",
        client_order_id=draw(st.sampled_from(("o1", None))) if ticker == NYY else None,
        order_id="x-o1" if ticker == NYY else "by hand",
        ticker=ticker,
        side=side,
        price_e4=PriceE4(draw(st.integers(1, 9_999))),
        count_e2=CountE2(draw(st.integers(1, 4)) * 50),
        fee_e6=MoneyE6(draw(st.integers(-10_000, 30_000))),
    )
    return lambda ledger: ledger.book(booked)


@st.composite
def ends(draw: st.DrawFn) -> Change:
    """Draw the end of a market with what is held there then, mostly."""
    ticker, at_ms = draw(st.sampled_from(TICKERS)), draw(st.integers(0, 100))
    value_e4 = PriceE4(draw(st.sampled_from((0, 3_700, 5_000, 10_000))))
    off_e2 = draw(st.sampled_from((0, 0, 0, 50)))

    def end(ledger: Ledger) -> object:
        count_e2 = CountE2(ledger.position(ticker).count_e2 + off_e2)
        return ledger.settle(Settlement(ticker, count_e2, value_e4, MoneyE6(0), MoneyE6(0), at_ms))

    return end


@st.composite
def words(draw: st.DrawFn) -> Change:
    """Draw an account that is taken on the exchange's word, flat markets among those it names."""
    counts = draw(st.dictionaries(st.sampled_from(TICKERS), st.integers(-3, 3), max_size=3))
    positions = tuple(
        AdoptedPosition(ticker, CountE2(100 * count), MoneyE6(abs(count) * 400_000), MoneyE6(7))
        for ticker, count in counts.items()
    )
    orders = (AdoptedOrder("o1", CountE2(0)),) if draw(st.booleans()) else ()
    account = AdoptedAccount(CASH, positions, (), orders)
    return lambda ledger: adopt(ledger, account, 1_000)


@given(st.lists(st.one_of(fills(), fills(), ends(), words()), max_size=40))
def test_what_is_kept_is_what_all_positions_come_to(changes: list[Change]) -> None:
    """After each fill, end of a market and adopted account: held positions, gains and fees."""
    ledger = ledger_with(order_in(OrderState.RESTING))
    for change in changes:
        change(ledger)

        assert kept_is_counted(ledger)


def test_a_flat_market_is_passed_over_by_what_runs_with_each_order() -> None:
    """A year of markets lies in the ledger, and only the one that is held is looked at."""

    ledger = Ledger(CASH)
    hold(ledger, 200)
    invariants = watched(ledger)
    ledger.positions = Unwalkable(ledger.positions)

    assert ledger.active_tickers() == ledger.our_tickers() == [NYY]
    assert total_exposure_e6(ledger, no_fee, no_rival) == 1_000_000
    assert differences(ledger, ledger.cash_e6, {NYY: CountE2(200)}) == ()
    ledger.book(fill("more", client_order_id=None))
    invariants.after_fill(fill("more", client_order_id=None), ledger)
    assert invariants.violations == 0


def watched(ledger: Ledger) -> Invariants:
    """Watch a ledger from here on."""
    invariants = Invariants(MoneyE6(0))
    invariants.adopt(ledger)
    return invariants


def gains(ledger: Ledger) -> None:
    """Add up a millionth of gains too much."""
    ledger.realised_e6 = MoneyE6(ledger.realised_e6 + 1)


def fees(ledger: Ledger) -> None:
    """Add up a millionth of fees too little."""
    ledger.fees_e6 = MoneyE6(ledger.fees_e6 - 1)


def cost(ledger: Ledger) -> None:
    """Let what is held have cost a millionth less."""
    ledger.position(NYY).cost_e6 = MoneyE6(ledger.position(NYY).cost_e6 - 1)


def held(ledger: Ledger) -> None:
    """Forget that something is held."""
    ledger._held.clear()


@pytest.mark.parametrize("damage", [gains, fees, cost, held])
def test_a_sum_that_is_off_is_found(damage: Callable[[Ledger], None]) -> None:
    """Gains, fees and what is held must have taken from cash what is not there any more."""
    ledger = Ledger(CASH)
    invariants = watched(ledger)
    ledger.book(fill("t1", client_order_id=None))
    damage(ledger)
    invariants.after_fill(fill("t1", client_order_id=None), ledger)

    [told] = invariants.kept
    assert told.startswith("cash, cost and fees less gains are $99")
    assert told.endswith(", $1,000.00 was put in")


def test_sums_hold_over_money_that_moves_and_an_account_that_is_taken() -> None:
    """Deposits are put in; an account that is taken on the exchange's word is a new beginning."""
    ledger = Ledger(CASH)
    hold(ledger, 300)
    ledger.book(fill("sold", client_order_id=None, side=Side.ASK, price_e4=PriceE4(7_000)))
    invariants = watched(ledger)
    deposit = CashMove("d1", "deposit", MoneyE6(7), 1)
    ledger.move_cash(deposit)
    invariants.after_move(deposit, ledger)
    adopt(ledger, AdoptedAccount(CASH, (AdoptedPosition(NYY, CountE2(9), MoneyE6(5)),), ()), 1)
    invariants.adopt(ledger)
    ledger.book(fill("t9", client_order_id=None))
    invariants.after_fill(fill("t9", client_order_id=None), ledger)

    assert (invariants.violations, ledger.realised_e6) == (0, 400_000)
