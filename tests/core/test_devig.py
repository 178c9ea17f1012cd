"""Taking the margin out of odds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.devig import METHODS, multiplicative, overround
from arb.core.odds import american_to_decimal

ODDS = st.floats(1.001, 1000.0)


@pytest.mark.parametrize(
    "first,second,chance",
    [(-110, -110, 0.5), (-150, 130, 0.5798), (-500, 375, 0.7983), (-1000, 650, 0.8721)],
)
def test_multiplicative_for_two_outcomes(first: int, second: int, chance: float) -> None:
    """The first side of usual American pairs."""
    odds = [american_to_decimal(first), american_to_decimal(second)]

    assert multiplicative(odds)[0] == pytest.approx(chance, abs=5e-5)


def test_overround_is_one_and_the_margin() -> None:
    """Two sides at -110 carry a margin of 4.76 per cent."""
    assert overround([american_to_decimal(-110)] * 2) == pytest.approx(1.047619, abs=1e-6)


@given(st.lists(ODDS, min_size=2, max_size=6))
def test_chances_sum_to_one(odds: list[float]) -> None:
    """Whatever the margin, the chances of all outcomes make 1 and keep the order of the odds."""
    chances = multiplicative(odds)

    assert sum(chances) == pytest.approx(1.0, abs=1e-12)
    assert all(0.0 < chance < 1.0 for chance in chances)
    assert sorted(odds, reverse=True) == [
        price for _, price in sorted(zip(chances, odds, strict=True), key=lambda pair: pair[0])
    ] or len(set(chances)) < len(set(odds))


@given(ODDS, ODDS)
def test_two_outcomes_agree_with_the_general_way(first: float, second: float) -> None:
    """The short way for two outcomes gives what the long way gives."""
    implied = [1.0 / first, 1.0 / second]

    assert multiplicative((first, second)) == pytest.approx(
        tuple(chance / sum(implied) for chance in implied), rel=0, abs=1e-15
    )


def test_methods_are_found_by_name() -> None:
    """The settings' word for a method leads to it."""
    assert METHODS["multiplicative"] is multiplicative


def test_agrees_with_other_libraries(shared_data: Path) -> None:
    """The collected vectors come out to 1e-12, for two outcomes and for more."""
    vectors = json.loads((shared_data / "odds" / "devig_vectors.json").read_text())
    cases = vectors["decimal_cases"] + vectors["american_two_way"]

    assert len(cases) == 11
    for case in cases:
        chances = multiplicative(case["odds"])
        assert list(chances) == pytest.approx(case["results"]["multiplicative"], rel=0, abs=1e-12)
        assert overround(case["odds"]) - 1.0 == pytest.approx(case["margin"], rel=0, abs=1e-12)
