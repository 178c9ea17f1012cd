"""Whether an evaluation of one game's odds may trigger an order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.consensus import INFERRED, Consensus, NoConsensus, fair_value
from arb.core.staleness import (
    Freshness,
    NotFresh,
    QuoteBoard,
)
from tests.core.quote_factory import (
    CONFIRM_MS,
    POLL,
    STALE_MS,
    STREAM,
    chance_of,
    evaluate,
    quote,
    settled_board,
    verdict,
)


def test_the_first_evaluation_never_triggers() -> None:
    """There is no set of books to compare with yet."""
    board = QuoteBoard()
    for book in "abc":
        board.apply(quote(book))

    assert verdict(board, 1_000) is NotFresh.BOOKS_CHANGED


def test_a_changed_price_of_the_same_books_triggers() -> None:
    """The usual case: the set stands, one of its books moves."""
    board = settled_board()
    board.apply(quote("b", 1.7, at_ms=2_000))
    freshness = evaluate(board, 2_100).freshness

    assert freshness == Freshness(None, "b", 2_000, chance_of(1.7), 4)
    assert freshness is not None
    assert freshness.may_trigger


def test_a_change_triggers_until_it_is_stale() -> None:
    """A move of the exchange's ask may be traded on while the last change is recent."""
    board = settled_board()
    board.apply(quote("b", 1.7, at_ms=2_000))

    assert verdict(board, 2_000 + STALE_MS) is None
    assert verdict(board, 2_001 + STALE_MS) is NotFresh.ODDS_STALE


def test_confirmation_alone_does_not_trigger() -> None:
    """Books that only repeat themselves support a fair value and start nothing."""
    board = settled_board()
    board.apply(quote("b", 1.7, at_ms=2_000))
    for book, home in (("a", 1.8), ("b", 1.7), ("c", 1.8)):
        board.apply(quote(book, home, at_ms=30_000))

    assert verdict(board, 30_000) is NotFresh.ODDS_STALE


@pytest.mark.parametrize("coming", [True, False])
def test_a_book_that_comes_or_goes_triggers_nothing(coming: bool) -> None:
    """The median jumps when the set of books changes, and nobody's opinion did."""
    board = settled_board("a", "b", "c", "d")
    if coming:
        board.apply(quote("e", 1.7, at_ms=2_000))
    else:
        board.apply(quote("d", at_ms=2_000, suspended=True))
    board.apply(quote("a", 1.7, at_ms=2_000))

    assert verdict(board, 2_000) is NotFresh.BOOKS_CHANGED


def test_the_jump_is_not_traded_on_a_moment_later() -> None:
    """After the set changed, a move of the ask alone triggers nothing; a later change does."""
    board = settled_board("a", "b", "c", "d")
    board.apply(quote("a", 1.7, at_ms=2_000))
    board.apply(quote("d", at_ms=2_000, suspended=True))
    assert verdict(board, 2_000) is NotFresh.BOOKS_CHANGED

    assert verdict(board, 2_001) is NotFresh.NO_CHANGE_SINCE
    board.apply(quote("b", at_ms=2_002))
    assert verdict(board, 2_002) is NotFresh.NO_CHANGE_SINCE
    board.apply(quote("b", 1.9, at_ms=2_002))
    assert verdict(board, 2_002) is None


def test_an_incomplete_evaluation_leaves_the_set_alone() -> None:
    """With too few books there is nothing to compare; the same set as before may go on."""
    board = settled_board()
    board.apply(quote("c", at_ms=2_000, suspended=True))
    assert evaluate(board, 2_000).freshness is None
    board.apply(quote("c", 1.7, at_ms=3_000))

    assert verdict(board, 3_000) is None


def test_a_change_of_a_book_that_does_not_contribute_triggers_nothing() -> None:
    """A rejected price is no reason to trade, however new."""
    board = settled_board()
    board.apply(quote("d", 1.1, away=1.1, at_ms=9_000))

    assert verdict(board, 9_000) is NotFresh.NO_CHANGE_SINCE


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.sampled_from([1.7, 1.8, 1.9]),
        st.sampled_from([STREAM, POLL]),
        st.booleans(),
        st.integers(0, 40_000),
        st.integers(0, 20_000),
    ),
    min_size=1,
    max_size=40,
)


