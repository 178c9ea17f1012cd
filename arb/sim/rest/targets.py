"""Structured targets: the teams behind the ids in markets and milestones."""

from __future__ import annotations

from arb.sim.exchange.markets import Market
from arb.sim.exchange.refusals import bad_parameter, not_found
from arb.sim.rest.call import Call, page
from arb.sim.rest.words import Json
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import iso

_PAGE_MAX = 2_000


def targets_list(call: Call) -> Response:
    """``GET /structured_targets``: by id, kind and competition."""
    size = call.integer("page_size")
    if size is not None and not 1 <= size <= _PAGE_MAX:
        raise bad_parameter("GetStructuredTargets", "PageSize", "lte")
    ids = call.request.texts("ids")
    kind, competition = call.request.text("type"), call.request.text("competition")
    found = [
        _body(market)
        for target_id, market in _markets(call).items()
        if (not ids or target_id in ids)
        and kind in ("", market.event.series.target_field)
        and competition in ("", market.event.series.competition)
    ]
    shown, cursor = page(
        call, found, "GetStructuredTargets", default=size or 100, highest=_PAGE_MAX
    )
    return json_response(200, {"cursor": cursor, "structured_targets": list(shown)})


def targets_one(call: Call) -> Response:
    """``GET /structured_targets/{target_id}``."""
    market = _markets(call).get(call.params["target_id"])
    if market is None:
        raise not_found()
    return json_response(200, {"structured_target": _body(market)})


def _markets(call: Call) -> dict[str, Market]:
    return {market.target_id: market for market in call.venue.markets.values()}


def _body(market: Market) -> Json:
    series = market.event.series
    return {
        "details": {
            "abbreviation": market.ticker.rpartition("-")[2],
            "league": series.competition,
        },
        "id": market.target_id,
        "last_updated_ts": iso(market.event.created_ms),
        "name": market.label,
        "source_id": market.target_id,
        "source_ids": {},
        "type": series.target_field,
    }
