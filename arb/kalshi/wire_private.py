"""Messages about our own orders, fills and positions, from WebSocket and REST alike."""

from __future__ import annotations

from arb.core.events import Fill, Liquidity
from arb.kalshi.fields import (
    Fields,
    count,
    flag_of,
    money,
    object_of,
    optional_text,
    optional_time_ms,
    optional_whole,
    price,
    side_of,
    signed_count,
    text_of,
    time_ms_of,
    traded_count,
    whole_of,
)
from arb.kalshi.frames import FillFrame, MarketPosition, OrderFrame

_MS_PER_S = 1000


def fill_of(fields: Fields) -> Fill:
    """Read a fill; REST ones have had no client order id since March 2026; raises `Malformed`."""
    return Fill(
        trade_id=text_of(fields, "trade_id"),
        order_id=text_of(fields, "order_id"),
        client_order_id=optional_text(fields, "client_order_id"),
        ticker=text_of(fields, "market_ticker" if "market_ticker" in fields else "ticker"),
        side=side_of(fields),
        price_e4=price(fields["yes_price_dollars"]),
        count_e2=traded_count(fields["count_fp"]),
        fee_e6=money(fields["fee_cost"]),
        liquidity=Liquidity.TAKER if flag_of(fields, "is_taker") else Liquidity.MAKER,
        at_ms=_fill_ms(fields),
    )


def _fill_ms(fields: Fields) -> int:
    if "ts_ms" in fields:
        return whole_of(fields, "ts_ms")
    if "created_time" in fields:
        return time_ms_of(fields, "created_time")
    return whole_of(fields, "ts") * _MS_PER_S


def fill_frame(frame: Fields) -> FillFrame:
    """Read a ``fill`` message; raises `Malformed`."""
    msg = object_of(frame, "msg")
    position = msg.get("post_position_fp")
    return FillFrame(
        fill_of(msg),
        None if position is None else signed_count(position),
        optional_whole(msg, "exchange_index"),
    )


def order_frame(frame: Fields) -> OrderFrame:
    """Read a ``user_order`` message; raises `Malformed`."""
    return order_of(object_of(frame, "msg"))


def order_of(fields: Fields) -> OrderFrame:
    """Read an order as the private channel and the order list both write it."""
    expires_ms = optional_time_ms(fields, "expiration_time")
    return OrderFrame(
        client_order_id=optional_text(fields, "client_order_id"),
        order_id=text_of(fields, "order_id"),
        ticker=text_of(fields, "ticker"),
        status=text_of(fields, "status"),
        side=side_of(fields),
        price_e4=price(fields["yes_price_dollars"]),
        remaining_e2=count(fields["remaining_count_fp"]),
        filled_e2=count(fields["fill_count_fp"]),
        initial_e2=count(fields["initial_count_fp"]),
        why=optional_text(fields, "last_update_reason"),
        exchange_index=optional_whole(fields, "exchange_index"),
        expires_s=None if expires_ms is None else expires_ms // _MS_PER_S,
    )


def market_position(frame: Fields) -> MarketPosition:
    """Read a ``market_position`` message; raises `Malformed`."""
    msg = object_of(frame, "msg")
    return MarketPosition(text_of(msg, "market_ticker"), signed_count(msg["position_fp"]))
