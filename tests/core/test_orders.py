"""The life of an order: its table, and what the table cannot say."""

from __future__ import annotations

from itertools import product

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.commands import Purpose
from arb.core.events import OrderEvent, Side
from arb.core.money import CountE2, PriceE4
from arb.core.orders import TERMINAL, TRANSITIONS, IllegalTransition, OrderState
from tests.core.order_factory import (
    EXIT,
    REPORTS,
    accepted,
    amended,
    closed,
    kept,
    order,
    order_in,
    refused,
    unknown,
)

P, R, U, C, X = (
    OrderState.PENDING,
    OrderState.RESTING,
    OrderState.UNKNOWN,
    OrderState.CLOSED,
    OrderState.REFUSED,
)
NEVER = None

# The table once more, by hand: where each report leads from each state.
#             accepted refused unknown amended kept   closed
EXPECTED = {
    P: (R, X, U, NEVER, P, C),
    R: (R, NEVER, U, R, R, C),
    U: (R, X, U, R, U, C),
    C: (C, C, C, C, C, C),
    X: (NEVER, X, NEVER, NEVER, NEVER, X),
}
PAIRS = [
    (state, event, following)
    for state, row in EXPECTED.items()
    for event, following in zip(REPORTS, row, strict=True)
]
LEGAL = [(state, event, following) for state, event, following in PAIRS if following is not None]
ILLEGAL = [(state, event) for state, event, following in PAIRS if following is None]


def label(value: object) -> str:
    """Name a case after its state and report."""
    return value.value if isinstance(value, OrderState) else type(value).__name__


@pytest.mark.parametrize("state, event, following", LEGAL, ids=label)
def test_a_report_leads_where_the_table_says(
    state: OrderState, event: OrderEvent, following: OrderState
) -> None:
    """Every pair in the table leads to its state, for an order that came there in the usual way."""
    one = order_in(state)

    one.apply(event)

    assert one.state is following


@pytest.mark.parametrize("state, event", ILLEGAL, ids=label)
def test_a_report_that_cannot_be_true_changes_nothing(state: OrderState, event: OrderEvent) -> None:
    """Every pair that is not in the table is illegal and leaves the order as it was."""
    one, untouched = order_in(state), order_in(state)

    with pytest.raises(IllegalTransition, match=f"o1 is {state}: {type(event).__name__} cannot"):
        one.apply(event)

    assert one == untouched


def test_the_table_holds_these_pairs_and_no_others() -> None:
    """Of all states and reports exactly the expected pairs are legal."""
    assert set(TRANSITIONS) == {(state, type(event)) for state, event, _ in LEGAL}
    assert len(PAIRS) == len(OrderState) * len(REPORTS)


def test_nothing_leaves_a_terminal_state() -> None:
    """From closed and refused the table leads nowhere else."""
    away = [
        state for (state, _), following in TRANSITIONS.items() if state in TERMINAL - {following}
    ]

    assert away == []


@given(st.lists(st.sampled_from(REPORTS), max_size=12))
def test_no_sequence_of_reports_reopens_an_order(events: list[OrderEvent]) -> None:
    """Whatever is reported, once over is over, and the same end stays its reason."""
    one = order()
    ended: tuple[OrderState, str] | None = None
    for event in events:
        try:
            one.apply(event)
        except IllegalTransition:
            continue
        if ended is not None:
            assert (one.state, one.why_closed) == ended
        if not one.is_open:
            ended = (one.state, one.why_closed)


def test_an_order_begins_pending_with_everything_at_stake() -> None:
    """From its approval on all of an order counts, before anybody has answered."""
    one = order()

    assert (one.state, one.is_open, one.at_stake_e2) == (P, True, 500)
    assert (one.lowest_e4, one.highest_e4) == (5_000, 5_000)


