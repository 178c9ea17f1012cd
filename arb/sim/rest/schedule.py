"""When the exchange is open: always, but for the window of maintenance on Thursdays."""

from __future__ import annotations

from arb.sim.exchange.maintenance import CLOSES, OPENS, next_window_ms
from arb.sim.rest.call import Call
from arb.sim.rest.words import Json
from arb.sim.serving.http import Response, json_response
from arb.sim.timing import iso

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ALL_DAY = [{"close_time": "00:00", "open_time": "00:00"}]


def schedule(call: Call) -> Response:
    """``GET /exchange/schedule``; times of the week are Eastern, windows are UTC."""
    start_ms, end_ms = next_window_ms(call.venue.clock.wall_ms())
    week: Json = dict.fromkeys(_DAYS, _ALL_DAY)
    week["thursday"] = [
        {"close_time": f"{CLOSES:02d}:00", "open_time": "00:00"},
        {"close_time": "00:00", "open_time": f"{OPENS:02d}:00"},
    ]
    week["start_time"], week["end_time"] = iso(0), iso(end_ms)
    window = {"end_datetime": iso(end_ms), "start_datetime": iso(start_ms)}
    return json_response(
        200, {"schedule": {"maintenance_windows": [window], "standard_hours": [week]}}
    )
