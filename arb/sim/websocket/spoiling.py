"""What goes wrong with the frames of a subscription, by the exchange's conditions."""

from __future__ import annotations

from collections.abc import Iterator

from arb.core.money import count_text, price_text
from arb.sim.conditions import ExchangeConditions
from arb.sim.exchange.markets import Market
from arb.sim.exchange.values import BookSide
from arb.sim.rest.words import Json

# How long a frame is held back so that the next one overtakes it.
OVERTAKEN_S = 0.05
# A price at which nobody quotes a game, for levels that come and go in a flood.
_FLOOD_PRICE_E4 = 100
# A bid so high that it crosses every ask.
_CROSSING_PRICE_E4 = 9_900
_ONE_E2 = 100
_ABSURD_E2 = 100_000_000


def false_deltas(conditions: ExchangeConditions, market: Market) -> Iterator[Json]:
    """Yield the deltas that nothing on the exchange stands behind."""
    flood, conditions.flood_frames = conditions.flood_frames, 0
    for number in range(flood):
        yield _delta(market, _FLOOD_PRICE_E4, -_ONE_E2 if number % 2 else _ONE_E2)
    if conditions.take("cross_books"):
        yield _delta(market, _CROSSING_PRICE_E4, _ONE_E2)
    if conditions.take("negative_books"):
        best_e4 = market.book.best_e4(BookSide.BID) or _FLOOD_PRICE_E4
        yield _delta(market, best_e4, -_ABSURD_E2)


def _delta(market: Market, price_e4: int, delta_e2: int) -> Json:
    return {
        "market_ticker": market.ticker,
        "market_id": market.market_id,
        "clock": market.clock,
        "price_dollars": price_text(price_e4),
        "delta_fp": count_text(delta_e2),
        "side": "yes",
    }


class Overtaking:
    """Holds every second frame back for a moment, beginning with the first."""

    def __init__(self) -> None:
        self._hold = False

    def __repr__(self) -> str:
        return f"Overtaking(hold={self._hold})"

    def delay_s(self) -> float:
        """Return how long the next frame is held back."""
        self._hold = not self._hold
        return OVERTAKEN_S if self._hold else 0.0
