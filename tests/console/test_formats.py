"""Numbers as people read them."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.console import formats


@pytest.mark.parametrize(
    "age_ms,text",
    [
        (None, "--"),
        (-5, "0.0s"),
        (449, "0.4s"),
        (9_999, "9.9s"),
        (10_000, "10s"),
        (119_999, "119s"),
        (120_000, "2m"),
        (7_200_000, "2h"),
        (172_800_000, "2d"),
    ],
)
def test_ages_are_short(age_ms: int | None, text: str) -> None:
    """An age has one unit, and a decimal only where it tells something."""
    assert formats.age(age_ms) == text


@pytest.mark.parametrize(
    "duration_ms,text",
    [(59_000, "59s"), (61_000, "1m 01s"), (8_040_000, "2h 14m"), (90_000_000, "1d 1h")],
)
def test_durations_have_two_units(duration_ms: int, text: str) -> None:
    """A duration is said in its two greatest units."""
    assert formats.duration(duration_ms) == text


@pytest.mark.parametrize(
    "latency_us,text",
    [
        (None, "--"),
        (-1, "0µs"),
        (48, "48µs"),
        (2_449, "2.4ms"),
        (12_400, "12ms"),
        (999_999, "999ms"),
        (1_250_000, "1.2s"),
        (90_000_000, "90s"),
        (2_000_000_000, "2000s"),
    ],
)
def test_latencies_choose_their_unit(latency_us: int | None, text: str) -> None:
    """A latency is said in microseconds, milliseconds or seconds."""
    assert formats.latency(latency_us) == text


@pytest.mark.parametrize(
    "edge_e4,text",
    [(None, "--"), (200, "+2.0c"), (499, "+4.9c"), (-150, "-1.5c"), (5, "0.0c"), (-5, "-0.1c")],
)
def test_an_edge_never_looks_better_than_it_is(edge_e4: int | None, text: str) -> None:
    """An edge is rounded down, so that 4.99 cents do not look like five."""
    assert formats.edge(edge_e4) == text


@given(st.integers(-10_000, 10_000))
def test_a_shown_edge_is_within_a_tenth_below(edge_e4: int) -> None:
    """What is shown is at most a tenth of a cent less than what there is, and never more."""
    shown_e4 = round(float(formats.edge(edge_e4).rstrip("c")) * 100)

    assert 0 <= edge_e4 - shown_e4 < 10


@pytest.mark.parametrize(
    "money_e6,text",
    [(45_230_000, "+$45.23"), (-100_000, "-$0.10"), (0, "$0.00"), (1_000, "$0.00")],
)
def test_gains_carry_their_sign(money_e6: int, text: str) -> None:
    """A gain has a plus, a loss a minus, and nothing has neither."""
    assert formats.gain(money_e6) == text


def test_prices_are_in_cents() -> None:
    """Prices and fair values are cents, with decimals only where there are some."""
    assert formats.price(6_200) == "62"
    assert formats.price(6_250) == "62.5"
    assert formats.price(None) == "--"
    assert formats.fair(0.6234) == "62.3"
    assert formats.fair(None) == "--"


def test_shares_and_amounts() -> None:
    """Shares are whole percents rounded down; amounts have at most five characters."""
    assert formats.share(2, 3) == "66%"
    assert formats.share(2, 0) == "--"
    assert formats.amount(9_999) == "9999"
    assert formats.amount(12_345) == "12.3k"
    assert formats.amount(4_500_000) == "4.5M"


def test_moments_are_told_in_the_zone_asked_for() -> None:
    """A moment is told to the second, to the millisecond, or with its day."""
    at_ms = 1_755_990_000_123

    assert formats.clock(at_ms, UTC) == "23:00:00"
    assert formats.clock_ms(at_ms, UTC) == "23:00:00.123"
    assert formats.day_clock(at_ms, UTC) == "Aug 23 23:00"


def test_foreign_text_cannot_paint_the_screen() -> None:
    """Escape sequences and line breaks in a text become blanks."""
    assert formats.one_line("a\x1b[31mb\nc\x9b") == "a [31mb c"
