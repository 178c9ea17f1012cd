"""Endpoints that change orders, in their second version; the first answers 410."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from arb.core.money import count_text
from arb.sim.exchange.placing import place
from arb.sim.exchange.refusals import Refused, nested
from arb.sim.exchange.resting import amend, cancel, cancel_all, decrease, find_resting
from arb.sim.exchange.values import Fill, Order, Placed
from arb.sim.rest.call import Call, count_field, decode_object, json_body
from arb.sim.rest.order_wishes import (
    BATCHED_CANCEL,
    DECREASE,
    read_amendment,
    read_order,
    shard_of,
)
from arb.sim.rest.spoiling import spoiled
from arb.sim.rest.words import Json, dollars_text
from arb.sim.serving.http import Response, json_response


def create(call: Call) -> Response:
    """``POST /portfolio/events/orders``."""
    return spoiled(
        call.venue,
        "order",
        lambda: json_response(201, _placed_body(_create(call, json_body(call.request)))),
    )


def create_batch(call: Call) -> Response:
    """``POST /portfolio/events/orders/batched``: each order succeeds or fails by itself."""
    return spoiled(
        call.venue,
        "order",
        lambda: _batch(call, 201, lambda one: _placed_body(_create(call, one))),
    )


def cancel_batch(call: Call) -> Response:
    """``DELETE /portfolio/events/orders/batched``: each cancel succeeds or fails by itself."""
    return spoiled(
        call.venue, "cancel", lambda: _batch(call, 200, lambda one: _cancel_each(call, one))
    )


def cancel_by_id(call: Call) -> Response:
    """``DELETE /portfolio/events/orders/{order_id}``; without a market it looks on shard 0."""
    return spoiled(call.venue, "cancel", lambda: _cancel_by_id(call))


def _cancel_by_id(call: Call) -> Response:
    shard = shard_of(call.venue, call.request.text("market_ticker"), call.integer("exchange_index"))
    order, reduced_e2 = cancel(call.venue, call.account, call.params["order_id"], shard)
    return json_response(200, _cancelled_body(order, reduced_e2))


def cancel_everything(call: Call) -> Response:
    """``DELETE /portfolio/events/orders``: all shards, and what is placed in the next minute."""
    return spoiled(call.venue, "cancel", lambda: _cancel_everything(call))


def amend_by_id(call: Call) -> Response:
    """``POST /portfolio/events/orders/{order_id}/amend``."""
    return spoiled(call.venue, "amend", lambda: _amend_by_id(call))


def _amend_by_id(call: Call) -> Response:
    wish, shard = read_amendment(json_body(call.request))
    shard = shard_of(call.venue, wish.ticker, shard)
    order = find_resting(call.venue, call.account, call.params["order_id"], shard)
    amended = amend(call.venue, call.account, order, wish)
    answer: Json = {
        "client_order_id": order.client_order_id,
        "order_id": order.order_id,
        "ts_ms": order.updated_ms,
    }
    if amended.resized:
        answer["remaining_count"] = count_text(order.remaining_e2)
        answer["fill_count"] = count_text(sum(fill.count_e2 for fill in amended.fills))
    return json_response(200, answer | _averages(amended.fills))


def decrease_by_id(call: Call) -> Response:
    """``POST /portfolio/events/orders/{order_id}/decrease``."""
    return spoiled(call.venue, "amend", lambda: _decrease_by_id(call))


def _decrease_by_id(call: Call) -> Response:
    body = decode_object(json_body(call.request), "DecreaseOrderV2Request", DECREASE)
    shard = shard_of(call.venue, body.get("market_ticker", ""), body.get("exchange_index"))
    order = find_resting(call.venue, call.account, call.params["order_id"], shard)
    by, to = body.get("reduce_by", ""), body.get("reduce_to", "")
    if bool(by) == bool(to):
        raise nested(400, "invalid_parameters", "exactly one of reduce_by and reduce_to")
    remaining_e2 = count_field(to) if to else order.remaining_e2 - count_field(by)
    decrease(call.venue, order, remaining_e2)
    return json_response(
        200,
        {
            "client_order_id": order.client_order_id,
            "order_id": order.order_id,
            "remaining_count": count_text(order.remaining_e2),
            "ts_ms": order.updated_ms,
        },
    )


def _cancel_everything(call: Call) -> Response:
    cancel_all(call.venue, call.account)
    return Response(204)


def first_version(_call: Call) -> Response:
    """Every change through the first version of the order endpoints: gone since June 2026."""
    return json_response(
        410,
        {
            "error": {
                "code": "deprecated_v1_order_endpoint",
                "message": "Please switch to the V2 endpoints",
                "details": "https://docs.kalshi.com/api-reference/orders/create-order-v2",
            }
        },
    )


def _create(call: Call, value: object) -> Placed:
    return place(call.venue, call.account, read_order(call.venue, value))


def _cancel_one(call: Call, value: object) -> Json:
    body = decode_object(value, "BatchCancelOrdersRequestOrder", BATCHED_CANCEL)
    shard = shard_of(call.venue, body.get("market_ticker", ""), body.get("exchange_index"))
    order, reduced_e2 = cancel(call.venue, call.account, body["order_id"], shard)
    return _cancelled_body(order, reduced_e2)


def _cancel_each(call: Call, value: object) -> Json:
    # What failed reduced nothing, and the contract wants that said.
    return {"reduced_by": "0.00"} | _each(lambda one: _cancel_one(call, one), value)


def _batch(call: Call, status: int, handle: Callable[[object], Json]) -> Response:
    value = json_body(call.request)
    items: Any = value.get("orders") if isinstance(value, dict) else None
    if not isinstance(items, list):
        raise nested(400, "invalid_parameters", "orders is required")
    return json_response(status, {"orders": [_each(handle, item) for item in items]})


def _each(handle: Callable[[object], Json], item: object) -> Json:
    try:
        return handle(item)
    except Refused as refused:
        refusal = refused.refusal
        error: Json = {"code": refusal.code, "message": refusal.message}
        if refusal.details is not None:
            error["details"] = refusal.details
        named = item if isinstance(item, dict) else {}
        known = {key: named[key] for key in ("order_id", "client_order_id") if key in named}
        return {**known, "error": error}


def _placed_body(placed: Placed) -> Json:
    order = placed.order
    body: Json = {
        "client_order_id": order.client_order_id,
        "fill_count": count_text(sum(fill.count_e2 for fill in placed.fills)),
        "order_id": order.order_id,
        "remaining_count": count_text(order.remaining_e2),
        "ts_ms": placed.at_ms,
    }
    return body | _averages(placed.fills)


def _averages(fills: Sequence[Fill]) -> Json:
    count_e2 = sum(fill.count_e2 for fill in fills)
    if not count_e2:
        return {}
    cost_e6 = sum(fill.price_e4 * fill.count_e2 for fill in fills)
    fees_e6 = sum(fill.fee_e6 for fill in fills)
    return {
        "average_fee_paid": dollars_text(fees_e6 * 100 // count_e2),
        "average_fill_price": dollars_text(cost_e6 * 100 // count_e2),
    }


def _cancelled_body(order: Order, reduced_e2: int) -> Json:
    return {
        "client_order_id": order.client_order_id,
        "order_id": order.order_id,
        "reduced_by": count_text(reduced_e2),
        "ts_ms": order.updated_ms,
    }
