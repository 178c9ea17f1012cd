"""The REST interface as one function from request to response."""

from __future__ import annotations

import attrs

from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.venue import Venue
from arb.sim.rest.call import Call
from arb.sim.rest.limits import Buckets
from arb.sim.rest.routes import ROUTES, Handle
from arb.sim.rest.spoiling import too_many
from arb.sim.serving.http import Request, Response, Route, Router, json_response
from arb.sim.signatures import KeyRing
from arb.sim.timing import MS_PER_S

PREFIX = "/trade-api/v2"


class RestApp:
    """Answers requests for one exchange; ``enforce_limits`` turns the token buckets on."""

    def __init__(self, venue: Venue, keys: KeyRing, *, enforce_limits: bool = False) -> None:
        self._venue = venue
        self._keys = keys
        self._enforce_limits = enforce_limits
        self._router: Router[Handle] = Router(ROUTES)
        self._buckets: dict[str, Buckets] = {}
        self._cache: dict[object, tuple[int, Response]] = {}

    def __repr__(self) -> str:
        return f"RestApp({self._router!r}, {self._venue!r})"

    def __call__(self, request: Request) -> Response:
        """Return the response to a request; never raises for what a client sends."""
        conditions = self._venue.conditions
        if conditions.rest_status is not None:
            conditions.struck("rest_status")
            page = b"<html><body><h1>unavailable</h1></body></html>"
            return Response(conditions.rest_status, page, content_type="text/html")
        if conditions.holds("answer_429"):
            return too_many()
        response = self._cached(request) if conditions.public_cache_s else self._found(request)
        if conditions.holds("rest_delay_s"):
            return attrs.evolve(response, delay_s=response.delay_s + conditions.rest_delay_s)
        return response

    def _cached(self, request: Request) -> Response:
        """Answer a public read of the last seconds again as it was, as a content network does."""
        signed = "kalshi-access-key" in request.headers
        if signed or request.method != "GET":
            return self._found(request)
        now_ms = self._venue.clock.wall_ms()
        key = (request.path, tuple((name, *texts) for name, texts in request.query.items()))
        until_ms, response = self._cache.get(key, (0, None))
        if response is None or now_ms >= until_ms:
            response = self._found(request)
            until_ms = now_ms + round(self._venue.conditions.public_cache_s * MS_PER_S)
            self._cache[key] = (until_ms, response)
        return response

    def _found(self, request: Request) -> Response:
        found = self._router.find(request.method, request.path.removeprefix(PREFIX))
        if found is None or not request.path.startswith(PREFIX):
            return Response(404, b"404 page not found\n", content_type="text/plain")
        try:
            return self._answer(request, *found)
        except Refused as refused:
            return json_response(refused.refusal.status, refused.refusal.body())

    def _answer(self, request: Request, route: Route[Handle], params: dict[str, str]) -> Response:
        if route.public:
            return route.handle(Call(request, params, self._venue))
        now_ms = self._venue.clock.wall_ms()
        theirs_ms = now_ms + self._venue.conditions.clock_ahead_ms
        name = self._keys.account_of(request.headers, request.method, request.path, theirs_ms)
        if self._enforce_limits and not self._within_limits(name, request, route, now_ms):
            return too_many()
        return route.handle(Call(request, params, self._venue, self._venue.accounts[name]))

    def _within_limits(
        self, name: str, request: Request, route: Route[Handle], now_ms: int
    ) -> bool:
        if name not in self._buckets:
            self._buckets[name] = Buckets.full(self._venue.accounts[name].tier, now_ms)
        return self._buckets[name].take(request, route.pattern, now_ms)
