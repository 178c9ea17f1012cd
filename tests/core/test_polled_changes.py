"""When a price has changed that a reading finds other than it was."""

from __future__ import annotations

import pytest

from arb.core.staleness import NotFresh, QuoteBoard
from tests.core.quote_factory import (
    POLL,
    STALE_MS,
    evaluate,
    held,
    quote,
    settled_board,
    verdict,
)


def found_after_silence(*, received_ms: int, stamp_ms: int) -> QuoteBoard:
    """Make a settled board of which a reading finds one price changed, heard last at 1,000."""
    board = settled_board()
    for book, home in (("a", 1.7), ("b", 1.8), ("c", 1.8)):
        read = quote(book, home, received_ms=received_ms, source_ms=stamp_ms, origin=POLL)
        board.apply(read)
    return board


@pytest.mark.parametrize(("stamp_ms", "changed_ms"), [(41_500, 1_000), (700, 700), (10**9, 1_000)])
def test_a_polled_change_may_be_as_old_as_the_last_confirmation(
    stamp_ms: int, changed_ms: int
) -> None:
    """A stamp is often the scrape's, so only one that is older still says when it changed."""
    board = QuoteBoard()
    board.apply(quote("a", source_ms=600, received_ms=1_000))
    board.apply(quote("a", 1.7, source_ms=stamp_ms, received_ms=42_000, origin=POLL))

    assert (held(board, "a").changed_ms, held(board, "a").confirmed_ms) == (changed_ms, 42_000)


def test_what_a_reading_finds_after_silence_triggers_nothing() -> None:
    """It may have changed right after it was heard last, however new the scrape is."""
    board = found_after_silence(received_ms=42_000, stamp_ms=41_500)

    assert verdict(board, 42_000) is NotFresh.ODDS_STALE


def test_what_a_reading_finds_soon_after_another_triggers() -> None:
    """Readings that follow each other within the threshold leave no room for an old change."""
    board = found_after_silence(received_ms=3_000, stamp_ms=3_000)

    assert verdict(board, 3_000) is None
    assert verdict(board, 1_000 + STALE_MS) is None
    assert verdict(board, 1_001 + STALE_MS) is NotFresh.ODDS_STALE


def test_readings_far_apart_open_no_trade() -> None:
    """A provider that is only read, every 144 s, tells of no price when it changed."""
    board = QuoteBoard()
    for number, home in enumerate((1.8, 1.8, 1.95, 1.7)):
        at_ms = 1_000 + 144_000 * number
        for book in "abc":
            board.apply(quote(book, home, received_ms=at_ms, source_ms=at_ms - 2_000, origin=POLL))
        evaluation = evaluate(board, at_ms)
        assert evaluation.freshness is not None
        assert not evaluation.freshness.may_trigger


def test_a_first_reading_triggers_nothing_whatever_the_stream_repeats() -> None:
    """Nothing is known of before, and a book that comes changes the set of books."""
    board = QuoteBoard()
    for book in "abc":
        board.apply(quote(book, at_ms=1_000, origin=POLL))
    assert verdict(board, 1_000) is NotFresh.BOOKS_CHANGED

    board.apply(quote("a", at_ms=1_500))
    assert verdict(board, 1_500) is NotFresh.NO_CHANGE_SINCE


def test_the_stream_dates_a_change_that_a_reading_brought_first() -> None:
    """A reading that passed the stream's message hides no fresh change."""
    board = found_after_silence(received_ms=42_000, stamp_ms=41_900)
    board.apply(quote("a", 1.7, at_ms=42_100, gateway_ms=41_800))

    assert held(board, "a").changed_ms == 41_800
    assert verdict(board, 42_100) is None


@pytest.mark.parametrize("gateway_ms", [None, 50_000])
def test_what_the_stream_repeats_later_changed_when_it_was_found_at_the_latest(
    gateway_ms: int | None,
) -> None:
    """A message that repeats what a reading knew makes it no newer than that reading."""
    board = found_after_silence(received_ms=42_000, stamp_ms=41_900)
    board.apply(quote("a", 1.7, at_ms=50_000, gateway_ms=gateway_ms))

    assert held(board, "a").changed_ms == 41_900
    assert verdict(board, 50_000) is NotFresh.ODDS_STALE


def test_only_the_first_repetition_dates_a_change() -> None:
    """What is told once more, or read once more, says nothing of when it changed."""
    board = found_after_silence(received_ms=42_000, stamp_ms=41_900)
    board.apply(quote("a", 1.7, at_ms=42_050, origin=POLL))
    assert held(board, "a").changed_ms == 1_000

    board.apply(quote("a", 1.7, at_ms=42_100, gateway_ms=30_000))
    board.apply(quote("a", 1.7, at_ms=42_200, gateway_ms=41_800))
    assert held(board, "a").changed_ms == 30_000


def test_a_repetition_that_was_held_up_makes_a_change_no_older_than_it_may_be() -> None:
    """A gateway's stamp of before the last confirmation is of another message."""
    board = found_after_silence(received_ms=42_000, stamp_ms=41_900)
    board.apply(quote("a", 1.7, at_ms=42_100, gateway_ms=10))

    assert held(board, "a").changed_ms == 1_000


def test_a_change_that_the_stream_tells_is_dated_by_it_alone() -> None:
    """What a reading found before belongs to another price."""
    board = found_after_silence(received_ms=42_000, stamp_ms=41_900)
    board.apply(quote("a", 1.6, at_ms=42_500))
    board.apply(quote("a", 1.6, at_ms=43_000, gateway_ms=42_900))

    assert held(board, "a").changed_ms == 42_500
