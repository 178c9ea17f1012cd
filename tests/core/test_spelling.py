"""One book is one voice, however its providers and the settings spell it."""

from __future__ import annotations

import pytest

from arb.core.consensus import BookChance, Consensus, RejectReason, fair_value
from arb.core.events import Quote
from arb.core.feed_comparison import Common, FeedComparison
from arb.core.staleness import NotFresh, QuoteBoard
from arb.core.voices import Voice, families_problem, pooling_of, weights_problem
from tests.core.quote_factory import CONFIRM_MS, POLL, evaluate, quote, settled_board, verdict


def other(book: str, home: float = 1.8, *, at_ms: int = 1_000) -> Quote:
    """Make a quote of a second provider."""
    return quote(book, home, at_ms=at_ms, provider="other")


def test_two_providers_that_spell_a_book_differently_are_one_voice() -> None:
    """The first speaks for it, under the name that it gave."""
    board = settled_board("Bet365", "b", "c")
    board.apply(other("bet365", 1.75))
    fair = evaluate(board, 1_000).fair

    assert isinstance(fair, Consensus)
    assert fair.books == ("Bet365", "b", "c")
    assert verdict(board, 1_000) is NotFresh.NO_CHANGE_SINCE


def test_the_other_spelling_speaks_where_the_first_is_silent() -> None:
    """The name shown is that of who speaks, and nothing triggers when it changes."""
    board = settled_board("Bet365", "b", "c")
    board.apply(other("bet365"))
    board.apply(quote("Bet365", at_ms=2_000, suspended=True))
    fair = evaluate(board, 2_000).fair

    assert isinstance(fair, Consensus)
    assert fair.books == ("b", "bet365", "c")
    assert fair.rejected == ()


def test_a_book_that_vanished_at_one_provider_is_not_named_while_it_speaks_at_another() -> None:
    """Only a book that nobody carries is left out with a reason."""
    board = settled_board("Bet365", "b", "c")
    board.apply(other("bet365", at_ms=9_000))
    for book in ("b", "c"):
        board.apply(quote(book, at_ms=9_000, origin=POLL))
    fair = evaluate(board, 9_000).fair
    assert isinstance(fair, Consensus)
    assert (fair.books, fair.rejected) == (("b", "bet365", "c"), ())

    board.apply(other("bet365", at_ms=9_000 + 1))
    board.remove("other", "bet365")
    assert [each.reason for each in evaluate(board, 9_001).fair.rejected] == [RejectReason.VANISHED]
    assert len(board.confirmed(9_001, CONFIRM_MS)) == 2


def test_families_and_weights_know_a_book_in_any_spelling() -> None:
    """Settings are written by people, names by providers."""
    pooling = pooling_of(
        "weighted", ("PINNACLE=1.0", "William hill=0.5"), ("Caesars+William Hill",)
    )
    caesars, hill = Voice("caesars", 0.4), Voice("WilliamHill", 0.6)
    family = pooling.voices([caesars, Voice("WILLIAM HILL", 0.6), hill])

    assert pooling.has_relatives(["CAESARS", "william hill", "x"])
    assert [voice.book for voice in family] == ["Caesars+William Hill", "WilliamHill"]
    assert pooling.pool([Voice("Pinnacle", 0.8)]).effective == 1.0
    sharp = pooling.pool([Voice("pinnacle", 0.8), Voice("x", 0.5), family[0]])
    assert sharp.effective == pytest.approx(1.75**2 / (1.0 + 0.25**2 + 0.5**2))


def test_no_book_is_weighed_twice_in_two_spellings() -> None:
    """One book has one weight and one family."""
    assert weights_problem(("A=1", "a=0.5")) == "must weigh no book twice"
    assert families_problem(("A+B", "b+C")) == "must name no book twice: 'b'"
    assert families_problem(("A+a",)) == "must name no book twice: 'A'"


def test_a_family_is_one_mover_in_any_spelling() -> None:
    """Two books of one company that leave a third behind freeze nobody."""
    pooling = pooling_of("median", (), ("A+B",))
    board = QuoteBoard(pooling=pooling)
    for book in ("a", "b", "c", "d", "e"):
        board.apply(quote(book))
    evaluate(board, 1_000)
    for book in ("a", "b"):
        board.apply(quote(book, 1.6, at_ms=2_000))
    for now_ms in (2_000, 9_000):
        evaluate(board, now_ms)

    assert [board.suspicion(each) for each in board.quotes()] == [None] * 5


def test_a_book_counts_once_in_any_spelling() -> None:
    """The same book twice is an error of the caller, not an opinion of two."""
    with pytest.raises(ValueError, match="a book is there twice: A, a"):
        fair_value([BookChance("a", 0.5), BookChance("A", 0.6)], 1)


def test_feeds_are_compared_by_books_however_spelled() -> None:
    """The row has the name that was heard first."""
    comparison, game = FeedComparison(), Common("a game", flipped=False)
    comparison.take(0, game, quote("Bet365"))
    comparison.take(1, game, quote("bet365", 1.7, at_ms=2_000))
    (row,) = comparison.rows(5_000)

    assert row.book == "Bet365"
    assert row.apart_mean is not None
