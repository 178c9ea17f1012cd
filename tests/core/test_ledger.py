"""Orders, fills, positions and cash, counted once each."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import Fill, Side
from arb.core.ledger import Ledger, Position
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from tests.core.order_factory import (
    BOS,
    CASH,
    EXIT,
    NYY,
    accepted,
    closed,
    fill,
    hold,
    ledger_with,
    order,
    order_in,
    refused,
    unknown,
)

RESTING, CLOSED = OrderState.RESTING, OrderState.CLOSED

SIDES = st.sampled_from(Side)
PRICES = st.integers(1, 9_999)
COUNTS = st.integers(1, 2_000)
FEES = st.integers(-10_000, 30_000)
TRADES = st.lists(st.tuples(st.sampled_from((NYY, BOS)), SIDES, PRICES, COUNTS, FEES), max_size=30)


def fills_of(trades: list[tuple[str, Side, int, int, int]]) -> list[Fill]:
    """Make one fill of each trade."""
    return [
        fill(
            f"t{number}",
            ticker=ticker,
            side=side,
            price_e4=PriceE4(price),
            count_e2=CountE2(count),
            fee_e6=MoneyE6(fee),
        )
        for number, (ticker, side, price, count, fee) in enumerate(trades)
    ]


@attrs.define
class NaiveAccount:
    """An account in fractions of a dollar that knows two things to own, YES and NO.

    To sell YES is to buy NO, and whoever owns one of each is paid a dollar for the pair.
    """

    cash: Fraction
    owned: dict[tuple[str, Side], Fraction] = attrs.field(factory=dict)

    def trade(self, done: Fill) -> None:
        """Buy what the fill bought, and redeem every pair."""
        yes_price = Fraction(done.price_e4, 10_000)
        price = yes_price if done.side is Side.BID else 1 - yes_price
        count = Fraction(done.count_e2, 100)
        self.cash -= price * count + Fraction(done.fee_e6, 10**6)
        mine, other = (done.ticker, done.side), (done.ticker, done.side.other)
        self.owned[mine] = self.owned.get(mine, Fraction(0)) + count
        pairs = min(self.owned[mine], self.owned.get(other, Fraction(0)))
        for each in (mine, other):
            self.owned[each] = self.owned.get(each, Fraction(0)) - pairs
        self.cash += pairs

    def held_e2(self, ticker: str) -> Fraction:
        """Return the position as the ledger counts it."""
        yes, no = (self.owned.get((ticker, side), Fraction(0)) for side in (Side.BID, Side.ASK))
        return 100 * (yes - no)


@given(TRADES)
def test_cash_and_positions_are_those_of_a_naive_account(trades: list[Any]) -> None:
    """Over any trades, cash and counts equal an account kept in fractions by another rule."""
    ledger, naive = Ledger(CASH), NaiveAccount(Fraction(CASH, 10**6))
    for each in fills_of(trades):
        ledger.book(each)
        naive.trade(each)

        assert Fraction(ledger.cash_e6, 10**6) == naive.cash
        assert ledger.position(each.ticker).count_e2 == naive.held_e2(each.ticker)


@given(TRADES)
def test_cash_is_what_was_realised_less_fees_and_open_cost(trades: list[Any]) -> None:
    """Nothing is lost between the columns: cash, open cost, gains and fees add up exactly."""
    ledger = Ledger(CASH)
    for each in fills_of(trades):
        ledger.book(each)
    positions = ledger.positions.values()

    assert ledger.cash_e6 == CASH + sum(
        position.realised_e6 - position.fees_e6 - position.cost_e6 for position in positions
    )


@given(SIDES, st.lists(st.tuples(PRICES, COUNTS), min_size=1, max_size=6), st.data())
def test_closing_in_any_parts_leaves_no_remainder(
    side: Side, bought: list[tuple[int, int]], data: st.DataObject
) -> None:
    """However a position was bought and in whatever parts it is closed, flat means cost 0."""
    position = Position(NYY)
    for price, count in bought:
        position.trade(side, price, count)
    while position.count_e2:
        part = data.draw(st.integers(1, abs(position.count_e2)))
        position.trade(side.other, data.draw(PRICES), part)

        assert position.cost_e6 >= 0

    assert (position.cost_e6, position.entry_e4) == (0, 0)


@given(SIDES, st.lists(st.tuples(PRICES, COUNTS), min_size=1, max_size=6), COUNTS)
def test_nobody_owns_for_less_than_nothing_or_more_than_a_dollar(
    side: Side, bought: list[tuple[int, int]], closing: int
) -> None:
    """The average price of what is held stays within what was paid, also after partial closes."""
    position = Position(NYY)
    for price, count in bought:
        position.trade(side, price, count)
    own = [price if side is Side.BID else 10_000 - price for price, _ in bought]
    closing = min(closing, abs(position.count_e2) - 1)
    if closing > 0:
        position.trade(side.other, 5_000, closing)

    # A remainder of a millionth stays with what is left, and the average is rounded up.
    assert min(own) <= position.entry_e4 <= max(own) + 1


def test_a_purchase_costs_its_price_and_its_fee() -> None:
    """Two contracts at 50 cents with a fee of a cent take $1.01 of cash."""
    ledger = ledger_with(order())
    ledger.book(fill(fee_e6=MoneyE6(10_000)))

    position = ledger.position(NYY)
    assert ledger.cash_e6 == CASH - 1_010_000
    assert (position.count_e2, position.cost_e6, position.fees_e6) == (200, 1_000_000, 10_000)
    assert position.entry_e4 == 5_000


def test_a_sale_realises_the_difference() -> None:
    """Bought at 50 and sold at 56, two contracts gain twelve cents."""
    ledger = ledger_with(order())
    ledger.book(fill("t1"))
    ledger.book(fill("t2", side=Side.ASK, price_e4=PriceE4(5_600)))

    position = ledger.position(NYY)
    assert (position.count_e2, position.cost_e6, position.realised_e6) == (0, 0, 120_000)
    assert ledger.cash_e6 == CASH + 120_000


def test_selling_what_is_not_held_opens_no() -> None:
    """A contract sold at 60 cents from flat is a NO that cost 40."""
    position = Position(NYY)
    change = position.trade(Side.ASK, 6_000, 100)

    assert (change, position.count_e2, position.entry_e4) == (-400_000, -100, 4_000)


def test_a_no_position_closes_by_buying() -> None:
    """NO bought at 40 cents and closed while YES costs 50 gains ten cents."""
    position = Position(NYY)
    position.trade(Side.ASK, 6_000, 100)
    change = position.trade(Side.BID, 5_000, 100)

    assert (change, position.realised_e6, position.count_e2) == (500_000, 100_000, 0)


@pytest.mark.parametrize("first, second", [(Side.BID, Side.ASK), (Side.ASK, Side.BID)])
def test_a_trade_through_zero_closes_and_opens(first: Side, second: Side) -> None:
    """One fill larger than the position closes all of it and opens the other side."""
    position = Position(NYY)
    position.trade(first, 5_000, 100)
    position.trade(second, 5_000, 300)

    assert abs(position.count_e2) == 200
    assert (position.cost_e6, position.realised_e6) == (1_000_000, 0)


@pytest.mark.parametrize("side, at_60, at_40", [(Side.BID, 100_000, -100_000), (Side.ASK, -1, 1)])
def test_a_mark_values_the_side_that_is_held(side: Side, at_60: int, at_40: int) -> None:
    """YES gains when its price rises, NO when it falls."""
    position = Position(NYY)
    position.trade(side, 5_000, 100)

    for mark, gain in ((6_000, at_60), (4_000, at_40)):
        assert position.unrealised_e6(mark) * gain > 0
        assert abs(position.unrealised_e6(mark)) == 100_000


def test_a_flat_position_is_worth_nothing() -> None:
    """Where nothing is held no mark makes a difference."""
    assert Position(NYY).unrealised_e6(9_000) == 0


def test_the_average_price_is_rounded_up() -> None:
    """A price that does not divide evenly is shown as no less than was paid."""
    position = Position(NYY)
    position.trade(Side.BID, 5_000, 100)
    position.trade(Side.BID, 5_001, 200)

    assert position.entry_e4 == 5_001


def test_a_trade_is_booked_once() -> None:
    """The same trade, heard twice, changes nothing the second time."""
    ledger = ledger_with(order_in(RESTING))

    assert ledger.book(fill())
    once = attrs.asdict(ledger)
    assert not ledger.book(fill(fee_e6=MoneyE6(5)))
    assert attrs.asdict(ledger) == once
    assert (ledger.fills_booked, ledger.orders["o1"].filled_e2) == (1, 200)


def test_an_id_is_used_once() -> None:
    """A second order of the same id is refused, also after the first one's end."""
    ledger = ledger_with(order())
    ledger.report(refused())

    with pytest.raises(ValueError, match="the id o1 has been used before"):
        ledger.open_order(order())


