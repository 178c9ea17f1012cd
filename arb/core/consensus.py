"""One fair value out of several books: each freed of its margin first, then combined.

Chances are combined, never odds. A median follows no single book, however wrong it is; a mean of
log-odds listens more to those that weigh more. Either way books of one family are one voice, and a
book far from all others is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

import attrs

from arb.core.devig import Devig, multiplicative, overround, worst_case
from arb.core.events import Quote
from arb.core.voices import MEDIAN, Pooling, Voice, key_of

# Retail books take 4 to 5 per cent on a game. Three times as much is a book about to suspend, or
# two prices that do not belong together.
OVERROUND_MAX = 1.15

# Odds at exactly no margin may sum to a hair below 1 in binary.
OVERROUND_MIN = 1.0 - 1e-9

# A book is an outlier beyond this many deviations from the median, in log-odds; the deviation is
# the books' own median one, scaled to a normal's: what lies five of them away is another price.
OUTLIER_DEVIATIONS = 5.0
MEDIAN_TO_DEVIATION = 1.4826

# And never nearer than this, 14.6 cents at even odds: books that all agree would outlaw the first
# of them that moves, and a jump of as much in fair value is not traded anyway.
OUTLIER_MIN = 0.6

# The same as a ratio of odds, a hair less: what is below it needs no logarithm.
NEAR_TIMES = math.exp(OUTLIER_MIN) * (1.0 - 1e-12)

NOBODY: frozenset[str] = frozenset()

# Of two books that differ nobody can tell which is wrong.
OUTLIER_BOOKS_MIN = 3


class RejectReason(StrEnum):
    """Why one book's price supports no fair value."""

    ONE_SIDE_MISSING = "one side missing"
    BAD_ODDS = "odds not above 1"
    OVERROUND_BELOW_ONE = "overround below 1"
    OVERROUND_TOO_LARGE = "overround too large"
    # A price with a draw is for regulation time; the contract is for the winner.
    THREE_WAY = "three-way price"
    OUTLIER = "far from all other books"
    # Nobody said so, but the book behaves as one that is suspended: arb.core.suspicion.
    VANISHED = "gone from its provider"
    FROZEN = "frozen while others moved"
    MARGIN_DOUBLED = "margin doubled"


class NoConsensusReason(StrEnum):
    """Why there is no fair value."""

    NO_BOOKS = "no book's odds are confirmed"
    TOO_FEW_BOOKS = "too few books"
    TOO_FEW_AGREE = "too few books agree"
    TOO_FEW_LEFT = "too few books: others are gone from their provider"
    TOO_FEW_MOVE = "too few books: others are frozen"
    TOO_FEW_USUAL = "too few books: others have doubled their margin"


# What there is to say where too few books are left because of the others.
_BECAUSE_OF: Mapping[RejectReason, NoConsensusReason] = {
    RejectReason.FROZEN: NoConsensusReason.TOO_FEW_MOVE,
    RejectReason.MARGIN_DOUBLED: NoConsensusReason.TOO_FEW_USUAL,
    RejectReason.VANISHED: NoConsensusReason.TOO_FEW_LEFT,
}


# Why a book is taken for suspended although nobody said so.
INFERRED = frozenset(_BECAUSE_OF)


class BookChance(Voice):
    """One book's chance that the home team wins, its margin taken out."""

    __slots__ = ()


@attrs.frozen
class BookRejected:
    """One book whose price was left out, and why."""

    book: str
    reason: RejectReason


@attrs.frozen
class Consensus:
    """The fair chance that the home team wins, and how far apart the books are.

    ``books`` are those that contributed, in order of name; ``spread`` is the largest of their
    chances less the smallest, a family's being one; ``effective_books`` is how many equal and
    independent ones would weigh as much. ``home_low`` and ``away_low`` are what a buyer of either
    side may count on.
    """

    home: float
    books: tuple[str, ...]
    spread: float
    effective_books: float
    home_low: float
    away_low: float
    rejected: tuple[BookRejected, ...] = ()


@attrs.frozen
class NoConsensus:
    """There is no fair value, for one reason; ``books`` are those that would have contributed."""

    reason: NoConsensusReason
    books: tuple[str, ...] = ()
    rejected: tuple[BookRejected, ...] = ()


def book_chance(
    quote: Quote,
    devig: Devig = multiplicative,
    overround_max: float = OVERROUND_MAX,
    key: str | None = None,
) -> BookChance | BookRejected:
    """Take the margin out of one book's price, or say why the price is not used.

    ``key`` is that of the book's name where somebody has it at hand.
    """
    odds = (quote.home, quote.away)
    reason = _unusable(quote, odds, overround_max)
    if reason is not None:
        return BookRejected(quote.book, reason)
    home, away = devig(odds)
    # A method that gives a bound for each side (the worst case) is centred between the two.
    fair, key = home / (home + away), key or key_of(quote.book)
    return BookChance(quote.book, fair, *worst_case(odds), key=key)


