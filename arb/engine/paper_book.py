"""What one market's book shows, and what of that paper orders have not taken yet.

A recorded or a real book goes on as if paper orders were not there: what they have taken stays on
it. So each price is remembered with its size and what is left of that for us. The same size seen
again is the same orders; what it has grown by is new, and what it has shrunk to is the most that is
left. A price is forgotten once the best one is worse: whoever asks it after that has come anew.
While another price is better it stands unseen, and while the book is not usable nothing is learnt.
"""

from __future__ import annotations

import attrs

from arb.core.events import Side, Top
from arb.core.money import CountE2, PriceE4

NOTHING = CountE2(0)


@attrs.define
class _Level:
    """One price's size when it was seen last, and what is left of it for paper orders."""

    shown_e2: CountE2
    left_e2: CountE2

    def see(self, size_e2: CountE2) -> None:
        grown_e2 = max(0, size_e2 - self.shown_e2)
        self.left_e2 = CountE2(min(self.left_e2 + grown_e2, size_e2))
        self.shown_e2 = size_e2


@attrs.define
class _BookSide:
    """The best price of one side, and every price of it that may still stand behind that."""

    best_e4: PriceE4 | None = None
    levels: dict[PriceE4, _Level] = attrs.field(factory=dict)


@attrs.define
class PaperBook:
    """One market's best prices as they were usable last, less what paper orders took of them."""

    usable: bool = False
    _sides: dict[Side, _BookSide] = attrs.field(
        factory=lambda: {each: _BookSide() for each in Side}
    )

    def see(self, top: Top) -> None:
        """Take a new top."""
        self.usable = top.usable
        if top.usable:
            self._see(Side.BID, top.bid_e4, top.bid_size_e2)
            self._see(Side.ASK, top.ask_e4, top.ask_size_e2)

    def best_e4(self, side: Side) -> PriceE4 | None:
        """Return the best price of a side."""
        return self._sides[side].best_e4

    def within_e2(self, side: Side, limit_e4: PriceE4) -> CountE2:
        """Return what is left at a side's best price, if that is at a limit or better."""
        best_e4 = self._sides[side].best_e4
        return self._left_e2(side) if best_e4 == limit_e4 else self.through_e2(side, limit_e4)

    def through_e2(self, side: Side, limit_e4: PriceE4) -> CountE2:
        """Return what is left at a side's best price, if that is strictly better than a limit."""
        best_e4 = self._sides[side].best_e4
        if best_e4 is None or not _is_better(side, best_e4, limit_e4):
            return NOTHING
        return self._left_e2(side)

    def take(self, side: Side, count_e2: CountE2) -> None:
        """Take some of what is left at a side's best price."""
        best = self._sides[side]
        if best.best_e4 is not None:
            level = best.levels[best.best_e4]
            level.left_e2 = CountE2(level.left_e2 - count_e2)

    def _left_e2(self, side: Side) -> CountE2:
        best = self._sides[side]
        return NOTHING if best.best_e4 is None else best.levels[best.best_e4].left_e2

    def _see(self, side: Side, best_e4: PriceE4 | None, size_e2: CountE2) -> None:
        seen = self._sides[side]
        seen.best_e4 = best_e4
        seen.levels = {
            price_e4: level
            for price_e4, level in seen.levels.items()
            if best_e4 is not None and not _is_better(side, price_e4, best_e4)
        }
        if best_e4 is not None:
            seen.levels.setdefault(best_e4, _Level(size_e2, size_e2)).see(size_e2)

    def __repr__(self) -> str:
        best = " ".join(f"{side}={each.best_e4}" for side, each in self._sides.items())
        return f"<PaperBook {best} usable={self.usable}>"


def _is_better(side: Side, price_e4: PriceE4, than_e4: PriceE4) -> bool:
    """Tell whether a price of a side is better than another for whoever trades against it."""
    return price_e4 < than_e4 if side is Side.ASK else price_e4 > than_e4
