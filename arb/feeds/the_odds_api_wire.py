"""The Odds API's answers to quotes: one answer is every game of one sport with every book.

Outcomes are named by team and come in any order. A book that was in a game's last answer and is
not in this one has taken its price away. Whole prices are polled, and stamps are often those of
scrapes: what is new in an answer may be as old as the answer before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import attrs
import orjson

from arb.core.events import Quote, QuoteOrigin
from arb.core.games import OddsEvent
from arb.core.odds import BadOdds, decimal_from_text
from arb.feeds.base import FORGOTTEN_AFTER_MS, NO_ODDS, NOT_ASKED_FOR, Bad, Notice, Parsed
from arb.io.iso import iso_ms

PROVIDER = "the-odds-api"

SPORTS: Mapping[str, str] = {
    "nfl": "americanfootball_nfl",
    "nba": "basketball_nba",
    "mlb": "baseball_mlb",
    "nhl": "icehockey_nhl",
}
_LEAGUES = {key: league for league, key in SPORTS.items()}

MARKET = "h2h"
DRAW = "Draw"

# Real answers hold prices such as -100000 and +2300 while a game is played: no book stands there.
CHANCE_MAX = 0.98
ODDS_MIN = 1 / CHANCE_MAX

# As many games as a season of every league has: no provider offers so many within a day.
GAMES_MAX = 10_000
TOO_MANY_GAMES = "more games than are kept"

_ms_of = lru_cache(maxsize=4_096)(iso_ms)


@attrs.frozen
class _Game:
    """Which books an answer last had for a game, and when."""

    books: frozenset[str]
    at_ms: int


class TheOddsApiReader:
    """Reads one account's answers, and knows which books each game had; ``books`` are titles."""

    def __init__(self, books: Collection[str] = ()) -> None:
        self._wanted = {book.casefold() for book in books}
        self._games: dict[str, _Game] = {}

    def answer(self, raw: str | bytes, received_ms: int) -> Parsed:
        """Read one answer; never raises."""
        try:
            rows = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return Parsed(bad=(Bad("not JSON", raw),))
        if type(rows) is not list:
            return Parsed(bad=(Bad("no list of games", raw),))
        quotes: list[Quote] = []
        bad: list[Bad] = []
        notices: list[Notice] = []
        for row in rows:
            try:
                self._game(row, received_ms, quotes, bad, notices)
            except (KeyError, TypeError, ValueError, OverflowError) as wrong:
                bad.append(Bad(f"a game cannot be read: {type(wrong).__name__}", row))
        self._forget(received_ms - FORGOTTEN_AFTER_MS)
        return Parsed(tuple(quotes), tuple(bad), tuple(notices))

    def _game(
        self,
        row: Any,
        received_ms: int,
        quotes: list[Quote],
        bad: list[Bad],
        notices: list[Notice],
    ) -> None:
        event_id, home, away = _text(row["id"]), row["home_team"], row["away_team"]
        before = self._games.get(event_id)
        if before is None and len(self._games) >= GAMES_MAX:
            # Nobody would notice that a book of it vanishes.
            bad.append(Bad(TOO_MANY_GAMES, f"{away} at {home}"))
            return
        live = _ms_of(row["commence_time"]) <= received_ms
        seen = set()
        for entry in row["bookmakers"]:
            try:
                book = _text(entry["title"])
                if not self._wants(book):
                    notices.append(Notice(NOT_ASKED_FOR, book))
                    continue
                quote = _quote(event_id, home, away, entry, received_ms, live=live)
            except BadOdds as wrong:
                bad.append(Bad(str(wrong.reason), entry))
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as wrong:
                bad.append(Bad(f"a book cannot be read: {type(wrong).__name__}", entry))
            else:
                seen.add(book)
                quotes.append(quote)
        vanished = before.books - seen if before is not None else ()
        quotes += [_suspended(event_id, gone, received_ms, live=live) for gone in vanished]
        self._games[event_id] = _Game(frozenset(seen), received_ms)

    def _forget(self, before_ms: int) -> None:
        """Let go of games that were last offered before a moment."""
        over = [event_id for event_id, game in self._games.items() if game.at_ms < before_ms]
        for event_id in over:
            del self._games[event_id]

    def _wants(self, book: str) -> bool:
        return not self._wanted or book.casefold() in self._wanted

    def __repr__(self) -> str:
        return f"<TheOddsApiReader {len(self._games)} games>"


def events_of(raw: bytes) -> tuple[list[OddsEvent], list[Bad]]:
    """Return the games of an answer, and the rows that are none; never raises."""
    found: list[OddsEvent] = []
    bad: list[Bad] = []
    try:
        rows = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return found, [Bad("not JSON", raw)]
    for row in rows if type(rows) is list else [rows]:
        try:
            league, start_ms = _LEAGUES[row["sport_key"]], iso_ms(row["commence_time"])
            teams = _text(row["home_team"]), _text(row["away_team"])
            found.append(OddsEvent(PROVIDER, _text(row["id"]), league, *teams, start_ms))
        except (KeyError, TypeError, ValueError) as wrong:
            bad.append(Bad(f"a game cannot be read: {type(wrong).__name__}", row))
    return found, bad


def _text(value: object) -> str:
    if type(value) is not str or not value:
        raise TypeError("no text")
    return value


def _quote(
    event_id: str, home: str, away: str, entry: Any, received_ms: int, *, live: bool
) -> Quote:
    for market in entry["markets"]:
        if market["key"] != MARKET:
            continue
        source_ms = _ms_of(market.get("last_update") or entry["last_update"])
        prices = {each["name"]: each["price"] for each in market["outcomes"]}
        if home not in prices or away not in prices:
            break
        ours, theirs = decimal_from_text(prices[home]), decimal_from_text(prices[away])
        if min(ours, theirs) < ODDS_MIN:
            break
        draw = decimal_from_text(prices[DRAW]) if DRAW in prices else None
        return Quote(
            PROVIDER,
            event_id,
            entry["title"],
            ours,
            theirs,
            source_ms,
            received_ms,
            QuoteOrigin.POLL,
            draw,
            None,
            live,
        )
    return _suspended(event_id, entry["title"], received_ms, live=live)


def _suspended(event_id: str, book: str, received_ms: int, *, live: bool) -> Quote:
    return Quote(
        PROVIDER,
        event_id,
        book,
        NO_ODDS,
        NO_ODDS,
        received_ms,
        received_ms,
        QuoteOrigin.POLL,
        live=live,
        suspended=True,
    )
