"""What a purchase is worth: the edge over the ask, the price of the sale, the round trip's net.

Here a chance, which is a float, meets prices, which are integers, and nowhere else.
"""

from __future__ import annotations

import math

from arb.core.events import Liquidity, Side
from arb.core.fees import FeeSchedule
from arb.core.grid import PriceGrid
from arb.core.money import ONE_DOLLAR_E4, MoneyE6, PriceE4

# 0.57 * 1e4 is 5699.999...: binary error is at most 1e-12 of a value up to 1e4, and no chance
# that books imply lies this close to a whole unit without being meant to.
_BINARY_ERROR_E4 = 1e-6


def buy_edge_e4(fair: float, ask_e4: int) -> int:
    """Return how far a chance is above an ask, in price units, rounded down.

    Thresholds are whole units, and for a whole ``t``, ``x >= t`` exactly when ``floor(x) >= t``:
    comparing the rounded edge with a threshold loses nothing. The 1e-6 of a unit that is added
    first absorbs the binary error of ``fair * 1e4``, which would take a whole unit away.
    """
    return math.floor(fair * ONE_DOLLAR_E4 + _BINARY_ERROR_E4) - ask_e4


def sale_price_e4(fair: float, grid: PriceGrid) -> PriceE4:
    """Return the price of a sale at fair value: rounded up to the grid, always within (0, 1).

    Above the grid's highest price it is that price, the only one that is left to ask for.
    """
    return grid.round_up(math.ceil(fair * ONE_DOLLAR_E4 - _BINARY_ERROR_E4))


def exit_price_e4(fair: float, grid: PriceGrid, side: Side) -> PriceE4:
    """Return the YES price of an exit at fair value, on the side of the book it stands on.

    What is held as YES is sold, as NO bought back: the price of what is held is rounded up to the
    grid, so that YES is bought back at fair value rounded down.
    """
    if side is Side.ASK:
        return sale_price_e4(fair, grid)
    return grid.round_down(math.floor(fair * ONE_DOLLAR_E4 + _BINARY_ERROR_E4))


def round_trip_net_e6(
    entry_e4: int, exit_e4: int, count_e2: int, entry: Liquidity, fees: FeeSchedule
) -> MoneyE6:
    """Return what buying and then selling as a maker leaves, both fees paid.

    For the whole count, each order filling at once: fees are rounded up, so that the fee of one
    contract times the count would be too much.
    """
    entry_fee_e6 = fees.fee_e6(entry_e4, count_e2, entry, Side.BID)
    exit_fee_e6 = fees.fee_e6(exit_e4, count_e2, Liquidity.MAKER, Side.ASK)
    return MoneyE6((exit_e4 - entry_e4) * count_e2 - entry_fee_e6 - exit_fee_e6)
