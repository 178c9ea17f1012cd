"""Taking a book's margin out of its odds: decimal odds of all outcomes to chances that sum to 1.

The chances that odds imply sum to more than 1; the surplus is the book's margin. How a book
spreads it over the outcomes is unknown, so there are several methods, each under its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

Devig = Callable[[Sequence[float]], tuple[float, ...]]


def overround(odds: Sequence[float]) -> float:
    """Return the sum of the chances that decimal odds imply: 1 and the book's margin."""
    return sum(1.0 / price for price in odds)


def multiplicative(odds: Sequence[float]) -> tuple[float, ...]:
    """Scale all implied chances by one factor: the margin falls on each in proportion.

    The default, because no method beat it in every league and for NBA others were worse.
    """
    if len(odds) == 2:  # noqa: PLR2004 - a game with two outcomes, the usual case and the hot one
        first, second = 1.0 / odds[0], 1.0 / odds[1]
        total = first + second
        return first / total, second / total
    total = overround(odds)
    return tuple(1.0 / price / total for price in odds)


# Methods by the name that settings and the command line give them.
METHODS: Mapping[str, Devig] = MappingProxyType({"multiplicative": multiplicative})