@pytest.mark.parametrize("state, at_stake", [(P, 500), (R, 500), (U, 500), (C, 0), (X, 0)])
def test_an_order_counts_until_its_end(state: OrderState, at_stake: int) -> None:
    """Pending, resting and unknown orders count in full; ended ones do not."""
    one = order_in(state)

    assert one.at_stake_e2 == at_stake
    assert one.is_open is (at_stake > 0)


def test_a_partial_fill_lessens_what_is_at_stake() -> None:
    """What is booked is in the position; the rest may still come."""
    one = order_in(R)
    one.filled_e2 = CountE2(200)

    assert one.at_stake_e2 == 300


def test_what_the_exchange_reports_filled_counts_until_it_is_booked() -> None:
    """After the end, what filled and no fill has shown yet may still reach the position."""
    one = order_in(R)
    one.apply(closed(filled=300))

    assert one.at_stake_e2 == 300

    one.filled_e2 = CountE2(300)

    assert one.at_stake_e2 == 0


def test_a_fill_beyond_what_was_reported_is_not_negative_stake() -> None:
    """An order that filled although it was reported unfilled has nothing at stake, not less."""
    one = order_in(C)
    one.filled_e2 = CountE2(200)

    assert one.at_stake_e2 == 0


def test_what_is_reported_filled_only_grows() -> None:
    """An older report that comes late does not take back what a newer one said."""
    one = order_in(R)
    one.apply(accepted(filled=300, remaining=200))
    one.apply(accepted(filled=100, remaining=400))

    assert one.reported_filled_e2 == 300


def test_an_order_that_fills_at_once_closes_as_filled() -> None:
    """An answer with nothing remaining and all of it filled is the end."""
    one = order()
    one.apply(accepted(filled=500, remaining=0))

    assert (one.state, one.why_closed, one.order_id) == (C, "filled", "x-o1")
    assert one.at_stake_e2 == 500


@pytest.mark.parametrize("filled", [0, 200])
def test_an_immediate_order_that_finds_too_little_closes(filled: int) -> None:
    """An immediate-or-cancel order answers with nothing remaining, whatever it found."""
    one = order()
    one.apply(accepted(filled=filled, remaining=0))

    assert (one.state, one.why_closed, one.at_stake_e2) == (C, "nothing rests", filled)


def test_the_stream_may_tell_the_end_before_the_answer_comes() -> None:
    """The answer that comes after the end still tells the exchange's id and what filled."""
    one = order()
    one.apply(closed(filled=None, why="canceled: ExpiryCancel"))
    one.apply(accepted(filled=200, remaining=300))

    assert (one.state, one.order_id, one.at_stake_e2) == (C, "x-o1", 200)
    assert one.why_closed == "canceled: ExpiryCancel"


def test_a_second_end_may_tell_of_more_that_filled() -> None:
    """A cancel that lost the race says nothing filled; the exchange's list then knows better."""
    one = order_in(C)
    one.apply(closed(filled=500, why="filled"))

    assert (one.at_stake_e2, one.why_closed) == (500, "canceled: test")


@pytest.mark.parametrize("first, second", [(refused(), closed()), (closed(), refused())])
def test_a_post_only_order_that_would_cross_is_told_twice(
    first: OrderEvent, second: OrderEvent
) -> None:
    """The answer refuses it and the stream cancels it, in either order; the first one stands."""
    one = order()
    one.apply(first)
    state = one.state
    one.apply(second)

    assert one.state is state
    assert one.at_stake_e2 == 0


def test_a_refusal_says_why() -> None:
    """The exchange's code is the reason of the end."""
    assert order_in(X).why_closed == "invalid_order"


@pytest.mark.parametrize("after_unknown", [False, True])
def test_what_the_exchange_has_had_cannot_be_refused(after_unknown: bool) -> None:
    """A lookup that was too early does not undo an order that has got an id meanwhile."""
    one = order_in(U if after_unknown else P)
    one.order_id, one.filled_e2 = "x-o1", CountE2(200)  # as a fill would have it

    with pytest.raises(IllegalTransition):
        one.apply(refused())

    assert (one.is_open, one.at_stake_e2) == (True, 300)


