"""Odds from texts and numbers, and between their two forms."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.odds import (
    AMERICAN_ODDS_MAX,
    DECIMAL_ODDS_MAX,
    BadOdds,
    OddsFault,
    american_from_text,
    american_to_decimal,
    decimal_from_text,
    decimal_to_american,
    implied,
)


@pytest.mark.parametrize(
    "value,decimal",
    [("1.44", 1.44), ("12.00", 12.0), ("2", 2.0), (1.91, 1.91), (3, 3.0), ("10001", 10_001.0)],
)
def test_reads_decimal_odds(value: str | float, decimal: float) -> None:
    """Feeds send texts and numbers; both are taken."""
    assert decimal_from_text(value) == decimal


BAD_DECIMALS: list[tuple[Any, OddsFault]] = [
    ("", OddsFault.NOT_A_NUMBER),
    ("N/A", OddsFault.NOT_A_NUMBER),
    ("EVEN", OddsFault.NOT_A_NUMBER),
    ("nan", OddsFault.NOT_A_NUMBER),
    ("inf", OddsFault.NOT_A_NUMBER),
    ("1e3", OddsFault.NOT_A_NUMBER),
    ("1_9.1", OddsFault.NOT_A_NUMBER),
    (" 1.91", OddsFault.NOT_A_NUMBER),
    ("1.91 ", OddsFault.NOT_A_NUMBER),
    ("1.91\n", OddsFault.NOT_A_NUMBER),
    ("+1.91", OddsFault.NOT_A_NUMBER),
    ("-2.00", OddsFault.NOT_A_NUMBER),
    ("1,91", OddsFault.NOT_A_NUMBER),
    ("1.", OddsFault.NOT_A_NUMBER),
    (".91", OddsFault.NOT_A_NUMBER),
    ("١.٩١", OddsFault.NOT_A_NUMBER),
    ("1234567.0", OddsFault.NOT_A_NUMBER),
    (None, OddsFault.NOT_A_NUMBER),
    (True, OddsFault.NOT_A_NUMBER),
    ([1.91], OddsFault.NOT_A_NUMBER),
    (b"1.91", OddsFault.NOT_A_NUMBER),
    (math.nan, OddsFault.NOT_FINITE),
    (math.inf, OddsFault.NOT_FINITE),
    (-math.inf, OddsFault.NOT_FINITE),
    ("1.00", OddsFault.NOT_ABOVE_ONE),
    (1, OddsFault.NOT_ABOVE_ONE),
    (0.0001, OddsFault.NOT_ABOVE_ONE),
    (0, OddsFault.NOT_ABOVE_ONE),
    (-2, OddsFault.NOT_ABOVE_ONE),
    ("10001.5", OddsFault.TOO_LONG),
    (1e9, OddsFault.TOO_LONG),
    (10**400, OddsFault.TOO_LONG),
]


@pytest.mark.parametrize("value,fault", BAD_DECIMALS)
def test_refuses_decimal_odds_with_a_reason(value: Any, fault: OddsFault) -> None:
    """Odds that no book can mean are refused under the words they are counted by."""
    with pytest.raises(BadOdds) as refused:
        decimal_from_text(value)

    assert refused.value.reason is fault


@pytest.mark.parametrize(
    "american,decimal,chance",
    [
        (150, 2.5, 0.4),
        (-150, 1.6666666666666667, 0.6),
        (-110, 1.9090909090909092, 0.5238095238095238),
        (250, 3.5, 0.2857142857142857),
        (-200, 1.5, 0.6666666666666666),
        (100, 2.0, 0.5),
        (-100, 2.0, 0.5),
        (10_000, 101.0, 0.009900990099009901),
        (-10_000, 1.01, 0.9900990099009901),
    ],
)
def test_american_odds(american: int, decimal: float, chance: float) -> None:
    """American odds, decimal odds and the implied chance are three names of one price."""
    assert american_to_decimal(american) == pytest.approx(decimal, rel=0, abs=1e-12)
    assert implied(american_to_decimal(american)) == pytest.approx(chance, rel=0, abs=1e-12)


BAD_AMERICANS: list[tuple[Any, OddsFault]] = [
    (0, OddsFault.INSIDE_HUNDRED),
    (99, OddsFault.INSIDE_HUNDRED),
    (-99, OddsFault.INSIDE_HUNDRED),
    (-1, OddsFault.INSIDE_HUNDRED),
    (True, OddsFault.NOT_A_NUMBER),
    (150.0, OddsFault.NOT_A_NUMBER),
    ("150", OddsFault.NOT_A_NUMBER),
    (None, OddsFault.NOT_A_NUMBER),
    (math.nan, OddsFault.NOT_A_NUMBER),
    (AMERICAN_ODDS_MAX + 1, OddsFault.TOO_LONG),
    (-AMERICAN_ODDS_MAX - 1, OddsFault.TOO_LONG),
]


@pytest.mark.parametrize("value,fault", BAD_AMERICANS)
def test_refuses_american_odds_with_a_reason(value: Any, fault: OddsFault) -> None:
    """No American odds lie between -100 and 100, and a fraction is none either."""
    with pytest.raises(BadOdds) as refused:
        american_to_decimal(value)

    assert refused.value.reason is fault


@pytest.mark.parametrize("text,american", [("-150", -150), ("+130", 130), ("210", 210)])
def test_reads_american_odds(text: str, american: int) -> None:
    """A plus is usual and may be left out."""
    assert american_from_text(text) == american


@pytest.mark.parametrize(
    "value", ["", "EVEN", "abc", "-150.5", "1_50", " 150", "--150", "99", "0", None, 150, True]
)
def test_refuses_a_text_that_is_no_american_odds(value: Any) -> None:
    """Words, blanks and numbers that are no texts are refused."""
    with pytest.raises(BadOdds):
        american_from_text(value)


@pytest.mark.parametrize(
    "decimal,american",
    [(2.5, 150), (1.6666666666666667, -150), (2.0, 100), (1.9999, 100), (1.01, -10_000)],
)
def test_american_odds_for_showing(decimal: float, american: int) -> None:
    """Even money is +100, and everything else the nearest whole odds."""
    assert decimal_to_american(decimal) == american


def test_nothing_is_shown_for_odds_that_do_not_exist() -> None:
    """Decimal odds of 1 have no American form."""
    with pytest.raises(BadOdds, match=r"decimal odds are not above 1: '1\.0'"):
        decimal_to_american(1.0)


@given(st.integers(100, AMERICAN_ODDS_MAX), st.sampled_from([1, -1]))
def test_american_odds_survive_the_way_there_and_back(size: int, sign: int) -> None:
    """From American to decimal and back is the same, but for -100, which is +100."""
    american = sign * size
    expected = 100 if american == -100 else american

    assert decimal_to_american(american_to_decimal(american)) == expected


@given(st.floats(1.0, DECIMAL_ODDS_MAX, exclude_min=True))
def test_every_decimal_above_one_has_american_odds_outside_the_hundred(decimal: float) -> None:
    """The form's own gap is never landed in."""
    assert abs(decimal_to_american(decimal)) >= 100


def test_agrees_with_the_published_conversions(shared_data: Path) -> None:
    """The collected conversions come out to 1e-12."""
    vectors = json.loads((shared_data / "odds" / "devig_vectors.json").read_text())

    assert vectors["american_conversion"]
    for row in vectors["american_conversion"]:
        decimal = american_to_decimal(row["american"])
        assert decimal == pytest.approx(row["decimal"], rel=0, abs=1e-12)
        assert implied(decimal) == pytest.approx(row["implied"], rel=0, abs=1e-12)
