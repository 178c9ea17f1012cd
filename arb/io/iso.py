"""Time stamps as the feeds and the exchange write them, to Unix milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# The longest stamp seen has 32 characters; a longer text is damage.
STAMP_LENGTH_MAX = 40


def iso_ms(text: object) -> int:
    """Read an ISO-8601 stamp with its zone as Unix milliseconds, cut; raises `ValueError`."""
    if not isinstance(text, str) or len(text) > STAMP_LENGTH_MAX:
        raise ValueError(f"{str(text)[:STAMP_LENGTH_MAX]!r} is no time stamp")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return (moment - _EPOCH) // _MILLISECOND


def ms_iso(at_ms: int) -> str:
    """Write Unix milliseconds as RFC 3339 in UTC, to the second."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%M:%SZ")
