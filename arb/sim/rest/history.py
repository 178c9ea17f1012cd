"""What left the live endpoints: nothing, because no run lasts as long as the exchange keeps.

The cutoff is three months back, as the real one about is; everything older than that is nowhere.
"""

from __future__ import annotations

from arb.sim.exchange.refusals import not_found
from arb.sim.rest.call import Call, page
from arb.sim.rest.words import Json
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import MS_PER_DAY, iso

KEPT_MS = 90 * MS_PER_DAY


def cutoff(call: Call) -> Response:
    """``GET /historical/cutoff``."""
    moment = iso(call.venue.clock.wall_ms() - KEPT_MS)
    names = (
        "market_positions_last_updated_ts",
        "market_settled_ts",
        "orders_updated_ts",
        "trades_created_ts",
    )
    return json_response(200, dict.fromkeys(names, moment))


def markets(call: Call) -> Response:
    """``GET /historical/markets``."""
    return _empty(call, "GetHistoricalMarkets", "markets")


def market(_call: Call) -> Response:
    """``GET /historical/markets/{ticker}``: every market is a live one."""
    raise not_found()


def trades(call: Call) -> Response:
    """``GET /historical/trades``."""
    return _empty(call, "GetTradesHistorical", "trades")


def fills(call: Call) -> Response:
    """``GET /historical/fills``."""
    return _empty(call, "GetFillsHistorical", "fills")


def orders(call: Call) -> Response:
    """``GET /historical/orders``."""
    return _empty(call, "GetHistoricalOrders", "orders")


def positions(call: Call) -> Response:
    """``GET /historical/positions``."""
    return _empty(call, "GetHistoricalPositions", "market_positions", "event_positions")


def _empty(call: Call, endpoint: str, *names: str) -> Response:
    nothing: list[Json] = []
    shown, cursor = page(call, nothing, endpoint)
    body: Json = {"cursor": cursor}
    return json_response(200, body | {name: list(shown) for name in names})
