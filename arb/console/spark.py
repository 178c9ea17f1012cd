"""Small pictures in one line: a course of numbers as bars of eight heights, and a bar of a part."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
# A value that is not known, in its place.
GAP = " "
FULL = "█"


def sparkline(
    values: Sequence[float | None], width: int, low: float | None = None, high: float | None = None
) -> str:
    """Draw the last ``width`` values between ``low`` and ``high``, by default their own.

    What stands still is drawn at half height, so that it differs from nothing.
    """
    shown = list(values)[-width:] if width > 0 else []
    known = [value for value in shown if value is not None]
    if not known:
        return GAP * len(shown)
    least = min(known) if low is None else low
    most = max(known) if high is None else high
    return "".join(GAP if value is None else _bar(value, least, most) for value in shown)


def bar(part: float, whole: float, width: int) -> str:
    """Draw a part of a whole as blocks; anything above nothing is at least one."""
    if whole <= 0 or part <= 0 or width <= 0:
        return ""
    return FULL * max(1, min(width, round(part * width / whole)))


def _bar(value: float, least: float, most: float) -> str:
    if most <= least:
        return BARS[len(BARS) // 2 - 1]
    place = (value - least) / (most - least)
    return BARS[max(0, min(len(BARS) - 1, int(place * len(BARS))))]
