"""Order requests of the V2 endpoints: their paths and bodies. The V1 ones have answered 410.

Paths are relative to the API's root; prices are YES dollars whatever the side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import quote

import orjson

from arb.core.commands import TimeInForce
from arb.core.events import Side
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4, count_text, price_text

CREATE_PATH = "/portfolio/events/orders"
BATCH_PATH = f"{CREATE_PATH}/batched"

# A dot in a client order id was refused; this is what is known to be taken.
_CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

# One shard takes what no index names, and routing by ticker finds the others.
ExchangeIndex = int


class SelfTrade(StrEnum):
    """Which of two orders of ours gives way when they would meet."""

    TAKER_AT_CROSS = "taker_at_cross"
    MAKER = "maker"


def order_body(
    *,
    client_order_id: str,
    ticker: str,
    side: Side,
    price_e4: PriceE4,
    count_e2: CountE2,
    time_in_force: TimeInForce,
    post_only: bool = False,
    reduce_only: bool = False,
    self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS,
    cancel_on_pause: bool = True,
    expires_s: int | None = None,
    order_group_id: str | None = None,
    exchange_index: ExchangeIndex | None = None,
) -> bytes:
    """Return the body of a create; raises `ValueError` for what the exchange cannot take."""
    _check(client_order_id, price_e4, count_e2)
    if reduce_only and time_in_force is not TimeInForce.IMMEDIATE_OR_CANCEL:
        raise ValueError("reduce_only works only with immediate_or_cancel")
    if expires_s is not None and time_in_force is not TimeInForce.GOOD_TILL_CANCELED:
        raise ValueError("an expiry works only with good_till_canceled")
    body: dict[str, object] = {
        "ticker": ticker,
        "client_order_id": client_order_id,
        "side": side,
        "count": count_text(count_e2),
        "price": price_text(price_e4),
        "time_in_force": time_in_force,
        "self_trade_prevention_type": self_trade,
        "post_only": post_only,
        "cancel_order_on_pause": cancel_on_pause,
        "reduce_only": reduce_only,
    }
    _add(body, expires_s, order_group_id, exchange_index)
    return orjson.dumps(body)


def _add(
    body: dict[str, object],
    expires_s: int | None,
    order_group_id: str | None,
    exchange_index: ExchangeIndex | None,
) -> None:
    if expires_s is not None:
        body["expiration_time"] = expires_s
    if order_group_id is not None:
        body["order_group_id"] = order_group_id
    if exchange_index is not None:
        body["exchange_index"] = exchange_index


def amend_body(
    *,
    ticker: str,
    side: Side,
    price_e4: PriceE4,
    total_e2: CountE2,
    client_order_id: str | None = None,
    updated_client_order_id: str | None = None,
    expires_s: int | None = None,
    exchange_index: ExchangeIndex | None = None,
) -> bytes:
    """Return the body of an amend; ``total_e2`` is what has filled and what shall rest."""
    _check(updated_client_order_id or "any", price_e4, total_e2)
    body: dict[str, object] = {
        "ticker": ticker,
        "side": side,
        "price": price_text(price_e4),
        "count": count_text(total_e2),
    }
    if client_order_id is not None:
        body["client_order_id"] = client_order_id
    if updated_client_order_id is not None:
        body["updated_client_order_id"] = updated_client_order_id
    _add(body, expires_s, None, exchange_index)
    return orjson.dumps(body)


def decrease_body(*, ticker: str, reduce_to_e2: CountE2) -> bytes:
    """Return the body of a decrease to what shall still rest."""
    return orjson.dumps({"reduce_to": count_text(reduce_to_e2), "market_ticker": ticker})


def batch_cancel_body(orders: Iterable[tuple[str, str]]) -> bytes:
    """Return the body of a batch of cancels, each an order id and the ticker that routes it."""
    wishes = [{"order_id": order_id, "market_ticker": ticker} for order_id, ticker in orders]
    return orjson.dumps({"orders": wishes})


def batch_create_body(bodies: Iterable[bytes]) -> bytes:
    """Return the body of a batch of creates from the body of each."""
    return b'{"orders":[' + b",".join(bodies) + b"]}"


def cancel_path(order_id: str, ticker: str) -> str:
    """Return the path of a cancel; without the ticker another shard's order answers 404."""
    return f"{_order_path(order_id)}?market_ticker={quote(ticker, safe='')}"


def amend_path(order_id: str) -> str:
    """Return the path of an amend."""
    return f"{_order_path(order_id)}/amend"


def decrease_path(order_id: str) -> str:
    """Return the path of a decrease."""
    return f"{_order_path(order_id)}/decrease"


def _order_path(order_id: str) -> str:
    return f"{CREATE_PATH}/{quote(order_id, safe='')}"


def _check(client_order_id: str, price_e4: int, count_e2: int) -> None:
    if _CLIENT_ORDER_ID.fullmatch(client_order_id) is None:
        raise ValueError(
            f"client order id {client_order_id!r} has signs other than A-Z a-z 0-9 _ -"
        )
    if not 0 < price_e4 < ONE_DOLLAR_E4:
        raise ValueError(f"price {price_text(price_e4)} is not between 0 and 1")
    if count_e2 <= 0:
        raise ValueError(f"count {count_text(count_e2)} is not above 0")
