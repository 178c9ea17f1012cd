"""One fair value of several books."""

from __future__ import annotations

import math
import statistics

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.consensus import (
    OVERROUND_MAX,
    BookChance,
    BookRejected,
    Consensus,
    NoConsensus,
    NoConsensusReason,
    RejectReason,
    book_chance,
    fair_value,
)
from arb.core.devig import multiplicative, worst_case
from arb.core.events import Quote
from arb.core.voices import pooling_of

QUOTE = Quote("feed", "g1", "FanDuel", 1.8, 2.1, source_ms=1, received_ms=1)


def chances(*values: float) -> list[BookChance]:
    """Name books a, b, c in order of what they say."""
    return [BookChance("abcdefghij"[index], value) for index, value in enumerate(values)]


def test_a_books_margin_is_taken_out() -> None:
    """One book's odds become its chance of the home team."""
    chance = book_chance(QUOTE)

    odds = (1.8, 2.1)
    assert chance == BookChance("FanDuel", multiplicative(odds)[0], *worst_case(odds))


def test_the_method_is_a_choice() -> None:
    """Another way of taking the margin out is used where it is given."""
    chance = book_chance(QUOTE, devig=lambda odds: (0.25, 0.75))

    assert isinstance(chance, BookChance)
    assert chance.home == 0.25


def test_bounds_for_each_side_are_centred() -> None:
    """The worst case as a method gives two bounds; the chance lies between them."""
    chance = book_chance(QUOTE, devig=worst_case)

    assert isinstance(chance, BookChance)
    assert chance.home_low < chance.home < 1.0 - chance.away_low


@pytest.mark.parametrize(
    "home,away,draw,reason",
    [
        (2.1, 2.1, None, RejectReason.OVERROUND_BELOW_ONE),
        (math.inf, 2.1, None, RejectReason.OVERROUND_BELOW_ONE),
        (1.5, 1.5, None, RejectReason.OVERROUND_TOO_LARGE),
        (2.5, 2.6, 3.4, RejectReason.THREE_WAY),
        (1.0, 3.0, None, RejectReason.BAD_ODDS),
        (math.nan, 0.0, None, RejectReason.BAD_ODDS),
        (2.0, -2.0, None, RejectReason.BAD_ODDS),
        (3.0, 0.0, None, RejectReason.ONE_SIDE_MISSING),
        (math.nan, 2.0, None, RejectReason.ONE_SIDE_MISSING),
        (2.0, math.nan, None, RejectReason.ONE_SIDE_MISSING),
    ],
)
def test_a_price_that_cannot_be_is_left_out(
    home: float, away: float, draw: float | None, reason: RejectReason
) -> None:
    """An overround below 1 or too large, a draw, and odds that are none have their reasons."""
    quote = attrs.evolve(QUOTE, home=home, away=away, draw=draw)

    assert book_chance(quote) == BookRejected("FanDuel", reason)


def test_a_price_without_margin_is_taken() -> None:
    """An exchange's odds may sum to exactly 1, or a binary hair below."""
    assert 1.0 / 26.0 + 1.0 / 1.04 < 1.0
    for home, away in ((2.0, 2.0), (1.5, 3.0), (26.0, 1.04)):
        assert isinstance(book_chance(attrs.evolve(QUOTE, home=home, away=away)), BookChance)


def test_the_limit_of_the_overround_is_a_choice() -> None:
    """The same price passes a wider limit and fails a narrower one."""
    quote = attrs.evolve(QUOTE, home=1.8, away=1.9)  # 1.082

    assert isinstance(book_chance(quote), BookChance)
    assert isinstance(book_chance(quote, overround_max=1.05), BookRejected)
    assert OVERROUND_MAX > 1.082


def test_the_median_of_an_odd_number() -> None:
    """One book apart does not move the fair value, and shows in the spread."""
    fair = fair_value(chances(0.60, 0.69, 0.61), 3)

    assert fair == Consensus(0.61, ("a", "b", "c"), 0.69 - 0.60, 3.0, 0.61, 1.0 - 0.61)


def test_the_median_of_an_even_number() -> None:
    """Of an even number the two in the middle are averaged."""
    fair = fair_value(chances(0.60, 0.64, 0.55, 0.69), 3)

    assert isinstance(fair, Consensus)
    assert fair.home == pytest.approx(0.62)


def test_books_are_named_in_order() -> None:
    """The same books in another order are the same set."""
    one = fair_value([BookChance("x", 0.5), BookChance("a", 0.6), BookChance("m", 0.7)], 3)
    other = fair_value([BookChance("m", 0.7), BookChance("x", 0.5), BookChance("a", 0.6)], 3)

    assert one == other
    assert isinstance(one, Consensus)
    assert one.books == ("a", "m", "x")


