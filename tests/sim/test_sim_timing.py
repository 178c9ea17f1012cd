"""Moments as the simulated world reads and writes them."""

from __future__ import annotations

import datetime as dt

import pytest

from arb.sim.timing import (
    eastern,
    iso,
    iso_milliseconds,
    iso_seconds,
    ticker_date,
    ticker_time,
    utc,
    wall_ms_from_iso,
)


def ms(text: str) -> int:
    return wall_ms_from_iso(text)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-06-11T06:29:20.866Z", "2026-06-11T06:29:20.866Z"),
        ("2026-06-11T06:29:20.860Z", "2026-06-11T06:29:20.86Z"),
        ("2026-06-11T06:29:20Z", "2026-06-11T06:29:20Z"),
    ],
)
def test_a_fraction_loses_its_trailing_zeros(moment: str, text: str) -> None:
    """Moments are written as the exchange does, without needless zeros."""
    assert iso(ms(moment)) == text


def test_other_spellings_have_fixed_length() -> None:
    """Listings carry whole seconds, odds updates exactly three decimals."""
    moment = ms("2026-06-11T06:29:20.800Z")
    assert iso_seconds(moment) == "2026-06-11T06:29:20Z"
    assert iso_milliseconds(moment) == "2026-06-11T06:29:20.800Z"


def test_a_moment_without_a_zone_is_refused() -> None:
    """Nobody guesses what zone a client meant."""
    with pytest.raises(ValueError, match="time zone"):
        wall_ms_from_iso("2026-06-11T06:29:20")


@pytest.mark.parametrize(
    ("moment", "clock"),
    [
        ("2026-03-08T06:59:00Z", "01:59"),
        ("2026-03-08T07:00:00Z", "03:00"),
        ("2026-11-01T05:59:00Z", "01:59"),
        ("2026-11-01T06:00:00Z", "01:00"),
        ("2026-07-04T16:00:00Z", "12:00"),
        ("2026-12-25T17:00:00Z", "12:00"),
    ],
)
def test_eastern_time_follows_the_american_rule(moment: str, clock: str) -> None:
    """Summer time begins on the second Sunday of March and ends on the first of November."""
    assert eastern(ms(moment)).strftime("%H:%M") == clock


def test_tickers_carry_the_eastern_day() -> None:
    """A game at 01:40 UTC is played on the evening before in the East."""
    moment = ms("2026-08-08T01:40:00Z")
    assert (ticker_date(moment), ticker_time(moment)) == ("26AUG07", "2140")


def test_utc_is_exact_to_the_millisecond() -> None:
    """No float stands between a moment and its text."""
    assert utc(1_781_159_370_164) == dt.datetime(2026, 6, 11, 6, 29, 30, 164_000, tzinfo=dt.UTC)