def test_a_move_is_under_way_until_it_is_answered() -> None:
    """While a move is out, both prices are ones the order may fill at."""
    one = order_in(R, wish=EXIT)
    one.amend_sent(EXIT.price_e4 - 200)  # type: ignore[arg-type]

    assert one.amending
    assert (one.price_e4, one.lowest_e4, one.highest_e4) == (5_500, 5_300, 5_500)


@pytest.mark.parametrize(
    "event, still", [(accepted(), True), (amended(), False), (kept(), False), (unknown(), False)]
)
def test_an_answer_ends_a_move(event: OrderEvent, still: bool) -> None:
    """Every answer to a move ends it; the stream's word that the order rests does not."""
    one = order_in(R, wish=EXIT)
    one.amend_sent(EXIT.price_e4)
    one.apply(event)

    assert one.amending is still


def test_a_moved_order_stands_at_its_new_price() -> None:
    """After the exchange's word the price is the new one, and the span holds all of them."""
    one = order_in(R, wish=EXIT)
    one.apply(amended(price=5_800))
    one.apply(amended(price=5_400))

    assert (one.price_e4, one.lowest_e4, one.highest_e4) == (5_400, 5_400, 5_800)


@pytest.mark.parametrize("remaining", [0, 300, 500, 900])
def test_a_move_changes_no_count(remaining: int) -> None:
    """What remains as of a move may be older or newer than the fills that are known.

    Of five contracts two may have filled before it and not be heard of yet.
    """
    one = order_in(R, wish=EXIT)
    one.apply(amended(remaining=remaining))

    assert (one.state, one.count_e2, one.at_stake_e2) == (R, 500, 500)


def test_a_found_order_stands_where_it_was_found() -> None:
    """An unknown order that the exchange shows rests, at the price it has there."""
    one = order_in(U, wish=EXIT)
    one.apply(accepted(filled=100, remaining=400))
    one.apply(amended(price=5_900, remaining=400))

    assert (one.state, one.price_e4, one.at_stake_e2) == (R, 5_900, 500)


@pytest.mark.parametrize("purpose, side", list(product(Purpose, Side)))
def test_an_order_knows_what_it_is_for(purpose: Purpose, side: Side) -> None:
    """Purpose and side are the intent's."""
    one = order(purpose=purpose, side=side)

    assert (one.is_entry, one.side) == (purpose is Purpose.ENTRY, side)


def test_an_order_shows_itself() -> None:
    """The representation says what, where, how much and how it stands."""
    shown = repr(order_in(R))

    assert shown == "<Order o1 entry bid KXMLBGAME-26NOV22NYYBOS-NYY 0/500 at 5000 resting>"


@pytest.mark.parametrize(
    "answer, expires",
    [
        (attrs.evolve(amended(), expires_s=900), 900),
        (attrs.evolve(amended(), expires_s=60), 60),
        (amended(), 60),
        (kept(), 60),
        (unknown(), 60),
    ],
)
def test_a_renewal_counts_once_it_is_confirmed(answer: OrderEvent, expires: int) -> None:
    """An expiry is what was wished at first, until the exchange itself says another."""
    made = order_in(OrderState.RESTING, expires_s=60)
    made.amend_sent(PriceE4(5_500))
    made.apply(answer)

    assert made.expires_s == expires


@pytest.mark.parametrize("booked, last, at_stake", [(0, 0, 0), (0, 100, 100), (200, 100, 0)])
def test_the_last_word_on_what_filled_counts(booked: int, last: int, at_stake: int) -> None:
    """An answer to a cancel takes what a person has taken off for filled; the list knows better."""
    one = order_in(R)
    one.apply(closed(filled=400))
    one.filled_e2 = CountE2(booked)
    one.apply(closed(filled=last))
    assert one.at_stake_e2 == at_stake

    one.apply(closed(filled=None))
    assert one.at_stake_e2 == at_stake
