"""Giving up a position at once, in limited steps: what the next step is, and when to stop trying.

A step takes at most what the best price of the other side offers, as an order that never rests,
and waits for its answer. The next one may be at a lower price, but not by much: whoever sells a
whole position into a hole in the book sells it for nothing.
"""

from __future__ import annotations

import attrs

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.events import Liquidity, Side, Top
from arb.core.exits import Holding
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4, cents

# A connection that is lost is back, and an order that is unknown is found, within so many looks a
# quarter of a second apart; a book that has paid nothing for so long will not for longer.
LOOKS_WITHOUT_PROGRESS_MAX = 60


@attrs.define
class Closing:
    """One position on its way out: why, what the last step met, and what speaks against the next.

    ``asked`` tells a person's wish, which stands until nothing is held or it is given up, from a
    rule's, which ends when its reason does. ``waits_for`` is for people.
    """

    why: str
    asked: bool
    waits_for: str = ""
    _touch_e4: PriceE4 | None = None
    _left_e2: CountE2 | None = None
    _looks: int = 0

    @property
    def text(self) -> str:
        """Say why it is closed and what that waits for."""
        return f"{self.why}; waits for {self.waits_for}" if self.waits_for else self.why

    @property
    def is_hopeless(self) -> bool:
        """Tell whether so many looks in a row have brought nothing that no more should follow."""
        return self._looks >= LOOKS_WITHOUT_PROGRESS_MAX

    def look(self, holding: Holding) -> None:
        """Count a look at what is left; less of it than at the last look is progress."""
        left_e2 = CountE2(abs(holding.ours_e2))
        progress = self._left_e2 is not None and left_e2 < self._left_e2
        self._looks = 0 if progress else self._looks + 1
        self._left_e2 = left_e2

    def step(
        self, holding: Holding, top: Top | None, step_e4: int, game_id: str, trigger_ns: int
    ) -> OrderIntent | None:
        """Return the next step, None where nothing can be taken now; ``waits_for`` says why."""
        touch = _touch(top, holding.closing_side)
        if touch is None:
            self.waits_for = "a live price" if top is None or not top.usable else "somebody to pay"
            return None
        yes_e4, size_e2 = touch
        own_e4 = yes_e4 if holding.closing_side is Side.ASK else PriceE4(ONE_DOLLAR_E4 - yes_e4)
        if self._touch_e4 is not None and own_e4 < self._touch_e4 - step_e4:
            fell = f"{cents(self._touch_e4)}c to {cents(own_e4)}c"
            self.waits_for = f"a better price: the best one fell from {fell}"
            return None
        self._touch_e4 = own_e4
        self.waits_for = "the answer to a step"
        return OrderIntent(
            ticker=holding.ticker,
            game_id=game_id,
            purpose=Purpose.EXIT,
            side=holding.closing_side,
            price_e4=yes_e4,
            count_e2=CountE2(min(size_e2, holding.uncovered_e2)),
            liquidity=Liquidity.TAKER,
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
            post_only=False,
            trigger_ns=trigger_ns,
            fair=yes_e4 / ONE_DOLLAR_E4,
        )


def _touch(top: Top | None, side: Side) -> tuple[PriceE4, CountE2] | None:
    """Return the best price that an order on a side can take, and how much is offered there."""
    if top is None or not top.usable:
        return None
    price_e4 = top.bid_e4 if side is Side.ASK else top.ask_e4
    size_e2 = top.bid_size_e2 if side is Side.ASK else top.ask_size_e2
    return (price_e4, size_e2) if price_e4 is not None and size_e2 > 0 else None
