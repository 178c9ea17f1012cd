"""Fees that change while the exchange runs: of a series for good, of one event as an override."""

from __future__ import annotations

import attrs

from arb.sim.exchange.fees import FeeSchedule
from arb.sim.exchange.venue import Venue


@attrs.frozen
class FeeChange:
    """A change that takes effect at its moment.

    With an event it overrides the fee of the event's series, and without a schedule it clears
    that override again.
    """

    change_id: str
    series_ticker: str
    event_ticker: str | None
    schedule: FeeSchedule | None
    at_ms: int


def schedule_series_fee(
    venue: Venue, series_ticker: str, schedule: FeeSchedule, at_ms: int
) -> FeeChange:
    """Announce another fee of a series."""
    return _announce(venue, FeeChange(venue.new_id(), series_ticker, None, schedule, at_ms))


def schedule_event_fee(
    venue: Venue, event_ticker: str, schedule: FeeSchedule | None, at_ms: int
) -> FeeChange:
    """Announce a fee of one event, or with None that its series' fee counts again."""
    series = venue.events[event_ticker].series.ticker
    return _announce(venue, FeeChange(venue.new_id(), series, event_ticker, schedule, at_ms))


def apply_due_fees(venue: Venue) -> None:
    """Let announced changes take effect whose moment has come."""
    now_ms = venue.clock.wall_ms()
    due = [change for change in venue.coming_fees if change.at_ms <= now_ms]
    for change in sorted(due, key=lambda one: one.at_ms):
        venue.coming_fees.remove(change)
        _apply(venue, change)


def _announce(venue: Venue, change: FeeChange) -> FeeChange:
    venue.fee_changes.append(change)
    venue.coming_fees.append(change)
    apply_due_fees(venue)
    return change


def _apply(venue: Venue, change: FeeChange) -> None:
    if change.event_ticker is None:
        if change.schedule is not None:
            venue.series[change.series_ticker].fees = change.schedule
        return
    event = venue.events[change.event_ticker]
    event.fee_override = change.schedule
    for listener in list(venue.listeners):
        listener.event_fee_changed(event)
