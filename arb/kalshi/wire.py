"""WebSocket frames of the exchange to values. Pure: bytes in, values out, or `Malformed`.

A malformed frame consumed a sequence number of its subscription: whoever keeps books must treat
it as a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from arb.core.events import Side
from arb.kalshi.fields import (
    Fault,
    Fields,
    Malformed,
    as_object,
    count,
    object_of,
    optional_text,
    optional_whole,
    price,
    signed_count,
    text_of,
    texts_of,
    whole_of,
)
from arb.kalshi.frames import (
    TERMINAL_CODES,
    BookDelta,
    BookSnapshot,
    EventFee,
    EventListed,
    FillFrame,
    Frame,
    Ignored,
    Levels,
    MarketLifecycle,
    MarketPosition,
    Ok,
    OrderFrame,
    Subscribed,
    Unsubscribed,
    WireError,
)
from arb.kalshi.wire_commands import (
    LIFECYCLE,
    ORDER_BOOK,
    add_markets_command,
    delete_markets_command,
    get_snapshot_command,
    in_commands,
    subscribe_command,
    unsubscribe_command,
)
from arb.kalshi.wire_markets import event_fee, event_listed, market_lifecycle
from arb.kalshi.wire_orders import (
    CREATE_PATH,
    amend_body,
    amend_path,
    cancel_path,
    decrease_body,
    decrease_path,
    order_body,
)
from arb.kalshi.wire_private import fill_frame, market_position, order_frame

__all__ = [
    "CREATE_PATH",
    "LIFECYCLE",
    "ORDER_BOOK",
    "TERMINAL_CODES",
    "BookDelta",
    "BookSnapshot",
    "EventFee",
    "EventListed",
    "Fault",
    "FillFrame",
    "Frame",
    "Ignored",
    "Malformed",
    "MarketLifecycle",
    "MarketPosition",
    "Ok",
    "OrderFrame",
    "Subscribed",
    "Unsubscribed",
    "WireError",
    "add_markets_command",
    "amend_body",
    "amend_path",
    "cancel_path",
    "decrease_body",
    "decrease_path",
    "delete_markets_command",
    "get_snapshot_command",
    "in_commands",
    "order_body",
    "parse_frame",
    "subscribe_command",
    "unsubscribe_command",
]

_BOOK_SIDES = {"yes": Side.BID, "no": Side.ASK}


def parse_frame(raw: str | bytes) -> Frame:
    """Read one frame; an unknown type is `Ignored`; raises `Malformed`."""
    try:
        frame = orjson.loads(raw)
        kind = frame["type"]
        parser = _PARSERS.get(kind)
        return parser(frame) if parser is not None else _ignored(frame)
    except orjson.JSONDecodeError:
        raise Malformed(Fault.NOT_JSON, raw) from None
    except KeyError as missing:
        raise Malformed(Fault.MISSING_FIELD, f"{missing} in {_start(raw)}") from None
    except (TypeError, AttributeError, RecursionError):
        # A list or a number stands where an object or a text belongs, or a thousand lists.
        raise Malformed(Fault.WRONG_TYPE, raw) from None
    except Malformed as malformed:
        text = f"{malformed.text} in {_start(raw)}"
        raise Malformed(malformed.reason, text) from None


def _start(raw: str | bytes) -> str:
    return raw[:200].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[:200]


def _delta(frame: Fields) -> BookDelta:
    msg = frame["msg"]
    sid, seq = frame["sid"], frame["seq"]
    ticker = msg["market_ticker"]
    side = _BOOK_SIDES.get(msg["side"])
    # Type checks stand in line here: this runs for every message of every book.
    if type(sid) is not int or type(seq) is not int or type(ticker) is not str or not ticker:
        raise Malformed(Fault.WRONG_TYPE, "sid, seq or market_ticker")
    if side is None:
        raise Malformed(Fault.UNKNOWN_SIDE, repr(msg["side"]))
    return BookDelta(
        sid,
        seq,
        ticker,
        side,
        price(msg["price_dollars"]),
        signed_count(msg["delta_fp"]),
        optional_text(msg, "client_order_id") if "client_order_id" in msg else None,
        optional_whole(msg, "ts_ms"),
        optional_whole(msg, "clock"),
    )


def _snapshot(frame: Fields) -> BookSnapshot:
    msg = object_of(frame, "msg")
    return BookSnapshot(
        whole_of(frame, "sid"),
        whole_of(frame, "seq"),
        text_of(msg, "market_ticker"),
        _levels(msg.get("yes_dollars_fp")),
        _levels(msg.get("no_dollars_fp")),
        optional_whole(frame, "id"),
        optional_whole(msg, "clock"),
    )


def _levels(rows: Any) -> Levels:
    # An empty side is left out of the message.
    if rows is None:
        return ()
    if type(rows) is not list:
        raise Malformed(Fault.WRONG_TYPE, "the levels of a side are no list")
    try:
        return tuple([(price(price_text), count(count_text)) for price_text, count_text in rows])
    except ValueError:
        raise Malformed(Fault.WRONG_TYPE, "a level is not a price and a count") from None


def _subscribed(frame: Fields) -> Subscribed:
    msg = object_of(frame, "msg")
    return Subscribed(optional_whole(frame, "id"), text_of(msg, "channel"), whole_of(msg, "sid"))


def _ok(frame: Fields) -> Ok:
    msg = frame.get("msg")
    # The reply to list_subscriptions is a list, others are an object with tickers, or nothing.
    tickers = texts_of(msg, "market_tickers") if isinstance(msg, dict) else ()
    return Ok(
        optional_whole(frame, "id"),
        optional_whole(frame, "sid"),
        optional_whole(frame, "seq"),
        tickers,
    )


def _unsubscribed(frame: Fields) -> Unsubscribed:
    return Unsubscribed(
        whole_of(frame, "sid"), optional_whole(frame, "seq"), optional_whole(frame, "id")
    )


def _error(frame: Fields) -> WireError:
    msg = object_of(frame, "msg")
    return WireError(
        optional_whole(frame, "id"), whole_of(msg, "code"), optional_text(msg, "msg") or ""
    )


def _ignored(frame: Fields) -> Ignored:
    kind = as_object(frame, "frame")["type"]
    if type(kind) is not str:
        raise Malformed(Fault.WRONG_TYPE, f"type is {kind!r}")
    return Ignored(kind, optional_whole(frame, "sid"), optional_whole(frame, "seq"))


_PARSERS: dict[str, Callable[[Fields], Frame]] = {
    "orderbook_delta": _delta,
    "orderbook_snapshot": _snapshot,
    "subscribed": _subscribed,
    "ok": _ok,
    "unsubscribed": _unsubscribed,
    "error": _error,
    "fill": fill_frame,
    "user_order": order_frame,
    "market_position": market_position,
    "market_lifecycle_v2": market_lifecycle,
    "event_lifecycle": event_listed,
    "event_fee_update": event_fee,
}
