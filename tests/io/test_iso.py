"""Time stamps."""

from __future__ import annotations

import pytest

from arb.io.iso import iso_ms, ms_iso


@pytest.mark.parametrize(
    "text, at_ms",
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-08-18T14:52:52.983Z", 1_755_528_772_983),
        ("2026-08-07T06:47:24.258595Z", 1_786_085_244_258),
        ("2026-06-11T06:29:47.42784Z", 1_781_159_387_427),
        ("2026-08-20T17:37:36.774265+00:00", 1_787_247_456_774),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_stamps_are_read_to_the_millisecond(text: str, at_ms: int) -> None:
    """Any number of decimals is cut to milliseconds, without a float on the way."""
    assert iso_ms(text) == at_ms


@pytest.mark.parametrize(
    "bad",
    ["", "soon", "2026-08-07T06:47:24", None, 1_786_085_244, "2" * 50, "2026-13-01T00:00:00Z"],
)
def test_what_is_no_stamp_is_refused(bad: object) -> None:
    """A text without a zone, a number and nonsense raise ValueError."""
    with pytest.raises(ValueError):
        iso_ms(bad)


def test_a_moment_is_written_as_rfc_3339() -> None:
    """Milliseconds are written in UTC to the second."""
    assert ms_iso(1_755_528_772_983) == "2025-08-18T14:52:52Z"
