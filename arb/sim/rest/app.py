"""The REST interface as one function from request to response."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.venue import Venue
from arb.sim.rest import groups, orders, portfolio, public
from arb.sim.rest.call import Call
from arb.sim.rest.limits import TIER, Buckets
from arb.sim.serving.http import Request, Response, Route, Router, json_response
from arb.sim.signatures import KeyRing

PREFIX = "/trade-api/v2"
_ORDERS = "/portfolio/events/orders"
_FIRST = "/portfolio/orders"
_GROUP = "/portfolio/order_groups/{group_id}"

Handle = Callable[[Call], Response]

_ROUTES: list[Route[Handle]] = [
    Route("GET", "/exchange/status", public.exchange_status, public=True),
    Route("GET", "/exchange/user_data_timestamp", public.user_data_timestamp, public=True),
    Route("GET", "/series/fee_changes", public.fee_changes, public=True),
    Route("GET", "/series", public.series_list, public=True),
    Route("GET", "/series/{ticker}", public.series_one, public=True),
    Route("GET", "/events", public.events_list, public=True),
    Route("GET", "/events/{ticker}", public.events_one, public=True),
    Route("GET", "/markets/trades", public.trades, public=True),
    Route("GET", "/markets/orderbooks", public.orderbooks, public=True),
    Route("GET", "/markets", public.markets_list, public=True),
    Route("GET", "/markets/{ticker}", public.markets_one, public=True),
    Route("GET", "/markets/{ticker}/orderbook", public.orderbook, public=True),
    Route("GET", "/milestones", public.milestones, public=True),
    Route("POST", _ORDERS, orders.create),
    Route("DELETE", _ORDERS, orders.cancel_everything),
    Route("POST", f"{_ORDERS}/batched", orders.create_batch),
    Route("DELETE", f"{_ORDERS}/batched", orders.cancel_batch),
    Route("DELETE", f"{_ORDERS}/{{order_id}}", orders.cancel_by_id),
    Route("POST", f"{_ORDERS}/{{order_id}}/amend", orders.amend_by_id),
    Route("POST", f"{_ORDERS}/{{order_id}}/decrease", orders.decrease_by_id),
    Route("GET", f"{_FIRST}/queue_positions", portfolio.queue_positions),
    Route("GET", _FIRST, portfolio.orders_list),
    Route("GET", f"{_FIRST}/{{order_id}}", portfolio.orders_one),
    Route("GET", f"{_FIRST}/{{order_id}}/queue_position", portfolio.queue_position),
    Route("POST", _FIRST, orders.first_version),
    Route("POST", f"{_FIRST}/batched", orders.first_version),
    Route("DELETE", f"{_FIRST}/batched", orders.first_version),
    Route("DELETE", f"{_FIRST}/{{order_id}}", orders.first_version),
    Route("POST", f"{_FIRST}/{{order_id}}/amend", orders.first_version),
    Route("POST", f"{_FIRST}/{{order_id}}/decrease", orders.first_version),
    Route("POST", "/portfolio/order_groups/create", groups.create_group),
    Route("GET", "/portfolio/order_groups", groups.list_groups),
    Route("GET", _GROUP, groups.one_group),
    Route("DELETE", _GROUP, groups.delete_group),
    Route("PUT", f"{_GROUP}/limit", groups.limit_group),
    Route("PUT", f"{_GROUP}/reset", groups.reset_group),
    Route("PUT", f"{_GROUP}/trigger", groups.trigger_group),
    Route("GET", "/portfolio/fills", portfolio.fills),
    Route("GET", "/portfolio/positions", portfolio.positions),
    Route("GET", "/portfolio/balance", portfolio.balance),
    Route("GET", "/portfolio/settlements", portfolio.settlements),
    Route("GET", "/portfolio/deposits", portfolio.deposits),
    Route("GET", "/portfolio/withdrawals", portfolio.withdrawals),
    Route("GET", "/account/limits", portfolio.account_limits),
    Route("GET", "/account/endpoint_costs", portfolio.endpoint_costs, public=True),
]


class RestApp:
    """Answers requests for one exchange; ``enforce_limits`` turns the token buckets on."""

    def __init__(self, venue: Venue, keys: KeyRing, *, enforce_limits: bool = False) -> None:
        self._venue = venue
        self._keys = keys
        self._enforce_limits = enforce_limits
        self._router: Router[Handle] = Router(_ROUTES)
        self._buckets: dict[str, Buckets] = {}

    def __repr__(self) -> str:
        return f"RestApp({self._router!r}, {self._venue!r})"

    def __call__(self, request: Request) -> Response:
        """Return the response to a request; never raises for what a client sends."""
        conditions = self._venue.conditions
        if conditions.rest_status is not None:
            page = b"<html><body><h1>unavailable</h1></body></html>"
            return Response(conditions.rest_status, page, content_type="text/html")
        if conditions.answer_429:
            return _too_many()
        found = self._router.find(request.method, request.path.removeprefix(PREFIX))
        if found is None or not request.path.startswith(PREFIX):
            return Response(404, b"404 page not found\n", content_type="text/plain")
        try:
            return self._answer(request, *found)
        except Refused as refused:
            return json_response(refused.refusal.status, refused.refusal.body())

    def _answer(self, request: Request, route: Route[Handle], params: dict[str, str]) -> Response:
        if route.public:
            return route.handle(Call(request, params, self._venue))
        now_ms = self._venue.clock.wall_ms()
        name = self._keys.account_of(request.headers, request.method, request.path, now_ms)
        if self._enforce_limits and not self._within_limits(name, request, route, now_ms):
            return _too_many()
        return route.handle(Call(request, params, self._venue, self._venue.accounts[name]))

    def _within_limits(
        self, name: str, request: Request, route: Route[Handle], now_ms: int
    ) -> bool:
        if name not in self._buckets:
            self._buckets[name] = Buckets.full(TIER, now_ms)
        items = _items(request) if route.pattern.endswith("/batched") else 1
        return self._buckets[name].take(request.method, route.pattern, items, now_ms)


def _items(request: Request) -> int:
    try:
        return len(orjson.loads(request.body)["orders"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return 1


def _too_many() -> Response:
    return json_response(429, {"error": "too many requests"})
