"""US Eastern time, by which Kalshi dates its games, from the rule itself.

The standard library's zones are read from files that a machine may lack, and this layer reads
none; the rule has been the same since 2007: 15 U.S.C. 260a, second Sunday of March to first
Sunday of November, at two o'clock local time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

MS_PER_MINUTE = 60_000
STANDARD_OFFSET_MS = -5 * 60 * MS_PER_MINUTE
SUMMER_OFFSET_MS = -4 * 60 * MS_PER_MINUTE

_SUNDAY = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
# A run meets the years of its own games; sixteen outlive every recording.
_YEARS_KEPT = 16


def eastern_date(utc_ms: int) -> date:
    """Return the date in US Eastern time of a moment, Unix milliseconds."""
    return _at(utc_ms + offset_ms(utc_ms)).date()


def eastern_text(utc_ms: int) -> str:
    """Write a moment, Unix milliseconds, for people: ``2025-08-23 19:10 ET``."""
    return f"{_at(utc_ms + offset_ms(utc_ms)):%Y-%m-%d %H:%M} ET"


def utc_ms_from_eastern(day: date, hour: int, minute: int) -> int:
    """Return the Unix milliseconds of a wall-clock time in US Eastern.

    In the hour that autumn repeats it is the first one; no game starts then.
    """
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
    summer_ms = (local - _EPOCH) // _MS - SUMMER_OFFSET_MS
    if offset_ms(summer_ms) == SUMMER_OFFSET_MS:
        return summer_ms
    return summer_ms + SUMMER_OFFSET_MS - STANDARD_OFFSET_MS


def offset_ms(utc_ms: int) -> int:
    """Return what US Eastern adds to UTC at a moment, in milliseconds; negative."""
    begins_ms, ends_ms = _summer(_at(utc_ms).year)
    return SUMMER_OFFSET_MS if begins_ms <= utc_ms < ends_ms else STANDARD_OFFSET_MS


@lru_cache(maxsize=_YEARS_KEPT)
def _summer(year: int) -> tuple[int, int]:
    # Two o'clock standard time is 07:00 UTC, two o'clock summer time 06:00 UTC.
    begins = _first_sunday(year, 3) + timedelta(days=7, hours=7)
    ends = _first_sunday(year, 11) + timedelta(hours=6)
    return (begins - _EPOCH) // _MS, (ends - _EPOCH) // _MS


def _first_sunday(year: int, month: int) -> datetime:
    first = datetime(year, month, 1, tzinfo=UTC)
    return first + timedelta(days=_SUNDAY - first.weekday())


def _at(utc_ms: int) -> datetime:
    return _EPOCH + utc_ms * _MS
