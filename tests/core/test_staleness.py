"""What the books of one game say, since when, and whether that may trigger an order."""

from __future__ import annotations

import pytest

from arb.core.consensus import BookChance, BookRejected, Consensus, NoConsensus, RejectReason
from arb.core.held_quote import QuoteEffect
from arb.core.staleness import (
    BOOKS_MAX,
    SET_BACK_MIN_MS,
    Freshness,
    NotFresh,
    QuoteBoard,
)
from tests.core.quote_factory import (
    CONFIRM_MS,
    POLL,
    chance_of,
    evaluate,
    held,
    quote,
    settled_board,
    verdict,
)

# --- what changes a price, and when ---


def test_a_first_stream_quote_changed_when_it_came() -> None:
    """A stream tells what happens, so its source's stamp does not matter."""
    board = QuoteBoard()

    assert board.apply(quote("a", source_ms=10, received_ms=900)) is QuoteEffect.CHANGED
    assert (held(board, "a").changed_ms, held(board, "a").confirmed_ms) == (900, 900)


def test_a_first_poll_is_as_old_as_its_stamp() -> None:
    """Nobody knows how long a polled price has been there, but the source's stamp says some."""
    board = QuoteBoard()
    board.apply(quote("a", source_ms=10, received_ms=900, origin=POLL))

    assert (held(board, "a").changed_ms, held(board, "a").confirmed_ms) == (10, 900)


def test_a_poll_from_the_future_changed_when_it_came() -> None:
    """A stamp later than now is a wrong clock."""
    board = QuoteBoard()
    board.apply(quote("a", source_ms=5_000, received_ms=900, origin=POLL))

    assert held(board, "a").changed_ms == 900


def test_a_stream_frame_that_was_held_up_is_as_old_as_its_gateways_stamp() -> None:
    """A frame that waited in a buffer does not look fresh when it arrives."""
    board = QuoteBoard()
    board.apply(quote("a", gateway_ms=1_000, received_ms=31_000))
    board.apply(quote("b", gateway_ms=99_000, received_ms=31_000))

    assert held(board, "a").changed_ms == 1_000
    assert held(board, "b").changed_ms == 31_000


def test_the_same_price_confirms_and_changes_nothing() -> None:
    """An unchanged price is not an old one, and a repeated one is not a new one."""
    board = QuoteBoard()
    board.apply(quote("a", at_ms=1_000))

    assert board.apply(quote("a", at_ms=2_000)) is QuoteEffect.CONFIRMED
    assert board.apply(quote("a", at_ms=3_000, origin=POLL)) is QuoteEffect.CONFIRMED
    assert (held(board, "a").changed_ms, held(board, "a").confirmed_ms) == (1_000, 3_000)


def test_a_repeated_price_with_an_old_stamp_confirms() -> None:
    """A poll may stamp an unchanged price with the time when it last changed."""
    board = QuoteBoard()
    board.apply(quote("a", at_ms=1_000))
    again = quote("a", source_ms=500, received_ms=4_000, origin=POLL)

    assert board.apply(again) is QuoteEffect.CONFIRMED
    assert held(board, "a").confirmed_ms == 4_000


def test_a_fresh_stamp_alone_confirms_nothing() -> None:
    """A scrape's stamp is about the scrape: confirmation counts from when we heard."""
    board = QuoteBoard()
    board.apply(quote("a", source_ms=900_000, received_ms=1_000, origin=POLL))

    assert board.confirmed(61_000, CONFIRM_MS) != ()
    assert board.confirmed(61_001, CONFIRM_MS) == ()


def test_an_answer_that_took_a_detour_does_not_undo_a_confirmation() -> None:
    """Messages received in another order leave the later confirmation standing."""
    board = QuoteBoard()
    board.apply(quote("a", at_ms=5_000))
    board.apply(quote("a", at_ms=4_000))

    assert held(board, "a").confirmed_ms == 5_000


def test_what_was_heard_before_the_clock_was_set_back_supports_nothing() -> None:
    """How old it is nobody knows: it counts once it is heard again, and triggers when it moves."""
    board = settled_board("a", "b", "c", at_ms=3_600_000)
    board.apply(quote("a", home=1.79, at_ms=3_600_000))
    assert verdict(board, 3_600_000) is None

    assert isinstance(evaluate(board, 1_000).fair, NoConsensus)

    for book, home in (("a", 1.79), ("b", 1.8), ("c", 1.8)):
        board.apply(quote(book, home, at_ms=1_000))
    assert verdict(board, 1_000) is NotFresh.NO_CHANGE_SINCE

    board.apply(quote("a", home=1.81, at_ms=2_000))
    assert verdict(board, 2_000) is None


def settled_and_changed() -> QuoteBoard:
    """Make a board whose last price changed nine seconds after the first, and may trigger."""
    board = settled_board("a", "b", "c", at_ms=1_000)
    board.apply(quote("a", home=1.79, at_ms=10_000))
    assert verdict(board, 10_000, passed_ms=9_000) is None
    return board


