"""Whether a market's YES is the team we take it for, judged by its price.

Names may agree and the sides still be swapped: at a neutral ground, in a feed's error, in ours.
The exchange's price then agrees with the other team's chance, and each game looks like an edge.
"""

from __future__ import annotations

from arb.core.events import Top
from arb.core.money import ONE_DOLLAR_E4

# A middle between prices further apart than this says nothing of a chance.
SPREAD_MAX_E4 = 1_000

# How much better the other side must fit, in chance: Kalshi and the books differ by half a cent
# in the mean, and by 2.2 at most in 57 games.
GAIN_MIN = 0.04

# And how many times better: an honest edge near even odds fits neither side.
GAIN_TIMES = 4.0


def middle(top: Top) -> float | None:
    """Return the chance that a market's prices say, None where they say none."""
    if not top.usable or top.bid_e4 is None or top.ask_e4 is None:
        return None
    if not 0 <= top.ask_e4 - top.bid_e4 <= SPREAD_MAX_E4:
        return None
    return (top.bid_e4 + top.ask_e4) / (2.0 * ONE_DOLLAR_E4)


def is_inverted(fair: float, mid: float, *, before: bool = False) -> bool:
    """Tell whether a market looks inverted: its price fits the other team far better.

    One that looked so ``before`` does so until its price fits its own team as much better: at
    even odds both fit, and nothing is proven.
    """
    straight, swapped = abs(mid - fair), abs(mid - (1.0 - fair))
    if before:
        return swapped - straight < GAIN_MIN
    return straight - swapped >= GAIN_MIN and straight >= GAIN_TIMES * swapped
