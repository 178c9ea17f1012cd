"""Frames for tests, whole and changed."""

from __future__ import annotations

import copy
from typing import Any

import orjson

from arb.core.money import CountE2, PriceE4
from arb.kalshi.wire import (
    Frame,
    parse_frame,
)

TICKER = "KXMLBGAME-26AUG072145TBSEA-TB"

DELTA: dict[str, Any] = {
    "type": "orderbook_delta",
    "sid": 1,
    "seq": 268,
    "msg": {
        "market_ticker": TICKER,
        "market_id": "5dab3432-cd45-4e2c-bc76-21a9ffe9cffe",
        "price_dollars": "0.4800",
        "delta_fp": "100.00",
        "side": "yes",
        "ts": "2026-08-07T06:47:24.258595Z",
        "ts_ms": 1786085244258,
    },
}
SNAPSHOT: dict[str, Any] = {
    "type": "orderbook_snapshot",
    "sid": 2,
    "seq": 2,
    "msg": {
        "market_ticker": TICKER,
        "market_id": "9b0f6b43",
        "yes_dollars_fp": [["0.0800", "300.00"], ["0.2200", "333.00"]],
        "no_dollars_fp": [["0.5400", "20.00"]],
    },
}


def level(price_e4: int, count_e2: int) -> tuple[PriceE4, CountE2]:
    """Return a level of a book."""
    return PriceE4(price_e4), CountE2(count_e2)


def parsed(frame: object) -> Frame:
    """Parse a frame given as Python values."""
    return parse_frame(orjson.dumps(frame))


def changed(frame: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    """Return a frame with one field of its message changed, or taken out by `...`."""
    other = copy.deepcopy(frame)
    if value is ...:
        del other["msg"][name]
    else:
        other["msg"][name] = value
    return other


FILL = {
    "trade_id": "t-1",
    "order_id": "o-1",
    "client_order_id": "mine",
    "market_ticker": "T",
    "exchange_index": 2,
    "is_taker": True,
    "yes_price_dollars": "0.7500",
    "count_fp": "278.00",
    "fee_cost": "0.010000",
    "ts": 1671899397,
    "ts_ms": 1671899397123,
    "post_position_fp": "500.00",
    "outcome_side": "yes",
    "book_side": "bid",
}
