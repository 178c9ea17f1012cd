"""How much each book counts, and how opinions become one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.voices import (
    MEDIAN,
    WEIGHT_USUAL,
    Combining,
    Pooling,
    Voice,
    families_problem,
    log_odds,
    pooling_of,
    weights_problem,
)

WEIGHTED = Pooling(Combining.WEIGHTED, {"sharp": 1.0, "soft": 0.5})
CHANCES = st.floats(0.001, 0.999)


def test_a_median_counts_heads() -> None:
    """Weights make no difference to a median."""
    voices = [Voice("sharp", 0.9), Voice("a", 0.5), Voice("b", 0.6)]

    assert MEDIAN.pool(voices).home == 0.6
    assert MEDIAN.pool(voices).effective == 3.0


def test_a_weighted_mean_is_of_log_odds() -> None:
    """Odds of 4 at weight 1 and even odds at weight a half make odds of 4 to the 2/3."""
    pooled = WEIGHTED.pool([Voice("sharp", 0.8), Voice("soft", 0.5)])
    odds = 4.0 ** (2 / 3)

    assert pooled.home == pytest.approx(odds / (1.0 + odds), abs=1e-15)
    assert pooled.home_low == pooled.home
    assert pooled.away_low == pytest.approx(1.0 - pooled.home, abs=1e-15)


def test_unequal_weights_are_worth_fewer_books() -> None:
    """The effective number is the square of the sum over the sum of the squares."""
    pooled = WEIGHTED.pool([Voice("sharp", 0.8), Voice("soft", 0.5), Voice("new", 0.5)])
    weights = (1.0, 0.5, WEIGHT_USUAL)

    assert pooled.effective == pytest.approx(sum(weights) ** 2 / sum(w * w for w in weights))


@given(st.lists(CHANCES, min_size=1, max_size=8))
def test_equal_weights_lie_between_the_extremes(values: list[float]) -> None:
    """A mean of log-odds is within what is averaged, and equal books count fully."""
    pooled = WEIGHTED.pool([Voice(str(place), value) for place, value in enumerate(values)])

    assert min(values) - 1e-12 <= pooled.home <= max(values) + 1e-12
    assert pooled.effective == pytest.approx(len(values))


def test_what_has_rounded_to_certainty_stays_finite() -> None:
    """One book's 0 or 1 does not make everything certain."""
    assert math.isfinite(log_odds(0.0))
    assert math.isfinite(log_odds(1.0))
    assert log_odds(0.75) == pytest.approx(math.log(3.0))


def test_a_family_is_one_voice() -> None:
    """Its books' mean, under its own name; strangers keep their own."""
    pooling = pooling_of("weighted", ("A=0.5", "B=1.0"), ("A+B", "C+D"))
    books = [Voice("A", 0.4), Voice("B", 0.6), Voice("C", 0.7)]

    assert pooling.has_relatives(["A", "B", "C"])
    assert not pooling.has_relatives(["A", "C", "E"])
    assert pooling.voices(books) == [Voice("A+B", 0.5, 0.5, 0.5), Voice("C", 0.7)]
    assert pooling.weights["a+b"] == 1.0
    assert pooling.weights["c+d"] == WEIGHT_USUAL


@pytest.mark.parametrize(
    "text", ["Pinnacle", "=1", "Pinnacle=", "Pinnacle=0", "Pinnacle=-1", "P=nan", "P=101", "P=x"]
)
def test_a_weight_that_cannot_be_read_says_how_it_is_written(text: str) -> None:
    """What is no book and a number above 0 is refused."""
    problem = weights_problem((text,))

    assert problem is not None
    assert "must be written as Pinnacle=1.0" in problem


def test_no_book_is_weighed_twice_or_in_two_families() -> None:
    """One book has one weight and one family."""
    assert weights_problem(("A=1", "B=0.5")) is None
    assert weights_problem(("A=1", "A=0.5")) == "must weigh no book twice"
    assert families_problem(("A+B", "C+D")) is None
    assert families_problem(("A+B", "B+C")) == "must name no book twice: 'B'"
    assert families_problem(("A+A",)) == "must name no book twice: 'A'"
    for lone in ("A", "A+", ""):
        problem = families_problem((lone,))
        assert problem is not None
        assert problem.startswith("must name two books or more")
