"""Wall-clock moments as the simulated world reads and writes them.

The exchange's tickers carry United States Eastern dates; the rule for summer time is written out
here because a slim machine may have no time zone database.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

MS_PER_S = 1_000
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 24 * MS_PER_HOUR

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_STANDARD = dt.timedelta(hours=-5)
_SUMMER = dt.timedelta(hours=-4)
_SUNDAY = 6


class WallClock(Protocol):
    """The only clock that the simulated world reads."""

    def wall_ms(self) -> int:
        """Return Unix time in milliseconds."""
        ...


def utc(wall_ms: int) -> dt.datetime:
    """Return the moment as an aware UTC datetime, exactly."""
    return _EPOCH + dt.timedelta(milliseconds=wall_ms)


def iso(wall_ms: int) -> str:
    """Write a moment as the exchange does: ISO-8601, ``Z``, trailing zeros of the fraction cut."""
    moment = utc(wall_ms)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    thousandths = moment.microsecond // 1_000
    return f"{text}.{thousandths:03d}".rstrip("0") + "Z" if thousandths else f"{text}Z"


def iso_seconds(wall_ms: int) -> str:
    """Write a moment to the second: ``2026-06-11T05:39:29Z``."""
    return utc(wall_ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_milliseconds(wall_ms: int) -> str:
    """Write a moment with exactly three decimals, as the odds provider stamps its updates."""
    moment = utc(wall_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{moment.microsecond // 1_000:03d}Z"


def wall_ms_from_iso(text: str) -> int:
    """Read an RFC 3339 moment; raises `ValueError` when it is none or names no zone."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def eastern(wall_ms: int) -> dt.datetime:
    """Return the moment in United States Eastern time, as a naive datetime."""
    moment = utc(wall_ms)
    # Summer time runs from 2 a.m. standard time (07:00 UTC) on the second Sunday of March to
    # 2 a.m. summer time (06:00 UTC) on the first Sunday of November.
    begins = _sunday(moment.year, month=3, nth=2) + dt.timedelta(hours=7)
    ends = _sunday(moment.year, month=11, nth=1) + dt.timedelta(hours=6)
    offset = _SUMMER if begins <= moment < ends else _STANDARD
    return (moment + offset).replace(tzinfo=None)


def ticker_date(wall_ms: int) -> str:
    """Write the Eastern date as tickers carry it: ``26AUG07``."""
    day = eastern(wall_ms)
    return f"{day.year % 100:02d}{_MONTHS[day.month - 1]}{day.day:02d}"


def ticker_time(wall_ms: int) -> str:
    """Write the Eastern time of day as baseball tickers carry it: ``2140``."""
    return eastern(wall_ms).strftime("%H%M")


def _sunday(year: int, *, month: int, nth: int) -> dt.datetime:
    first = dt.datetime(year, month, 1, tzinfo=dt.UTC)
    return first + dt.timedelta(days=(_SUNDAY - first.weekday()) % 7 + 7 * (nth - 1))
