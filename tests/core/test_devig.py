"""Taking the margin out of odds."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.devig import (
    METHODS,
    TWO,
    Devig,
    additive,
    average,
    multiplicative,
    odds_ratio,
    overround,
    power,
    probit,
    shin,
    worst_case,
)
from arb.core.odds import american_to_decimal

ODDS = st.floats(1.001, 1000.0)
NORMALISED = [method for name, method in METHODS.items() if name != "worst_case"]

# R's implied, its first test row; its figures have ten decimals.
THREE_WAY = (4.20, 3.70, 1.95)

# The usual American pairs: margin, then the first side by each method, to four decimals.
PAIRS = {
    (-110, -110): (0.5, 0.5, 0.5, 0.5, 0.5, 0.5),
    (-150, 130): (0.5798, 0.5826, 0.5840, 0.5827, 0.5798, 0.5821),
    (-200, 170): (0.6429, 0.6481, 0.6508, 0.6484, 0.6429, 0.6473),
    (-300, 240): (0.7183, 0.7279, 0.7331, 0.7285, 0.7183, 0.7264),
    (-500, 375): (0.7983, 0.8114, 0.8188, 0.8124, 0.7983, 0.8095),
    (-1000, 650): (0.8721, 0.8879, 0.8977, 0.8897, 0.8721, 0.8859),
}


@pytest.mark.parametrize("pair,firsts", PAIRS.items())
def test_the_first_side_of_usual_pairs(pair: tuple[int, int], firsts: tuple[float, ...]) -> None:
    """Each method's figure for the favourite, as published tables have it."""
    odds = [american_to_decimal(each) for each in pair]
    methods = (multiplicative, additive, power, odds_ratio, worst_case, average)

    assert [method(odds)[0] for method in methods] == pytest.approx(list(firsts), abs=5.1e-5)


@pytest.mark.parametrize(
    "method,expected",
    [
        (multiplicative, (0.2331555986, 0.2646631120, 0.5021812894)),
        (additive, (0.2310332310, 0.2632082632, 0.5057585058)),
        (power, (0.2311409798, 0.2630640924, 0.5057949278)),
        (shin, (0.2315719589, 0.2635744963, 0.5048535448)),
        (odds_ratio, (0.2320045269, 0.2636412959, 0.5043541772)),
    ],
)
def test_three_outcomes(method: Devig, expected: tuple[float, ...]) -> None:
    """A price with a draw comes out as other packages have it."""
    assert method(THREE_WAY) == pytest.approx(expected, rel=0, abs=5e-10)


def test_the_published_example_of_shin() -> None:
    """The shin package's own example, whose last digits are those of its stopping rule."""
    expected = (0.37299406033208965, 0.4047794109200184, 0.2222265287474275)

    assert shin((2.6, 2.4, 4.3)) == pytest.approx(expected, rel=0, abs=1e-12)
    assert shin((1.5, 2.74)) == pytest.approx((0.6508515815, 0.3491484185), abs=1e-10)


def test_probit_for_three_outcomes_shifts_each_alike() -> None:
    """The quantiles of the fair chances all lie as far below those of the implied ones."""
    chances = probit(THREE_WAY)
    normal = NormalDist()
    shifts = [
        normal.inv_cdf(1.0 / price) - normal.inv_cdf(chance)
        for price, chance in zip(THREE_WAY, chances, strict=True)
    ]

    assert sum(chances) == pytest.approx(1.0, abs=1e-15)
    assert shifts == pytest.approx([shifts[0]] * 3, abs=1e-12)


def test_overround_is_one_and_the_margin() -> None:
    """Two sides at -110 carry a margin of 4.76 per cent."""
    assert overround([american_to_decimal(-110)] * 2) == pytest.approx(1.047619, abs=1e-6)


