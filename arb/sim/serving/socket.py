"""One WebSocket connection: admitted, written from a bounded outbox, pinged, and ended."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

import trio
from trio_websocket import (
    ConnectionClosed,
    HandshakeError,
    WebSocketConnection,
    WebSocketRequest,
    wrap_server_stream,
)
from wsproto.utilities import LocalProtocolError

from arb.sim.serving.http import Request, Response, make_request

HANDSHAKE_S = 10.0
CLOSE_S = 1.0
COMMAND_BYTES_MAX = 1_048_576
# While sockets are stalled the writer looks again this often.
_STALLED_POLL_S = 0.02


# What one peer can make trio-websocket raise. Its reader answers a ping that comes after our close
# has begun, which wsproto calls a local error.
_PEER_FAILURES = (
    ConnectionClosed,
    HandshakeError,
    LocalProtocolError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
)


class Outbox:
    """Frames on their way to one client; full at ``limit``, when the client reads too slowly."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.closing: tuple[int, str] | None = None
        self._frames: deque[str] = deque()
        self._held: list[tuple[float, int, str]] = []
        self._held_ever = 0
        self._wake = trio.Event()

    def __repr__(self) -> str:
        return f"Outbox({len(self._frames)}/{self.limit})"

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def full(self) -> bool:
        """Return whether no further frame may be put in."""
        return len(self._frames) >= self.limit

    def put(self, frame: str, delay_s: float = 0.0) -> None:
        """Add a frame, sent after a delay; whoever minds the limit looks at ``full`` before."""
        if delay_s:
            self._held_ever += 1
            heappush(self._held, (trio.current_time() + delay_s, self._held_ever, frame))
        else:
            self._frames.append(frame)
        self._wake.set()

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection once what is in here was sent."""
        self.closing = (code, reason)
        self._wake.set()

    async def take(self) -> str | None:
        """Return the next frame, or None when the connection is to be closed."""
        while True:
            if self._held:
                self._release(trio.current_time())
            if self._frames:
                return self._frames.popleft()
            if self.closing is not None:
                return None
            self._wake = trio.Event()
            with trio.move_on_at(self._held[0][0] if self._held else math.inf):
                await self._wake.wait()

    def _release(self, now: float) -> None:
        while self._held and self._held[0][0] <= now:
            self._frames.append(heappop(self._held)[2])


class Agent(Protocol):
    """Whoever answers on one admitted connection."""

    outbox: Outbox

    def received(self, text: str) -> None:
        """Take a message of the client."""

    def ended(self) -> None:
        """Take note that the connection is gone."""


Admit = Callable[[Request], Agent | Response]


async def serve_socket(
    stream: trio.abc.Stream,
    admit: Admit,
    *,
    ping: bytes | None = None,
    ping_every_s: float = 10.0,
    stalled: Callable[[], bool] = lambda: False,
) -> None:
    """Serve one WebSocket to its end.

    trio-websocket 0.12.2 can let a bare ``Cancelled`` or a protocol error escape from its reader,
    so each connection lives in a nursery of its own and whatever it raises ends only itself.
    """
    try:
        async with trio.open_nursery() as nursery:
            talk = await _shake_hands(nursery, stream, admit)
            if talk is None:
                nursery.cancel_scope.cancel()
            else:
                nursery.start_soon(_converse, *talk, nursery.cancel_scope, stalled)
                if ping is not None:
                    nursery.start_soon(_ping, talk[0], ping, ping_every_s, nursery.cancel_scope)
    except* _PEER_FAILURES:
        # The peer is gone, or never spoke WebSocket: this connection is over, nothing else is.
        pass


async def _shake_hands(
    nursery: trio.Nursery, stream: trio.abc.Stream, admit: Admit
) -> tuple[WebSocketConnection, Agent] | None:
    with trio.move_on_after(HANDSHAKE_S):
        request = await wrap_server_stream(nursery, stream, max_message_size=COMMAND_BYTES_MAX)
        agent = await _admit(request, admit)
        if agent is not None:
            # Whoever names a protocol is the client of a server that speaks it.
            spoken = next(iter(request.proposed_subprotocols), None)
            return await request.accept(subprotocol=spoken), agent
    return None


async def _admit(request: WebSocketRequest, admit: Admit) -> Agent | None:
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers}
    answer = admit(make_request("GET", request.path, headers, b""))
    if not isinstance(answer, Response):
        return answer
    extra = [("content-type", answer.content_type)]
    named = [(name.encode(), value.encode()) for name, value in extra]
    await request.reject(answer.status, extra_headers=named, body=answer.body or None)
    return None


async def _converse(
    socket: WebSocketConnection, agent: Agent, scope: trio.CancelScope, stalled: Callable[[], bool]
) -> None:
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_write, socket, agent.outbox, nursery.cancel_scope, stalled)
            await _read(socket, agent)
            # Where the close is ours, the writer still waits for the peer's own.
            patience_s = 0.0 if agent.outbox.closing is None else CLOSE_S
            nursery.cancel_scope.deadline = trio.current_time() + patience_s
    finally:
        agent.ended()
        scope.cancel()


async def _read(socket: WebSocketConnection, agent: Agent) -> None:
    while True:
        try:
            message = await socket.get_message()
        except ConnectionClosed:
            return
        agent.received(message if isinstance(message, str) else message.decode("utf-8", "replace"))


async def _write(
    socket: WebSocketConnection,
    outbox: Outbox,
    scope: trio.CancelScope,
    stalled: Callable[[], bool],
) -> None:
    try:
        while (frame := await outbox.take()) is not None:
            # A condition is a plain flag that anybody may set: there is nothing to wait on.
            while stalled():  # noqa: ASYNC110
                await trio.sleep(_STALLED_POLL_S)
            await socket.send_message(frame)
        code, reason = outbox.closing or (1000, "")
        with trio.move_on_after(CLOSE_S):
            await socket.aclose(code, reason)
    except ConnectionClosed:
        pass
    finally:
        scope.cancel()


async def _ping(
    socket: WebSocketConnection, payload: bytes, every_s: float, scope: trio.CancelScope
) -> None:
    while True:
        await trio.sleep(every_s)
        with trio.move_on_after(every_s) as patience:
            try:
                await socket.ping(payload)
            except ConnectionClosed:
                return
        if patience.cancelled_caught:
            scope.cancel()
            return
