"""A provider in the manner of Unabated: a snapshot, AppSync's GraphQL socket, a query for gaps.

With its oddities: a line is one side, known by an id that only the snapshot explains; lines of
other markets come in between, and now and then one comes again; a gap is filled for a minute back.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

import orjson

from arb.sim.odds.american import american
from arb.sim.odds.desk import Change, OddsDesk
from arb.sim.serving.http import Request, Response, json_response
from arb.sim.serving.socket import Agent, Outbox
from arb.sim.timing import iso
from arb.sim.world.games import Game
from arb.sim.world.sportsbooks import Line

Json = dict[str, object]

LEAGUE_IDS = {"NFL": 1, "NBA": 3, "MLB": 5, "NHL": 6}
SOCKET_PATH = "/graphql/realtime"
GAP_MS_MAX = 60_000
_OUTBOX_FRAMES_MAX = 5_000
_AGAIN_SHARE = 0.05
_OTHER_SHARE = 0.2
_FIRST_TEAM_ID = 4_000
_FIRST_SOURCE_ID = 90
_LEAGUES = re.compile(r"leagueIds: \[([0-9,]*)\]")
_SINCE = re.compile(r"since: ([0-9]+)")


class UnabatedProvider:
    """Answers requests that carry the one key it knows."""

    prefix = ("/market/", "/team/", "/graphql")

    def __init__(self, desk: OddsDesk, api_key: str) -> None:
        self._desk = desk
        self._api_key = api_key
        self.sessions: list[LineSession] = []
        self._recent: deque[tuple[int, int, Json]] = deque()
        self._sequences: dict[int, int] = {}
        self._sequence = 1
        self._in_use = False

    def __repr__(self) -> str:
        return f"UnabatedProvider({len(self.sessions)} subscriptions)"

    def answer(self, request: Request) -> Response:
        """Return the response to a request; never raises for what a client sends."""
        if not self._in_use:
            # Nothing is numbered or kept for a provider that nobody speaks to.
            self._in_use = True
            self._desk.listeners.append(self)
        if request.path == "/graphql" and request.method == "POST":
            return self._gap(request)
        if request.headers.get("x-api-key") != self._api_key:
            return json_response(401, {"message": "Invalid API key."})
        _, kind, league, *rest = request.path.split("/")
        if kind == "team":
            return json_response(200, {"data": self._teams(league.upper())})
        if rest == ["straight", "sources"]:
            rows = [{"id": self._source(b), "name": b, "isActive": True} for b in self._desk.books]
            return json_response(200, {"data": rows})
        if rest == ["straight", "odds"] and league.upper() in LEAGUE_IDS:
            odds = {league: self._league(league.upper())}
            data = {"odds": odds, "lastUpdated": self._desk.clock.wall_ms()}
            return json_response(200, {"data": data})
        return json_response(404, {"message": "Not found"})

    def admit(self, request: Request) -> Agent | Response:
        """Return a session, which must still say what it wants."""
        status = self._desk.conditions.refuse_upgrades
        if status is not None:
            return json_response(status, {"message": "Too many requests"})
        if request.path != SOCKET_PATH or not request.text("header"):
            return json_response(400, {"message": "Bad request"})
        session = LineSession(self._api_key, self._left)
        self.sessions.append(session)
        if self._desk.conditions.throttle:
            session.outbox.close(1013, "try again later")
        return session

    def inject(self, text: str) -> None:
        """Send a text as it is to every client."""
        for session in self.sessions:
            session.outbox.put(text)

    def throttle(self) -> None:
        """End every subscription; the condition ends those that come."""
        for session in self.sessions:
            session.outbox.close(1013, "try again later")

    def changed(self, changes: list[Change]) -> None:
        """Number the changed lines, keep them for a minute and send them on."""
        for change in changes:
            rows = self._lines_of(change)
            league = LEAGUE_IDS[change.game.league.key]
            self._recent += [(change.at_ms, league, row) for row in rows]
            if self._desk.rng.random() < _OTHER_SHARE:
                rows.append({**rows[0], "marketLineId": 7, "points": -1.5})
            again = self._desk.rng.random() < _AGAIN_SHARE
            if not self._desk.conditions.silent:
                for session in self.sessions:
                    session.tell(league, rows * 2 if again else rows, change.at_ms)
        oldest_ms = self._desk.clock.wall_ms() - GAP_MS_MAX
        while self._recent and self._recent[0][0] < oldest_ms:
            self._recent.popleft()

    def _lines_of(self, change: Change) -> list[Json]:
        offered = change.kind not in {"no_markets", "deleted"}
        rows = []
        for side in (0, 1):
            self._sequence += 1
            self._sequences[self._line_id(change.game, change.book, side)] = self._sequence
            rows.append(self._line(change.game, change.book, side, change.line, offered=offered))
        return rows

    def _line(self, game: Game, book: str, side: int, line: Line, *, offered: bool) -> Json:
        number = self._line_id(game, book, side)
        return {
            "marketId": game.game_id,
            "marketLineId": number,
            "marketSourceId": self._source(book),
            "points": None,
            "price": american(line.home if side else line.away),
            "statusId": 1 if offered else 2,
            "sequenceNumber": self._sequences.get(number, 1),
            "disabled": False,
            "marketLineKey": f"{game.league.key.lower()}.periodTypes.game.x",
            "modifiedOn": iso(max(line.made_ms, 0)),
        }

    def _league(self, league: str) -> Json:
        now_ms = self._desk.clock.wall_ms()
        states: dict[str, Json] = {"pregame": {}, "live": {}}
        for game in self._desk.games.values():
            if game.league.key == league and now_ms < game.end_ms:
                state = "pregame" if now_ms < game.start_ms else "live"
                key = f"eid{game.game_id}:bt1:bst0:pt1:{state}"
                states[state][key] = self._market(game, live=state == "live")
        game_type: Json = {"periodTypeId": 1, **states}
        return {"leagueId": LEAGUE_IDS[league], "periodTypes": {"game": game_type}}

    def _market(self, game: Game, *, live: bool) -> Json:
        lines = self._desk.lines(game.game_id)
        teams = {0: self._team_id(game, 0), 1: self._team_id(game, 1)}
        sides = {
            f"si{side}:tid{team}": {
                "sideIndex": side,
                "teamId": team,
                "marketSourceLines": {
                    str(self._source(book)): self._line(game, book, side, line, offered=True)
                    for book, line in lines.items()
                },
            }
            for side, team in teams.items()
        }
        return {
            "eventId": game.game_id,
            "isLive": live,
            "eventStart": iso(game.start_ms),
            "statusId": 2 if live else 1,
            "betTypeId": 1,
            "eventTeams": {str(s): {"teamId": t, "sideIndex": s} for s, t in teams.items()},
            "sides": sides,
        }

    def _teams(self, league: str) -> list[Json]:
        games = [game for game in self._desk.games.values() if game.league.key == league]
        return [
            {"id": self._team_id(game, side), "name": (game.away, game.home)[side].name}
            for game in games
            for side in (0, 1)
        ]

    def _team_id(self, game: Game, side: int) -> int:
        teams = list(game.league.teams)
        place = teams.index((game.away, game.home)[side])
        return _FIRST_TEAM_ID + 100 * LEAGUE_IDS[game.league.key] + place

    def _source(self, book: str) -> int:
        return _FIRST_SOURCE_ID + self._desk.books.index(book)

    def _line_id(self, game: Game, book: str, side: int) -> int:
        return (game.game_id * 1_000 + self._source(book)) * 2 + side

    def _gap(self, request: Request) -> Response:
        if request.headers.get("authorization") != self._api_key:
            return json_response(401, {"errors": [{"message": "Unauthorized"}]})
        query = str(orjson.loads(request.body).get("query", ""))
        since = _SINCE.search(query)
        leagues = _wanted(query)
        if self._desk.conditions.forget_resume:
            return json_response(200, {"data": {"marketLineUpdates": []}})
        since_ms = max(int(since[1]) if since else 0, self._desk.clock.wall_ms() - GAP_MS_MAX)
        updates = [
            _update(league, [row], at_ms)
            for at_ms, league, row in self._recent
            if at_ms >= since_ms and league in leagues
        ]
        return json_response(200, {"data": {"marketLineUpdates": updates}})

    def _left(self, session: LineSession) -> None:
        self.sessions = [one for one in self.sessions if one is not session]


class LineSession:
    """One client of the socket: greeted, subscribed, told of lines."""

    def __init__(self, api_key: str, on_end: Callable[[LineSession], None]) -> None:
        self.outbox = Outbox(_OUTBOX_FRAMES_MAX)
        self._api_key = api_key
        self._on_end = on_end
        self._leagues: frozenset[int] = frozenset()
        self._id: object = None

    def __repr__(self) -> str:
        return f"LineSession({sorted(self._leagues)}, {self.outbox!r})"

    def received(self, text: str) -> None:
        """Answer a greeting and a subscription; anything else is an error."""
        message = orjson.loads(text)
        kind = message.get("type")
        if kind == "connection_init":
            self._put({"type": "connection_ack", "payload": {"connectionTimeoutMs": 300_000}})
            self._put({"type": "ka"})
        elif kind == "start" and self._may(message):
            self._id = message["id"]
            query = orjson.loads(message["payload"]["data"])["query"]
            self._leagues = _wanted(query)
            self._put({"type": "start_ack", "id": self._id})
        else:
            self._put({"type": "error", "payload": {"errors": [{"message": "Unauthorized"}]}})

    def ended(self) -> None:
        """Leave the provider's sessions."""
        self._on_end(self)

    def tell(self, league: int, rows: list[Json], at_ms: int) -> None:
        """Send changed lines of a league that was subscribed to."""
        if league in self._leagues:
            data = {"marketLineUpdate": _update(league, rows, at_ms)}
            self._put({"type": "data", "id": self._id, "payload": {"data": data}})

    def _may(self, message: Json) -> bool:
        payload = message.get("payload")
        extensions = payload.get("extensions", {}) if isinstance(payload, dict) else {}
        given = extensions.get("authorization", {}).get("Authorization")
        return bool(given == self._api_key)

    def _put(self, message: Json) -> None:
        if self.outbox.full:
            self.outbox.close(1013, "try again later")
        else:
            self.outbox.put(orjson.dumps(message).decode())


def _wanted(query: str) -> frozenset[int]:
    found = _LEAGUES.search(query)
    return frozenset(int(each) for each in found[1].split(",") if each) if found else frozenset()


def _update(league: int, rows: list[Json], at_ms: int) -> Json:
    return {
        "leagueId": league,
        "marketSourceGroup": "STANDARD",
        "messageTimestamp": at_ms // 1_000,
        "marketLines": rows,
    }
