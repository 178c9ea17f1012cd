"""The prices at which a market trades: a few ranges, each with its own step.

The exchange's grid may be finer at the edges, and it can change while a market trades. Prices of
0 and of a whole dollar are on every published range and on no book: they are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import attrs

from arb.core.money import ONE_DOLLAR_E4, NotExact, PriceE4, price_from_text, price_text

# The exchange's published structures have three ranges at most.
RANGES_MAX = 16

LOWEST_E4 = 1
HIGHEST_E4 = ONE_DOLLAR_E4 - 1

Range = tuple[int, int, int]


class BadGrid(ValueError):
    """Price ranges that make no grid; the message says which and why."""


@attrs.frozen
class PriceGrid:
    """Ranges of ``(start_e4, end_e4, step_e4)``, ascending, ends included; raises `BadGrid`."""

    ranges: tuple[Range, ...]

    def __attrs_post_init__(self) -> None:
        """Check that the ranges make a grid with a price strictly between 0 and 1."""
        if not 0 < len(self.ranges) <= RANGES_MAX:
            raise BadGrid(f"{len(self.ranges)} price ranges, allowed are 1 to {RANGES_MAX}")
        floor_e4 = 0
        for start_e4, end_e4, step_e4 in self.ranges:
            if not floor_e4 <= start_e4 < end_e4 <= ONE_DOLLAR_E4:
                raise BadGrid(f"price range {_words(start_e4, end_e4)} is out of place")
            if step_e4 <= 0 or (end_e4 - start_e4) % step_e4:
                raise BadGrid(f"price range {_words(start_e4, end_e4)} has step {step_e4}")
            floor_e4 = end_e4
        if self._up(LOWEST_E4) is None:
            raise BadGrid("price ranges hold no price between 0 and 1")

    @property
    def lowest(self) -> PriceE4:
        """Return the lowest price of the grid."""
        return self.round_up(LOWEST_E4)

    @property
    def highest(self) -> PriceE4:
        """Return the highest price of the grid."""
        return self.round_down(HIGHEST_E4)

    @property
    def mirrored(self) -> PriceGrid:
        """Return the grid of NO: each of its prices is a dollar less one of this grid."""
        return _mirror(self)

    def on_grid(self, price_e4: int) -> bool:
        """Return whether an order can have this price."""
        if not 0 < price_e4 < ONE_DOLLAR_E4:
            return False
        for start_e4, end_e4, step_e4 in self.ranges:
            if start_e4 <= price_e4 <= end_e4 and not (price_e4 - start_e4) % step_e4:
                return True
        return False

    def next_above(self, price_e4: int) -> PriceE4 | None:
        """Return the lowest price above this one, None where there is none."""
        return self._up(price_e4 + 1)

    def next_below(self, price_e4: int) -> PriceE4 | None:
        """Return the highest price below this one, None where there is none."""
        return self._down(price_e4 - 1)

    def round_up(self, price_e4: int) -> PriceE4:
        """Return the lowest price not below this one, or the highest of the grid."""
        price = self._up(price_e4)
        return self.highest if price is None else price

    def round_down(self, price_e4: int) -> PriceE4:
        """Return the highest price not above this one, or the lowest of the grid."""
        price = self._down(price_e4)
        return self.lowest if price is None else price

    def _up(self, price_e4: int) -> PriceE4 | None:
        wanted_e4 = max(price_e4, LOWEST_E4)
        for start_e4, end_e4, step_e4 in self.ranges:
            steps = max(0, -((start_e4 - wanted_e4) // step_e4))
            found_e4 = start_e4 + steps * step_e4
            if found_e4 <= min(end_e4, HIGHEST_E4):
                return PriceE4(found_e4)
        return None

    def _down(self, price_e4: int) -> PriceE4 | None:
        wanted_e4 = min(price_e4, HIGHEST_E4)
        for start_e4, end_e4, step_e4 in reversed(self.ranges):
            steps = (min(wanted_e4, end_e4) - start_e4) // step_e4
            found_e4 = start_e4 + steps * step_e4
            if steps >= 0 and found_e4 >= LOWEST_E4:
                return PriceE4(found_e4)
        return None


# Asked for at every decision; a market that is priced anew brings one more.
@lru_cache(maxsize=256)
def _mirror(grid: PriceGrid) -> PriceGrid:
    ranges = tuple(
        (ONE_DOLLAR_E4 - end_e4, ONE_DOLLAR_E4 - start_e4, step_e4)
        for start_e4, end_e4, step_e4 in reversed(grid.ranges)
    )
    return grid if ranges == grid.ranges else PriceGrid(ranges)


WHOLE_CENTS = PriceGrid(((0, ONE_DOLLAR_E4, 100),))


def grid_from_ranges(ranges: Sequence[Mapping[str, str]]) -> PriceGrid:
    """Read a market's ``price_ranges``: start, end and step as texts; raises `BadGrid`.

    Markets with the same ranges share one grid.
    """
    try:
        return _shared_grid(tuple([_range(each) for each in ranges]))
    except (KeyError, TypeError, NotExact) as wrong:
        raise BadGrid(f"price ranges cannot be read: {wrong}") from None


def _range(fields: Mapping[str, str]) -> Range:
    return (
        price_from_text(fields["start"]),
        price_from_text(fields["end"]),
        price_from_text(fields["step"]),
    )


# Every published structure many times over.
@lru_cache(maxsize=256)
def _shared_grid(ranges: tuple[Range, ...]) -> PriceGrid:
    return PriceGrid(ranges)


def _words(start_e4: int, end_e4: int) -> str:
    return f"{price_text(start_e4)} to {price_text(end_e4)}"
