"""Kalshi market makers: they quote around what the books said a while ago.

That lag is the whole reason for an edge: between a book's move and the maker's, the old price
still stands.
"""

from __future__ import annotations

import random
from collections import deque

import attrs

from arb.sim.exchange.account import Account
from arb.sim.exchange.markets import Market, MarketStatus
from arb.sim.exchange.order_book import OrderBook
from arb.sim.exchange.placing import place
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.resting import cancel
from arb.sim.exchange.values import BookSide, Order, OrderRequest, SelfTrade
from arb.sim.exchange.venue import Venue

_TICK_E4 = 100
_LOWEST_E4 = 100
_HIGHEST_E4 = 9_900
_LAG_LOWEST_MS = 500.0
_LAG_HIGHEST_MS = 3_000.0
_NOTICED = 0.002
_LEVELS = 4
# How often a maker changes the size of a level for no reason that anybody sees, per second.
_RESTLESS_PER_S = 0.3
# Of the home and of the away market: quoted apart, so that now one of them, now the other is the
# cheaper place for a bet on either team.
_SPREADS_TICKS = ((1, 1), (1, 2), (2, 2), (2, 1), (3, 2))


@attrs.define
class Maker:
    """One market maker on both markets of one game; ``belief`` is its home chance."""

    account: Account
    home: Market
    away: Market
    belief: float
    spreads_ticks: tuple[int, int] = (2, 2)
    _seen: float = attrs.field(default=0.0, init=False)
    _coming: deque[tuple[float, float]] = attrs.field(factory=deque, init=False)
    _quoted: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._seen = self.belief

    def step(
        self,
        venue: Venue,
        consensus: float,
        moment_ms: float,
        elapsed_ms: float,
        rng: random.Random,
    ) -> None:
        """Look at the books' consensus and quote what was seen a while ago."""
        if abs(consensus - self._seen) >= _NOTICED:
            self._seen = consensus
            lag_ms = rng.uniform(_LAG_LOWEST_MS, _LAG_HIGHEST_MS)
            last_ms = self._coming[-1][0] if self._coming else 0.0
            # A new look never overtakes an older one, nor does it hold up for longer than its lag.
            self._coming.append((max(moment_ms + lag_ms, last_ms), consensus))
        moved = not self._quoted
        while self._coming and self._coming[0][0] <= moment_ms:
            self.belief = self._coming.popleft()[1]
            moved = True
        if moved:
            self.spreads_ticks = rng.choice(_SPREADS_TICKS)
            self._quoted = True
            self.quote(venue, rng)
        elif rng.random() < _RESTLESS_PER_S * elapsed_ms / 1_000:
            self._refresh(venue, rng)

    def quote(self, venue: Venue, rng: random.Random) -> None:
        """Replace the levels that are no longer wanted by those that are."""
        chances = self.belief, 1 - self.belief
        for market, chance, ticks in zip(
            (self.home, self.away), chances, self.spreads_ticks, strict=True
        ):
            if market.status is MarketStatus.ACTIVE and venue.trading_active:
                self._quote_market(venue, market, wanted_levels(chance, ticks), rng)

    def _quote_market(
        self,
        venue: Venue,
        market: Market,
        wanted: dict[tuple[BookSide, int], None],
        rng: random.Random,
    ) -> None:
        standing = self.account.resting_in(market.ticker)
        for order in standing:
            if (order.side, order.price_e4) not in wanted:
                cancel(venue, self.account, order.order_id, market.exchange_index)
        kept = {(order.side, order.price_e4) for order in standing}
        for depth, (side, price_e4) in enumerate(wanted):
            if (side, price_e4) not in kept:
                self._place(venue, market, side, price_e4, _size_e2(rng, depth // 2))

    def _refresh(self, venue: Venue, rng: random.Random) -> None:
        market = rng.choice((self.home, self.away))
        standing = self.account.resting_in(market.ticker)
        if not standing or market.status is not MarketStatus.ACTIVE or not venue.trading_active:
            self._quoted = bool(standing)
            return
        order = rng.choice(standing)
        cancel(venue, self.account, order.order_id, market.exchange_index)
        depth = _depth(market.book, order)
        self._place(venue, market, order.side, order.price_e4, _size_e2(rng, depth))
        if len(standing) < 2 * _LEVELS:
            self._quoted = False

    def _place(
        self, venue: Venue, market: Market, side: BookSide, price_e4: int, count_e2: int
    ) -> None:
        request = OrderRequest(market.ticker, side, count_e2, price_e4, self_trade=SelfTrade.MAKER)
        try:
            place(venue, self.account, request)
        except Refused:
            # A pause or a close can come between two of its orders; it looks again next time.
            self._quoted = False


def wanted_levels(chance: float, spread_ticks: int) -> dict[tuple[BookSide, int], None]:
    """Return the levels around a chance, the best of both sides first, in a fixed order."""
    half_e4 = spread_ticks * _TICK_E4 / 2
    middle_e4 = chance * 10_000
    bid_e4 = int((middle_e4 - half_e4 + _TICK_E4 / 2) // _TICK_E4) * _TICK_E4
    ask_e4 = bid_e4 + spread_ticks * _TICK_E4
    levels: dict[tuple[BookSide, int], None] = {}
    for depth in range(_LEVELS):
        for side, price_e4 in (
            (BookSide.BID, bid_e4 - depth * _TICK_E4),
            (BookSide.ASK, ask_e4 + depth * _TICK_E4),
        ):
            if _LOWEST_E4 <= price_e4 <= _HIGHEST_E4:
                levels[side, price_e4] = None
    return levels


def _size_e2(rng: random.Random, depth: int) -> int:
    # Touch sizes of tens to hundreds: far more than the engine takes, far less than it would need
    # to be blind to depth.
    contracts = rng.randint(20, 150) * (1 + depth)
    hundredths = rng.choice((0, 0, 0, rng.randrange(100)))
    return contracts * 100 + hundredths


def _depth(book: OrderBook, order: Order) -> int:
    best_e4 = book.best_e4(order.side)
    return 0 if best_e4 is None else min(abs(best_e4 - order.price_e4) // _TICK_E4, _LEVELS)
