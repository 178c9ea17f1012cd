"""Milestones, which alone tell when a game starts."""

from __future__ import annotations

from arb.sim.exchange.markets import Event
from arb.sim.exchange.refusals import bad_parameter, not_found, undecodable
from arb.sim.rest.call import Call, page
from arb.sim.rest.listing_shapes import milestone_body
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import MS_PER_S, wall_ms_from_iso

_LIMIT_MAX = 500


def milestones_list(call: Call) -> Response:
    """``GET /milestones``; ``limit`` is required."""
    limit = call.integer("limit")
    if limit is None:
        raise bad_parameter("GetMilestones", "Limit", "required")
    if limit == 0:
        raise bad_parameter("GetMilestones", "Limit", "gte")
    found = [event for event in call.venue.events.values() if _matches(call, event)]
    shown, cursor = page(call, found, "GetMilestones", highest=_LIMIT_MAX)
    bodies = [milestone_body(event) for event in shown]
    return json_response(200, {"cursor": cursor, "milestones": bodies})


def milestones_one(call: Call) -> Response:
    """``GET /milestones/{milestone_id}``."""
    for event in call.venue.events.values():
        if event.milestone_id == call.params["milestone_id"]:
            return json_response(200, {"milestone": milestone_body(event)})
    raise not_found()


def _matches(call: Call, event: Event) -> bool:
    text = call.request.text
    updated_s = call.integer("min_updated_ts")
    return (
        text("category", "Sports") == "Sports"
        and text("type", event.series.milestone_type) == event.series.milestone_type
        and text("competition", event.series.competition) == event.series.competition
        and text("related_event_ticker", event.ticker) == event.ticker
        and text("source_id") in ("", event.milestone_id)
        and event.start_ms >= _earliest_ms(call)
        and (updated_s is None or event.updated_ms >= updated_s * MS_PER_S)
    )


def _earliest_ms(call: Call) -> int:
    try:
        return wall_ms_from_iso(call.request.text("minimum_start_date", "1970-01-01T00:00:00Z"))
    except ValueError:
        raise undecodable("invalid minimum_start_date") from None
