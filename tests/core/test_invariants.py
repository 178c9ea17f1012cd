"""The checks that run beside the ledger: silent on honest books, loud on each kind of damage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import CashMove, Side
from arb.core.invariants import VIOLATIONS_KEPT, Invariants
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from tests.core.order_factory import (
    BOS,
    CASH,
    EXIT,
    NYY,
    amended,
    closed,
    fill,
    hold,
    ledger_with,
    order,
    order_in,
    settlement,
)

RESTING = OrderState.RESTING


def watched(ledger: Ledger) -> Invariants:
    """Watch a ledger from here on."""
    invariants = Invariants(MoneyE6(0))
    invariants.adopt(ledger)
    return invariants


def after_damage(damage: Callable[[Ledger], None]) -> list[str]:
    """Book one honest fill, damage the ledger, and return what the next check says."""
    ledger = ledger_with(order_in(RESTING))
    invariants = watched(ledger)
    ledger.book(fill("t1", count_e2=CountE2(100)))
    invariants.after_fill(fill("t1", count_e2=CountE2(100)), ledger)
    assert invariants.violations == 0

    ledger.book(fill("t2", count_e2=CountE2(100)))
    damage(ledger)
    invariants.after_fill(fill("t2", count_e2=CountE2(100)), ledger)
    assert invariants.violations == len(invariants.kept)
    return invariants.kept


@given(
    st.lists(
        st.tuples(
            st.sampled_from((NYY, BOS)),
            st.sampled_from(Side),
            st.integers(1, 9_999),
            st.integers(1, 900),
            st.integers(-10_000, 30_000),
        ),
        max_size=25,
    ),
    st.integers(-500, 500),
)
def test_honest_histories_raise_no_alarm(
    trades: list[tuple[str, Side, int, int, int]], held: int
) -> None:
    """From any position on, any trades within their orders' limits pass every check."""
    ledger = Ledger(CASH)
    if held:
        hold(ledger, held)
    invariants = watched(ledger)
    for number, (ticker, side, price, count, fee) in enumerate(trades):
        name = f"o{number}"
        ledger.open_order(
            order(
                name,
                ticker=ticker,
                side=side,
                price_e4=PriceE4(price),
                count_e2=CountE2(count),
            )
        )
        done = fill(
            f"t{number}",
            order_id=f"x-{name}",
            client_order_id=name,
            ticker=ticker,
            side=side,
            price_e4=PriceE4(price),
            count_e2=CountE2(count),
            fee_e6=MoneyE6(fee),
        )
        ledger.book(done)
        invariants.after_fill(done, ledger)

    assert invariants.kept == []
    assert (invariants.checks, invariants.violations) == (len(trades), 0)


def test_no_damage_no_alarm() -> None:
    """The history that the damages below are done to is an honest one."""
    assert after_damage(lambda ledger: None) == []


@pytest.mark.parametrize("by", [-1, 1])
def test_a_position_that_is_off_is_found(by: int) -> None:
    """A position that differs by a hundredth of a contract from the fills is told."""

    def damage(ledger: Ledger) -> None:
        ledger.position(NYY).count_e2 = CountE2(200 + by)

    [told] = after_damage(damage)
    assert told == f"{NYY}: position {'1.99' if by < 0 else '2.01'}, fills say 2"


@pytest.mark.parametrize("by", [-1_000_000, 1_000_000, 1])
def test_cash_that_is_off_is_found(by: int) -> None:
    """Cash that differs from the fills by as little as a millionth is told."""

    def damage(ledger: Ledger) -> None:
        ledger.cash_e6 = MoneyE6(ledger.cash_e6 + by)

    [told, sums] = after_damage(damage)
    assert told.startswith("cash $")
    assert told.endswith(", fills say $999.00")
    assert sums.startswith("cash, cost and fees less gains are $")


def test_a_fill_that_was_booked_twice_is_found() -> None:
    """A trade that counts twice shows in position and cash."""

    def damage(ledger: Ledger) -> None:
        ledger.trade_ids.remove("t2")
        ledger.book(fill("t2", count_e2=CountE2(100)))

    assert [told.partition(" ")[0] for told in after_damage(damage)] == [f"{NYY}:", "cash"]


def test_a_fill_that_was_lost_is_found() -> None:
    """A trade that was remembered and not booked shows in position and cash."""
    ledger = ledger_with(order_in(RESTING))
    invariants = watched(ledger)
    ledger.trade_ids.add("t1")
    ledger.book(fill("t1"))
    invariants.after_fill(fill("t1"), ledger)

    assert invariants.kept == [
        f"{NYY}: position 0, fills say 2",
        "cash $1,000.00, fills say $999.00",
    ]


