"""A provider in the manner of OpticOdds: fixtures by REST, and server-sent events of changes.

With its oddities: each side of a price is a row of its own and comes alone where the other stands,
now and then an event comes twice, a resume is taken and silently not done, unknown books are
ignored, and the market is spelled differently in REST.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import orjson

from arb.sim.odds.american import american
from arb.sim.odds.desk import Change, OddsDesk
from arb.sim.serving.events import EventAnswer
from arb.sim.serving.http import Request, Response, json_response
from arb.sim.serving.socket import Agent, Outbox
from arb.sim.timing import iso, iso_seconds
from arb.sim.world.games import Game
from arb.sim.world.sportsbooks import Line

Json = dict[str, object]

PREFIX = "/api/v3"
STREAM = f"{PREFIX}/stream/odds/"
BOOKS_PER_CALL_MAX = 5
TOO_MANY_REQUESTS = 429
EXCHANGE = "Kalshi"
_SPORTS = {"NFL": "football", "NBA": "basketball", "MLB": "baseball", "NHL": "hockey"}
_OUTBOX_EVENTS_MAX = 5_000
_TWICE_SHARE = 0.05
_OTHER_MARKET_SHARE = 0.2


def fixture_id(game: Game) -> str:
    """Return a game's id as this provider has it: twelve hexadecimal digits."""
    return f"{game.game_id * 2_654_435_761 % 16**12:012X}"


class OpticOddsProvider:
    """Answers requests that carry the one key it knows."""

    prefix = PREFIX

    def __init__(self, desk: OddsDesk, api_key: str) -> None:
        self._desk = desk
        self._api_key = api_key
        self.sessions: list[EventSession] = []

    def __repr__(self) -> str:
        return f"OpticOddsProvider({len(self.sessions)} streams)"

    def answer(self, request: Request) -> Response:
        """Return the response to a request, or a stream."""
        given = request.headers.get("x-api-key") or request.text("key")
        if given != self._api_key:
            return json_response(401, {"error": "Unauthorized", "message": "Invalid API key"})
        if request.path.startswith(STREAM):
            return self._stream(request)
        if request.path == f"{PREFIX}/fixtures/active":
            return self._fixtures(request)
        if request.path == f"{PREFIX}/fixtures/odds":
            return self._odds(request)
        return json_response(404, {"error": "Not Found"})

    def admit(self, request: Request) -> Agent | Response:
        """Refuse: there is no WebSocket here."""
        return json_response(404, {"error": "Not Found"})

    def inject(self, text: str) -> None:
        """Send a text as it is to every client, as an event or what passes for one."""
        for session in self.sessions:
            session.outbox.put(text)

    def throttle(self) -> None:
        """End every stream; the condition refuses those that come."""
        for session in self.sessions:
            session.outbox.close(0)

    def _stream(self, request: Request) -> Response:
        status = self._desk.conditions.refuse_upgrades
        if self._desk.conditions.throttle:
            status = TOO_MANY_REQUESTS
        if status is not None:
            return json_response(status, {"error": "Too Many Requests"})
        books = request.texts("sportsbook")
        if len(books) > BOOKS_PER_CALL_MAX:
            return json_response(400, {"error": "too many sportsbooks"})
        sport = request.path.removeprefix(STREAM)
        session = EventSession(self._desk, sport, request.texts("league"), books, self._left)
        self.sessions.append(session)
        self._desk.listeners.append(session)
        return EventAnswer(200, agent=session, idle=session.ping)

    def _left(self, session: EventSession) -> None:
        self.sessions = [one for one in self.sessions if one is not session]
        self._desk.listeners = [one for one in self._desk.listeners if one is not session]

    def _fixtures(self, request: Request) -> Response:
        now_ms = self._desk.clock.wall_ms()
        leagues = request.texts("league")
        rows = [
            _fixture(game, now_ms)
            for game in self._desk.games.values()
            if game.league.key in leagues and now_ms < game.end_ms
        ]
        return json_response(200, {"data": rows, "page": 1, "total_pages": 1})

    def _odds(self, request: Request) -> Response:
        books = request.texts("sportsbook")
        if len(books) > BOOKS_PER_CALL_MAX:
            return json_response(400, {"error": "too many sportsbooks"})
        wanted = request.texts("fixture_id")
        now_ms = self._desk.clock.wall_ms()
        rows = []
        for game in self._desk.games.values():
            if fixture_id(game) in wanted:
                lines = self._desk.lines(game.game_id)
                odds = [
                    {**row, "market": "moneyline"}
                    for book in books
                    for row in _rows_of(game, book, lines, now_ms)
                ]
                rows.append({**_fixture(game, now_ms), "odds": odds})
        return json_response(200, {"data": rows, "page": 1, "total_pages": 1})


