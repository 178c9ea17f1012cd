"""The settings of exits: at what price they rest, when they cross the book, in what steps.

All are in terms of the side that is held: what NO is worth is a dollar less the price of YES.
"""

from __future__ import annotations

import attrs

from arb.core.money import ONE_CENT_E4, PriceE4
from arb.core.setting import setting


@attrs.frozen(kw_only=True)
class Exits:
    """How what is held is given up."""

    exit_break_even: bool = setting(
        default=False,
        reason="never rest below what was paid and both fees; off, because what was paid tells"
        " nothing of what a contract is worth, and a sale at fair value loses nothing",
    )
    exit_follow_down: bool = setting(
        default=True,
        reason="follow fair value below what it was when we bought; a sale that stays behind is"
        " never taken, and what is held goes on losing",
    )
    exit_after_s: int = setting(
        0,
        "held for so long, it is sold at what the book pays, in steps; 0 waits for its price",
        unit="s",
        low=0,
        high=604_800,
    )
    exit_stop: int = setting(
        0,
        "with fair value so far below what was paid, it is sold at what the book pays, in steps;"
        " 0 never: at fair value a loss is not made smaller by paying the spread as well",
        unit="cents",
        low=0,
        high=99,
    )
    flatten_step: int = setting(
        3,
        "closing at once takes what the best price offers, step by step; a price that is further"
        " below the step before is a hole in the book, and is waited for",
        unit="cents",
        low=0,
        high=99,
    )

    @property
    def exit_stop_e4(self) -> PriceE4:
        """Return ``exit_stop`` as a price difference."""
        return PriceE4(self.exit_stop * ONE_CENT_E4)

    @property
    def flatten_step_e4(self) -> PriceE4:
        """Return ``flatten_step`` as a price difference."""
        return PriceE4(self.flatten_step * ONE_CENT_E4)
