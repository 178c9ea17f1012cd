"""How a game of the world is listed on the exchange: a series, an event and two markets."""

from __future__ import annotations

from arb.sim.exchange.fees import FeeSchedule, FeeType
from arb.sim.exchange.lifecycle import announce
from arb.sim.exchange.markets import Event, Market, Series
from arb.sim.exchange.venue import Venue
from arb.sim.timing import MS_PER_DAY, MS_PER_HOUR, ticker_date
from arb.sim.world.games import Game
from arb.sim.world.leagues import League, Team

_LISTED_BEFORE_MS = 5 * MS_PER_DAY
_CLOSES_AFTER_MS = 2 * MS_PER_DAY
EXPECTED_AFTER_MS = 3 * MS_PER_HOUR


def list_game(venue: Venue, game: Game, wall_ms: int) -> tuple[Market, Market]:
    """Put a game's event and both its markets on the exchange; returns home's and away's market."""
    listed_ms = min(wall_ms, game.start_ms) - _LISTED_BEFORE_MS
    event = Event(
        ticker=game.event_ticker,
        series=venue.series.get(game.league.series_ticker) or series_of(game.league),
        title=f"{game.away.label} vs {game.home.label}",
        sub_title=f"{game.away.code} vs {game.home.code} ({_month_day(game)})",
        start_ms=game.start_ms,
        created_ms=listed_ms,
        milestone_id=venue.new_id(),
        home_target_id=game.home.target_id,
        away_target_id=game.away.target_id,
    )
    home = _market(venue, event, game.home_ticker, game.home, listed_ms)
    away = _market(venue, event, game.away_ticker, game.away, listed_ms)
    for market in (away, home):
        announce(venue, market)
    return home, away


def series_of(league: League) -> Series:
    """Return a league's series with its fee."""
    return Series(
        ticker=league.series_ticker,
        title=league.series_title,
        tag=league.tag,
        competition=league.competition,
        fees=FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, league.multiplier_e4),
        exchange_index=league.exchange_index,
        timer_s=league.timer_s,
        target_field=league.target_field,
        milestone_type=league.milestone_type,
    )


def _market(venue: Venue, event: Event, ticker: str, team: Team, listed_ms: int) -> Market:
    return Market(
        ticker=ticker,
        event=event,
        label=team.label,
        target_id=team.target_id,
        market_id=venue.new_id(),
        open_ms=listed_ms,
        close_ms=event.start_ms + _CLOSES_AFTER_MS,
        updated_ms=listed_ms,
    )


def _month_day(game: Game) -> str:
    date = ticker_date(game.start_ms)
    return f"{date[2:5].capitalize()} {int(date[5:])}"