class EventSession:
    """Sends one client the changes of its sport, leagues and books."""

    def __init__(
        self,
        desk: OddsDesk,
        sport: str,
        leagues: list[str],
        books: list[str],
        on_end: Callable[[EventSession], None],
    ) -> None:
        self.outbox = Outbox(_OUTBOX_EVENTS_MAX)
        self._desk = desk
        self._sport = sport
        self._leagues = leagues
        self._books = books
        self._on_end = on_end
        self._numbers = itertools.count()
        self._told: dict[tuple[object, str, str], object] = {}
        self.outbox.put(_event("connected", "ok go"))

    def __repr__(self) -> str:
        return f"EventSession({self._sport}, {self.outbox!r})"

    def received(self, text: str) -> None:
        """Ignore what a client says: it has no commands."""

    def ended(self) -> None:
        """Leave the desk's listeners."""
        self._on_end(self)

    def ping(self) -> str:
        """Return the sign of life that comes where nothing else does."""
        if self._desk.conditions.silent:
            return ""
        return _event("ping", iso_seconds(self._desk.clock.wall_ms()))

    def changed(self, changes: list[Change]) -> None:
        """Send the changes of one moment, each book's by itself."""
        for change in changes:
            league = change.game.league.key
            wanted = _SPORTS.get(league) == self._sport and league in self._leagues
            if wanted and change.book in self._books and not self._desk.conditions.silent:
                self._send(change)

    def _send(self, change: Change) -> None:
        if self.outbox.full:
            self.outbox.close(0)
            return
        rng = self._desk.rng
        kind = "locked-odds" if change.kind in {"no_markets", "deleted"} else "odds"
        rows = self._news(_rows(change.game, change.book, change.line, change.at_ms), kind)
        if not rows:
            return
        if rng.random() < _OTHER_MARKET_SHARE:
            rows.append({**rows[0], "market": "1st Half Moneyline", "price": -105})
        entry = f"{change.at_ms}-{next(self._numbers)}"
        data = orjson.dumps({"data": rows, "entry_id": entry, "type": kind}).decode()
        text = _event(kind, data, entry)
        self.outbox.put(text)
        if rng.random() < _TWICE_SHARE:
            self.outbox.put(text)

    def _news(self, rows: list[Json], kind: str) -> list[Json]:
        """Return the rows whose price differs from what was told last, all that are locked."""
        news = []
        for row in rows:
            key = row["fixture_id"], str(row["sportsbook"]), str(row["name"])
            price = None if kind == "locked-odds" else row["price"]
            if price is None or self._told.get(key) != price:
                news.append(row)
            self._told[key] = price
        return news


def _event(kind: str, data: str, entry: str = "") -> str:
    number = f"id: {entry}\n" if entry else ""
    return f"event: {kind}\n{number}retry: 5000\ndata: {data}\n\n"


def _fixture(game: Game, now_ms: int) -> Json:
    return {
        "id": fixture_id(game),
        "home_team_display": game.home.name,
        "away_team_display": game.away.name,
        "start_date": iso(game.start_ms),
        "status": "unplayed" if now_ms < game.start_ms else "live",
    }


def _rows_of(game: Game, book: str, lines: dict[str, Line], now_ms: int) -> list[Json]:
    if book in lines:
        return _rows(game, book, lines[book], now_ms)
    if book != EXCHANGE or not lines:
        return []
    # The exchange is one more book here, whose prices name the market that they are of.
    rows = _rows(game, book, next(iter(lines.values())), now_ms)
    for row, ticker in zip(rows, (game.home_ticker, game.away_ticker), strict=True):
        row["source_ids"] = {"market_id": ticker}
    return rows


def _rows(game: Game, book: str, line: Line, now_ms: int) -> list[Json]:
    return [
        _row(game, book, team, american(odds), line.made_ms, now_ms)
        for team, odds in ((game.home.name, line.home), (game.away.name, line.away))
    ]


def _row(game: Game, book: str, team: str, price: int, made_ms: int, now_ms: int) -> Json:
    slug = team.lower().replace(" ", "_")
    return {
        "deep_link": None,
        "fixture_id": fixture_id(game),
        "game_id": f"{game.game_id}-1",
        "grouping_key": "default",
        "id": f"{game.game_id}-1:{book.lower()}:moneyline:{slug}",
        "is_live": now_ms >= game.start_ms,
        "is_main": True,
        "league": game.league.key,
        "limits": {"max_stake": 1000},
        "market": "Moneyline",
        "name": team,
        "player_id": "",
        "points": None,
        "price": price,
        "selection": team,
        "selection_line": "",
        "selection_points": None,
        "sport": _SPORTS[game.league.key],
        "sportsbook": book,
        "team_id": "",
        "timestamp": max(made_ms, 0) / 1000,
    }
