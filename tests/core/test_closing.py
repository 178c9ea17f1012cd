"""Closing in limited steps: what each takes, what it waits for, and when it ends."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.closing import LOOKS_WITHOUT_PROGRESS_MAX, Closing
from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.events import Liquidity, Side, Top
from arb.core.exits import Holding, OpenOrder
from arb.core.money import CountE2, PriceE4
from arb.core.orders import OrderState
from tests.core.order_factory import EXIT, NYY, order_in, top

STEP_E4 = 300


def holding(count: int = 500, *orders: OpenOrder, by_hand: int = 0) -> Holding:
    """Hold five contracts."""
    return Holding(NYY, CountE2(count), PriceE4(4_000), orders, by_hand_e2=CountE2(by_hand))


def seen(bid: int | None = 5_000, ask: int | None = 5_700, size: int = 10_000, **more: Any) -> Top:
    """See a book."""
    made = top(bid, ask, **more)
    return attrs.evolve(
        made,
        bid_size_e2=CountE2(size if bid is not None else 0),
        ask_size_e2=CountE2(size if ask is not None else 0),
    )


def step(closing: Closing, held: Holding, book: Top | None) -> OrderIntent | None:
    """Take a step of three cents at most."""
    return closing.step(held, book, STEP_E4, "g1", 7)


def new() -> Closing:
    """Begin to close for a person."""
    return Closing("by console", asked=True)


@pytest.mark.parametrize("count, side, price", [(500, Side.ASK, 5_000), (-500, Side.BID, 5_700)])
def test_a_step_takes_what_the_book_pays(count: int, side: Side, price: int) -> None:
    """YES is sold at the bid and NO bought back at the ask: at once, whatever is fair."""
    assert step(new(), holding(count), seen()) == OrderIntent(
        ticker=NYY,
        game_id="g1",
        purpose=Purpose.EXIT,
        side=side,
        price_e4=PriceE4(price),
        count_e2=CountE2(500),
        liquidity=Liquidity.TAKER,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        post_only=False,
        trigger_ns=7,
        fair=price / 10_000,
    )


@pytest.mark.parametrize("count, by_hand, size, taken", [
    (500, 0, 200, 200),
    (-500, 0, 200, 200),
    (500, 0, 500, 500),
    (500, 0, 501, 500),
    (500, 300, 10_000, 200),
])  # fmt: skip
def test_it_takes_no_more_than_is_offered_and_ours(
    count: int, by_hand: int, size: int, taken: int
) -> None:
    """What lies behind the best price waits for the next step; a person's share stays."""
    wish = step(new(), holding(count, by_hand=by_hand), seen(size=size))

    assert wish is not None
    assert wish.count_e2 == taken


def test_only_what_is_uncovered_is_closed() -> None:
    """What an exit may still sell is not sold a second time."""
    sale = OpenOrder.of(order_in(OrderState.UNKNOWN, wish=EXIT, count_e2=CountE2(300)))

    wish = step(new(), holding(500, sale), seen())

    assert wish is not None
    assert wish.count_e2 == 200


@pytest.mark.parametrize("count, book, waits_for", [
    (500, None, "a live price"),
    (500, seen(usable=False), "a live price"),
    (500, seen(bid=None), "somebody to pay"),
    (-500, seen(ask=None), "somebody to pay"),
    (500, seen(size=0), "somebody to pay"),
])  # fmt: skip
def test_what_nobody_takes_is_not_offered(count: int, book: Top | None, waits_for: str) -> None:
    """Without a live price there is nothing to send, and it is said what is missing."""
    closing = new()

    assert step(closing, holding(count), book) is None
    assert closing.waits_for == waits_for
    assert closing.text == f"by console; waits for {waits_for}"


@pytest.mark.parametrize("count, first, then, goes", [
    (500, seen(5_000), seen(4_700), True),
    (500, seen(5_000), seen(4_699), False),
    (500, seen(5_000), seen(9_000), True),
    (-500, seen(None, 5_700), seen(None, 6_000), True),
    (-500, seen(None, 5_700), seen(None, 6_001), False),
])  # fmt: skip
def test_a_step_goes_no_further_down_than_it_may(
    count: int, first: Top, then: Top, goes: bool
) -> None:
    """A hole in the book is waited for; a better price is taken whatever was before."""
    closing = new()
    step(closing, holding(count), first)

    assert (step(closing, holding(count), then) is not None) is goes
    assert ("a better price" in closing.waits_for) is not goes


def test_what_has_come_back_is_taken() -> None:
    """The hole is filled again: the closing goes on."""
    closing = new()
    step(closing, holding(), seen(5_000))
    assert step(closing, holding(), seen(1_000)) is None

    assert step(closing, holding(), seen(4_900)) is not None


def test_steps_walk_down_with_the_book() -> None:
    """Each step is measured against the last one, not against the first."""
    closing = new()
    prices = [5_000, 4_800, 4_500, 4_200]

    wishes = [step(closing, holding(), seen(price)) for price in prices]

    assert [wish.price_e4 for wish in wishes if wish is not None] == prices


def test_it_is_given_up_after_so_many_looks_without_progress() -> None:
    """Looks that leave as much as before are counted; less begins the count anew."""
    closing = new()
    for _ in range(LOOKS_WITHOUT_PROGRESS_MAX - 1):
        closing.look(holding(500))
    assert not closing.is_hopeless

    closing.look(holding(400))
    for _ in range(LOOKS_WITHOUT_PROGRESS_MAX - 1):
        closing.look(holding(400))
    assert not closing.is_hopeless

    closing.look(holding(400))
    assert closing.is_hopeless


def test_before_the_first_look_there_is_only_a_reason() -> None:
    """Nothing is waited for yet."""
    assert new().text == "by console"


@given(
    st.lists(
        st.tuples(st.integers(1, 9_998), st.integers(0, 300), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    st.booleans(),
)
def test_closing_never_sells_more_than_is_left_nor_falls_by_more_than_a_step(
    books: list[tuple[int, int, bool]], is_no: bool
) -> None:
    """Whatever the book does, every step is within what is offered, what is left and the limit."""
    closing, left, last = new(), 500, None
    for own, size, usable in books:
        book = seen(own, None, size) if not is_no else seen(None, 10_000 - own, size)
        wish = step(closing, holding(-left if is_no else left), attrs.evolve(book, usable=usable))
        if wish is None:
            continue
        assert usable
        assert 0 < wish.count_e2 <= min(size, left)
        assert last is None or own >= last - STEP_E4
        last = own
        left -= wish.count_e2
        if not left:
            return
