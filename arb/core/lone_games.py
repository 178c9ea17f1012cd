"""A game known from Kalshi alone: enough of it to sell what is held in its markets.

What is bought is bought of a game that a provider offers as well. One that it does not offer any
more, or that is not surely the same any more, still has its two markets at Kalshi.
"""

from __future__ import annotations

from arb.core.eastern import utc_ms_from_eastern
from arb.core.games import Game, KalshiGame
from arb.core.matching import game_of, is_plausible_start
from arb.core.teams import Team, TeamTable
from arb.core.tickers import BadTicker, ParsedTicker, parse_ticker


def lone_game(table: TeamTable, listed: KalshiGame) -> Game | None:
    """Return a game as its tickers have it, under the id that it has when it is matched.

    None where the event's ticker names no game, or a team has no market of its own. A start that
    nobody states is the end of the game's day.
    """
    try:
        parsed = parse_ticker(table, listed.event_ticker)
    except BadTicker:
        return None
    home, away = (_market_of(table, listed, team) for team in (parsed.home, parsed.away))
    if home is None or away is None:
        return None
    return game_of(parsed, _start_ms(parsed, listed), home_ticker=home, away_ticker=away)


def _market_of(table: TeamTable, listed: KalshiGame, team: Team) -> str | None:
    for ticker in listed.market_tickers:
        event, _, code = ticker.rpartition("-")
        if event == listed.event_ticker and table.by_code(team.league, code) is team:
            return ticker
    return None


def _start_ms(parsed: ParsedTicker, listed: KalshiGame) -> int:
    if listed.start_ms is not None and is_plausible_start(listed.start_ms):
        return listed.start_ms
    stated_ms = parsed.start_ms
    return utc_ms_from_eastern(parsed.date, 23, 59) if stated_ms is None else stated_ms
