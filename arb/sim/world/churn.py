"""A crowd that keeps the books busy: small orders away from the touch, placed and taken back.

Each placing and each taking back is one message to whoever subscribes to the book; nobody's price
depends on it.
"""

from __future__ import annotations

import random
from collections import deque

import attrs

from arb.sim.exchange.account import Account
from arb.sim.exchange.markets import Market, MarketStatus
from arb.sim.exchange.placing import place
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.resting import cancel
from arb.sim.exchange.values import BookSide, OrderRequest
from arb.sim.exchange.venue import Venue

_TICK_E4 = 100
_LOWEST_E4, _HIGHEST_E4 = 100, 9_900

# So far from the touch that the makers' own levels stand between, as books recorded in production
# are deep; nearer orders would be traded with.
_NEAREST_TICKS, _FARTHEST_TICKS = 6, 30

# What rests in one market at most: a book of some thirty levels a side.
_RESTING_MAX = 60
_SIZES_E2 = (100, 250, 1_000, 5_000, 12_345)


@attrs.define
class Churn:
    """Changes the books so many times a second, as one account, in all markets that trade."""

    account: Account
    per_s: float
    rng: random.Random
    _due: float = attrs.field(default=0.0, init=False)
    _resting: dict[str, deque[str]] = attrs.field(factory=dict, init=False)

    def step(self, venue: Venue, elapsed_ms: float) -> None:
        """Make the changes that so much time brings."""
        markets = [one for one in venue.markets.values() if one.status is MarketStatus.ACTIVE]
        if not markets or not venue.trading_active:
            return
        self._due += self.per_s * elapsed_ms / 1_000
        while self._due >= 1:
            self._due -= 1
            self._change(venue, self.rng.choice(markets))

    def _change(self, venue: Venue, market: Market) -> None:
        resting = self._resting.setdefault(market.ticker, deque())
        try:
            if resting and self.rng.random() < len(resting) / _RESTING_MAX:
                cancel(venue, self.account, resting.popleft(), market.exchange_index)
            else:
                request = self._wish(market)
                resting.append(place(venue, self.account, request).order.order_id)
        except Refused:
            # It was traded with, or a pause came and took it away.
            return

    def _wish(self, market: Market) -> OrderRequest:
        side = self.rng.choice((BookSide.BID, BookSide.ASK))
        away_e4 = _TICK_E4 * self.rng.randint(_NEAREST_TICKS, _FARTHEST_TICKS)
        best_e4 = market.book.best_e4(side)
        if side is BookSide.BID:
            price_e4 = (_LOWEST_E4 if best_e4 is None else best_e4) - away_e4
        else:
            price_e4 = (_HIGHEST_E4 if best_e4 is None else best_e4) + away_e4
        price_e4 = min(max(price_e4, _LOWEST_E4), _HIGHEST_E4)
        return OrderRequest(market.ticker, side, self.rng.choice(_SIZES_E2), price_e4)
