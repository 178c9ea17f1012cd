"""Books that stop quoting without saying so are out, and come back when they are normal again."""

from __future__ import annotations

import attrs
import pytest

from arb.core.consensus import (
    BookRejected,
    Consensus,
    NoConsensus,
    NoConsensusReason,
    RejectReason,
)
from arb.core.staleness import NotFresh, QuoteBoard
from arb.core.suspicion import (
    FROZEN_AFTER_MS,
    MARGIN_LEAST,
    VANISHED_AFTER_MS,
    Margin,
    watch_movers,
)
from arb.core.voices import Pooling
from tests.core.quote_factory import (
    CONFIRM_MS,
    POLL,
    evaluate,
    held,
    quote,
    settled_board,
    verdict,
)

BOOKS = ("a", "b", "c", "d", "e")

# 60 % instead of the usual 54.
MOVED = 1.62


def suspicions(board: QuoteBoard) -> dict[str, RejectReason | None]:
    """Return what is suspected of each book that is suspected of anything."""
    found = {each.book: board.suspicion(each) for each in board.quotes()}
    return {book: reason for book, reason in found.items() if reason is not None}


def moved(board: QuoteBoard, *books: str, home: float = MOVED, at_ms: int = 10_000) -> None:
    """Let some books move, and evaluate."""
    for book in books:
        board.apply(quote(book, home, at_ms=at_ms))
    evaluate(board, at_ms)


# --- frozen ---


def test_three_frozen_of_five_leave_too_few_books() -> None:
    """Two moved, three stand where they stood: after a while the three support nothing."""
    board = settled_board(*BOOKS)
    moved(board, "a", "b")
    late_ms = 10_000 + FROZEN_AFTER_MS
    before = evaluate(board, late_ms - 1)
    assert isinstance(before.fair, Consensus)
    found = evaluate(board, late_ms)

    assert isinstance(found.fair, NoConsensus)
    assert found.fair.reason is NoConsensusReason.TOO_FEW_MOVE
    assert suspicions(board) == dict.fromkeys("cde", RejectReason.FROZEN)
    assert [each.book for each in board.confirmed(late_ms, CONFIRM_MS)] == ["a", "b"]
    assert set(found.fair.rejected) == {BookRejected(each, RejectReason.FROZEN) for each in "cde"}


def test_a_frozen_book_that_is_confirmed_stays_out() -> None:
    """A reading that repeats the old price says nothing new."""
    board = settled_board(*BOOKS)
    moved(board, *"abcd")
    evaluate(board, 15_000)
    for book in "abcd":
        board.apply(quote(book, MOVED, at_ms=16_000, origin=POLL))
    board.apply(quote("e", at_ms=16_000, origin=POLL))
    found = evaluate(board, 16_000)

    assert isinstance(found.fair, Consensus)
    assert found.fair.books == ("a", "b", "c", "d")
    assert suspicions(board) == {"e": RejectReason.FROZEN}


def test_a_book_that_follows_in_time_was_never_out() -> None:
    """Slow books follow within seconds, and the set of books stays as it is."""
    board = settled_board(*BOOKS)
    moved(board, *"abcd")
    moved(board, "e", at_ms=14_000)

    assert verdict(board, 16_000) is None
    assert suspicions(board) == {}


def test_a_frozen_book_is_back_when_it_moves() -> None:
    """Its coming changes the set of books, which triggers nothing."""
    board = settled_board(*BOOKS)
    moved(board, *"abcd")
    evaluate(board, 15_000)
    board.apply(quote("e", MOVED, at_ms=16_000))

    assert verdict(board, 16_000) is NotFresh.BOOKS_CHANGED
    assert suspicions(board) == {}


def test_a_frozen_book_is_back_when_the_others_come_back() -> None:
    """It was right to stay, it seems."""
    board = settled_board(*BOOKS)
    moved(board, *"abcd")
    evaluate(board, 15_000)
    for book in "abc":
        board.apply(quote(book, at_ms=16_000))

    assert verdict(board, 16_000) is NotFresh.BOOKS_CHANGED
    assert suspicions(board) == {}


def test_a_frozen_book_that_creeps_is_frozen_still() -> None:
    """What is far from the others is not normal again by moving a little."""
    board = settled_board(*BOOKS)
    moved(board, *"abcd")
    evaluate(board, 15_000)
    board.apply(quote("e", 1.799, at_ms=16_000))
    found = evaluate(board, 16_000)

    assert isinstance(found.fair, Consensus)
    assert found.fair.books == ("a", "b", "c", "d")


@pytest.mark.parametrize("books, family_of", [(("a",), {}), (("a", "b"), {"a": "f", "b": "f"})])
def test_one_that_moves_alone_freezes_nobody(
    books: tuple[str, ...], family_of: dict[str, str]
) -> None:
    """Nor do two that copy one price: they may be the ones that are wrong."""
    board = settled_board(*BOOKS)
    board.pooling = Pooling(family_of=family_of)
    moved(board, *books)
    evaluate(board, 30_000)

    assert suspicions(board) == {}