def test_a_report_of_somebody_elses_order_is_not_ours() -> None:
    """An unknown id changes nothing and is told apart from a known one."""
    ledger = ledger_with(order())

    assert ledger.report(accepted("theirs")) is None
    assert ledger.report(accepted()) is ledger.orders["o1"]


def test_an_illegal_report_is_counted_and_changes_nothing() -> None:
    """What cannot be true of an order is counted; the order stays as it is."""
    ledger = ledger_with(order_in(RESTING))

    assert ledger.report(refused()) is ledger.orders["o1"]
    assert (ledger.illegal_reports, ledger.orders["o1"].state) == (1, RESTING)


def test_a_fill_may_come_before_the_answer() -> None:
    """A pending order takes its fill, and learns the exchange's id from it."""
    ledger = ledger_with(order())
    ledger.book(fill())
    one = ledger.orders["o1"]
    before = (one.state, one.order_id, one.at_stake_e2)
    ledger.report(accepted(filled=200, remaining=300))

    assert before == (OrderState.PENDING, "x-o1", 300)
    assert (one.state, one.at_stake_e2, ledger.illegal_reports) == (RESTING, 300, 0)


def test_the_last_fill_closes_an_order() -> None:
    """When all of it is booked an order is over, whoever tells it or not."""
    ledger = ledger_with(order_in(RESTING))
    ledger.book(fill("t1", count_e2=CountE2(300)))
    ledger.book(fill("t2", count_e2=CountE2(200)))
    one = ledger.orders["o1"]

    assert (one.state, one.why_closed) == (CLOSED, "filled")
    assert list(ledger.all_at_stake()) == []


