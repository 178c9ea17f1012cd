"""Messages about the markets themselves: their life, their grids and their fees."""

from __future__ import annotations

from arb.core.grid import BadGrid, PriceGrid, grid_from_ranges
from arb.kalshi.fields import (
    Fault,
    Fields,
    Malformed,
    fee_multiplier_e4,
    list_of,
    object_of,
    optional_text,
    optional_whole,
    text_of,
)
from arb.kalshi.frames import EventFee, EventListed, MarketLifecycle

_MS_PER_S = 1000


def price_grid_of(fields: Fields) -> PriceGrid:
    """Read ``price_ranges``; raises `Malformed`."""
    try:
        return grid_from_ranges(list_of(fields, "price_ranges"))
    except BadGrid as bad:
        raise Malformed(Fault.BAD_GRID, bad) from None


def market_lifecycle(frame: Fields) -> MarketLifecycle:
    """Read a ``market_lifecycle_v2`` message; raises `Malformed`."""
    msg = object_of(frame, "msg")
    close_s = optional_whole(msg, "close_ts")
    more = msg.get("additional_metadata")
    return MarketLifecycle(
        ticker=text_of(msg, "market_ticker"),
        event_type=text_of(msg, "event_type"),
        sid=optional_whole(frame, "sid"),
        seq=optional_whole(frame, "seq"),
        event_ticker=optional_text(more, "event_ticker") if isinstance(more, dict) else None,
        close_ms=None if close_s is None else close_s * _MS_PER_S,
        result=optional_text(msg, "result"),
        price_grid=price_grid_of(msg) if msg.get("price_ranges") is not None else None,
    )


def event_listed(frame: Fields) -> EventListed:
    """Read an ``event_lifecycle`` message; raises `Malformed`."""
    msg = object_of(frame, "msg")
    return EventListed(
        text_of(msg, "event_ticker"),
        text_of(msg, "series_ticker"),
        optional_whole(frame, "sid"),
        optional_whole(frame, "seq"),
    )


def event_fee(frame: Fields) -> EventFee:
    """Read an ``event_fee_update`` message; raises `Malformed`."""
    msg = object_of(frame, "msg")
    multiplier = msg["fee_multiplier_override"]
    return EventFee(
        event_ticker=text_of(msg, "event_ticker"),
        fee_type=optional_text(msg, "fee_type_override"),
        fee_multiplier_e4=None if multiplier is None else fee_multiplier_e4(multiplier),
        sid=optional_whole(frame, "sid"),
        seq=optional_whole(frame, "seq"),
    )
