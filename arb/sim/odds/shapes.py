"""The odds provider's JSON: events, odds by book, and the messages of its WebSocket."""

from __future__ import annotations

import random

from arb.sim.odds.desk import Change, OddsDesk
from arb.sim.timing import iso_milliseconds, iso_seconds
from arb.sim.world.games import Game
from arb.sim.world.sportsbooks import Line

Json = dict[str, object]

MONEYLINE = "ML"
TOTALS = "Totals"
# How often a message deviates from the usual spelling, as real ones were seen to.
_NUMBER_ID_SHARE = 0.1
_NUMBER_ODDS_SHARE = 0.1
_TOTALS_SHARE = 0.2
_TOTAL_LINES = {"NFL": 44.5, "NBA": 226.5, "MLB": 8.5, "NHL": 6.5}


def status_of(game: Game, now_ms: int) -> str:
    """Return the provider's word for where a game stands."""
    if now_ms < game.start_ms:
        return "pending"
    return "live" if now_ms < game.end_ms else "settled"


def event_body(game: Game, now_ms: int) -> Json:
    """Return an event; here the teams have their full names."""
    return {
        "id": game.game_id,
        "home": game.home.name,
        "away": game.away.name,
        "date": iso_seconds(game.start_ms),
        "league": {"name": game.league.key, "slug": game.league.league_slug},
        "sport": {"name": game.league.sport_name, "slug": game.league.sport_slug},
        "status": status_of(game, now_ms),
    }


def odds_body(desk: OddsDesk, game: Game, books: list[str]) -> Json:
    """Return an event with the lines of the books asked for."""
    lines = {book: line for book, line in desk.lines(game.game_id).items() if book in books}
    body = event_body(game, desk.clock.wall_ms())
    body["bookmakers"] = {
        book: [_moneyline(line), _totals(game, line)] for book, line in lines.items()
    }
    body["urls"] = {book: _url(game, book) for book in lines}
    body["bookmakerIds"] = {book: str(game.game_id * 7) for book in lines}
    return body


def change_body(change: Change, markets: list[str], rng: random.Random, *, with_seq: bool) -> Json:
    """Return a message of the stream: no team names, the id now and then a number."""
    game_id = change.game.game_id
    body: Json = {
        "type": change.kind,
        "timestamp": iso_milliseconds(change.at_ms),
        "id": game_id if rng.random() < _NUMBER_ID_SHARE else str(game_id),
        "bookie": change.book,
    }
    if with_seq:
        body["seq"] = change.seq
    if change.kind == "no_markets":
        body["markets"] = []
    elif change.kind != "deleted":
        body["url"] = _url(change.game, change.book)
        body["markets"] = _markets(change, markets, rng)
    return body


def _markets(change: Change, wanted: list[str], rng: random.Random) -> list[Json]:
    found: list[Json] = []
    if MONEYLINE in wanted:
        numbers = rng.random() < _NUMBER_ODDS_SHARE
        found.append(_moneyline(change.line, numbers=numbers))
    if TOTALS in wanted and rng.random() < _TOTALS_SHARE:
        found.append(_totals(change.game, change.line))
    return found


def _moneyline(line: Line, *, numbers: bool = False) -> Json:
    home, away = (float(line.home), float(line.away)) if numbers else (line.home, line.away)
    odds: Json = {"home": home, "away": away, "max": 500}
    return {"name": MONEYLINE, "updatedAt": iso_seconds(line.made_ms), "odds": [odds]}


def _totals(game: Game, line: Line) -> Json:
    odds: Json = {"hdp": _TOTAL_LINES[game.league.key], "over": "1.91", "under": "1.91"}
    return {"name": TOTALS, "updatedAt": iso_seconds(line.made_ms), "odds": [odds]}


def _url(game: Game, book: str) -> str:
    return f"https://example.invalid/{book.lower()}/{game.game_id}"