@given(STEPS)
def test_whatever_comes_an_order_rests_on_fresh_and_equal_books(steps: list[Any]) -> None:
    """What triggers was confirmed, changed recently, and compares equal sets of books."""
    board, now_ms = QuoteBoard(), 0
    last_complete: tuple[str, ...] = ()
    for book, home, origin, suspended, wait_ms, age_ms in steps:
        now_ms += wait_ms
        board.apply(
            quote(
                book,
                home,
                source_ms=now_ms - age_ms,
                received_ms=now_ms,
                origin=origin,
                suspended=suspended,
            )
        )
        evaluation = evaluate(board, now_ms)
        if not isinstance(evaluation.fair, Consensus):
            continue
        assert evaluation.freshness is not None
        by_book = {each.book: each for each in board.quotes()}
        for name in evaluation.fair.books:
            assert now_ms - by_book[name].confirmed_ms <= CONFIRM_MS
            assert not by_book[name].quote.suspended
        if evaluation.freshness.may_trigger:
            assert evaluation.fair.books == last_complete
            assert now_ms - by_book[evaluation.freshness.book].changed_ms <= STALE_MS
        last_complete = evaluation.fair.books
        assert all(each.changed_ms <= each.confirmed_ms <= now_ms for each in board.quotes())


def test_an_outlier_that_comes_or_goes_changes_the_set() -> None:
    """Cutting a book moves the fair value as its leaving would."""
    board = settled_board("a", "b", "c", "d")
    board.apply(quote("d", 3.5, away=1.4, at_ms=2_000))
    assert verdict(board, 2_000) is NotFresh.BOOKS_CHANGED
    board.apply(quote("a", 1.79, at_ms=2_001))
    evaluation = evaluate(board, 2_001)
    assert isinstance(evaluation.fair, Consensus)
    assert evaluation.fair.books == ("a", "b", "c")
    assert evaluation.freshness == Freshness(None, "a", 2_001, chance_of(1.79), 6)

    board.apply(quote("d", at_ms=2_002))
    assert verdict(board, 2_002) is NotFresh.BOOKS_CHANGED


def test_an_evaluation_says_since_when_all_its_books_are_confirmed() -> None:
    """The age of a fair value is that of the book confirmed longest ago."""
    board = settled_board()
    board.apply(quote("a", 1.79, at_ms=9_000))

    assert evaluate(board, 9_000).confirmed_ms == 1_000


def test_other_limits_are_heeded_at_once() -> None:
    """What was worked out under one limit does not stand under another."""
    board = settled_board()

    assert isinstance(evaluate(board, 1_000, min_books=4).fair, NoConsensus)
    assert isinstance(evaluate(board, 1_000, min_books=3).fair, Consensus)
    shorter = board.evaluate(
        2_000, min_books=3, book_confirm_ms=999, stale_odds_threshold_ms=STALE_MS
    )
    assert isinstance(shorter.fair, NoConsensus)


@given(STEPS)
def test_what_stands_is_what_a_new_board_would_say(steps: list[Any]) -> None:
    """Keeping the books that stand saves work and changes no answer."""
    board, now_ms = QuoteBoard(), 0
    for book, home, origin, suspended, wait_ms, age_ms in steps:
        now_ms += wait_ms
        board.apply(
            quote(
                book,
                home,
                source_ms=now_ms - age_ms,
                received_ms=now_ms,
                origin=origin,
                suspended=suspended,
                provider="two" if age_ms % 2 else "one",
            )
        )
        kept = evaluate(board, now_ms)
        confirmed = board.confirmed(now_ms, CONFIRM_MS)
        suspected = [each for each in kept.fair.rejected if each.reason in INFERRED]
        assert kept.fair == fair_value([*(each.chance for each in confirmed), *suspected], 3)
        assert evaluate(board, now_ms).fair == kept.fair
