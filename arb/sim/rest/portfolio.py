"""Private endpoints that read: orders, fills, positions, balance, settlements, queue, limits."""

from __future__ import annotations

from arb.core.money import count_text
from arb.sim.exchange.account import ONE_DOLLAR_E4, Position
from arb.sim.exchange.refusals import nested, not_found
from arb.sim.exchange.values import Order, OrderStatus
from arb.sim.exchange.venue import Venue
from arb.sim.rest.call import Call, page, within
from arb.sim.rest.limits import ENDPOINT_COSTS
from arb.sim.rest.order_wishes import shard_of
from arb.sim.rest.portfolio_shapes import (
    balance_body,
    event_position_body,
    fill_body,
    order_body,
    position_body,
    settlement_body,
)
from arb.sim.rest.reading import (
    is_seen,
    seen_cash_e6,
    seen_fills,
    seen_order,
    seen_orders,
    seen_positions,
)
from arb.sim.rest.words import Json
from arb.sim.serving.http import Response, json_response


def orders_list(call: Call) -> Response:
    """``GET /portfolio/orders``, newest first."""
    ticker, status = call.request.text("ticker"), call.request.text("status")
    events = call.request.texts("event_ticker")
    if status and status not in tuple(OrderStatus):
        raise nested(400, "bad_request", "invalid status filter")
    found = [
        order
        for order in seen_orders(call.venue, call.account)
        if (not ticker or order.ticker == ticker)
        and (not status or order.status == status)
        and (not events or call.venue.markets[order.ticker].event.ticker in events)
        and _on_shard(call, order.ticker)
        and within(call, "ts", order.created_ms)
    ]
    shown, cursor = page(call, found, "GetOrders")
    bodies = [order_body(call.venue, order) for order in shown]
    return json_response(200, {"cursor": cursor, "orders": bodies})


def orders_one(call: Call) -> Response:
    """``GET /portfolio/orders/{order_id}``; without a market it looks on shard 0."""
    order = seen_order(call.venue, call.account, _order(call))
    return json_response(200, {"order": order_body(call.venue, order)})


def fills(call: Call) -> Response:
    """``GET /portfolio/fills``, newest first."""
    tickers, order_id = call.request.texts("ticker"), call.request.text("order_id")
    found = [
        fill
        for fill in seen_fills(call.venue, call.account)
        if (not tickers or fill.ticker in tickers)
        and (not order_id or fill.order_id == order_id)
        and _on_shard(call, fill.ticker)
        and within(call, "ts", fill.at_ms)
    ]
    shown, cursor = page(call, found, "GetFills")
    bodies = [fill_body(call.venue, fill) for fill in shown]
    return json_response(200, {"cursor": cursor, "fills": bodies})


def positions(call: Call) -> Response:
    """``GET /portfolio/positions``: what was traded and is not settled, unless asked otherwise."""
    ticker, event = call.request.text("ticker"), call.request.text("event_ticker")
    kind = call.request.text("settlement_status", "unsettled")
    count_filter = call.request.texts("count_filter")
    found = [
        position
        for position in seen_positions(call.venue, call.account)
        if position.volume_e2
        and (not ticker or position.ticker == ticker)
        and (not event or call.venue.markets[position.ticker].event.ticker == event)
        and (not count_filter or position.count_e2 or "total_traded" in count_filter)
        and _on_shard(call, position.ticker)
        and _settled_as_asked(call.venue, position, kind)
    ]
    shown, cursor = page(call, found, "GetPositions")
    by_event: dict[str, list[Position]] = {}
    for position in shown:
        name = call.venue.markets[position.ticker].event.ticker
        by_event.setdefault(name, []).append(position)
    return json_response(
        200,
        {
            "cursor": cursor,
            "event_positions": [event_position_body(*item) for item in by_event.items()],
            "market_positions": [position_body(call.venue, position) for position in shown],
        },
    )


