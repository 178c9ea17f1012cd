"""Exits need room in the position and nothing else; only exits that rest are moved."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import AmendIntent, Purpose
from arb.core.events import Side
from arb.core.ledger import Ledger
from arb.core.money import CountE2, PriceE4
from arb.core.orders import OrderState
from arb.core.parameters import Risk
from arb.core.permission import Permission
from arb.core.risk import (
    Refusal,
    RefusalCode,
    amendment_of,
    exit_room_e2,
    review,
    review_amend,
)
from tests.core.order_factory import (
    EXIT,
    NYY,
    accepted,
    closed,
    fill,
    hold,
    ledger_with,
    order,
    order_in,
    plain_fee,
)

RUNNING = Permission(ready=True)
RESTING = OrderState.RESTING
LIMITS = Risk()


def refusal_of(ledger: Ledger, **changes: Any) -> Refusal | None:
    """Review the usual exit with some things different, while nothing else is allowed."""
    return review(attrs.evolve(EXIT, **changes), ledger, LIMITS, Permission(), plain_fee)


def code(ledger: Ledger, **changes: Any) -> RefusalCode | None:
    """Review the usual exit with some things different, and return the refusal's code."""
    refusal = refusal_of(ledger, **changes)
    return None if refusal is None else refusal.code


def text(ledger: Ledger, **changes: Any) -> str:
    """Review the usual exit with some things different, and return why it is refused."""
    refusal = refusal_of(ledger, **changes)
    assert refusal is not None
    return refusal.text


@pytest.mark.parametrize("held, side, wished, fits", [
    (500, Side.ASK, 500, True),
    (500, Side.ASK, 501, False),
    (-500, Side.BID, 500, True),
    (-500, Side.BID, 501, False),
    (500, Side.BID, 100, False),
    (-500, Side.ASK, 100, False),
    (0, Side.ASK, 100, False),
    (0, Side.BID, 100, False),
])  # fmt: skip
def test_an_exit_lessens_what_is_held(held: int, side: Side, wished: int, fits: bool) -> None:
    """An exit may be as large as the position and goes against it, YES and NO alike."""
    ledger = ledger_with()
    if held:
        hold(ledger, held)
    expected = None if fits else RefusalCode.EXIT_TOO_LARGE

    assert code(ledger, side=side, count_e2=CountE2(wished)) is expected


@pytest.mark.parametrize(
    "state, room",
    [
        (OrderState.PENDING, 0),
        (OrderState.RESTING, 0),
        (OrderState.UNKNOWN, 0),
        (OrderState.CLOSED, 500),
        (OrderState.REFUSED, 500),
    ],
)
def test_an_exit_covers_until_its_end(state: OrderState, room: int) -> None:
    """While an exit may fill, nobody sells the same contracts again."""
    ledger = ledger_with(order_in(state, wish=EXIT))
    hold(ledger, 500)

    assert exit_room_e2(ledger, NYY) == room
    assert code(ledger) is (None if room else RefusalCode.EXIT_TOO_LARGE)


def test_an_ended_exit_covers_what_its_fills_will_sell() -> None:
    """An exit that is over and whose fill is not booked yet still covers that much."""
    ledger = ledger_with(order_in(RESTING, wish=EXIT))
    hold(ledger, 500)
    ledger.report(closed(filled=200))

    assert exit_room_e2(ledger, NYY) == 300
    assert text(ledger) == "5 wished, 3 uncovered"


def test_entries_cover_nothing() -> None:
    """An entry at work does not count against the exits of what is held."""
    ledger = ledger_with(order_in(RESTING))
    hold(ledger, 500)

    assert exit_room_e2(ledger, NYY) == 500


def test_room_is_never_less_than_none() -> None:
    """Where exits cover more than is held, and where nothing is known, there is no room."""
    ledger = ledger_with(order_in(RESTING, wish=EXIT))
    hold(ledger, 200)

    assert exit_room_e2(ledger, NYY) == 0
    assert exit_room_e2(ledger, "nowhere") == 0


def test_an_exit_the_wrong_way_has_no_room() -> None:
    """A purchase is no exit of YES, however much of it is uncovered."""
    ledger = ledger_with()
    hold(ledger, 500)

    assert text(ledger, side=Side.BID) == "5 wished, 0 uncovered"


