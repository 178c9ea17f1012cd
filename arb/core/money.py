"""Prices, counts and money as integers, and their exact conversion from and to text.

``PriceE4`` is dollars times 10**4, ``CountE2`` contracts times 10**2 and ``MoneyE6`` dollars
times 10**6, so that a price times a count is an amount of money without rounding.
"""

from __future__ import annotations

import re
from typing import NewType

PriceE4 = NewType("PriceE4", int)
CountE2 = NewType("CountE2", int)
MoneyE6 = NewType("MoneyE6", int)

ONE_DOLLAR_E4 = PriceE4(10_000)
ONE_CENT_E4 = PriceE4(100)
ONE_CONTRACT_E2 = CountE2(100)
ONE_CENT_E6 = MoneyE6(10_000)
ONE_DOLLAR_E6 = MoneyE6(1_000_000)

# The exchange writes at most six decimals and eight digits before the point; a longer text is
# damage, and reading thousands of digits takes time that grows with their square.
TEXT_LENGTH_MAX = 24

# Digits, a point and digits, as the exchange writes them. What Python's own numbers allow besides
# (exponents, underscores, blanks, a plus, other alphabets' digits, NaN) is damage.
_DECIMAL_TEXT = re.compile(r"(-?[0-9]+)(?:\.([0-9]+))?")


class NotExact(ValueError):
    """A text that is no decimal number, or has more decimals than its unit holds."""


def price_from_text(text: str) -> PriceE4:
    """Read dollars such as ``"0.5600"`` as a price; raises `NotExact`."""
    try:
        return _PRICE_BY_TEXT[text]
    except (KeyError, TypeError):
        return PriceE4(_scaled(text, 4))


def count_from_text(text: str) -> CountE2:
    """Read contracts such as ``"10.00"`` as a count; raises `NotExact`."""
    return CountE2(_scaled(text, 2))


def money_from_text(text: str) -> MoneyE6:
    """Read dollars such as ``"0.017500"`` as money; raises `NotExact`."""
    return MoneyE6(_scaled(text, 6))


def price_text(price_e4: int) -> str:
    """Write a price as the exchange does, in dollars with four decimals."""
    return _unscaled(price_e4, 4)


def count_text(count_e2: int) -> str:
    """Write a count as the exchange does, in contracts with two decimals."""
    return _unscaled(count_e2, 2)


def money_text(money_e6: int) -> str:
    """Write money as the exchange does, in dollars with six decimals."""
    return _unscaled(money_e6, 6)


def cost_e6(price_e4: int, count_e2: int) -> MoneyE6:
    """Return what ``count_e2`` contracts cost at ``price_e4``, exactly."""
    return MoneyE6(price_e4 * count_e2)


def dollars(money_e6: int) -> str:
    """Write money for people, to the cent, rounded half away from zero: ``-$1,234.57``."""
    cents = (abs(money_e6) + ONE_CENT_E6 // 2) // ONE_CENT_E6
    sign = "-" if money_e6 < 0 and cents else ""
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"


def cents(price_e4: int) -> str:
    """Write a price for people, in cents without needless decimals: ``62`` or ``62.5``."""
    whole, part = divmod(abs(price_e4), ONE_CENT_E4)
    sign = "-" if price_e4 < 0 else ""
    return f"{sign}{whole}" if not part else f"{sign}{whole}.{part:02d}".rstrip("0")


def contracts(count_e2: int) -> str:
    """Write a count for people, without needless decimals: ``5`` or ``0.27``."""
    whole, part = divmod(abs(count_e2), ONE_CONTRACT_E2)
    sign = "-" if count_e2 < 0 else ""
    return f"{sign}{whole}" if not part else f"{sign}{whole}.{part:02d}".rstrip("0")


def _scaled(text: object, places: int) -> int:
    # A JSON number where a text belongs is refused: the exchange has sent texts alone since
    # March 2026, and a float has already lost what it would be asked for.
    if not isinstance(text, str) or len(text) > TEXT_LENGTH_MAX:
        raise NotExact(f"{str(text)[:TEXT_LENGTH_MAX]!r} is not a decimal text")
    whole, _, part = text.partition(".")
    # The exchange writes every unit with all its decimals, so this is the way of nearly every
    # text; an order book message reads two of them.
    if len(part) == places and whole and text.isascii():
        digits = whole + part
        if digits.isdigit() or (len(whole) > 1 and digits[0] == "-" and digits[1:].isdigit()):
            return int(digits)
    return _scaled_by_rule(text, places)


def _scaled_by_rule(text: str, places: int) -> int:
    parts = _DECIMAL_TEXT.fullmatch(text)
    if parts is None:
        raise NotExact(f"{text!r} is not a decimal number")
    whole, part = parts.group(1), parts.group(2) or ""
    if part[places:].strip("0"):
        raise NotExact(f"{text!r} has more than {places} decimals")
    return int(whole + part[:places].ljust(places, "0"))


def _unscaled(value: int, places: int) -> str:
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), 10**places)
    return f"{sign}{whole}.{part:0{places}d}"


# Nearly every price of an order book is a whole tenth of a cent: looking it up takes a tenth of
# the time that reading it does, and an order book message carries one each time.
_PRICE_BY_TEXT = {price_text(price_e4): PriceE4(price_e4) for price_e4 in range(0, 10_001, 10)}
