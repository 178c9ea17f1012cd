"""Quotes and boards for the tests of one game's odds."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from arb.core.events import Quote, QuoteOrigin
from arb.core.held_quote import HeldQuote
from arb.core.staleness import Evaluation, NotFresh, QuoteBoard

POLL, STREAM = QuoteOrigin.POLL, QuoteOrigin.STREAM
CONFIRM_MS = 60_000
STALE_MS = 5_000


# The usual price's inverses sum to this: a margin of three per cent.
TOTAL = 1 / 1.8 + 1 / 2.1


def quote(book: str, home: float = 1.8, *, at_ms: int = 1_000, **changes: Any) -> Quote:
    """Make a streamed quote of the usual margin whose source and receive times are the same."""
    away = 2.1 if home == 1.8 else 1 / (TOTAL - 1 / home)
    made = Quote("feed", "g1", book, home, away, source_ms=at_ms, received_ms=at_ms)
    return attrs.evolve(made, **changes)


def chance_of(home: float) -> Any:
    """Return the chance that a price of the usual margin says, to a rounding error."""
    return pytest.approx(1 / home / TOTAL)


def held(board: QuoteBoard, book: str) -> HeldQuote:
    """Find what a board holds of a book."""
    return next(each for each in board.quotes() if each.book == book)


def evaluate(
    board: QuoteBoard, now_ms: int, min_books: int = 3, *, passed_ms: int | None = None
) -> Evaluation:
    """Evaluate with the usual limits, ``passed_ms`` by the monotonic clock."""
    return board.evaluate(
        now_ms,
        min_books=min_books,
        book_confirm_ms=CONFIRM_MS,
        stale_odds_threshold_ms=STALE_MS,
        now_ns=0 if passed_ms is None else passed_ms * 1_000_000,
    )


def verdict(board: QuoteBoard, now_ms: int, *, passed_ms: int | None = None) -> NotFresh | None:
    """Evaluate, and return what keeps it from triggering an order."""
    freshness = evaluate(board, now_ms, passed_ms=passed_ms).freshness
    assert freshness is not None
    return freshness.reason


def settled_board(*books: str, at_ms: int = 1_000) -> QuoteBoard:
    """Make a board that has had one complete evaluation of these books."""
    board = QuoteBoard()
    for book in books or ("a", "b", "c"):
        board.apply(quote(book, at_ms=at_ms))
    assert verdict(board, at_ms) is NotFresh.BOOKS_CHANGED
    return board