def balance(call: Call) -> Response:
    """``GET /portfolio/balance``; resting orders are not taken off."""
    venue = call.venue
    worth_e6 = sum(_worth_e6(venue, one) for one in call.account.positions.values())
    cash_e6 = seen_cash_e6(venue, call.account)
    return json_response(200, balance_body(cash_e6, worth_e6, venue.clock.wall_ms()))


def settlements(call: Call) -> Response:
    """``GET /portfolio/settlements``, newest first."""
    ticker, event = call.request.text("ticker"), call.request.text("event_ticker")
    found = [
        one
        for one in reversed(call.account.settlements)
        if (not ticker or one.ticker == ticker)
        and (not event or one.event_ticker == event)
        and within(call, "ts", one.at_ms)
    ]
    shown, cursor = page(call, found, "GetSettlements")
    bodies = [settlement_body(one) for one in shown]
    return json_response(200, {"cursor": cursor, "settlements": bodies})


def queue_positions(call: Call) -> Response:
    """``GET /portfolio/orders/queue_positions``."""
    tickers, event = call.request.texts("market_tickers"), call.request.text("event_ticker")
    if not tickers and not event:
        raise nested(400, "invalid_parameters", "market_tickers or event_ticker is required")
    bodies = [
        {
            "market_ticker": order.ticker,
            "order_id": order.order_id,
            "queue_position_fp": _queue_text(call.venue, order),
        }
        for order in call.account.resting.values()
        if order.ticker in tickers or call.venue.markets[order.ticker].event.ticker == event
    ]
    return json_response(200, {"queue_positions": bodies})


def queue_position(call: Call) -> Response:
    """``GET /portfolio/orders/{order_id}/queue_position``."""
    order = call.account.resting.get(call.params["order_id"])
    if order is None:
        raise not_found()
    return json_response(200, {"queue_position_fp": _queue_text(call.venue, order)})


def account_limits(call: Call) -> Response:
    """``GET /account/limits``."""
    tier = call.account.tier
    body: Json = {
        "grants": [],
        "read": {"bucket_capacity": tier.read_capacity, "refill_rate": tier.read_per_s},
        "usage_tier": tier.name,
        "write": {"bucket_capacity": tier.write_capacity, "refill_rate": tier.write_per_s},
    }
    return json_response(200, body)


def endpoint_costs(_call: Call) -> Response:
    """``GET /account/endpoint_costs``: what differs from the default cost."""
    costs = [
        {"cost": cost, "method": method, "path": path} for method, path, cost in ENDPOINT_COSTS
    ]
    return json_response(200, {"default_cost": 10, "endpoint_costs": costs})


def _order(call: Call) -> Order:
    order = call.account.order(call.params["order_id"])
    shard = shard_of(call.venue, call.request.text("market_ticker"), call.integer("exchange_index"))
    if order is None or call.venue.markets[order.ticker].exchange_index != shard:
        raise not_found()
    if not is_seen(call.venue, order):
        raise not_found()
    return order


def _on_shard(call: Call, ticker: str) -> bool:
    shard = call.integer("exchange_index")
    return shard is None or call.venue.markets[ticker].exchange_index == shard


def _settled_as_asked(venue: Venue, position: Position, kind: str) -> bool:
    settled = venue.markets[position.ticker].settled_ms is not None
    return kind == "all" or settled == (kind == "settled")


def _worth_e6(venue: Venue, position: Position) -> int:
    # At the last price: two contracts that had last traded at 99 cents were recorded as worth
    # 198 while the best bid stood at 47.
    last_e4 = venue.markets[position.ticker].last_price_e4
    own_e4 = last_e4 if position.count_e2 >= 0 else ONE_DOLLAR_E4 - last_e4
    return abs(position.count_e2) * own_e4


def _queue_text(venue: Venue, order: Order) -> str:
    return count_text(venue.markets[order.ticker].book.ahead_of_e2(order))
