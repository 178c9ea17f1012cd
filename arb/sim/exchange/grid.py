"""Which prices a market allows."""

from __future__ import annotations

import attrs

ONE_DOLLAR_E4 = 10_000


@attrs.frozen
class PriceRange:
    """A stretch of prices with one step, ends included; all dollars times 10**4."""

    start_e4: int
    end_e4: int
    step_e4: int


@attrs.frozen
class Grid:
    """A market's price grid: the label and the ranges that count."""

    label: str
    ranges: tuple[PriceRange, ...]

    def allows(self, price_e4: int) -> bool:
        """Return whether an order may carry this price: on the grid, above 0 and below 1."""
        if not 0 < price_e4 < ONE_DOLLAR_E4:
            return False
        return any(
            part.start_e4 <= price_e4 <= part.end_e4
            and (price_e4 - part.start_e4) % part.step_e4 == 0
            for part in self.ranges
        )


LINEAR_CENT = Grid("linear_cent", (PriceRange(0, ONE_DOLLAR_E4, 100),))
DECI_CENT = Grid("deci_cent", (PriceRange(0, ONE_DOLLAR_E4, 10),))
TAPERED_DECI_CENT = Grid(
    "tapered_deci_cent",
    (PriceRange(0, 1_000, 10), PriceRange(1_000, 9_000, 100), PriceRange(9_000, ONE_DOLLAR_E4, 10)),
)
GRIDS = {grid.label: grid for grid in (LINEAR_CENT, DECI_CENT, TAPERED_DECI_CENT)}
