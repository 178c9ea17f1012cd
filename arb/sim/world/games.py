"""The games of the simulated world: who plays whom, when, and under which tickers."""

from __future__ import annotations

import random
from collections.abc import Sequence

import attrs

from arb.sim.timing import MS_PER_DAY, MS_PER_HOUR, ticker_date, ticker_time
from arb.sim.world.leagues import LEAGUES, League, Team

# Ids as long as the odds provider's own, so that a client that truncates them is found out.
_FIRST_GAME_ID = 61_000_000
_START_GRID_MS = 5 * 60_000
_START_SPREAD_MS = 8 * MS_PER_HOUR
_TYPICAL_LENGTH_MS = 3 * MS_PER_HOUR


@attrs.frozen
class Game:
    """One game, from its listing to its end; all moments are wall-clock milliseconds."""

    game_id: int
    league: League
    home: Team
    away: Team
    start_ms: int
    end_ms: int

    @property
    def event_ticker(self) -> str:
        """Return the exchange's event ticker: date first, away before home."""
        time = ticker_time(self.start_ms) if self.league.time_in_ticker else ""
        teams = f"{self.away.code}{self.home.code}"
        return f"{self.league.series_ticker}-{ticker_date(self.start_ms)}{time}{teams}"

    @property
    def home_ticker(self) -> str:
        """Return the ticker of the market in which YES is a win of the home team."""
        return f"{self.event_ticker}-{self.home.code}"

    @property
    def away_ticker(self) -> str:
        """Return the ticker of the market in which YES is a win of the away team."""
        return f"{self.event_ticker}-{self.away.code}"


@attrs.frozen
class Calendar:
    """When games are played.

    Without ``start_in_ms`` games begin two to ten hours from now; with it the first begins that
    far ahead and the others follow ``stagger_ms`` apart.
    """

    start_in_ms: int | None = None
    stagger_ms: int = 0
    length_ms: int = _TYPICAL_LENGTH_MS


def make_games(
    rng: random.Random,
    count: int,
    now_ms: int,
    calendar: Calendar,
    leagues: Sequence[League] = LEAGUES,
) -> list[Game]:
    """Return ``count`` games, the leagues in turn, no team twice within a day."""
    shuffled = {league.key: rng.sample(league.teams, len(league.teams)) for league in leagues}
    games: list[Game] = []
    for index in range(count):
        league = leagues[index % len(leagues)]
        nth = index // len(leagues)
        teams = shuffled[league.key]
        days, pair = divmod(nth, len(teams) // 2)
        home, away = teams[2 * pair], teams[2 * pair + 1]
        start_ms = _start_ms(rng, now_ms, calendar, index) + days * MS_PER_DAY
        games.append(
            Game(
                _FIRST_GAME_ID + index, league, home, away, start_ms, start_ms + calendar.length_ms
            )
        )
    return games


def _start_ms(rng: random.Random, now_ms: int, calendar: Calendar, index: int) -> int:
    if calendar.start_in_ms is not None:
        return now_ms + calendar.start_in_ms + index * calendar.stagger_ms
    ahead_ms = 2 * MS_PER_HOUR + rng.randrange(_START_SPREAD_MS)
    return (now_ms + ahead_ms) // _START_GRID_MS * _START_GRID_MS