def test_books_that_went_apart_both_ways_freeze_nobody() -> None:
    """One above and one below is no move that a third one misses."""
    board = settled_board(*BOOKS)
    moved(board, "a")
    moved(board, "b", home=2.05)
    evaluate(board, 30_000)

    assert suspicions(board) == {}


def test_movers_far_enough_to_be_cut_are_seen_all_the_same() -> None:
    """With three frozen of five the two that moved look like outliers."""
    board = settled_board(*BOOKS)
    moved(board, "a", "b", home=1.2)
    found = evaluate(board, 10_000 + FROZEN_AFTER_MS)

    assert isinstance(found.fair, NoConsensus)
    assert found.fair.reason is NoConsensusReason.TOO_FEW_MOVE


def test_a_book_without_a_chance_neither_freezes_nor_is_frozen() -> None:
    """Its price is not used anyway."""
    board = settled_board(*BOOKS, "f", "g")
    board.apply(quote("e", draw=3.0, at_ms=9_000))
    moved(board, "a", "b")
    evaluate(board, 30_000)

    assert "e" not in suspicions(board)


def test_nobody_apart_needs_no_second_look() -> None:
    """Books that agree are left alone."""
    board = settled_board(*BOOKS)
    assert watch_movers(board.quotes(), 1_000, {}) is None


# --- vanished ---


def test_a_book_that_a_reading_lacks_is_gone() -> None:
    """Its provider was read again and did not have it."""
    board = settled_board(*BOOKS)
    for book in "abcd":
        board.apply(quote(book, at_ms=1_001 + VANISHED_AFTER_MS, origin=POLL))
    found = evaluate(board, 7_000)

    assert isinstance(found.fair, Consensus)
    assert found.fair.books == ("a", "b", "c", "d")
    assert found.fair.rejected == (BookRejected("e", RejectReason.VANISHED),)

    board.apply(quote("e", at_ms=8_000))
    assert suspicions(board) == {}
    assert verdict(board, 8_000) is NotFresh.BOOKS_CHANGED


def test_a_book_heard_shortly_before_a_reading_is_not_gone() -> None:
    """A reading's pages come one after the other, and a stream may overtake them."""
    board = settled_board(*BOOKS)
    for book in "abcd":
        board.apply(quote(book, at_ms=1_000 + VANISHED_AFTER_MS, origin=POLL))

    assert suspicions(board) == {}


def test_another_provider_speaks_for_a_book_that_is_gone() -> None:
    """A book that one provider has lost is as good as ever at the other."""
    board = settled_board(*BOOKS)
    board.apply(quote("e", at_ms=1_000, provider="other"))
    for book in "abcd":
        board.apply(quote(book, at_ms=9_000, origin=POLL))
    found = evaluate(board, 9_000)

    assert isinstance(found.fair, Consensus)
    assert found.fair.books == BOOKS
    assert found.fair.rejected == ()


def test_when_all_are_gone_the_reason_says_so() -> None:
    """Nothing is left, and a person reads why."""
    board = settled_board(*BOOKS)
    board.apply(quote("z", at_ms=9_000, origin=POLL, suspended=True))
    found = evaluate(board, 9_000)

    assert isinstance(found.fair, NoConsensus)
    assert found.fair.reason is NoConsensusReason.TOO_FEW_LEFT


# --- doubled margins ---


def test_a_book_that_doubles_its_margin_is_out_until_it_is_usual_again() -> None:
    """Three per cent and then seven: it is about to suspend."""
    board = settled_board("a", "b", "c")
    board.apply(quote("c", 1.7, away=2.05, at_ms=2_000))
    found = evaluate(board, 2_000)

    assert isinstance(found.fair, NoConsensus)
    assert found.fair.reason is NoConsensusReason.TOO_FEW_USUAL

    board.apply(quote("c", 1.79, at_ms=3_000))
    assert verdict(board, 3_000) is None
    assert suspicions(board) == {}


def test_a_sharp_books_noise_is_no_doubling() -> None:
    """Two per cent may be four and a half after rounding."""
    margin = Margin.of(quote("a", 2.0, away=1.96))
    margin.watch(quote("a", 2.0, away=1.88))

    assert not margin.doubled


def test_a_margin_that_stays_becomes_the_usual_one() -> None:
    """A book that has taken up another margin for good is not out for good."""
    margin = Margin.of(quote("a"))
    changes = 0
    while changes == 0 or margin.doubled:
        margin.watch(quote("a", 1.7, away=2.05))
        changes += 1

    assert 5 < changes < 500


def test_a_first_price_without_a_margin_is_not_taken_for_the_usual() -> None:
    """Crossed prices and missing ones have none."""
    assert Margin.of(quote("a", 2.2, away=2.2)).usual == MARGIN_LEAST
    assert Margin.of(attrs.evolve(quote("a"), home=0.0)).usual == MARGIN_LEAST


def test_a_game_that_begins_has_other_margins() -> None:
    """What was usual before the start is not what is usual after it."""
    board = settled_board("a", "b", "c")
    board.apply(quote("c", 1.7, away=2.05, at_ms=2_000, live=True))

    assert suspicions(board) == {}
    assert held(board, "c").margin.usual > 0.05
