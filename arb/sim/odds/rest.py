"""The odds provider's REST interface."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from arb.sim.odds.desk import OddsDesk
from arb.sim.odds.shapes import event_body, odds_body, status_of
from arb.sim.serving.http import Request, Response, Route, Router, json_response
from arb.sim.timing import MS_PER_HOUR, iso_seconds, wall_ms_from_iso
from arb.sim.world.games import Game
from arb.sim.world.leagues import LEAGUES

PREFIX = "/v3"
EVENTS_PER_CALL_MAX = 10
BOOKMAKERS_MAX = 30
# Documented for all plans since April 2026.
REQUESTS_PER_HOUR = 5_000


class BadRequest(Exception):
    """Raised where a request is refused; carries status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@attrs.define
class Allowance:
    """One key's requests within the hour."""

    used: int = 0
    until_ms: int = 0

    def take(self, now_ms: int) -> bool:
        """Count a request; returns whether it was still allowed."""
        if now_ms >= self.until_ms:
            self.used, self.until_ms = 0, now_ms + MS_PER_HOUR
        self.used += 1
        return self.used <= REQUESTS_PER_HOUR


@attrs.frozen
class Ask:
    """One request with what its path captured."""

    desk: OddsDesk
    request: Request
    params: dict[str, str]


Handle = Callable[[Ask], Response]


def sports(_ask: Ask) -> Response:
    """``GET /sports``."""
    found = [{"name": league.sport_name, "slug": league.sport_slug} for league in LEAGUES]
    return json_response(200, found)


def leagues(ask: Ask) -> Response:
    """``GET /leagues?sport=``."""
    sport = _required(ask.request, "sport")
    found = [
        {
            "name": league.key,
            "slug": league.league_slug,
            "eventsCount": sum(game.league is league for game in ask.desk.games.values()),
        }
        for league in LEAGUES
        if league.sport_slug == sport
    ]
    return json_response(200, found)


def events(ask: Ask) -> Response:
    """``GET /events?sport=``, with the filters that clients use."""
    sport, league = _required(ask.request, "sport"), ask.request.text("league")
    statuses = ask.request.texts("status")
    now_ms = ask.desk.clock.wall_ms()
    first_ms, last_ms = _moment(ask.request, "from"), _moment(ask.request, "to")
    found = [
        event_body(game, now_ms)
        for game in ask.desk.games.values()
        if game.league.sport_slug == sport
        and league in ("", game.league.league_slug)
        and (not statuses or status_of(game, now_ms) in statuses)
        and (first_ms is None or game.start_ms >= first_ms)
        and (last_ms is None or game.start_ms <= last_ms)
    ]
    skip, limit = _number(ask.request, "skip", 0), _number(ask.request, "limit", len(found))
    return json_response(200, found[skip : skip + limit])


def event(ask: Ask) -> Response:
    """``GET /events/{event_id}``."""
    return json_response(
        200, event_body(_game(ask.desk, ask.params["event_id"]), ask.desk.clock.wall_ms())
    )


def odds(ask: Ask) -> Response:
    """``GET /odds?eventId=&bookmakers=``."""
    game = _game(ask.desk, _required(ask.request, "eventId"))
    return json_response(200, odds_body(ask.desk, game, _books(ask.desk, ask.request)))


def odds_multi(ask: Ask) -> Response:
    """``GET /odds/multi?eventIds=&bookmakers=``: up to ten events as one call."""
    ids = ask.request.texts("eventIds")
    if not 1 <= len(ids) <= EVENTS_PER_CALL_MAX:
        raise BadRequest(400, "eventIds is required. Maximum 10 allowed.")
    games = [
        ask.desk.games[int(one)] for one in ids if one.isdecimal() and int(one) in ask.desk.games
    ]
    books = _books(ask.desk, ask.request)
    bodies = [odds_body(ask.desk, game, books) for game in games]
    if ask.request.text("includeSeq") == "true":
        return json_response(200, bodies, X_OddsAPI_Seq=str(ask.desk.seq))
    return json_response(200, bodies)


def bookmakers(ask: Ask) -> Response:
    """``GET /bookmakers``."""
    return json_response(200, [{"name": book, "active": True} for book in ask.desk.books])


def selected(ask: Ask) -> Response:
    """``GET /bookmakers/selected``: what the stream carries."""
    return json_response(200, {"bookmakers": list(ask.desk.books)})


_ROUTES: list[Route[Handle]] = [
    Route("GET", "/sports", sports),
    Route("GET", "/leagues", leagues),
    Route("GET", "/events", events),
    Route("GET", "/events/{event_id}", event),
    Route("GET", "/odds", odds),
    Route("GET", "/odds/multi", odds_multi),
    Route("GET", "/bookmakers", bookmakers),
    Route("GET", "/bookmakers/selected", selected),
]


class OddsRest:
    """Answers requests that carry the one key it knows."""

    def __init__(self, desk: OddsDesk, api_key: str) -> None:
        self._desk = desk
        self._api_key = api_key
        self._allowance = Allowance()
        self._router: Router[Handle] = Router(_ROUTES)

    def __repr__(self) -> str:
        return f"OddsRest({self._router!r}, used={self._allowance.used})"

    def __call__(self, request: Request) -> Response:
        """Return the response to a request; never raises for what a client sends."""
        status = self._desk.conditions.rest_status
        if status is not None:
            self._desk.conditions.struck("rest_status")
            return Response(status, b"<html>unavailable</html>", content_type="text/html")
        found = self._router.find(request.method, request.path.removeprefix(PREFIX))
        if found is None or not request.path.startswith(PREFIX):
            return json_response(404, {"error": "Not found"})
        if request.text("apiKey") != self._api_key:
            return json_response(401, {"error": "Invalid API key"})
        if not self._allowance.take(self._desk.clock.wall_ms()):
            return json_response(429, {"error": "Rate limit exceeded"})
        route, params = found
        try:
            response = route.handle(Ask(self._desk, request, params))
        except BadRequest as bad:
            response = json_response(bad.status, {"error": str(bad)})
        return attrs.evolve(response, headers=response.headers + self._limit_headers())

    def _limit_headers(self) -> tuple[tuple[str, str], ...]:
        left = max(REQUESTS_PER_HOUR - self._allowance.used, 0)
        return (
            ("x-ratelimit-limit", str(REQUESTS_PER_HOUR)),
            ("x-ratelimit-remaining", str(left)),
            ("x-ratelimit-reset", iso_seconds(self._allowance.until_ms)),
        )


def _required(request: Request, name: str) -> str:
    text = request.text(name)
    if not text:
        raise BadRequest(400, f"Missing required parameter: {name}")
    return text


def _number(request: Request, name: str, default: int) -> int:
    text = request.text(name)
    if text and not text.isdecimal():
        raise BadRequest(400, f"Invalid {name}")
    return int(text) if text else default


def _moment(request: Request, name: str) -> int | None:
    text = request.text(name)
    try:
        return wall_ms_from_iso(text) if text else None
    except ValueError:
        raise BadRequest(400, f"Invalid {name}. Use RFC3339") from None


def _game(desk: OddsDesk, text: str) -> Game:
    game = desk.games.get(int(text)) if text.isdecimal() else None
    if game is None:
        raise BadRequest(404, "Event not found")
    return game


def _books(desk: OddsDesk, request: Request) -> list[str]:
    books = request.texts("bookmakers") or desk.books
    if len(books) > BOOKMAKERS_MAX:
        raise BadRequest(400, "Too many bookmakers. Maximum 30 allowed.")
    return books
