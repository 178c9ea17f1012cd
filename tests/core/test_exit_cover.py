"""Exits beyond their price: floors, renewals, what is a person's, and what is too much."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import AmendIntent, OrderIntent, TimeInForce
from arb.core.events import Side
from arb.core.exit_policy import Bought, Floors, is_doubtful_fall
from arb.core.exits import ExitView, Holding, OpenOrder, excess_exits, plan_exits
from arb.core.grid import WHOLE_CENTS
from arb.core.ledger import Position
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import OrderState
from tests.core.order_factory import EXIT, NYY, order_in, top

RESTING = OrderState.RESTING


def exit_order(
    name: str = "o1", side: Side = Side.ASK, count: int = 500, at: int = 5_500, **changes: Any
) -> OpenOrder:
    """Make an exit that rests."""
    wish = attrs.evolve(EXIT, side=side, price_e4=PriceE4(at), count_e2=CountE2(count))
    return attrs.evolve(OpenOrder.of(order_in(RESTING, name, wish=wish)), **changes)


def held(count: int, *orders: OpenOrder, by_hand: int = 0) -> Holding:
    """Hold so much, some of it a person's."""
    return Holding(NYY, CountE2(count), PriceE4(4_000), orders, by_hand_e2=CountE2(by_hand))


def view(holding: Holding, fair: float = 0.55, **changes: Any) -> ExitView:
    """View a holding under a book of 50 to 57 cents."""
    made = ExitView(holding, fair, WHOLE_CENTS, top(), "g1", trigger_ns=7, expires_s=900)
    return attrs.evolve(made, **changes)


def floor(rest: int, take: int | None = None) -> Floors:
    """Ask for at least so much."""
    return Floors(PriceE4(rest), PriceE4(rest if take is None else take))


# Floors.


@pytest.mark.parametrize("count, fair, rest, price", [
    (500, 0.55, 0, 5_500),
    (500, 0.55, 5_500, 5_500),
    (500, 0.55, 5_501, 5_600),
    (500, 0.55, 9_950, 9_900),
    (-500, 0.55, 0, 5_500),
    (-500, 0.55, 4_500, 5_500),
    (-500, 0.55, 4_501, 5_400),
    (-500, 0.55, 9_950, 100),
])  # fmt: skip
def test_an_exit_rests_at_its_floor_where_fair_value_is_below(
    count: int, fair: float, rest: int, price: int
) -> None:
    """The floor is of the side that is held, and is rounded to the grid in our favour."""
    [wish] = plan_exits(view(held(count), fair, floors=floor(rest), top=None))

    assert isinstance(wish, OrderIntent)
    assert wish.price_e4 == price


@pytest.mark.parametrize("bid, kind, price", [
    (5_400, TimeInForce.GOOD_TILL_CANCELED, 5_500),
    (5_500, TimeInForce.GOOD_TILL_CANCELED, 5_600),
    (5_600, TimeInForce.IMMEDIATE_OR_CANCEL, 5_600),
    (5_700, TimeInForce.IMMEDIATE_OR_CANCEL, 5_600),
])  # fmt: skip
def test_a_bid_is_taken_only_where_it_pays_the_dearer_fee(
    bid: int, kind: TimeInForce, price: int
) -> None:
    """Between the two floors it rests a tick above the bid, instead of being refused."""
    book = top(bid=bid, ask=None)
    [wish] = plan_exits(view(held(500), 0.5, floors=floor(5_500, 5_600), top=book))

    assert isinstance(wish, OrderIntent)
    assert (wish.time_in_force, wish.price_e4) == (kind, price)
    assert wish.post_only is (kind is TimeInForce.GOOD_TILL_CANCELED)


def test_where_no_tick_is_left_above_the_bid_it_is_offered_as_it_is() -> None:
    """The exchange refuses it then, and it is tried again."""
    book = top(bid=9_900, ask=None)
    [wish] = plan_exits(view(held(500), 0.5, floors=floor(9_900, 10_000), top=book))

    assert wish.price_e4 == 9_900


def test_what_rests_is_moved_to_its_floor_and_no_further() -> None:
    """Fair value falls below break-even: the exit stops there."""
    [move] = plan_exits(view(held(500, exit_order(at=5_800)), 0.4, floors=floor(5_350)))

    assert isinstance(move, AmendIntent)
    assert move.price_e4 == 5_400


# Renewals.


@pytest.mark.parametrize("expires, before, renews", [
    (None, 10_000, False),
    (600, 600, False),
    (599, 600, True),
])  # fmt: skip
def test_an_exit_is_renewed_before_it_ends(expires: int | None, before: int, renews: bool) -> None:
    """It is moved to where it stands, so that it keeps its place and nothing is covered twice."""
    order = exit_order(expires_s=expires)
    moves = plan_exits(view(held(500, order), renew_before_s=before))

    renewed = AmendIntent("o1", NYY, PriceE4(5_500), CountE2(500), 7, 900)
    assert moves == ([renewed] if renews else [])


def test_it_is_renewed_where_it_stands_while_the_book_is_not_known() -> None:
    """No price is chosen without a book, and the life of a sale does not wait for one."""
    order = exit_order(expires_s=1, at=5_800)
    [move] = plan_exits(view(held(500, order), renew_before_s=2, top=None))

    assert (move.price_e4, move.expires_s) == (5_800, 900)


