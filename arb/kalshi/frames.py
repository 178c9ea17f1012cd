"""What the exchange's WebSocket says, as frozen values.

Prices are on the YES scale on both sides, because every subscription asks for it.
"""

from __future__ import annotations

import attrs

from arb.core.events import Fill, Side
from arb.core.grid import PriceGrid
from arb.core.money import CountE2, PriceE4

Levels = tuple[tuple[PriceE4, CountE2], ...]


@attrs.frozen
class Subscribed:
    """A channel was subscribed to, and its messages will carry ``sid``."""

    id: int | None
    channel: str
    sid: int


@attrs.frozen
class Ok:
    """A command was done; on a subscription with a sequence this reply consumes one number."""

    id: int | None
    sid: int | None
    seq: int | None
    tickers: tuple[str, ...]


@attrs.frozen
class Unsubscribed:
    """A subscription has ended; the reply consumes a sequence number."""

    sid: int
    seq: int | None
    id: int | None = None


@attrs.frozen
class WireError:
    """A command was refused, or a channel has failed."""

    id: int | None
    code: int
    text: str

    @property
    def ends_subscription(self) -> bool:
        """Say whether the subscription is gone and must be made anew."""
        return self.code in TERMINAL_CODES


# 10: channel error; 25: the exchange's buffer for a slow reader overflowed.
TERMINAL_CODES = frozenset({10, 25})


@attrs.frozen
class BookSnapshot:
    """A whole book. ``reply_to`` is the command's id when it was asked for."""

    sid: int
    seq: int
    ticker: str
    bids: Levels
    asks: Levels
    reply_to: int | None = None
    clock: int | None = None


@attrs.frozen
class BookDelta:
    """A relative change of one level; ``client_order_id`` when an order of ours caused it."""

    sid: int
    seq: int
    ticker: str
    side: Side
    price_e4: PriceE4
    delta_e2: CountE2
    client_order_id: str | None = None
    exchange_ms: int | None = None
    clock: int | None = None


@attrs.frozen
class FillFrame:
    """An order of ours was executed, and what position that left."""

    fill: Fill
    position_e2: CountE2 | None = None
    exchange_index: int | None = None


@attrs.frozen
class OrderFrame:
    """An order of ours changed; ``why`` is the exchange's word for the cause.

    ``expires_s`` is Unix seconds, None where it was not said or never expires.
    """

    client_order_id: str | None
    order_id: str
    ticker: str
    status: str
    side: Side
    price_e4: PriceE4
    remaining_e2: CountE2
    filled_e2: CountE2
    initial_e2: CountE2
    why: str | None = None
    exchange_index: int | None = None
    expires_s: int | None = None


@attrs.frozen
class MarketPosition:
    """Our position in one market; below nothing it is one in NO."""

    ticker: str
    position_e2: CountE2


@attrs.frozen
class MarketLifecycle:
    """A market came, went, moved its close, was decided, or changed its price grid."""

    ticker: str
    event_type: str
    sid: int | None = None
    seq: int | None = None
    event_ticker: str | None = None
    close_ms: int | None = None
    result: str | None = None
    price_grid: PriceGrid | None = None


@attrs.frozen
class EventListed:
    """A new event; its markets are told of by messages of their own."""

    event_ticker: str
    series_ticker: str
    sid: int | None = None
    seq: int | None = None


@attrs.frozen
class EventFee:
    """An event got fees of its own, or lost them: then both are None."""

    event_ticker: str
    fee_type: str | None
    fee_multiplier_e4: int | None
    sid: int | None = None
    seq: int | None = None


@attrs.frozen
class Ignored:
    """A message of a type that is not used; its sequence number counts all the same."""

    type: str
    sid: int | None = None
    seq: int | None = None


Frame = (
    Subscribed
    | Ok
    | Unsubscribed
    | WireError
    | BookSnapshot
    | BookDelta
    | FillFrame
    | OrderFrame
    | MarketPosition
    | MarketLifecycle
    | EventListed
    | EventFee
    | Ignored
)