def test_a_fill_after_the_end_is_booked() -> None:
    """A cancel that lost its race to a fill does not hide the fill."""
    ledger = ledger_with(order_in(CLOSED))
    ledger.book(fill())

    assert ledger.position(NYY).count_e2 == 200
    assert (ledger.orders["o1"].state, ledger.orders["o1"].filled_e2) == (CLOSED, 200)
    assert (ledger.stray_fills, ledger.illegal_reports) == (0, 0)


def test_an_ended_order_stays_at_stake_until_its_fills_are_booked() -> None:
    """What was reported filled keeps its market active until the fill is here."""
    ledger = ledger_with(order())
    ledger.report(accepted(filled=200, remaining=0))
    before = [one.client_order_id for one in ledger.at_stake(NYY)]
    ledger.book(fill())

    assert before == ["o1"]
    assert list(ledger.at_stake(NYY)) == []


def test_a_late_report_of_more_fills_puts_an_order_back_at_stake() -> None:
    """An order that was over and is then said to have filled counts again."""
    ledger = ledger_with(order_in(CLOSED))
    ledger.report(closed(filled=500, why="filled"))

    assert [one.at_stake_e2 for one in ledger.at_stake(NYY)] == [500]


def test_a_fill_finds_its_order_by_the_exchanges_id() -> None:
    """REST fills carry no id of ours; the exchange's own is enough once it is known."""
    ledger = ledger_with(order())
    ledger.report(accepted())
    ledger.book(fill(client_order_id=None))

    assert ledger.orders["o1"].filled_e2 == 200
    assert ledger.stray_fills == 0


def test_a_foreign_client_id_does_not_hide_a_known_order() -> None:
    """Where the id is not one of ours, the exchange's decides."""
    ledger = ledger_with(order_in(RESTING))

    assert ledger.order_of(fill(client_order_id="theirs")) is ledger.orders["o1"]


def test_a_fill_without_an_order_is_booked_and_counted() -> None:
    """What a person traded by hand moves cash and position all the same."""
    ledger = Ledger(CASH)
    ledger.book(fill(client_order_id=None))

    assert (ledger.stray_fills, ledger.fills_booked) == (1, 1)
    assert (ledger.position(NYY).count_e2, ledger.cash_e6) == (200, CASH - 1_000_000)


def test_an_unknown_order_stays_at_stake() -> None:
    """Nobody's word is no reason to forget an order."""
    ledger = ledger_with(order())
    ledger.report(unknown())

    assert [one.at_stake_e2 for one in ledger.all_at_stake()] == [500]


def test_active_markets_hold_something_or_wait_for_it() -> None:
    """A market is active with a position or an order at stake, in order, and once."""
    ledger = ledger_with(order("o1"), order("o2", ticker=BOS))
    hold(ledger, 200, ticker=NYY)
    assert ledger.active_tickers() == [BOS, NYY]

    ledger.report(refused("o2"))
    assert ledger.active_tickers() == [NYY]

    hold(ledger, -200, ticker=NYY)
    ledger.report(closed("o1"))
    assert ledger.active_tickers() == []


def test_our_markets_are_those_in_which_something_is_ours() -> None:
    """What a person holds by hand is not; what an order of ours may still bring is."""
    ledger = ledger_with(order("o1", ticker=BOS))
    hold(ledger, 200, ticker=NYY)
    assert ledger.our_tickers() == [BOS, NYY]

    ledger.positions[NYY].own_e2 = CountE2(0)
    assert ledger.our_tickers() == [BOS]
    assert ledger.active_tickers() == [BOS, NYY]


def test_orders_at_stake_are_those_of_the_market() -> None:
    """A market sees its own orders; all markets' are listed one after the other."""
    ledger = ledger_with(order("o1"), order("o2", ticker=BOS), order("o3", wish=EXIT))

    assert [one.client_order_id for one in ledger.at_stake(NYY)] == ["o1", "o3"]
    assert [one.client_order_id for one in ledger.at_stake("nowhere")] == []
    assert [one.client_order_id for one in ledger.all_at_stake()] == ["o1", "o3", "o2"]


def test_orders_may_end_while_they_are_listed() -> None:
    """Whoever walks the orders at stake may report on them on the way."""
    ledger = ledger_with(order("o1"), order("o2"), order("o3", ticker=BOS))
    for one in ledger.all_at_stake():
        ledger.report(refused(one.client_order_id))

    assert list(ledger.all_at_stake()) == []


def test_a_ledger_shows_itself() -> None:
    """The representation says how much money, how many orders, fills and active markets."""
    ledger = ledger_with(order())
    ledger.book(fill())

    assert repr(ledger) == "<Ledger cash_e6=999000000 orders=1 fills=1 active=1>"