def test_a_fee_that_was_forgotten_is_found() -> None:
    """Cash without the fee differs from the fills."""
    ledger = ledger_with(order_in(RESTING))
    invariants = watched(ledger)
    ledger.book(fill())
    invariants.after_fill(fill(fee_e6=MoneyE6(100)), ledger)

    assert invariants.violations == 1


def test_an_order_that_filled_beyond_its_count_is_found() -> None:
    """More than was ordered never fills."""

    def damage(ledger: Ledger) -> None:
        ledger.orders["o1"].count_e2 = CountE2(199)

    [told] = after_damage(damage)
    assert told.endswith("resting> filled beyond its count")


def test_a_fill_of_nobodys_order_is_found() -> None:
    """A fill that belongs to no order of ours is told, although it is booked."""
    ledger = ledger_with()
    invariants = watched(ledger)
    ledger.book(fill())
    invariants.after_fill(fill(), ledger)

    assert invariants.kept == ["fill t1 has our name and belongs to no order of ours"]


@pytest.mark.parametrize("name", [None, "console-7"])
def test_what_a_person_trades_by_hand_breaks_no_rule(name: str | None) -> None:
    """A fill without our name is counted like all else, and raises no alarm."""
    ledger = ledger_with()
    invariants = Invariants(MoneyE6(0), "arb-test-")
    invariants.adopt(ledger)
    by_hand = fill(client_order_id=name, order_id="by hand")
    ledger.book(by_hand)
    invariants.after_fill(by_hand, ledger)

    assert invariants.violations == 0
    assert (ledger.position(NYY).count_e2, ledger.cash_e6) == (200, CASH - 1_000_000)


@pytest.mark.parametrize("held", [-300, 300])
@pytest.mark.parametrize("value", [0, 5_000, 10_000, 3_333])
def test_the_end_of_a_market_is_counted(held: int, value: int) -> None:
    """What a decided market pays is in both counts; if only one has it, that is told."""
    for booked in (True, False):
        ledger = ledger_with()
        hold(ledger, held)
        invariants = watched(ledger)
        end = settlement(held, value)
        if booked:
            assert ledger.settle(end)
        invariants.after_settlement(end, ledger)

        assert (invariants.violations == 0) is booked


def test_money_that_comes_and_goes_is_counted() -> None:
    """A deposit is in both counts; if only one has it, that is told."""
    for booked, violations in ((True, 0), (False, 1)):
        ledger = ledger_with()
        invariants = watched(ledger)
        deposit = CashMove("deposit d1", "deposit", MoneyE6(10_000_000), 0)
        if booked:
            assert ledger.move_cash(deposit)
        invariants.after_move(deposit, ledger)

        assert invariants.violations == violations


@pytest.mark.parametrize("side, price, worse", [(Side.BID, 5_000, 1), (Side.ASK, 5_000, -1)])
def test_a_fill_that_is_worse_than_its_limit_is_found(side: Side, price: int, worse: int) -> None:
    """A purchase above its limit and a sale below it are told; at the limit and better is fine."""
    for by, violations in ((0, 0), (-worse, 0), (worse, 1)):
        ledger = ledger_with(order_in(RESTING, side=side, price_e4=PriceE4(price)))
        invariants = watched(ledger)
        done = fill(side=side, price_e4=PriceE4(price + by))
        ledger.book(done)
        invariants.after_fill(done, ledger)

        assert invariants.violations == violations


def test_a_fill_on_the_wrong_side_is_found() -> None:
    """An order to buy does not sell."""
    ledger = ledger_with(order_in(RESTING))
    invariants = watched(ledger)
    done = fill(side=Side.ASK)
    ledger.book(done)
    invariants.after_fill(done, ledger)

    [told] = invariants.kept
    assert told.endswith("filled at 5000, worse than its limit")


@pytest.mark.parametrize("price, violations", [(5_300, 0), (5_500, 0), (5_299, 1)])
def test_a_moved_exit_may_fill_where_it_ever_was_meant_to_stand(
    price: int, violations: int
) -> None:
    """While a move is out the order may fill at both prices, and below neither."""
    one = order_in(RESTING, wish=EXIT)
    one.apply(amended(price=5_400))
    one.amend_sent(PriceE4(5_300))
    ledger = ledger_with(one)
    hold(ledger, 500)
    invariants = watched(ledger)
    done = fill(side=Side.ASK, price_e4=PriceE4(price))
    ledger.book(done)
    invariants.after_fill(done, ledger)

    assert invariants.violations == violations


