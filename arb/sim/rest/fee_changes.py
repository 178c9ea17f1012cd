"""Announced changes of fees, of series and of events."""

from __future__ import annotations

from arb.sim.exchange.fee_changes import FeeChange
from arb.sim.rest.call import Call, page
from arb.sim.rest.listing_shapes import multiplier_number
from arb.sim.rest.words import Json
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import iso


def series_changes(call: Call) -> Response:
    """``GET /series/fee_changes``: those to come, and past ones when asked for."""
    series = call.request.text("series_ticker")
    past_too = call.request.text("show_historical") == "true"
    now_ms = call.venue.clock.wall_ms()
    bodies = [
        _series_body(change)
        for change in call.venue.fee_changes
        if change.event_ticker is None
        and (not series or change.series_ticker == series)
        and (past_too or change.at_ms > now_ms)
    ]
    return json_response(200, {"series_fee_change_arr": bodies})


def event_changes(call: Call) -> Response:
    """``GET /events/fee_changes``: overrides of single events, past ones too."""
    event = call.request.text("event_ticker")
    found = [
        change
        for change in call.venue.fee_changes
        if change.event_ticker is not None and (not event or change.event_ticker == event)
    ]
    shown, cursor = page(call, found, "GetEventFeeChanges")
    bodies = [_event_body(change) for change in shown]
    return json_response(200, {"cursor": cursor, "event_fee_changes": bodies})


def _series_body(change: FeeChange) -> Json:
    body: Json = {
        "id": change.change_id,
        "scheduled_ts": iso(change.at_ms),
        "series_ticker": change.series_ticker,
    }
    if change.schedule is not None:
        body["fee_type"] = change.schedule.fee_type.value
        body["fee_multiplier"] = multiplier_number(change.schedule)
    return body


def _event_body(change: FeeChange) -> Json:
    schedule = change.schedule
    return {
        "event_ticker": change.event_ticker,
        "fee_multiplier_override": None if schedule is None else multiplier_number(schedule),
        "fee_type_override": None if schedule is None else schedule.fee_type.value,
        "id": change.change_id,
        "scheduled_ts": iso(change.at_ms),
        "series_ticker": change.series_ticker,
    }
