"""US Eastern time from the rule, compared with the standard library's zones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.eastern import eastern_date, eastern_text, utc_ms_from_eastern


def utc_ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


def test_a_late_game_belongs_to_the_evening_it_starts_in() -> None:
    """Two o'clock in the morning UTC is still the day before in New York."""
    assert eastern_date(utc_ms(2025, 8, 24, 2, 10)) == date(2025, 8, 23)
    assert eastern_date(utc_ms(2025, 8, 24, 4, 0)) == date(2025, 8, 24)


@pytest.mark.parametrize(
    "moment, text",
    [
        ((2026, 3, 8, 6, 59), "2026-03-08 01:59 ET"),
        ((2026, 3, 8, 7, 0), "2026-03-08 03:00 ET"),
        ((2026, 11, 1, 5, 59), "2026-11-01 01:59 ET"),
        ((2026, 11, 1, 6, 0), "2026-11-01 01:00 ET"),
    ],
)
def test_clocks_change_on_the_lawful_sundays(moment: tuple[int, ...], text: str) -> None:
    """Summer time begins at two in March and ends at two in November."""
    assert eastern_text(utc_ms(*moment)) == text


def test_a_wall_clock_time_becomes_a_moment_in_both_halves_of_the_year() -> None:
    """Ten past seven in the evening is 23:10 UTC in summer and ten past midnight in winter."""
    assert utc_ms_from_eastern(date(2025, 8, 23), 19, 10) == utc_ms(2025, 8, 23, 23, 10)
    assert utc_ms_from_eastern(date(2025, 12, 23), 19, 10) == utc_ms(2025, 12, 24, 0, 10)


def test_the_repeated_hour_is_the_first_one() -> None:
    """Half past one on the night that autumn repeats an hour is the summer one."""
    assert utc_ms_from_eastern(date(2026, 11, 1), 1, 30) == utc_ms(2026, 11, 1, 5, 30)


@given(st.integers(utc_ms(2007, 3, 12), utc_ms(2037, 1, 1)))
def test_the_rule_agrees_with_the_zone(moment: int) -> None:
    """The date is the one that the machine's time zone data give, where it has any."""
    try:
        zone = ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:  # pragma: no cover
        pytest.skip("this machine has no time zone data")
    local = datetime.fromtimestamp(moment / 1000, zone)
    assert eastern_text(moment) == f"{local:%Y-%m-%d %H:%M} ET"
