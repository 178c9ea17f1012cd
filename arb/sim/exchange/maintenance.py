"""The pause of trading on Thursdays, from three to five in the morning in the East."""

from __future__ import annotations

from arb.sim.exchange.lifecycle import pause_trading, resume_trading
from arb.sim.exchange.venue import Venue
from arb.sim.timing import MS_PER_DAY, MS_PER_HOUR, eastern

CLOSES = 3
OPENS = 5
_THURSDAY = 3
_MINUTE_MS = 60_000


def in_window(wall_ms: int) -> bool:
    """Return whether trading rests at this moment."""
    moment = eastern(wall_ms)
    return moment.weekday() == _THURSDAY and CLOSES <= moment.hour < OPENS


def next_window_ms(wall_ms: int) -> tuple[int, int]:
    """Return begin and end of the window that is, or comes next."""
    moment = eastern(wall_ms)
    days = (_THURSDAY - moment.weekday()) % 7
    if days == 0 and moment.hour >= OPENS:
        days = 7
    into_day_ms = moment.hour * MS_PER_HOUR + moment.minute * _MINUTE_MS + wall_ms % _MINUTE_MS
    into_day_ms += moment.second * 1_000 - wall_ms % _MINUTE_MS // 1_000 * 1_000
    start_ms = wall_ms - into_day_ms + days * MS_PER_DAY + CLOSES * MS_PER_HOUR
    return start_ms, start_ms + (OPENS - CLOSES) * MS_PER_HOUR


def keep_window(venue: Venue) -> None:
    """Pause and resume trading by the window, once at each end of it."""
    inside = in_window(venue.clock.wall_ms())
    if inside and not venue.in_maintenance:
        pause_trading(venue)
    elif venue.in_maintenance and not inside:
        resume_trading(venue)
    venue.in_maintenance = inside
