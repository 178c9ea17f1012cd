"""What the matching engine speaks of: orders, fills, trades and changes, on integers.

Prices are YES dollars times 10**4, counts contracts times 10**2, money dollars times 10**6.
"""

from __future__ import annotations

from enum import StrEnum

import attrs


class BookSide(StrEnum):
    """A side of the one YES book: a bid buys YES, an ask sells YES (buys NO)."""

    BID = "bid"
    ASK = "ask"

    @property
    def other(self) -> BookSide:
        """Return the side that this one trades against."""
        return BookSide.ASK if self is BookSide.BID else BookSide.BID


class Lifetime(StrEnum):
    """How long an order lives, in the words of ``time_in_force``."""

    GOOD_TILL_CANCELED = "good_till_canceled"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"


class SelfTrade(StrEnum):
    """Whose order gives way when an account would trade with itself."""

    TAKER_AT_CROSS = "taker_at_cross"
    MAKER = "maker"


class OrderStatus(StrEnum):
    """The three states of an order; the last two are final."""

    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"


class Change(StrEnum):
    """Why an order changed, in the words of ``last_update_reason``."""

    NONE = ""
    TRADE = "Trade"
    DECREASE = "Decrease"
    AMEND = "Amend"
    CANCEL = "Cancel"
    SELF_TRADE = "SelfTradeCancel"
    EXPIRY = "ExpiryCancel"
    CLOSE = "CloseCancel"
    HALT = "HaltCancel"
    REDUCE_ONLY = "ReduceOnlyCancel"
    GROUP = "OrderGroupCancel"


@attrs.frozen
class OrderRequest:
    """What somebody asks the exchange to do; ``expires_s`` is Unix seconds."""

    ticker: str
    side: BookSide
    count_e2: int
    price_e4: int
    lifetime: Lifetime = Lifetime.GOOD_TILL_CANCELED
    self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS
    client_order_id: str | None = None
    expires_s: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    group_id: str | None = None


@attrs.define(eq=False)
class Order:
    """One order of one account, from its arrival to its end.

    ``filled_e2 + remaining_e2`` equals ``initial_e2`` while it rests; what a cancel took away is
    the difference afterwards. ``accumulator_e6`` is the fee rounding not yet rebated.
    """

    order_id: str
    account: str
    request: OrderRequest
    price_e4: int
    initial_e2: int
    remaining_e2: int
    created_ms: int
    updated_ms: int
    expires_s: int | None
    client_order_id: str
    filled_e2: int = 0
    status: OrderStatus = OrderStatus.RESTING
    change: Change = Change.NONE
    accumulator_e6: int = 0
    taker_cost_e6: int = 0
    maker_cost_e6: int = 0
    taker_fees_e6: int = 0
    maker_fees_e6: int = 0

    @property
    def ticker(self) -> str:
        """Return the market that the order stands in."""
        return self.request.ticker

    @property
    def side(self) -> BookSide:
        """Return the side of the YES book that the order stands on."""
        return self.request.side


@attrs.frozen
class Fill:
    """One account's half of a trade; ``fee_e6`` is what it was charged, rebate included."""

    trade_id: str
    order_id: str
    client_order_id: str
    account: str
    ticker: str
    side: BookSide
    price_e4: int
    count_e2: int
    fee_e6: int
    is_taker: bool
    at_ms: int
    position_after_e2: int


@attrs.frozen
class Trade:
    """One execution as everybody sees it."""

    trade_id: str
    ticker: str
    price_e4: int
    count_e2: int
    taker_side: BookSide
    at_ms: int


@attrs.frozen
class LevelChange:
    """A change of one price level; ``owners`` maps accounts to their client order ids."""

    ticker: str
    side: BookSide
    price_e4: int
    delta_e2: int
    clock: int
    at_ms: int
    owners: tuple[tuple[str, str], ...]


@attrs.frozen
class LifecycleEvent:
    """Something that happened to a market, in the words of ``market_lifecycle_v2``."""

    ticker: str
    event_type: str
    fields: tuple[tuple[str, object], ...] = ()


@attrs.frozen
class Placed:
    """What became of an order when it arrived; the averages are set when something filled."""

    order: Order
    fills: tuple[Fill, ...]
    at_ms: int