def amend(**changes: Any) -> AmendIntent:
    """Wish to move the usual exit."""
    return attrs.evolve(AmendIntent("o1", NYY, PriceE4(5_600), CountE2(500), 1), **changes)


def amend_code(ledger: Ledger, **changes: Any) -> RefusalCode | None:
    """Review a move, and return the refusal's code."""
    refusal = review_amend(amend(**changes), ledger)
    return None if refusal is None else refusal.code


def test_a_resting_exit_may_be_moved() -> None:
    """An exit that rests and has an id at the exchange may go to another price."""
    assert amend_code(ledger_with(order_in(RESTING, wish=EXIT))) is None


@pytest.mark.parametrize("state", OrderState)
def test_only_exits_that_rest_may_be_moved(state: OrderState) -> None:
    """An order that is pending, unknown or over is not moved, and says so."""
    one = order_in(state, wish=EXIT)
    known = order_in(state, wish=EXIT)
    known.order_id = "x-o1"
    expected = {
        OrderState.RESTING: None,
        OrderState.PENDING: RefusalCode.NOT_MOVABLE,
        OrderState.UNKNOWN: RefusalCode.NOT_MOVABLE,
    }

    assert amend_code(ledger_with(known)) is expected.get(state, RefusalCode.NO_SUCH_ORDER)
    if state is not RESTING:
        assert amend_code(ledger_with(one)) is RefusalCode.NO_SUCH_ORDER


def test_entries_and_strangers_are_not_moved() -> None:
    """An entry that should move is cancelled; an order of nobody's cannot move."""
    ledger = ledger_with(order_in(RESTING))

    assert amend_code(ledger) is RefusalCode.NO_SUCH_ORDER
    assert review_amend(amend(client_order_id="o2"), ledger) == Refusal(
        NYY, Purpose.EXIT, RefusalCode.NO_SUCH_ORDER, "o2 is no open exit"
    )


def test_one_move_at_a_time() -> None:
    """A second move before the first is answered could be carried out before it."""
    one = order_in(RESTING, wish=EXIT)
    one.amend_sent(PriceE4(5_600))
    refusal = review_amend(amend(), ledger_with(one))

    assert refusal is not None
    assert (refusal.code, refusal.text) == (RefusalCode.NOT_MOVABLE, "o1 is being moved")


@pytest.mark.parametrize("remaining, refusal", [
    (300, None),
    (301, RefusalCode.EXIT_TOO_LARGE),
    (299, RefusalCode.BAD_COUNT),
    (0, RefusalCode.BAD_COUNT),
    (-1, RefusalCode.BAD_COUNT),
])  # fmt: skip
def test_a_move_is_of_all_that_is_left(remaining: int, refusal: RefusalCode | None) -> None:
    """An exit moves whole: neither more than is left nor less may be wished for."""
    ledger = ledger_with(order_in(RESTING, wish=EXIT))
    hold(ledger, 500)
    ledger.book(fill(side=Side.ASK))

    assert amend_code(ledger, remaining_e2=CountE2(remaining)) is refusal


def test_an_amendment_counts_what_has_filled() -> None:
    """The exchange is told the total: what filled and what shall rest."""
    one = order_in(RESTING, wish=EXIT)
    one.filled_e2 = CountE2(200)
    made = amendment_of(amend(remaining_e2=CountE2(300)), one, "x-o1")

    assert (made.total_e2, made.price_e4, made.side) == (500, 5_600, Side.ASK)
    assert (made.client_order_id, made.order_id, made.ticker) == ("o1", "x-o1", NYY)


@given(st.integers(0, 499), st.integers(0, 499))
def test_an_amendment_never_makes_an_order_larger(booked: int, reported: int) -> None:
    """However far reports run ahead of fills or behind, the total is what was approved."""
    one = order(wish=EXIT)
    one.apply(accepted(filled=reported, remaining=500 - reported))
    one.filled_e2 = CountE2(booked)
    wish = amend(remaining_e2=one.at_stake_e2)

    assert review_amend(wish, ledger_with(one)) is None
    assert amendment_of(wish, one, "x-o1").total_e2 == one.count_e2 == 500
