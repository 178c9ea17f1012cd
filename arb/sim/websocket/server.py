"""The exchange behind one listener: REST and WebSocket on any stream."""

from __future__ import annotations

import random
from email.utils import format_datetime

import attrs
import trio

from arb.sim.exchange.refusals import Refused
from arb.sim.exchange.venue import Venue
from arb.sim.rest.app import RestApp
from arb.sim.serving.connection import serve_connection
from arb.sim.serving.freezing import Freezing
from arb.sim.serving.http import Request, Response, json_response
from arb.sim.serving.live import LiveConnections
from arb.sim.serving.socket import Agent, serve_socket
from arb.sim.signatures import KeyRing
from arb.sim.timing import utc
from arb.sim.websocket.commands import obey
from arb.sim.websocket.session import OUTBOX_FRAMES_MAX, Session

SOCKET_PATH = "/trade-api/ws/v2"
_PING = b"heartbeat"
# What the first connect after a reset was recorded to get.
_BAD_GATEWAY = 502


class ClientSession(Session):
    """A session that also takes its client's commands."""

    def received(self, text: str) -> None:
        """Carry out a command."""
        obey(self, text)


class ExchangeServer:
    """Serves one exchange; ``outbox_limit`` is how far a reader may fall behind, in frames."""

    def __init__(
        self,
        venue: Venue,
        keys: KeyRing,
        *,
        enforce_limits: bool = False,
        outbox_limit: int = OUTBOX_FRAMES_MAX,
    ) -> None:
        self.venue = venue
        self.keys = keys
        self.rest = RestApp(venue, keys, enforce_limits=enforce_limits)
        self.sessions: list[ClientSession] = []
        self._outbox_limit = outbox_limit
        self._refuse_next = False
        # Its own source: how long connections live must not change the ids that are drawn.
        self._rng = random.Random("connections")
        self._live = LiveConnections()

    def __repr__(self) -> str:
        return f"ExchangeServer({len(self._live)} connections, {len(self.sessions)} sockets)"

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end."""
        with self._live.one():
            await serve_connection(stream, self._dated, self._serve_socket)

    def cut_connections(self) -> int:
        """Break every open connection, as a restart of the exchange would; return how many."""
        return self._live.cut()

    def inject_frame(self, text: str) -> None:
        """Send a frame as it is to every client."""
        for session in self.sessions:
            session.outbox.put(text)

    def _dated(self, request: Request) -> Response:
        response = self.rest(request)
        ahead_ms = self.venue.conditions.clock_ahead_ms
        now = utc(self.venue.clock.wall_ms() + ahead_ms)
        date = format_datetime(now, usegmt=True)
        return attrs.evolve(response, headers=(*response.headers, ("date", date)))

    async def _serve_socket(self, stream: trio.abc.Stream) -> None:
        conditions = self.venue.conditions
        freezing = Freezing(stream, lambda: conditions.holds("freeze_sockets"))
        with trio.CancelScope() as life:
            if conditions.socket_life_s is not None:
                life.deadline = trio.current_time() + self._life_s(conditions.socket_life_s)
            await serve_socket(
                freezing,
                self._admit,
                ping=_PING,
                stalled=lambda: conditions.holds("stall_sockets"),
            )
        if life.cancelled_caught:
            self._refuse_next = True

    def _life_s(self, mean_s: float) -> float:
        return self._rng.uniform(mean_s / 2, mean_s * 3 / 2)

    def _admit(self, request: Request) -> Agent | Response:
        conditions = self.venue.conditions
        status = conditions.refuse_upgrades if conditions.holds("refuse_upgrades") else None
        if self._refuse_next and conditions.socket_life_s is not None:
            status = _BAD_GATEWAY
        self._refuse_next = False
        if status is not None:
            return Response(status, b"unavailable", content_type="text/plain")
        if request.path != SOCKET_PATH:
            return Response(404, b"404 page not found\n", content_type="text/plain")
        try:
            now_ms = self.venue.clock.wall_ms() + conditions.clock_ahead_ms
            name = self.keys.account_of(request.headers, "GET", request.path, now_ms)
        except Refused as refused:
            return json_response(refused.refusal.status, refused.refusal.body())
        session = ClientSession(
            self.venue, self.venue.accounts[name], self._left, limit=self._outbox_limit
        )
        self.sessions.append(session)
        self.venue.listeners.append(session)
        return session

    def _left(self, session: Session) -> None:
        self.venue.listeners.remove(session)
        self.sessions = [one for one in self.sessions if one is not session]