def test_too_few_books_give_none() -> None:
    """A rejected book does not count towards the least number, and is reported."""
    rejected = BookRejected("z", RejectReason.OVERROUND_TOO_LARGE)

    assert fair_value([*chances(0.5, 0.6), rejected], 3) == NoConsensus(
        NoConsensusReason.TOO_FEW_BOOKS, ("a", "b"), (rejected,)
    )


def test_no_books_give_none() -> None:
    """Without any book there is no fair value, whatever the least number."""
    assert fair_value([], 0) == NoConsensus(NoConsensusReason.NO_BOOKS)


def test_rejected_books_are_reported_with_a_consensus() -> None:
    """What was left out stays visible beside the value."""
    rejected = BookRejected("z", RejectReason.THREE_WAY)
    fair = fair_value([rejected, *chances(0.5, 0.6, 0.7)], 3)

    assert isinstance(fair, Consensus)
    assert fair.rejected == (rejected,)
    assert fair.books == ("a", "b", "c")


def test_a_book_must_not_count_twice() -> None:
    """The same book twice is an error of the caller, not an opinion of two."""
    with pytest.raises(ValueError, match="a book is there twice: a, a"):
        fair_value([BookChance("a", 0.5), BookChance("a", 0.6)], 1)


@given(st.lists(st.floats(0.46, 0.54), min_size=1, max_size=10))
def test_agrees_with_the_library_median(values: list[float]) -> None:
    """The value is the median and the spread its widest pair."""
    fair = fair_value(chances(*values), 1)

    assert isinstance(fair, Consensus)
    assert fair.home == pytest.approx(statistics.median(values), rel=0, abs=1e-15)
    assert fair.spread == max(values) - min(values)


def test_the_least_of_either_side_is_combined_as_well() -> None:
    """What a buyer may count on is the median of what the methods leave at least."""
    books = [
        BookChance("a", 0.60, 0.590, 0.38),
        BookChance("b", 0.61, 0.605, 0.39),
        BookChance("c", 0.62, 0.600, 0.37),
    ]
    fair = fair_value(books, 3)

    assert isinstance(fair, Consensus)
    assert (fair.home, fair.home_low, fair.away_low) == (0.61, 0.600, 0.38)


# --- books far from all others ---


def test_an_outlier_is_cut_and_named() -> None:
    """A book that says another thing than all others is damage or another game."""
    fair = fair_value(chances(0.60, 0.62, 0.61, 0.25, 0.61), 3)

    assert isinstance(fair, Consensus)
    assert fair.books == ("a", "b", "c", "e")
    assert fair.rejected == (BookRejected("d", RejectReason.OUTLIER),)
    assert fair.spread == pytest.approx(0.02)


def test_a_book_a_little_apart_is_no_outlier() -> None:
    """Fifteen cents at even odds are far and fourteen are not, however close the rest."""
    near, far = 0.5 + 0.14, 0.5 + 0.15
    for value, books in ((near, 4), (far, 3)):
        fair = fair_value(chances(0.5, 0.5, 0.5, value), 3)
        assert isinstance(fair, Consensus)
        assert len(fair.books) == books


def test_books_that_are_all_apart_are_no_outliers() -> None:
    """Where every book says another thing, none of them is the odd one out."""
    fair = fair_value(chances(0.30, 0.40, 0.50, 0.60, 0.70), 3)

    assert isinstance(fair, Consensus)
    assert len(fair.books) == 5


def test_too_few_that_agree_give_none() -> None:
    """Of three books one is cut: two are no consensus, and the reason says what happened."""
    found = fair_value(chances(0.60, 0.99, 0.61), 3)

    rejected = (BookRejected("b", RejectReason.OUTLIER),)
    assert found == NoConsensus(NoConsensusReason.TOO_FEW_AGREE, ("a", "c"), rejected)


def test_of_two_books_neither_is_the_outlier() -> None:
    """Nobody can tell which of two is wrong."""
    fair = fair_value(chances(0.2, 0.8), 2)

    assert isinstance(fair, Consensus)
    assert fair.rejected == ()


def test_a_certainty_is_an_outlier_like_any_other() -> None:
    """A chance that has rounded to 1 has odds too long to be compared, and is cut all the same."""
    fair = fair_value(chances(0.60, 0.61, 0.62, 1.0, 0.0), 3)

    assert isinstance(fair, Consensus)
    assert fair.books == ("a", "b", "c")


def test_books_of_one_family_are_one_book() -> None:
    """Copies of one price count once, towards the least number too."""
    pooling = pooling_of("median", (), ("a+b",))

    assert fair_value(chances(0.5, 0.5, 0.55), 3, pooling) == NoConsensus(
        NoConsensusReason.TOO_FEW_BOOKS, ("a", "b", "c")
    )
    fair = fair_value(chances(0.5, 0.52, 0.6), 2, pooling)
    assert isinstance(fair, Consensus)
    assert fair.home == pytest.approx((0.51 + 0.6) / 2)
    assert (fair.effective_books, fair.books) == (2.0, ("a", "b", "c"))
