"""One fair value out of several books: each freed of its margin first, then their median.

Chances are combined, never odds. A median follows no single book, however wrong it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import attrs

from arb.core.devig import Devig, multiplicative, overround
from arb.core.events import Quote

# Retail books take 4 to 5 per cent on a game. Three times as much is a book about to suspend, or
# two prices that do not belong together.
OVERROUND_MAX = 1.15

# Odds at exactly no margin may sum to a hair below 1 in binary.
OVERROUND_MIN = 1.0 - 1e-9


class RejectReason(StrEnum):
    """Why one book's price supports no fair value."""

    BAD_ODDS = "odds not above 1"
    OVERROUND_BELOW_ONE = "overround below 1"
    OVERROUND_TOO_LARGE = "overround too large"
    # A price with a draw is for regulation time; the contract is for the winner.
    THREE_WAY = "three-way price"


class NoConsensusReason(StrEnum):
    """Why there is no fair value."""

    NO_BOOKS = "no book's odds are confirmed"
    TOO_FEW_BOOKS = "too few books"


@attrs.frozen
class BookChance:
    """One book's chance that the home team wins, its margin taken out."""

    book: str
    home: float


@attrs.frozen
class BookRejected:
    """One book whose price was left out, and why."""

    book: str
    reason: RejectReason


@attrs.frozen
class Consensus:
    """The fair chance that the home team wins, and how far apart the books are.

    ``books`` are those that contributed, in order of name; ``spread`` is the largest of their
    chances less the smallest.
    """

    home: float
    books: tuple[str, ...]
    spread: float
    rejected: tuple[BookRejected, ...] = ()


@attrs.frozen
class NoConsensus:
    """There is no fair value, for one reason; ``books`` are those that would have contributed."""

    reason: NoConsensusReason
    books: tuple[str, ...] = ()
    rejected: tuple[BookRejected, ...] = ()


def book_chance(
    quote: Quote, devig: Devig = multiplicative, overround_max: float = OVERROUND_MAX
) -> BookChance | BookRejected:
    """Take the margin out of one book's price, or say why the price is not used."""
    if quote.draw is not None:
        return BookRejected(quote.book, RejectReason.THREE_WAY)
    odds = (quote.home, quote.away)
    if not (quote.home > 1.0 and quote.away > 1.0):  # written so that NaN fails as well
        return BookRejected(quote.book, RejectReason.BAD_ODDS)
    total = overround(odds)
    if total < OVERROUND_MIN:
        return BookRejected(quote.book, RejectReason.OVERROUND_BELOW_ONE)
    if total > overround_max:
        return BookRejected(quote.book, RejectReason.OVERROUND_TOO_LARGE)
    return BookChance(quote.book, devig(odds)[0])


def fair_value(
    books: Sequence[BookChance | BookRejected], min_books: int
) -> Consensus | NoConsensus:
    """Return the median of the books' chances, if at least ``min_books`` have one.

    Raises `ValueError` for a book that is there twice: its opinion would count twice.
    """
    rejected = tuple(each for each in books if isinstance(each, BookRejected))
    chances = [each for each in books if isinstance(each, BookChance)]
    names = tuple(sorted([each.book for each in chances]))
    if len(set(names)) != len(names):
        raise ValueError(f"a book is there twice: {', '.join(names)}")
    if not names:
        return NoConsensus(NoConsensusReason.NO_BOOKS, names, rejected)
    if len(names) < min_books:
        return NoConsensus(NoConsensusReason.TOO_FEW_BOOKS, names, rejected)
    values = sorted([each.home for each in chances])
    middle = len(values) // 2
    median = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2.0
    return Consensus(median, names, values[-1] - values[0], rejected)
