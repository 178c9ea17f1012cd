"""Series, events and markets as the exchange lists them."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

import attrs

from arb.sim.exchange.candles import CandleTape
from arb.sim.exchange.fees import FeeSchedule
from arb.sim.exchange.grid import LINEAR_CENT, Grid
from arb.sim.exchange.order_book import OrderBook
from arb.sim.exchange.values import Trade

# The exchange serves up to 1,000 trades a page; older ones would only cost memory here.
TRADES_KEPT = 1_000


class MarketStatus(StrEnum):
    """The status of a market as its payload spells it."""

    INITIALIZED = "initialized"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"
    DETERMINED = "determined"
    FINALIZED = "finalized"


@attrs.define(eq=False)
class Series:
    """A series of events of one kind, with its fee, which may change."""

    ticker: str
    title: str
    tag: str
    competition: str
    fees: FeeSchedule
    exchange_index: int
    timer_s: int
    target_field: str
    milestone_type: str


@attrs.define(eq=False)
class Event:
    """One game as the exchange lists it; two markets belong to it.

    It may be postponed, and its own fee overrides that of its series.
    """

    ticker: str
    series: Series
    title: str
    sub_title: str
    start_ms: int
    created_ms: int
    milestone_id: str
    home_target_id: str
    away_target_id: str
    fee_override: FeeSchedule | None = None
    moved_ms: int = 0

    @property
    def updated_ms(self) -> int:
        """Return when the event was listed or last postponed."""
        return max(self.created_ms, self.moved_ms)


@attrs.define(eq=False)
class Market:
    """One binary market and its book; YES pays a dollar when the team wins.

    ``clock`` counts the changes of the book. ``value_e4`` is what YES pays, once determined.
    """

    ticker: str
    event: Event
    label: str
    target_id: str
    market_id: str
    open_ms: int
    close_ms: int
    updated_ms: int
    grid: Grid = LINEAR_CENT
    status: MarketStatus = MarketStatus.ACTIVE
    book: OrderBook = attrs.field(factory=OrderBook)
    clock: int = 0
    last_price_e4: int = 0
    volume_e2: int = 0
    open_interest_e2: int = 0
    trades: deque[Trade] = attrs.field(factory=lambda: deque(maxlen=TRADES_KEPT))
    candles: CandleTape = attrs.field(factory=CandleTape)
    result: str = ""
    value_e4: int | None = None
    settled_ms: int | None = None
    winner_label: str = ""

    def __repr__(self) -> str:
        return f"Market({self.ticker}, {self.status.value}, {self.book!r})"

    @property
    def exchange_index(self) -> int:
        """Return the shard that the market trades on."""
        return self.event.series.exchange_index

    @property
    def fees(self) -> FeeSchedule:
        """Return the fee of the market's series, or of its event where that has one of its own."""
        return self.event.fee_override or self.event.series.fees
