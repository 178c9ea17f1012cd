"""What the sportsbooks say of one game, kept once for both of its markets.

A frame is told to both markets, and either may be first to hear it: whoever is takes it in, and
the other finds it taken. What was worked out for the one then stands for the other.
"""

from __future__ import annotations

from collections import Counter

import attrs

from arb.core.devig import METHODS
from arb.core.evaluate import Signal
from arb.core.events import GameQuotes
from arb.core.in_play import shows_live
from arb.core.parameters import Strategy
from arb.core.staleness import QuoteBoard


@attrs.define
class _Taken:
    """What was taken in last of one provider: at which moment, and which frames of it."""

    received_ns: int
    frames: list[GameQuotes]


@attrs.define
class GameOdds:
    """One game's quotes; written in the turn of whichever of its markets hears them first.

    ``used`` is the signal that either market acted on last: the two are one bet.
    """

    quotes: QuoteBoard
    used: Signal | None = None
    _taken: dict[str, _Taken] = attrs.field(factory=dict, init=False)

    @classmethod
    def of(cls, strategy: Strategy) -> GameOdds:
        """Begin a game, under the settings in force."""
        devig = METHODS[strategy.devig_method]
        return cls(QuoteBoard(devig, frozenset(strategy.excluded_books), strategy.pooling))

    @property
    def is_live(self) -> bool:
        """Tell whether any book says that the game is played."""
        return shows_live(self.quotes)

    def take(self, told: GameQuotes, counts: Counter[str]) -> None:
        """Take a frame in unless the other market has; count what its quotes did.

        One provider's frames come in order, so that an older one than the last was taken in long
        ago by the market that is ahead.
        """
        if not told.quotes or self._has(told):
            return
        for quote in told.quotes:
            counts[f"quotes {self.quotes.apply(quote)}"] += 1

    def _has(self, told: GameQuotes) -> bool:
        provider = told.quotes[0].provider
        taken = self._taken.get(provider)
        if taken is None or told.received_ns > taken.received_ns:
            # Noted before it is applied: a frame that kills one market must not kill both.
            self._taken[provider] = _Taken(told.received_ns, [told])
            return False
        if told.received_ns < taken.received_ns:
            return True
        if any(each is told for each in taken.frames):
            return True
        taken.frames.append(told)
        return False

    def __repr__(self) -> str:
        return f"<GameOdds {self.quotes!r}>"