def test_every_move_renews() -> None:
    """An amendment costs the same with a new expiry."""
    [move] = plan_exits(view(held(500, exit_order(expires_s=800)), 0.6))

    assert (move.price_e4, move.expires_s) == (6_000, 900)


# What is a person's.


@pytest.mark.parametrize("count, by_hand, wished, side", [
    (500, 200, 300, Side.ASK),
    (-500, -200, 300, Side.BID),
    (500, 500, None, None),
])  # fmt: skip
def test_only_what_is_ours_is_offered(
    count: int, by_hand: int, wished: int | None, side: Side | None
) -> None:
    """A person's contracts stay, whatever exits we have."""
    moves = plan_exits(view(held(count, by_hand=by_hand)))

    assert [(m.count_e2, m.side) for m in moves if isinstance(m, OrderIntent)] == (
        [] if wished is None else [(wished, side)]
    )


def test_what_ours_cost_is_its_share_of_the_position() -> None:
    """Cost and fees are of all that is held, and shared by count, rounded against us."""
    position = Position(NYY, CountE2(500), MoneyE6(2_000_001), own_e2=CountE2(200))
    position.open_fees_e6, position.opened_ms = MoneyE6(101), 9

    assert Bought.of(position, 0.5) == Bought(
        CountE2(200), MoneyE6(800_001), MoneyE6(41), since_ms=9, fair=0.5
    )
    assert Bought.of(Position(NYY, CountE2(500)), 0.5) is None


# What rests.


@pytest.mark.parametrize("state, unrested", [
    (OrderState.RESTING, 200),
    (OrderState.PENDING, 500),
    (OrderState.UNKNOWN, 500),
])  # fmt: skip
def test_only_what_is_known_to_rest_rests(state: OrderState, unrested: int) -> None:
    """An exit that is on its way, or lost, may cover, but nobody can rely on it."""
    assert held(500, exit_order(count=300, state=state)).unrested_e2 == unrested
    assert held(500, exit_order(count=300, state=state)).uncovered_e2 == 200


# What is too much.


@pytest.mark.parametrize("count, orders, gone", [
    (500, [("a", Side.ASK, 500)], ""),
    (300, [("a", Side.ASK, 500)], "a"),
    (0, [("a", Side.ASK, 500)], "a"),
    (500, [("a", Side.ASK, 300), ("b", Side.ASK, 200)], ""),
    (300, [("a", Side.ASK, 300), ("b", Side.ASK, 200)], "b"),
    (200, [("a", Side.ASK, 300), ("b", Side.ASK, 200)], "a"),
    (-500, [("a", Side.ASK, 300), ("b", Side.BID, 500)], "a"),
    (-300, [("a", Side.BID, 200), ("b", Side.BID, 200)], "b"),
])  # fmt: skip
def test_what_could_sell_more_than_is_held_is_cancelled(
    count: int, orders: list[tuple[str, Side, int]], gone: str
) -> None:
    """The oldest stay as long as they fit; what would open the other side goes whole."""
    exits = [
        exit_order(name, side, size, created_ms=number)
        for number, (name, side, size) in enumerate(orders)
    ]
    found = excess_exits(held(count, *reversed(exits)))

    assert "".join(order.client_order_id for order in found) == gone


def test_a_persons_share_is_no_room_for_our_exits() -> None:
    """Five are held, three of them by hand: an exit of five is too much."""
    assert excess_exits(held(500, exit_order(), by_hand=300)) == (exit_order(),)


def test_what_has_ended_cannot_be_cancelled() -> None:
    """An exit whose fill is on its way is over."""
    assert excess_exits(held(0, exit_order(state=OrderState.CLOSED))) == ()


@given(st.integers(-600, 600), st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 400))))
def test_what_is_left_never_opens_the_other_side(
    count: int, orders: list[tuple[Side, int]]
) -> None:
    """After the cancels, everything that rests could fill and nothing would be turned over."""
    exits = [exit_order(f"o{n}", side, size) for n, (side, size) in enumerate(orders)]
    kept = set(exits) - set(excess_exits(held(count, *exits)))

    sold = sum(
        order.at_stake_e2 if order.side is Side.ASK else -order.at_stake_e2 for order in kept
    )
    assert 0 <= sold <= count if count >= 0 else count <= sold <= 0


# Doubt.


@pytest.mark.parametrize("count, fair, doubtful", [
    (500, 0.35, False),
    (500, 0.3499, True),
    (500, 0.95, False),
    (-500, 0.72, False),
    (-500, 0.7202, True),
    (-500, 0.05, False),
])  # fmt: skip
def test_a_fall_far_below_the_book_is_doubted(count: int, fair: float, doubtful: bool) -> None:
    """Only what would drag an exit down: a rise asks for more, and sells nothing at worst."""
    assert is_doubtful_fall(fair, count, PriceE4(5_000), PriceE4(5_700), 1_500) is doubtful


def test_without_a_price_nothing_speaks_against_a_fall() -> None:
    """An empty side of the book pays nothing."""
    assert not is_doubtful_fall(0.01, 500, None, PriceE4(5_700), 1_500)
    assert not is_doubtful_fall(0.99, -500, PriceE4(5_000), None, 1_500)
