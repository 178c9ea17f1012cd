"""Odds as sportsbooks write them, and the chance that they imply.

Decimal odds are what a stake of one returns, the stake included, so they are above 1. American
odds are whole numbers of which none lies between -100 and 100.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum

# Exchanges stop at 1,000 and sportsbooks far below; what is longer is a sentinel or damage.
DECIMAL_ODDS_MAX = 10_001.0

# The same limit in American odds.
AMERICAN_ODDS_MAX = 1_000_000

# American odds count from here: +100 wins a hundred for a hundred, as -100 does.
EVEN_AMERICAN = 100

_DECIMAL_TEXT = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,17})?")
_AMERICAN_TEXT = re.compile(r"[+-]?[0-9]{1,7}")


class OddsFault(StrEnum):
    """What is wrong with odds; bad input is counted under these words."""

    NOT_A_NUMBER = "odds are not a number"
    NOT_FINITE = "odds are not finite"
    NOT_ABOVE_ONE = "decimal odds are not above 1"
    TOO_LONG = "odds are longer than any book offers"
    INSIDE_HUNDRED = "American odds lie between -100 and 100"


class BadOdds(ValueError):
    """Odds that no book can mean; `reason` is what to count them under."""

    def __init__(self, reason: OddsFault, value: object) -> None:
        super().__init__(f"{reason}: {str(value)[:40]!r}")
        self.reason = reason


def decimal_from_text(value: object) -> float:
    """Read decimal odds from a text or a JSON number, as feeds send both; raises `BadOdds`."""
    if isinstance(value, str):
        if _DECIMAL_TEXT.fullmatch(value) is None:
            raise BadOdds(OddsFault.NOT_A_NUMBER, value)
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadOdds(OddsFault.NOT_A_NUMBER, value)
    try:
        return _checked(float(value))
    except OverflowError:
        raise BadOdds(OddsFault.TOO_LONG, "a whole number") from None


def american_from_text(value: object) -> int:
    """Read American odds such as ``"-150"`` or ``"+130"`` from a text; raises `BadOdds`."""
    if not isinstance(value, str) or _AMERICAN_TEXT.fullmatch(value) is None:
        raise BadOdds(OddsFault.NOT_A_NUMBER, value)
    return _american(int(value))


def american_to_decimal(american: int) -> float:
    """Return the decimal odds that American odds stand for; raises `BadOdds`."""
    odds = _american(american)
    return 1.0 + (odds / EVEN_AMERICAN if odds > 0 else EVEN_AMERICAN / -odds)


def decimal_to_american(decimal: float) -> int:
    """Return the nearest American odds, ``100`` rather than ``-100``; raises `BadOdds`.

    For showing only: both forms are rounded, so that a price sent through the other form and
    back is another price.
    """
    gain = _checked(decimal) - 1.0
    if gain >= 1.0:
        return round(EVEN_AMERICAN * gain)
    stake = round(EVEN_AMERICAN / gain)
    return -stake if stake > EVEN_AMERICAN else EVEN_AMERICAN


def implied(decimal: float) -> float:
    """Return the chance that decimal odds imply, the book's margin still in it."""
    return 1.0 / decimal


def _checked(decimal: float) -> float:
    if not math.isfinite(decimal):
        raise BadOdds(OddsFault.NOT_FINITE, decimal)
    if decimal <= 1.0:
        raise BadOdds(OddsFault.NOT_ABOVE_ONE, decimal)
    if decimal > DECIMAL_ODDS_MAX:
        raise BadOdds(OddsFault.TOO_LONG, decimal)
    return decimal


def _american(odds: int) -> int:
    if isinstance(odds, bool) or not isinstance(odds, int):
        raise BadOdds(OddsFault.NOT_A_NUMBER, odds)
    if abs(odds) < EVEN_AMERICAN:
        raise BadOdds(OddsFault.INSIDE_HUNDRED, odds)
    if abs(odds) > AMERICAN_ODDS_MAX:
        raise BadOdds(OddsFault.TOO_LONG, odds)
    return odds