def _unusable(quote: Quote, odds: tuple[float, float], overround_max: float) -> RejectReason | None:
    if quote.draw is not None:
        return RejectReason.THREE_WAY
    if not (quote.home > 1.0 and quote.away > 1.0):  # written so that NaN fails as well
        one_sided = _is_missing(quote.home) is not _is_missing(quote.away)
        return RejectReason.ONE_SIDE_MISSING if one_sided else RejectReason.BAD_ODDS
    total = overround(odds)
    if total < OVERROUND_MIN:
        return RejectReason.OVERROUND_BELOW_ONE
    return RejectReason.OVERROUND_TOO_LARGE if total > overround_max else None


def _is_missing(price: float) -> bool:
    return price == 0.0 or math.isnan(price)


def fair_value(
    books: Sequence[BookChance | BookRejected], min_books: int, pooling: Pooling = MEDIAN
) -> Consensus | NoConsensus:
    """Combine the books' chances, if at least ``min_books`` independent ones have one.

    Raises `ValueError` for a book that is there twice: its opinion would count twice.
    """
    rejected = tuple(each for each in books if isinstance(each, BookRejected))
    chances = [each for each in books if isinstance(each, BookChance)]
    names = tuple(sorted([each.book for each in chances]))
    if len({each.key for each in chances}) != len(names):
        raise ValueError(f"a book is there twice: {', '.join(names)}")
    return combine(
        Panel(chances, names, rejected, pooling.has_relatives(names)), min_books, pooling
    )


@attrs.define
class Panel:
    """Chances of different books; ``names`` are theirs in order, and stand while those move.

    ``rejected`` are the books without one; ``related`` says that some belong to one family.
    """

    chances: Sequence[BookChance]
    names: tuple[str, ...]
    rejected: tuple[BookRejected, ...]
    related: bool


def combine(panel: Panel, min_books: int, pooling: Pooling) -> Consensus | NoConsensus:
    """Do what `fair_value` does for a panel whose books are known to be different."""
    if not panel.names:
        reason = _too_few(panel, NoConsensusReason.NO_BOOKS)
        return NoConsensus(reason, panel.names, panel.rejected)
    ordered = sorted([each.home for each in panel.chances])
    homes: list[float] | None = ordered
    far = _outliers(panel.chances, ordered)
    if far:
        panel, homes = _without(panel, far), None
    voices: Sequence[Voice] = panel.chances
    if panel.related:
        voices, homes = pooling.voices(voices), None
    if len(voices) < min_books:
        usual = NoConsensusReason.TOO_FEW_AGREE if far else NoConsensusReason.TOO_FEW_BOOKS
        return NoConsensus(_too_few(panel, usual), panel.names, panel.rejected)
    pooled = pooling.pool(voices, homes)
    return Consensus(
        pooled.home,
        panel.names,
        pooled.spread,
        pooled.effective,
        pooled.home_low,
        pooled.away_low,
        panel.rejected,
    )


def _too_few(panel: Panel, usual: NoConsensusReason) -> NoConsensusReason:
    inferred = [_BECAUSE_OF[each.reason] for each in panel.rejected if each.reason in _BECAUSE_OF]
    return max(inferred, key=inferred.count) if inferred else usual


def _outliers(chances: Sequence[BookChance], homes: Sequence[float]) -> frozenset[str]:
    """Return the books that are far from the others; ``homes`` are their chances in order."""
    if len(homes) < OUTLIER_BOOKS_MIN or _are_near(homes[0], homes[len(homes) // 2], homes[-1]):
        return NOBODY
    logs = sorted([each.home_log for each in chances])
    middle = logs[len(logs) // 2]
    usual = sorted([abs(log - middle) for log in logs])[len(logs) // 2] * MEDIAN_TO_DEVIATION
    limit = max(OUTLIER_MIN, OUTLIER_DEVIATIONS * usual)
    return frozenset(each.book for each in chances if abs(each.home_log - middle) > limit)


def _are_near(least: float, middle: float, most: float) -> bool:
    """Tell without a logarithm whether neither end is further than `OUTLIER_MIN` from the middle.

    A chance that has rounded to 0 or 1 is near nothing; the logarithms decide.
    """
    other = 1.0 - middle
    return (
        most * other < NEAR_TIMES * (1.0 - most) * middle
        and (1.0 - least) * middle < NEAR_TIMES * least * other
    )


def _without(panel: Panel, far: frozenset[str]) -> Panel:
    outliers = tuple(BookRejected(book, RejectReason.OUTLIER) for book in sorted(far))
    return Panel(
        [each for each in panel.chances if each.book not in far],
        tuple([name for name in panel.names if name not in far]),
        panel.rejected + outliers,
        panel.related,
    )
