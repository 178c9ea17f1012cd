"""A provider in the manner of The Odds API: polled, cached, and paid for in credits.

With its oddities: outcomes are named by team and come in any order, prices are renewed more rarely
than they are asked for, and now and then a book stands at a price that no book would take.
"""

from __future__ import annotations

import attrs

from arb.sim.odds.desk import OddsDesk
from arb.sim.serving.http import Request, Response, json_response
from arb.sim.serving.socket import Agent
from arb.sim.timing import iso_seconds
from arb.sim.world.games import Game
from arb.sim.world.sportsbooks import Line

Json = dict[str, object]

PREFIX = "/v4"
SPORTS = {
    "americanfootball_nfl": "NFL",
    "basketball_nba": "NBA",
    "baseball_mlb": "MLB",
    "icehockey_nhl": "NHL",
}
# The real one renews its prices after most of a minute; a world in which nobody could trade on
# them would show less.
RENEWED_MS = 1_500
_EXTREME_SHARE = 0.01
_EXTREME = {"home": 1.001, "away": 24.0}


class TheOddsApiProvider:
    """Answers requests that carry the one key it knows, as long as there are credits."""

    prefix = PREFIX

    def __init__(self, desk: OddsDesk, api_key: str, credits_left: int = 10_000_000) -> None:
        self._desk = desk
        self._api_key = api_key
        self.credits_left = credits_left
        self.credits_used = 0
        self._cache: dict[str, tuple[int, Response]] = {}
        self._injected: list[bytes] = []

    def __repr__(self) -> str:
        return f"TheOddsApiProvider({self.credits_left} credits left)"

    def answer(self, request: Request) -> Response:
        """Return the response to a request; never raises for what a client sends."""
        if request.text("apiKey") != self._api_key:
            return json_response(401, {"message": "API key is not valid"})
        sport = request.path.removeprefix(f"{PREFIX}/sports/").removesuffix("/odds")
        if sport not in SPORTS or not request.path.endswith("/odds"):
            return json_response(404, {"message": "Unknown sport"})
        if self._injected:
            return Response(200, self._injected.pop(0))
        if self._desk.conditions.throttle:
            return json_response(429, {"message": "Requests are throttled"})
        cost = len(request.texts("markets")) * len(request.texts("regions"))
        if cost == 0:
            return json_response(422, {"message": "Missing regions or markets"})
        if cost > self.credits_left:
            return json_response(401, {"message": "Usage quota has been reached"})
        self.credits_left -= cost
        self.credits_used += cost
        left = (
            ("x-requests-remaining", str(self.credits_left)),
            ("x-requests-used", str(self.credits_used)),
        )
        return attrs.evolve(self._cached(sport), headers=left)

    def admit(self, request: Request) -> Agent | Response:
        """Refuse: there is no WebSocket here."""
        return json_response(404, {"message": "Not found"})

    def inject(self, text: str) -> None:
        """Answer the next request with a text as it is."""
        self._injected.append(text.encode())

    def throttle(self) -> None:
        """Do nothing: there is no stream to end, and the condition refuses requests."""

    def _cached(self, sport: str) -> Response:
        now_ms = self._desk.clock.wall_ms()
        conditions = self._desk.conditions
        until_ms, response = self._cache.get(sport, (0, None))
        still = conditions.freeze or now_ms < until_ms
        if response is None or not still:
            games = [
                self._game(game, sport, now_ms)
                for game in self._desk.games.values()
                if game.league.key == SPORTS[sport] and now_ms < game.end_ms
            ]
            response = json_response(200, games)
            self._cache[sport] = now_ms + RENEWED_MS, response
        return response

    def _game(self, game: Game, sport: str, now_ms: int) -> Json:
        lines = self._desk.lines(game.game_id)
        return {
            "id": f"{game.game_id:032x}",
            "sport_key": sport,
            "sport_title": game.league.key,
            "commence_time": iso_seconds(game.start_ms),
            "home_team": game.home.name,
            "away_team": game.away.name,
            "bookmakers": [self._book(game, book, line, now_ms) for book, line in lines.items()],
        }

    def _book(self, game: Game, book: str, line: Line, now_ms: int) -> Json:
        rng = self._desk.rng
        prices = {"home": float(line.home), "away": float(line.away)}
        if now_ms >= game.start_ms and rng.random() < _EXTREME_SHARE:
            prices = _EXTREME
        outcomes = [
            {"name": game.home.name, "price": prices["home"]},
            {"name": game.away.name, "price": prices["away"]},
        ]
        rng.shuffle(outcomes)
        stamp = iso_seconds(line.made_ms)
        market = {"key": "h2h", "last_update": stamp, "outcomes": outcomes}
        return {
            "key": book.lower(),
            "title": book,
            "last_update": iso_seconds(now_ms),
            "markets": [market],
        }