def test_what_was_there_before_is_not_counted_again() -> None:
    """Adopting a ledger starts from its cash and positions, YES and NO, as they stand."""
    ledger = ledger_with(
        order_in(RESTING, name="o1", side=Side.ASK),
        order_in(RESTING, name="o2", ticker=BOS),
    )
    hold(ledger, 300, ticker=NYY)
    hold(ledger, -300, ticker=BOS)
    invariants = watched(ledger)
    for done in (
        fill("t1", side=Side.ASK, count_e2=CountE2(500)),
        fill("t2", client_order_id="o2", ticker=BOS, count_e2=CountE2(500)),
    ):
        ledger.book(done)
        invariants.after_fill(done, ledger)

    assert invariants.kept == []


def test_adopting_twice_forgets_the_first_count() -> None:
    """What the exchange's word has replaced is no longer expected."""
    ledger = ledger_with(order_in(RESTING))
    invariants = watched(ledger)
    ledger.book(fill("t1"))
    invariants.after_fill(fill("t1"), ledger)
    ledger.cash_e6 = MoneyE6(5)
    ledger.position(NYY).count_e2 = CountE2(0)
    invariants.adopt(ledger)
    ledger.book(fill("t2"))
    invariants.after_fill(fill("t2"), ledger)

    assert invariants.violations == 0


@pytest.mark.parametrize("exposure, violations", [(100, 0), (101, 1)])
def test_exposure_over_the_limit_is_found(exposure: int, violations: int) -> None:
    """An approved entry leaves exposure at the limit or below it."""
    one = order()
    invariants = Invariants(CASH)
    invariants.after_approval(one, ledger_with(one), exposure, limit_e6=100)

    assert (invariants.checks, invariants.violations) == (1, violations)


def test_an_exit_may_be_sent_over_the_limit() -> None:
    """What lessens a position is not held back by a limit that was lowered meanwhile."""
    one = order(wish=EXIT)
    invariants = Invariants(CASH)
    invariants.after_approval(one, ledger_with(one), exposure_e6=101, limit_e6=100)

    assert invariants.violations == 0


def test_two_entries_of_one_game_are_found() -> None:
    """One entry in flight per game: a second one, in either market, is told."""
    first, second = order("o1"), order("o2", ticker=BOS)
    invariants = Invariants(CASH)
    invariants.after_approval(second, ledger_with(first, second), 0, 100)

    assert invariants.kept == ["2 entries of g1 are in flight"]


@pytest.mark.parametrize("changes", [{"game_id": "g2"}, {"purpose": EXIT.purpose}])
def test_entries_of_other_games_and_exits_may_be_in_flight(changes: dict[str, Any]) -> None:
    """Another game's entry and the same game's exit stand in nobody's way."""
    first, second = order("o1", **changes), order("o2", ticker=BOS)
    ledger = ledger_with(first, second)
    invariants = Invariants(CASH)
    for one in (first, second):
        invariants.after_approval(one, ledger, 0, 100)

    assert invariants.violations == 0


@pytest.mark.parametrize("filled, violations", [(500, 0), (501, 1)])
def test_a_report_beyond_the_count_is_found(filled: int, violations: int) -> None:
    """The exchange cannot have filled more than was ordered."""
    one = order_in(RESTING)
    one.apply(closed(filled=filled))
    invariants = Invariants(CASH)
    invariants.after_report(one)

    assert (invariants.checks, invariants.violations) == (1, violations)


def test_the_first_violations_are_kept_and_all_are_counted() -> None:
    """Memory is bounded: the first ones say what went wrong, the number says how often."""
    one = order()
    invariants = Invariants(CASH)
    for exposure in range(1, VIOLATIONS_KEPT + 6):
        invariants.after_approval(one, ledger_with(one), exposure * 10_000, limit_e6=0)

    assert invariants.violations == VIOLATIONS_KEPT + 5
    assert len(invariants.kept) == VIOLATIONS_KEPT
    assert invariants.kept[0] == "exposure $0.01 is over $0.00"


@pytest.mark.parametrize("kept, broken", [(700_000, []), (690_000, ["$0.69", "$0.70"])])
def test_the_exposure_that_is_kept_is_the_one_that_is_counted(kept: int, broken: list[str]) -> None:
    """What is kept from order to order must be what a count from nothing gives."""
    invariants = Invariants(CASH)
    invariants.after_counting(kept, 700_000)

    assert invariants.checks == 1
    assert invariants.violations == bool(broken)
    assert all(words in invariants.kept[0] for words in broken)
