"""The sale of everything held, at fair value, and never of more."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import AmendIntent, OrderIntent, Purpose, TimeInForce
from arb.core.events import Liquidity, Side
from arb.core.exits import ExitView, Holding, OpenOrder, plan_exits
from arb.core.grid import WHOLE_CENTS, PriceGrid
from arb.core.money import CountE2, PriceE4
from arb.core.orders import OrderState
from tests.core.order_factory import EXIT, NYY, order, order_in, top

TENTHS = PriceGrid(((0, 10_000, 10),))
RESTING = OrderState.RESTING


def sale(name: str = "o1", price: int = 5_500, count: int = 500, **changes: Any) -> OpenOrder:
    """Make an exit that rests."""
    wish = attrs.evolve(EXIT, price_e4=PriceE4(price), count_e2=CountE2(count))
    return attrs.evolve(OpenOrder.of(order_in(RESTING, name, wish=wish)), **changes)


def view(*orders: OpenOrder, count: int = 500, fair: float = 0.55, **changes: Any) -> ExitView:
    """View a holding of five contracts under a book of 50 to 57 cents, some things different."""
    holding = Holding(NYY, CountE2(count), PriceE4(5_000), orders)
    made = ExitView(holding, fair, WHOLE_CENTS, top(), "g1", trigger_ns=7)
    return attrs.evolve(made, **changes)


def test_nothing_held_wishes_for_nothing() -> None:
    """Without a position there is no exit, even beside an entry that rests."""
    entry = OpenOrder.of(order_in(RESTING))

    assert plan_exits(view(entry, count=0)) == []


def test_everything_held_rests_at_fair_value() -> None:
    """A new position is offered whole, post-only, at fair value."""
    assert plan_exits(view()) == [
        OrderIntent(
            ticker=NYY,
            game_id="g1",
            purpose=Purpose.EXIT,
            side=Side.ASK,
            price_e4=PriceE4(5_500),
            count_e2=CountE2(500),
            liquidity=Liquidity.MAKER,
            time_in_force=TimeInForce.GOOD_TILL_CANCELED,
            post_only=True,
            trigger_ns=7,
            fair=0.55,
        )
    ]


@pytest.mark.parametrize(
    "fair, grid, price",
    [
        (0.5501, WHOLE_CENTS, 5_600),
        (0.5501, TENTHS, 5_510),
        (0.55, WHOLE_CENTS, 5_500),
        (0.9999, WHOLE_CENTS, 9_900),
        (0.9999, TENTHS, 9_990),
    ],
)
def test_the_price_is_rounded_up_to_the_grid(fair: float, grid: PriceGrid, price: int) -> None:
    """Never below fair value where the grid has such a price, and always below a dollar."""
    [wish] = plan_exits(view(fair=fair, grid=grid))

    assert wish.price_e4 == price


@pytest.mark.parametrize("bid, pays", [(5_400, False), (5_500, True), (5_600, True)])
def test_a_bid_that_pays_the_price_is_taken(bid: int, pays: bool) -> None:
    """Where post-only would be refused the sale is immediate-or-cancel, at no less than fair."""
    [wish] = plan_exits(view(top=top(bid=bid, ask=5_700)))

    assert isinstance(wish, OrderIntent)
    assert wish.price_e4 == 5_500
    assert wish.post_only is not pays
    assert (wish.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL) is pays
    assert (wish.liquidity is Liquidity.TAKER) is pays


@pytest.mark.parametrize("bid, expires", [(5_000, 60), (5_500, None)])
def test_an_exit_that_rests_does_not_rest_for_ever(bid: int, expires: int | None) -> None:
    """The exchange is told when to take a resting exit away; one that takes a bid needs none."""
    [wish] = plan_exits(view(top=top(bid=bid), expires_s=60))

    assert isinstance(wish, OrderIntent)
    assert wish.expires_s == expires


@pytest.mark.parametrize("seen", [None, top(bid=None), top(bid=6_000, usable=False)])
def test_a_bid_that_is_not_known_is_not_taken(seen: Any) -> None:
    """Without a book, a bid, or a live connection the sale rests, and post-only protects it."""
    [wish] = plan_exits(view(top=seen))

    assert isinstance(wish, OrderIntent)
    assert wish.post_only


@pytest.mark.parametrize("covered, wished", [(500, None), (300, 200), (499, 1), (600, None)])
def test_a_further_fill_adds_a_tranche(covered: int, wished: int | None) -> None:
    """Only what no exit covers is offered anew; what is covered is left alone."""
    counts = [size(move) for move in plan_exits(view(sale(count=covered))) if is_new(move)]

    assert counts == ([] if wished is None else [wished])


def is_new(move: OrderIntent | AmendIntent) -> bool:
    """Tell a new order from a move."""
    return isinstance(move, OrderIntent)


def test_entries_cover_nothing() -> None:
    """An entry at work does not stand for an exit."""
    entry = OpenOrder.of(order_in(RESTING))

    assert [size(move) for move in plan_exits(view(entry)) if is_new(move)] == [500]


@pytest.mark.parametrize("state", [OrderState.PENDING, OrderState.UNKNOWN, OrderState.CLOSED])
def test_what_may_still_sell_is_not_sold_again(state: OrderState) -> None:
    """A pending, an unknown, and an ended exit whose fill is on its way all cover."""
    assert plan_exits(view(sale(state=state))) == []


@pytest.mark.parametrize(
    "fair, moves_to", [(0.55, None), (0.5491, None), (0.5501, 5_600), (0.5400, 5_400)]
)
def test_an_exit_moves_by_whole_ticks(fair: float, moves_to: int | None) -> None:
    """A move is wished for when the price differs on the grid, not when fair value trembles."""
    moves = plan_exits(view(sale(), fair=fair))

    expected = AmendIntent("o1", NYY, PriceE4(moves_to or 0), CountE2(500), 7)
    assert moves == ([] if moves_to is None else [expected])


def test_all_tranches_move_together() -> None:
    """Each exit that is elsewhere moves, for what remains of it; one that is there stays.

    What is not on sale at all comes first.
    """
    moves = plan_exits(
        view(
            sale("o1", 5_500, 200),
            sale("o2", 5_600, 100, at_stake_e2=CountE2(50)),
            sale("o3", 5_800, 100),
            fair=0.58,
        )
    )

    assert [(move.price_e4, size(move)) for move in moves] == [
        (5_800, 150),
        (5_800, 200),
        (5_800, 50),
    ]
    assert [is_new(move) for move in moves] == [True, False, False]


def size(move: OrderIntent | AmendIntent) -> int:
    """Return how much a move or a new order is about."""
    return move.count_e2 if isinstance(move, OrderIntent) else move.remaining_e2


@pytest.mark.parametrize(
    "changes",
    [
        {"amending": True},
        {"state": OrderState.PENDING},
        {"state": OrderState.UNKNOWN},
        {"at_stake_e2": CountE2(0)},
    ],
)
def test_only_an_exit_that_rests_undisturbed_moves(changes: dict[str, Any]) -> None:
    """While a move is out, or nobody knows where the order stands, it is not moved."""
    moves = plan_exits(view(sale(**changes), fair=0.6))

    assert [move for move in moves if not is_new(move)] == []


@pytest.mark.parametrize("bid, moves_to", [
    (5_000, 5_300),
    (5_200, 5_300),
    (5_300, 5_400),
    (5_399, 5_400),
    (5_400, None),
    (5_600, 5_700),
    (9_900, None),
])  # fmt: skip
def test_a_move_never_crosses_the_bid(bid: int, moves_to: int | None) -> None:
    """A move has no post-only: it stops a tick above the bid, and where there is none it stays."""
    seen = top(bid=bid, ask=None)
    moves = plan_exits(view(sale(), fair=0.53, top=seen))

    assert [move.price_e4 for move in moves] == ([] if moves_to is None else [moves_to])


@pytest.mark.parametrize("seen", [None, top(usable=False), top(bid=None, usable=False)])
def test_nothing_moves_while_the_bid_is_not_known(seen: Any) -> None:
    """Without a live book a move might cross, so it waits."""
    assert plan_exits(view(sale(), fair=0.6, top=seen)) == []


def test_an_empty_bid_side_is_nothing_to_cross() -> None:
    """A live book without a bid lets an exit go anywhere."""
    moves = plan_exits(view(sale(), fair=0.53, top=top(bid=None)))

    assert [move.price_e4 for move in moves] == [5_300]


EXITS = st.lists(
    st.builds(
        sale,
        name=st.uuids().map(str),
        price=st.integers(1, 99).map(lambda cent: cent * 100),
        count=st.integers(1, 400),
        state=st.sampled_from(OrderState),
        amending=st.booleans(),
    ),
    max_size=4,
)
TOPS = st.builds(
    top,
    bid=st.none() | st.integers(1, 9_998),
    ask=st.none(),
    usable=st.booleans(),
)


@given(EXITS, st.integers(0, 1_500), st.floats(0.001, 0.999), st.none() | TOPS)
def test_never_more_is_offered_than_is_held(
    exits: list[OpenOrder], count: int, fair: float, seen: Any
) -> None:
    """Whatever rests already, what is new fits beside it, and no move is larger or crosses."""
    at_stake = {each.client_order_id: each.at_stake_e2 for each in exits}
    covered = sum(at_stake.values())
    for move in plan_exits(view(*exits, count=count, fair=fair, top=seen)):
        if isinstance(move, OrderIntent):
            assert 0 < move.count_e2 == count - covered
            assert move.side is Side.ASK
        else:
            assert move.remaining_e2 == at_stake[move.client_order_id]
            assert seen is not None
            assert seen.bid_e4 is None or move.price_e4 > seen.bid_e4
        assert WHOLE_CENTS.on_grid(move.price_e4)


def test_the_plan_is_empty_once_it_is_carried_out() -> None:
    """What was wished for, done, leaves nothing to wish for."""
    [wish] = plan_exits(view(fair=0.5501))
    done = sale(price=wish.price_e4, count=size(wish))

    assert plan_exits(view(done, fair=0.5501)) == []


def test_a_holding_tells_entries_from_exits() -> None:
    """Orders at stake are sorted by their purpose, and what exits leave uncovered is counted."""
    entry, sold = OpenOrder.of(order_in(RESTING, "o2")), sale(count=300)
    holding = view(entry, sold).holding

    assert (holding.entries, holding.exits) == ((entry,), (sold,))
    assert holding.uncovered_e2 == 200
    assert attrs.evolve(holding, count_e2=CountE2(-500)).uncovered_e2 == 500
    assert attrs.evolve(holding, count_e2=CountE2(100)).uncovered_e2 == 0


def test_an_order_is_described_as_the_ledger_has_it() -> None:
    """Every field a market looks at is the order's own."""
    one = order("o9", wish=EXIT)
    one.order_id, one.amending, one.filled_e2 = "x9", True, CountE2(100)

    assert OpenOrder.of(one) == OpenOrder(
        client_order_id="o9",
        order_id="x9",
        purpose=Purpose.EXIT,
        side=Side.ASK,
        price_e4=PriceE4(5_500),
        at_stake_e2=CountE2(400),
        count_e2=CountE2(500),
        state=OrderState.PENDING,
        amending=True,
        created_ms=1_000,
    )