@pytest.mark.parametrize("method", NORMALISED)
@given(odds=st.lists(ODDS, min_size=2, max_size=6))
def test_chances_sum_to_one(method: Devig, odds: list[float]) -> None:
    """Whatever the margin, the chances of all outcomes make 1 and keep the order of the odds."""
    chances = method(odds)

    assert sum(chances) == pytest.approx(1.0, abs=1e-12)
    assert all(0.0 <= chance <= 1.0 for chance in chances)
    ranked = [chance for _, chance in sorted(zip(odds, chances, strict=True))]
    assert all(one >= other - 1e-12 for one, other in itertools.pairwise(ranked))


@given(st.lists(ODDS, min_size=2, max_size=6))
def test_the_worst_case_is_below_each_of_its_methods(odds: list[float]) -> None:
    """What is left for each outcome is the least of three, and all of them no more than 1."""
    worst = worst_case(odds)

    for method in (multiplicative, additive, power):
        assert all(low <= chance for low, chance in zip(worst, method(odds), strict=True))
    assert sum(worst) <= 1.0 + 1e-12


@given(ODDS, ODDS)
def test_two_outcomes_agree_with_the_general_way(first: float, second: float) -> None:
    """The short way for two outcomes gives what the long way gives."""
    implied = [1.0 / first, 1.0 / second]

    assert multiplicative((first, second)) == pytest.approx(
        tuple(chance / sum(implied) for chance in implied), rel=0, abs=1e-15
    )
    assert shin((first, second)) == additive((first, second))
    # An outcome that is next to impossible changes nothing and takes the general way.
    assert power((first, second, 1e300))[:2] == pytest.approx(power((first, second)), abs=1e-12)


def test_a_longshot_is_never_left_with_nothing() -> None:
    """Where the equal share is more than a longshot implies, the margin is taken in proportion."""
    odds = tuple(1.0 / chance for chance in (0.87, 0.2, 0.1, 0.05, 0.02, 0.01))

    assert additive(odds) == multiplicative(odds)


def test_without_a_margin_shin_is_defined_all_the_same() -> None:
    """Odds that sum to less than 1 have no insiders; they are scaled."""
    assert shin((3.5, 3.5, 3.5)) == multiplicative((3.5, 3.5, 3.5))


@pytest.mark.parametrize("method", METHODS.values())
def test_a_fair_price_stays_as_it_is(method: Devig) -> None:
    """Odds without a margin are their own fair chances."""
    assert method((2.5, 1 / 0.6)) == pytest.approx((0.4, 0.6), abs=1e-12)
    assert method((5.0, 1 / 0.3, 2.0)) == pytest.approx((0.2, 0.3, 0.5), abs=1e-12)


def test_methods_are_found_by_name() -> None:
    """The settings' words for the methods, and which of them is the default."""
    assert [*METHODS] == [
        "multiplicative",
        "additive",
        "power",
        "shin",
        "odds_ratio",
        "probit",
        "worst_case",
        "average",
    ]
    assert METHODS["multiplicative"] is multiplicative


def _cases(shared_data: Path) -> list[dict[str, Any]]:
    vectors = json.loads((shared_data / "odds" / "devig_vectors.json").read_text())
    cases: list[dict[str, Any]] = vectors["decimal_cases"] + vectors["american_two_way"]
    return cases


def test_agrees_with_other_libraries(shared_data: Path) -> None:
    """The collected vectors come out to 1e-12, for two outcomes and for more."""
    cases = _cases(shared_data)

    assert len(cases) >= 11
    for case in cases:
        odds, results = case["odds"], case["results"]
        for name in ("multiplicative", "additive", "power", "shin", "odds_ratio"):
            if name in results and results[name] is not None:
                _agrees(METHODS[name](odds), results[name], case)
        if len(odds) == TWO:
            _agrees(probit(odds), results["probit_2way"], case)
            _agrees(
                worst_case(odds),
                [results["worst_case_side0"], results["worst_case_side1"]],
                case,
            )
            _agrees(average(odds), results["average_mult_add_power"], case)
        assert overround(odds) - 1.0 == pytest.approx(case["margin"], rel=0, abs=1e-12)


def _agrees(chances: tuple[float, ...], expected: list[float], case: dict[str, Any]) -> None:
    assert list(chances) == pytest.approx(expected, rel=0, abs=1e-12), case["odds"]