def test_a_clock_set_back_by_less_than_has_passed_makes_no_old_price_fresh() -> None:
    """Nineteen seconds without a price, fifteen of them taken back: it seems to be four old."""
    board = settled_and_changed()
    assert verdict(board, 14_000, passed_ms=28_000) is NotFresh.NO_CHANGE_SINCE
    assert verdict(board, 14_500, passed_ms=28_500) is NotFresh.NO_CHANGE_SINCE

    board.apply(quote("b", home=1.81, at_ms=15_000))
    assert verdict(board, 15_000, passed_ms=29_000) is None


def test_clocks_that_part_by_little_or_forward_are_no_set_back() -> None:
    """Readings of two clocks are not of one moment; a clock set forward makes prices older."""
    board = settled_and_changed()
    assert verdict(board, 11_000, passed_ms=10_000 + SET_BACK_MIN_MS) is None
    assert verdict(board, 14_000, passed_ms=11_000) is None
    assert verdict(board, 14_001, passed_ms=13_000) is NotFresh.NO_CHANGE_SINCE


def test_a_reading_after_the_clock_was_set_back_makes_nobody_vanish() -> None:
    """Who is missing from a provider's reading is told by readings of the same time."""
    board = settled_board("a", "b", "c", at_ms=3_600_000)
    board.apply(quote("a", at_ms=3_600_000, origin=POLL))
    for book in ("a", "b", "c"):
        board.apply(quote(book, at_ms=1_000, origin=POLL))

    assert len(board.confirmed(1_000, CONFIRM_MS)) == 3


@pytest.mark.parametrize("change", [{"home": 1.81}, {"away": 2.2}, {"draw": 3.0}])
def test_any_outcomes_other_price_is_a_change(change: dict[str, float]) -> None:
    """A book's price is the price of all its outcomes."""
    board = QuoteBoard()
    board.apply(quote("a", at_ms=1_000))

    assert board.apply(quote("a", at_ms=2_000, **change)) is QuoteEffect.CHANGED
    assert held(board, "a").changed_ms == 2_000


def test_a_poll_that_a_stream_has_passed_changes_nothing() -> None:
    """An answer that was written before the last change must not bring the old price back."""
    board = QuoteBoard()
    board.apply(quote("a", 1.7, at_ms=5_000))
    late = quote("a", 1.8, source_ms=4_000, received_ms=5_500, origin=POLL)

    assert board.apply(late) is QuoteEffect.OUTDATED
    assert held(board, "a").quote.home == 1.7
    assert held(board, "a").confirmed_ms == 5_000


def test_a_stamp_from_the_future_does_not_outdate_later_polls() -> None:
    """One wrong clock must not shut a book's polls out."""
    board = QuoteBoard()
    board.apply(quote("a", 1.7, source_ms=10**9, received_ms=5_000))
    later = quote("a", 1.8, source_ms=6_000, received_ms=6_100, origin=POLL)

    assert board.apply(later) is QuoteEffect.CHANGED


def test_a_stream_is_believed_in_the_order_in_which_it_comes() -> None:
    """A stream's stamp that runs backwards does not make its last word old."""
    board = QuoteBoard()
    board.apply(quote("a", 1.7, at_ms=5_000))

    assert board.apply(quote("a", 1.8, source_ms=10, received_ms=5_100)) is QuoteEffect.CHANGED


# --- books that do not support ---


def test_a_suspended_book_does_not_support() -> None:
    """Its last price is kept to compare with, and counts for nothing."""
    board = QuoteBoard()
    board.apply(quote("a", at_ms=1_000))

    assert board.apply(quote("a", 9.9, at_ms=2_000, suspended=True)) is QuoteEffect.SUSPENDED
    assert board.confirmed(2_000, CONFIRM_MS) == ()
    assert held(board, "a").quote.home == 1.8


def test_a_book_may_begin_suspended() -> None:
    """A first quote that is suspended is held and does not support."""
    board = QuoteBoard()

    assert board.apply(quote("a", suspended=True)) is QuoteEffect.SUSPENDED
    assert len(board.quotes()) == 1
    assert board.confirmed(1_000, CONFIRM_MS) == ()


def test_a_suspended_book_comes_back_by_its_own_word() -> None:
    """The same price again is no change; another one is."""
    board = QuoteBoard()
    board.apply(quote("a", at_ms=1_000))
    board.apply(quote("a", at_ms=2_000, suspended=True))
    assert board.apply(quote("a", at_ms=3_000)) is QuoteEffect.CONFIRMED
    assert len(board.confirmed(3_000, CONFIRM_MS)) == 1

    board.apply(quote("a", at_ms=4_000, suspended=True))
    assert board.apply(quote("a", 1.7, at_ms=5_000)) is QuoteEffect.CHANGED
    assert held(board, "a").changed_ms == 5_000


def test_an_older_poll_does_not_lift_a_suspension() -> None:
    """An answer written before the suspension knows nothing of it."""
    board = QuoteBoard()
    board.apply(quote("a", at_ms=1_000))
    board.apply(quote("a", at_ms=2_000, suspended=True))
    late = quote("a", source_ms=1_500, received_ms=2_100, origin=POLL)

    assert board.apply(late) is QuoteEffect.OUTDATED
    assert board.confirmed(2_100, CONFIRM_MS) == ()


