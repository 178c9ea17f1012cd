"""What has happened, as frozen values: the facts that actors tell each other.

Prices are YES dollars times 10**4 whatever the direction, counts contracts times 10**2, money
dollars times 10**6. ``*_ms`` is wall-clock time, ``*_ns`` the monotonic clock.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, PriceE4


class Side(StrEnum):
    """The side of the one YES book that an order or a level stands on."""

    BID = "bid"
    ASK = "ask"

    @property
    def other(self) -> Side:
        """Return the side that this one trades against."""
        return Side.ASK if self is Side.BID else Side.BID


class Liquidity(StrEnum):
    """Whether a fill took liquidity from the book or made it."""

    TAKER = "taker"
    MAKER = "maker"


class QuoteOrigin(StrEnum):
    """How a quote came: pushed when it changed, or read again to confirm it."""

    STREAM = "stream"
    POLL = "poll"


@attrs.frozen
class Quote:
    """One sportsbook's price of one game, all sides together, in decimal odds.

    Both sides travel together because a margin can only be removed from a whole price. A
    suspended quote carries the last known odds and must not support a fair value.
    """

    provider: str
    event_id: str
    book: str
    home: float
    away: float
    source_ms: int
    received_ms: int
    origin: QuoteOrigin = QuoteOrigin.STREAM
    draw: float | None = None
    gateway_ms: int | None = None
    live: bool = False
    suspended: bool = False


@attrs.frozen
class GameQuotes:
    """What one frame of a feed said of one game; a market evaluates it once.

    ``received_ns`` is the moment the frame was in hand, from which latency is counted.
    """

    game_id: str
    quotes: tuple[Quote, ...]
    received_ns: int


@attrs.frozen
class Top:
    """The best bid and ask of one market, our own resting orders taken out.

    ``usable`` is false while the book has a gap or its connection is down; the prices are then
    the last known ones.
    """

    ticker: str
    bid_e4: PriceE4 | None
    bid_size_e2: CountE2
    ask_e4: PriceE4 | None
    ask_size_e2: CountE2
    usable: bool
    at_ms: int
    received_ns: int


@attrs.frozen
class Fill:
    """One execution, identified for ever by its trade id."""

    trade_id: str
    order_id: str
    client_order_id: str | None
    ticker: str
    side: Side
    price_e4: PriceE4
    count_e2: CountE2
    fee_e6: MoneyE6
    liquidity: Liquidity
    at_ms: int


@attrs.frozen
class Settlement:
    """How a decided market paid what was held in it; ``value_e4`` is what one YES was worth.

    ``count_e2`` was held then, negative is NO. ``revenue_e6`` is the exchange's own sum, cut to
    whole cents, and ``fee_e6`` repeats the fees of the fills: both are compared, never booked.
    """

    ticker: str
    count_e2: CountE2
    value_e4: PriceE4
    revenue_e6: MoneyE6
    fee_e6: MoneyE6
    at_ms: int

    @property
    def key(self) -> tuple[str, int]:
        """Return what makes it one of its own: a market may be decided again, at another time."""
        return self.ticker, self.at_ms

    @property
    def paid_e6(self) -> MoneyE6:
        """Return what it paid, exactly: count times value."""
        own_e4 = self.value_e4 if self.count_e2 > 0 else ONE_DOLLAR_E4 - self.value_e4
        return MoneyE6(abs(self.count_e2) * own_e4)


@attrs.frozen
class CashMove:
    """Money that came or went without a trade; what went out is negative.

    ``kind`` is a person's word for it; ``fee_e6`` is what the exchange charged for moving it.
    """

    move_id: str
    kind: str
    amount_e6: MoneyE6
    at_ms: int
    fee_e6: MoneyE6 = MoneyE6(0)


@attrs.frozen
class OrderAccepted:
    """The exchange took the order; what filled at once is in ``filled_e2``."""

    client_order_id: str
    order_id: str
    filled_e2: CountE2
    remaining_e2: CountE2


@attrs.frozen
class OrderRefused:
    """The exchange refused the order for certain; nothing of it exists."""

    client_order_id: str
    code: str
    text: str


@attrs.frozen
class OrderUnknown:
    """Nobody knows whether the exchange has the order; it counts until somebody does."""

    client_order_id: str
    why: str


@attrs.frozen
class OrderAmended:
    """The exchange has changed the order: its price, what remained then, and when it expires.

    ``remaining_e2`` and ``expires_s``, Unix seconds, are None where nothing was said of them, which
    leaves them as they were.
    """

    client_order_id: str
    price_e4: PriceE4
    remaining_e2: CountE2 | None = None
    expires_s: int | None = None


@attrs.frozen
class OrderKept:
    """An amendment or a cancel was refused: the order stands as it was, if it still stands."""

    client_order_id: str
    code: str
    text: str


@attrs.frozen
class OrderClosed:
    """The order no longer rests: cancelled, expired, or filled to the end."""

    client_order_id: str
    filled_e2: CountE2 | None
    why: str


OrderEvent = OrderAccepted | OrderRefused | OrderUnknown | OrderAmended | OrderKept | OrderClosed
