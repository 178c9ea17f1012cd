"""Strict reading of the exchange's fields: what is not exactly as documented is `Malformed`.

A client that took a renamed field for an empty one has shown every book as empty for a year,
with all its tests green. So nothing is guessed here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from arb.core.events import Side
from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, PriceE4
from arb.io.iso import iso_ms
from arb.io.text import one_line

Fields = Mapping[str, Any]

# The longest number the exchange documents has 12 digits and 6 decimals.
_DECIMAL = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,6}))?")
_DECIMALS_MAX = 6

# Every price of the finest grid, and the counts of a day: reading each text once makes a message
# 0.8 µs cheaper.
_PRICE_TEXTS_MAX = 16_384
_COUNT_TEXTS_MAX = 65_536

# Known multipliers are 0.5 and 1; a promotion may double them, and a hundred is damage.
FEE_MULTIPLIER_MAX = 100
_E4 = 10_000


class Fault(StrEnum):
    """What is wrong with a message of the exchange; bad input is counted under these words."""

    NOT_JSON = "not JSON"
    MISSING_FIELD = "a field is missing"
    WRONG_TYPE = "a field has the wrong type"
    BAD_NUMBER = "a number is not a decimal text"
    TOO_FINE = "a number has more decimals than its unit"
    OFF_SCALE = "a price is not between 0 and 1"
    NEGATIVE = "a count is below nothing"
    NOTHING = "a fill of no contracts"
    UNKNOWN_SIDE = "an unknown side"
    BAD_TIME = "a time cannot be read"
    BAD_GRID = "price ranges make no grid"


class Malformed(Exception):
    """A message that cannot be used: ``reason`` to count it by, ``text`` to show it."""

    def __init__(self, reason: Fault, text: object) -> None:
        self.reason = reason
        self.text = one_line(text)
        super().__init__(f"{reason}: {self.text}")


@lru_cache(maxsize=_PRICE_TEXTS_MAX)
def price(text: str) -> PriceE4:
    """Read a price strictly between 0 and 1 dollar; raises `Malformed`."""
    price_e4 = scaled(text, 4)
    if not 0 < price_e4 < ONE_DOLLAR_E4:
        raise Malformed(Fault.OFF_SCALE, text)
    return PriceE4(price_e4)


@lru_cache(maxsize=_COUNT_TEXTS_MAX)
def signed_count(text: str) -> CountE2:
    """Read a count of either sign, such as a change or a position; raises `Malformed`."""
    return CountE2(scaled(text, 2))


def count(text: str) -> CountE2:
    """Read a count that cannot be negative; raises `Malformed`."""
    count_e2 = signed_count(text)
    if count_e2 < 0:
        raise Malformed(Fault.NEGATIVE, text)
    return count_e2


def traded_count(text: str) -> CountE2:
    """Read the count of a trade, of which there is some; raises `Malformed`."""
    count_e2 = count(text)
    if not count_e2:
        raise Malformed(Fault.NOTHING, text)
    return count_e2


def money(text: str) -> MoneyE6:
    """Read an amount of either sign with up to six decimals; raises `Malformed`."""
    return MoneyE6(scaled(text, 6))


def scaled(text: str, places: int) -> int:
    """Read a decimal text as a whole number of 10**-places; raises `Malformed`."""
    if not isinstance(text, str):
        raise Malformed(Fault.WRONG_TYPE, f"{text!r} where a decimal text belongs")
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise Malformed(Fault.BAD_NUMBER, repr(text))
    sign, whole, decimals = found.groups("")
    if decimals[places:].strip("0"):
        raise Malformed(Fault.TOO_FINE, repr(text))
    value = int(whole + decimals[:places].ljust(places, "0"))
    return -value if sign else value


def fee_multiplier_e4(value: object) -> int:
    """Read a fee multiplier, which is a JSON number, as 10**-4; raises `Malformed`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(Fault.WRONG_TYPE, f"fee multiplier {value!r}")
    if not (math.isfinite(value) and 0 <= value <= FEE_MULTIPLIER_MAX):
        raise Malformed(Fault.BAD_NUMBER, f"fee multiplier {value!r}")
    # The shortest text of a float is what the exchange wrote.
    multiplier = Decimal(repr(value)) * _E4
    if multiplier != int(multiplier):
        raise Malformed(Fault.TOO_FINE, f"fee multiplier {value!r}")
    return int(multiplier)


