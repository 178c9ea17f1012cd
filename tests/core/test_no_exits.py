"""The exit of NO: YES bought back at fair value, the mirror image of a sale."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import AmendIntent, OrderIntent, Purpose, TimeInForce
from arb.core.edge import exit_price_e4
from arb.core.events import Liquidity, Side, Top
from arb.core.exits import ExitView, Holding, OpenOrder, plan_exits
from arb.core.grid import WHOLE_CENTS, PriceGrid
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4
from arb.core.orders import OrderState
from arb.core.ways import Outcome
from tests.core.order_factory import EXIT, NYY, order_in, top

TENTHS_BELOW = PriceGrid(((0, 1_000, 10), (1_000, 10_000, 100)))


def cover(name: str = "o1", price: int = 5_500, count: int = 500, **changes: Any) -> OpenOrder:
    """Make a purchase that rests to close NO."""
    wish = attrs.evolve(EXIT, side=Side.BID, price_e4=PriceE4(price), count_e2=CountE2(count))
    return attrs.evolve(OpenOrder.of(order_in(OrderState.RESTING, name, wish=wish)), **changes)


def view(*orders: OpenOrder, count: int = -500, fair: float = 0.55, **changes: Any) -> ExitView:
    """View five contracts of NO under a book of 50 to 57 cents, some things different."""
    holding = Holding(NYY, CountE2(count), PriceE4(4_000), orders)
    made = ExitView(holding, fair, WHOLE_CENTS, top(), "g1", trigger_ns=7, expires_s=60)
    return attrs.evolve(made, **changes)


def test_no_is_bought_back_at_fair_value() -> None:
    """A position of NO rests whole as a bid, post-only, and not for ever."""
    assert plan_exits(view()) == [
        OrderIntent(
            ticker=NYY,
            game_id="g1",
            purpose=Purpose.EXIT,
            side=Side.BID,
            price_e4=PriceE4(5_500),
            count_e2=CountE2(500),
            liquidity=Liquidity.MAKER,
            time_in_force=TimeInForce.GOOD_TILL_CANCELED,
            post_only=True,
            trigger_ns=7,
            fair=0.55,
            expires_s=60,
        )
    ]


@pytest.mark.parametrize(
    "fair, grid, price",
    [
        (0.5599, WHOLE_CENTS, 5_500),
        (0.57, WHOLE_CENTS, 5_700),
        (0.0951, TENTHS_BELOW, 950),
        (0.0001, WHOLE_CENTS, 100),
        (0.0001, TENTHS_BELOW, 10),
    ],
)
def test_the_price_is_rounded_down_to_the_grid(fair: float, grid: PriceGrid, price: int) -> None:
    """Never above fair value where the grid has such a price, and always above nothing."""
    [wish] = plan_exits(view(fair=fair, grid=grid, top=None))

    assert wish.price_e4 == price


@pytest.mark.parametrize("ask, pays", [(5_600, False), (5_500, True), (5_400, True)])
def test_an_ask_that_pays_the_price_is_taken(ask: int, pays: bool) -> None:
    """Where post-only would be refused NO is bought back at once, at no more than fair."""
    [wish] = plan_exits(view(top=top(bid=5_300, ask=ask)))

    assert isinstance(wish, OrderIntent)
    assert wish.price_e4 == 5_500
    assert wish.post_only is not pays
    assert (wish.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL) is pays


@pytest.mark.parametrize("seen", [None, top(ask=None), top(ask=5_000, usable=False)])
def test_an_ask_that_is_not_known_is_not_taken(seen: Any) -> None:
    """Without a book, an ask, or a live connection the purchase rests."""
    [wish] = plan_exits(view(top=seen))

    assert isinstance(wish, OrderIntent)
    assert wish.post_only


@pytest.mark.parametrize("ask, moves_to", [
    (5_900, 5_700),
    (5_800, 5_700),
    (5_700, 5_600),
    (5_601, 5_600),
    (5_600, None),
    (5_400, 5_300),
    (100, None),
    (None, 5_700),
])  # fmt: skip
def test_a_move_never_crosses_the_ask(ask: int | None, moves_to: int | None) -> None:
    """A move stops a tick below the ask, and where there is no such price it stays."""
    moves = plan_exits(view(cover(), fair=0.57, top=top(bid=None, ask=ask)))

    assert [move.price_e4 for move in moves] == ([] if moves_to is None else [moves_to])


def test_nothing_moves_while_the_ask_is_not_known() -> None:
    """Without a live book a move might cross, so it waits."""
    assert plan_exits(view(cover(), fair=0.5, top=None)) == []
    assert plan_exits(view(cover(), fair=0.5, top=top(usable=False))) == []


def test_what_stands_on_the_other_side_covers_nothing() -> None:
    """A sale that is left over does not lessen NO: it is neither moved nor counted."""
    stray = cover("o2", 6_000, 300, side=Side.ASK)

    [move] = plan_exits(view(stray))

    assert isinstance(move, OrderIntent)
    assert move.count_e2 == 500
    assert view(stray).holding.closing == ()


def test_an_order_knows_what_it_buys() -> None:
    """A bid buys YES, whatever for, and a sale NO."""
    assert (cover().outcome, cover(side=Side.ASK).outcome) == (Outcome.YES, Outcome.NO)


@given(st.integers(0, 10_000), st.sampled_from([WHOLE_CENTS, TENTHS_BELOW]))
def test_the_price_of_what_is_held_is_the_same_for_both(fair_e4: int, grid: PriceGrid) -> None:
    """NO at a chance is offered at what YES would be at the same chance, on the mirrored grid."""
    fair = fair_e4 / ONE_DOLLAR_E4

    bought_back_e4 = exit_price_e4(1.0 - fair, grid, Side.BID)

    assert ONE_DOLLAR_E4 - bought_back_e4 == exit_price_e4(fair, grid.mirrored, Side.ASK)


PRICES = st.none() | st.integers(1, 9_999)


@given(PRICES, PRICES, st.integers(1, 99), st.lists(st.integers(1, 99), max_size=3), st.booleans())
def test_a_mirrored_market_has_mirrored_exits(
    bid: int | None, ask: int | None, fair_cents: int, resting: list[int], usable: bool
) -> None:
    """YES under a book and NO under its mirror image are closed alike, to the last unit."""
    sales = [cover(f"o{n}", cent * 100, 100, side=Side.ASK) for n, cent in enumerate(resting)]
    covers = [_mirrored_order(sold) for sold in sales]
    seen = top(bid=bid, ask=ask, usable=usable)
    fair = fair_cents / 100

    long = plan_exits(view(*sales, count=500, fair=fair, top=seen))
    short = plan_exits(view(*covers, count=-500, fair=1.0 - fair, top=_mirrored_top(seen)))

    assert [_mirrored(move) for move in short] == [
        attrs.evolve(move, fair=0.0) if isinstance(move, OrderIntent) else move for move in long
    ]


def _mirrored_order(sold: OpenOrder) -> OpenOrder:
    return attrs.evolve(sold, side=Side.BID, price_e4=PriceE4(ONE_DOLLAR_E4 - sold.price_e4))


def _mirrored_top(seen: Top) -> Top:
    bid, ask = seen.ask_e4, seen.bid_e4
    return attrs.evolve(
        seen,
        bid_e4=None if bid is None else PriceE4(ONE_DOLLAR_E4 - bid),
        ask_e4=None if ask is None else PriceE4(ONE_DOLLAR_E4 - ask),
    )


def _mirrored(move: OrderIntent | AmendIntent) -> OrderIntent | AmendIntent:
    price_e4 = PriceE4(ONE_DOLLAR_E4 - move.price_e4)
    if isinstance(move, AmendIntent):
        return attrs.evolve(move, price_e4=price_e4)
    return attrs.evolve(move, price_e4=price_e4, side=move.side.other, fair=0.0)
