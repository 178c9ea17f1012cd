"""The odds provider behind one listener: REST and WebSocket on any stream."""

from __future__ import annotations

import trio

from arb.sim.odds.desk import OddsDesk
from arb.sim.odds.opticodds import OpticOddsProvider
from arb.sim.odds.providers import Provider
from arb.sim.odds.rest import OddsRest
from arb.sim.odds.stream import TRY_AGAIN_LATER, BadFilter, Filters, OddsSession
from arb.sim.odds.the_odds_api import TheOddsApiProvider
from arb.sim.odds.unabated import UnabatedProvider
from arb.sim.serving.connection import serve_connection
from arb.sim.serving.http import Request, Response, json_response
from arb.sim.serving.live import LiveConnections
from arb.sim.serving.socket import Agent, serve_socket

SOCKET_PATH = "/v3/ws"
REPLACED = 1000


class OddsServer:
    """Serves the desk's odds to the holder of one key, one stream at a time.

    ``with_seq`` adds the sequence numbers that the newer contract has and some accounts lack.
    """

    def __init__(self, desk: OddsDesk, api_key: str, *, with_seq: bool = True) -> None:
        self.desk = desk
        self.rest = OddsRest(desk, api_key)
        self.sessions: list[OddsSession] = []
        self._api_key = api_key
        self._with_seq = with_seq
        self._live = LiveConnections()
        self.others: tuple[Provider, ...] = (
            OpticOddsProvider(desk, api_key),
            TheOddsApiProvider(desk, api_key),
            UnabatedProvider(desk, api_key),
        )

    def __repr__(self) -> str:
        return f"OddsServer({len(self._live)} connections, {len(self.sessions)} streams)"

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end."""
        with self._live.one():
            await serve_connection(stream, self._answer, self._serve_socket)

    def cut_connections(self) -> int:
        """Break every open connection at once, and return how many there were."""
        return self._live.cut()

    def inject_frame(self, text: str) -> None:
        """Send a frame as it is to every client."""
        for session in self.sessions:
            session.outbox.put(text)
        for other in self.others:
            other.inject(text)

    def throttle(self) -> None:
        """Send everybody away, and whoever comes until the condition is lifted."""
        self.desk.conditions.throttle = True
        for session in self.sessions:
            session.outbox.close(TRY_AGAIN_LATER, "try again later")
        for other in self.others:
            other.throttle()

    def _other(self, path: str) -> Provider | None:
        return next((each for each in self.others if path.startswith(each.prefix)), None)

    def _answer(self, request: Request) -> Response:
        status = self.desk.conditions.rest_status
        other = self._other(request.path)
        if other is None or status is not None:
            return self.rest(request)
        return other.answer(request)

    async def _serve_socket(self, stream: trio.abc.Stream) -> None:
        await serve_socket(stream, self._admit)

    def _admit(self, request: Request) -> Agent | Response:
        status = self.desk.conditions.refuse_upgrades
        if status is not None:
            self.desk.conditions.struck("refuse_upgrades")
            return Response(status, b"unavailable", content_type="text/plain")
        other = self._other(request.path)
        if other is not None:
            return other.admit(request)
        if request.path != SOCKET_PATH:
            return json_response(404, {"error": "Not found"})
        if request.text("apiKey") != self._api_key:
            return json_response(401, {"error": "Invalid API key"})
        try:
            filters = Filters.read(request)
        except BadFilter as bad:
            return json_response(400, {"error": str(bad)})
        return self._session(request, filters)

    def _session(self, request: Request, filters: Filters) -> OddsSession:
        last = request.text("lastSeq")
        session = OddsSession(
            self.desk,
            filters,
            self._left,
            with_seq=self._with_seq,
            last_seq=int(last) if last.isdecimal() else None,
        )
        # One connection a key: the newer one closes the older, without a reason of its own.
        for older in self.sessions:
            older.outbox.close(REPLACED)
        if self.desk.conditions.throttle:
            session.outbox.close(TRY_AGAIN_LATER, "try again later")
        self.sessions.append(session)
        self.desk.listeners.append(session)
        return session

    def _left(self, session: OddsSession) -> None:
        self.sessions = [one for one in self.sessions if one is not session]
        self.desk.listeners = [one for one in self.desk.listeners if one is not session]
