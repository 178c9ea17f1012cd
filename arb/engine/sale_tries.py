"""When a position that nobody would take on sale is put on sale again: each time after longer.

What never left the engine nobody has refused: it is no try.

A sale is refused for two hours in each weekly pause of the exchange, and for good with a key that
was revoked; one that takes finds nothing for as long as the bid it sees is a person's own. Tried
four times a second that is 28,800 orders a pause, each journalled and kept for ever.
"""

from __future__ import annotations

from collections import defaultdict

import attrs

from arb.core.exits import Holding
from arb.core.money import CountE2
from arb.core.orders import OrderState
from arb.core.risk import RefusalCode
from arb.io.clock import NS_PER_S

# The first pause: long enough for a book to move on, short against the second without an exit that
# a person is warned of.
EXIT_RETRY_S = 0.25

# The longest: what is held is on sale again so soon after the exchange takes orders.
EXIT_RETRY_MAX_S = 5.0

# What a sale is refused with here, and soon is not: sales that were cancelled on purpose, lanes
# that are busy, tokens that come back. Pauses that grew meanwhile would last beyond. A reading that
# is to come may take hours, and ends the pauses itself.
NEVER_LEFT = frozenset({RefusalCode.NOT_RUNNING, RefusalCode.NOT_SENT})


@attrs.define
class SaleTries:
    """How often in a row the same position was put on sale in vain, and when last."""

    held_e2: CountE2 = CountE2(0)
    tries: int = 0
    tried_ns: int = 0
    _before: tuple[CountE2, int, int] = (CountE2(0), 0, 0)

    def left_s(self, holding: Holding, now_ns: int) -> float:
        """Return how long the next sale must wait; what was bought or sold meanwhile does not."""
        if any(order.state is OrderState.RESTING for order in holding.closing):
            self.tries = 0
        if not self.tries or self.held_e2 != holding.count_e2:
            return 0.0
        pause_s = min(EXIT_RETRY_S * 2.0 ** (self.tries - 1), EXIT_RETRY_MAX_S)
        return max(0.0, pause_s - (now_ns - self.tried_ns) / NS_PER_S)

    def tried(self, holding: Holding, now_ns: int) -> None:
        """Note that a sale is wished."""
        self._before = (self.held_e2, self.tries, self.tried_ns)
        if self.held_e2 != holding.count_e2:
            self.tries = 0
        self.held_e2, self.tried_ns = holding.count_e2, now_ns
        self.tries += 1

    def not_sent(self) -> None:
        """Take the last try back; what the exchange has refused before it still counts."""
        self.held_e2, self.tries, self.tried_ns = self._before


@attrs.define
class SalesTried:
    """The same for the markets whose actors are away, by ticker."""

    _by_ticker: defaultdict[str, SaleTries] = attrs.field(factory=lambda: defaultdict(SaleTries))

    def may(self, holding: Holding, now_ns: int) -> bool:
        """Tell whether a sale may be tried, and if so, note that it is."""
        tries = self._by_ticker[holding.ticker]
        if tries.left_s(holding, now_ns) > 0:
            return False
        tries.tried(holding, now_ns)
        return True

    def not_sent(self, ticker: str) -> None:
        """Take the last try of a market back."""
        if ticker in self._by_ticker:
            self._by_ticker[ticker].not_sent()

    def forget(self, ticker: str) -> None:
        """Let go of a market that is over, or whose actor is back."""
        self._by_ticker.pop(ticker, None)