def text_of(fields: Fields, name: str) -> str:
    """Return a text that must be there and not be empty; raises `Malformed`."""
    value = fields[name]
    if not isinstance(value, str) or not value:
        raise Malformed(Fault.WRONG_TYPE, f"{name} is {value!r}")
    return value


def optional_text(fields: Fields, name: str) -> str | None:
    """Return a text that may be missing, null or empty; raises `Malformed`."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    return text_of(fields, name)


def whole_of(fields: Fields, name: str) -> int:
    """Return a whole JSON number that must be there; raises `Malformed`."""
    value = fields[name]
    if type(value) is not int:
        raise Malformed(Fault.WRONG_TYPE, f"{name} is {value!r}")
    return value


def optional_whole(fields: Fields, name: str) -> int | None:
    """Return a whole JSON number that may be missing or null; raises `Malformed`."""
    return None if fields.get(name) is None else whole_of(fields, name)


def flag_of(fields: Fields, name: str) -> bool:
    """Return a JSON boolean that must be there; raises `Malformed`."""
    value = fields[name]
    if not isinstance(value, bool):
        raise Malformed(Fault.WRONG_TYPE, f"{name} is {value!r}")
    return value


def object_of(fields: Fields, name: str) -> Fields:
    """Return a JSON object that must be there; raises `Malformed`."""
    return as_object(fields[name], name)


def as_object(value: object, name: str) -> Fields:
    """Return ``value`` as the JSON object it must be; raises `Malformed`."""
    if not isinstance(value, dict):
        raise Malformed(Fault.WRONG_TYPE, f"{name} is no object: {value!r}")
    return value


def list_of(fields: Fields, name: str) -> list[Any]:
    """Return a JSON list that must be there; raises `Malformed`."""
    value = fields[name]
    if not isinstance(value, list):
        raise Malformed(Fault.WRONG_TYPE, f"{name} is no list: {value!r}")
    return value


def texts_of(fields: Fields, name: str) -> tuple[str, ...]:
    """Return a list of texts; missing and null are none; raises `Malformed`."""
    values = fields.get(name)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Malformed(Fault.WRONG_TYPE, f"{name} is no list of texts: {values!r}")
    return tuple(values)


def time_ms_of(fields: Fields, name: str) -> int:
    """Return an ISO-8601 time as Unix milliseconds; raises `Malformed`."""
    try:
        return iso_ms(fields[name])
    except (ValueError, OverflowError):
        raise Malformed(Fault.BAD_TIME, f"{name} is {fields[name]!r}") from None


def optional_time_ms(fields: Fields, name: str) -> int | None:
    """Return a time that may be missing, null or empty; raises `Malformed`."""
    return time_ms_of(fields, name) if fields.get(name) else None


_SIDES = {
    "book_side": {"bid": Side.BID, "ask": Side.ASK},
    # Older messages name the outcome alone: who is for YES stands on the bid.
    "outcome_side": {"yes": Side.BID, "no": Side.ASK},
}


def side_of(fields: Fields) -> Side:
    """Return the side of the YES book that an order or a fill is on; raises `Malformed`."""
    for name, sides in _SIDES.items():
        word = fields.get(name)
        if word is not None:
            side = sides.get(word)
            if side is None:
                raise Malformed(Fault.UNKNOWN_SIDE, f"{name} is {word!r}")
            return side
    raise Malformed(Fault.MISSING_FIELD, "book_side")
