"""Noise traders: people who buy or sell a few contracts at the touch, mostly for no reason."""

from __future__ import annotations

import random

import attrs

from arb.sim.exchange.account import Account
from arb.sim.exchange.markets import Market, MarketStatus
from arb.sim.exchange.placing import place
from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.values import BookSide, Lifetime, OrderRequest
from arb.sim.exchange.venue import Venue

# Per market; sixteen markets then print about five trades a second at speed 1.
_TRADES_PER_S = 0.3
# How often a taker knows what it does, and trades towards the true chance.
_INFORMED = 0.25


@attrs.define
class NoiseTraders:
    """Everybody else on the exchange, as one account."""

    account: Account

    def step(
        self, venue: Venue, market: Market, chance: float, elapsed_ms: float, rng: random.Random
    ) -> None:
        """Perhaps trade in one market whose YES is worth ``chance``."""
        if rng.random() >= _TRADES_PER_S * elapsed_ms / 1_000:
            return
        if market.status is not MarketStatus.ACTIVE:
            return
        side = rng.choice((BookSide.BID, BookSide.ASK))
        if rng.random() < _INFORMED:
            side = _towards(market, chance, side)
        self._take(venue, market, side, rng)

    def _take(self, venue: Venue, market: Market, side: BookSide, rng: random.Random) -> None:
        price_e4 = market.book.best_e4(side.other)
        if price_e4 is None:
            return
        count_e2 = rng.choice((100, 200, 500, 1_000, 1_000, 2_500, rng.randint(1, 1_000)))
        request = OrderRequest(
            market.ticker, side, count_e2, price_e4, Lifetime.IMMEDIATE_OR_CANCEL
        )
        try:
            place(venue, self.account, request)
        except Refused:
            # Trading may be paused; noise does not insist.
            return


def _towards(market: Market, chance: float, otherwise: BookSide) -> BookSide:
    bid_e4, ask_e4 = market.book.best_e4(BookSide.BID), market.book.best_e4(BookSide.ASK)
    worth_e4 = chance * 10_000
    if ask_e4 is not None and worth_e4 > ask_e4:
        return BookSide.BID
    if bid_e4 is not None and worth_e4 < bid_e4:
        return BookSide.ASK
    return otherwise