def test_a_removed_book_is_forgotten() -> None:
    """What its provider no longer carries is gone; a second removal finds nothing."""
    board = QuoteBoard()
    board.apply(quote("a"))

    assert board.remove("feed", "a")
    assert not board.remove("feed", "a")
    assert board.quotes() == ()


@pytest.mark.parametrize("book", ["Kalshi", "kalshi", "KALSHI"])
def test_an_excluded_book_is_not_held(book: str) -> None:
    """A prediction market's price is no evidence of the fair value of its own contract."""
    board = QuoteBoard(excluded_books=frozenset({"Kalshi"}))

    assert board.apply(quote(book)) is QuoteEffect.EXCLUDED
    assert board.apply(quote(book, origin=POLL)) is QuoteEffect.EXCLUDED
    assert board.quotes() == ()
    assert QuoteBoard().apply(quote(book)) is QuoteEffect.CHANGED


def test_a_book_is_confirmed_up_to_the_limit() -> None:
    """The limit itself is still confirmed, a millisecond later is not."""
    board = QuoteBoard()
    board.apply(quote("a", at_ms=1_000))

    assert len(board.confirmed(1_000 + CONFIRM_MS, CONFIRM_MS)) == 1
    assert board.confirmed(1_001 + CONFIRM_MS, CONFIRM_MS) == ()


def test_one_laggard_does_not_close_the_slate() -> None:
    """A book that is silent too long is left out, the others go on."""
    board = QuoteBoard()
    board.apply(quote("a", at_ms=1_000))
    board.apply(quote("b", at_ms=70_000))

    assert [each.book for each in board.confirmed(70_000, CONFIRM_MS)] == ["b"]


def test_a_book_of_two_providers_counts_once() -> None:
    """The provider that carried it first speaks for it, while it is confirmed."""
    board = QuoteBoard()
    board.apply(quote("a", 1.7, at_ms=1_000, provider="one"))
    board.apply(quote("a", 1.8, at_ms=50_000, provider="two"))

    assert [each.quote.provider for each in board.confirmed(50_000, CONFIRM_MS)] == ["one"]
    assert [each.quote.provider for each in board.confirmed(65_000, CONFIRM_MS)] == ["two"]


def test_the_number_of_books_is_limited() -> None:
    """A feed that invents names fills no memory; the books that are there go on."""
    board = QuoteBoard()
    effects = [board.apply(quote(f"book {number}")) for number in range(BOOKS_MAX + 1)]

    assert effects[-2:] == [QuoteEffect.CHANGED, QuoteEffect.TOO_MANY_BOOKS]
    assert len(board.quotes()) == BOOKS_MAX
    assert board.apply(quote("book 0", 1.7)) is QuoteEffect.CHANGED


# --- from a price to a chance ---


def test_the_margin_is_taken_out_when_a_quote_comes() -> None:
    """A held quote carries its chance, by the board's own method; a bad price its reason."""
    board = QuoteBoard(devig=lambda odds: (1.0 / odds[0], 1.0 - 1.0 / odds[0]))
    board.apply(quote("a", 1.8))
    board.apply(quote("b", 1.1, away=1.1))

    assert _home(board, "a") == pytest.approx(1.0 / 1.8)
    assert held(board, "b").chance == BookRejected("b", RejectReason.OVERROUND_TOO_LARGE)
    board.apply(quote("a", 1.9))
    assert _home(board, "a") == pytest.approx(1.0 / 1.9)


def _home(board: QuoteBoard, book: str) -> float:
    chance = held(board, book).chance
    assert isinstance(chance, BookChance)
    return chance.home


def test_an_evaluation_carries_the_consensus() -> None:
    """The books that contribute are those with a chance; the rejected are named."""
    board = settled_board()
    board.apply(quote("d", 1.1, away=1.1, at_ms=2_000))
    board.apply(quote("a", 1.7, at_ms=2_000))
    evaluation = evaluate(board, 2_000)

    assert isinstance(evaluation.fair, Consensus)
    assert evaluation.fair.books == ("a", "b", "c")
    assert [each.book for each in evaluation.fair.rejected] == ["d"]
    assert evaluation.freshness == Freshness(None, "a", 2_000, chance_of(1.7), 5)


def test_without_a_consensus_there_is_nothing_to_be_fresh() -> None:
    """Too few books give no fair value and no verdict."""
    board = QuoteBoard()
    board.apply(quote("a"))
    evaluation = evaluate(board, 1_000)

    assert isinstance(evaluation.fair, NoConsensus)
    assert evaluation.freshness is None


def test_shows_itself_honestly() -> None:
    """How much is held, and the set of books that was complete last."""
    assert repr(QuoteBoard()) == "<QuoteBoard: 0 quotes, last complete set: none yet>"
    assert repr(settled_board()) == "<QuoteBoard: 3 quotes, last complete set: a, b, c>"
