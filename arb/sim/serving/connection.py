"""One connection of any kind of stream: HTTP/1.1 by h11, HTTP/2, or handed to a WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import h11
import trio

from arb.sim.serving.events import EventAnswer, serve_events
from arb.sim.serving.http import Handler, Request, Response, make_request, ready
from arb.sim.serving.http2 import PREFACE, Http2Connection

# A request head of the real clients is under 2 KiB; more is no request of theirs.
HEAD_BYTES_MAX = 65_536
BODY_BYTES_MAX = 4_194_304
_RECEIVE_BYTES = 65_536
_NO_CONTENT = 204
# Idle connections are kept well beyond the ten seconds between warming requests.
IDLE_S = 300.0

SocketHandler = Callable[[trio.abc.Stream], Awaitable[None]]


class Prefixed(trio.abc.Stream):
    """A stream whose first bytes were read already and are given back first."""

    def __init__(self, head: bytes, stream: trio.abc.Stream) -> None:
        self._head = head
        self._stream = stream

    def __repr__(self) -> str:
        return f"Prefixed({len(self._head)} bytes, {self._stream!r})"

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return the bytes read before, then those of the stream."""
        if self._head:
            await trio.lowlevel.checkpoint()
            size = len(self._head) if max_bytes is None else max_bytes
            head, self._head = self._head[:size], self._head[size:]
            return head
        return bytes(await self._stream.receive_some(max_bytes))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send through the stream."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait as the stream does."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()


async def serve_connection(stream: trio.abc.Stream, app: Handler, sockets: SocketHandler) -> None:
    """Serve one connection to its end; a peer that breaks off or talks nonsense only ends it."""
    try:
        head = await _read_head(stream)
        if b"upgrade: websocket" in head.lower():
            await sockets(Prefixed(head, stream))
        elif head.startswith(PREFACE):
            await Http2Connection(stream, app, IDLE_S).serve(head)
        elif head:
            await _serve_http(stream, head, app)
    except (trio.BrokenResourceError, trio.ClosedResourceError, h11.ProtocolError):
        return
    finally:
        await trio.aclose_forcefully(stream)


async def _read_head(stream: trio.abc.Stream) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES_MAX:
        with trio.move_on_after(IDLE_S) as scope:
            data = await stream.receive_some(_RECEIVE_BYTES)
        if scope.cancelled_caught or not data:
            return b""
        head += data
    return head


async def _serve_http(stream: trio.abc.Stream, head: bytes, app: Handler) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
    connection.receive_data(head)
    while True:
        request = await _next_request(stream, connection)
        if request is None:
            return
        response = await ready(app(request))
        if isinstance(response, EventAnswer):
            await serve_events(stream, connection, response)
            return
        if response.silent:
            await _until_closed(stream)
        if response.hang_up or response.silent:
            return
        data = _response_bytes(connection, response, request.method)
        await stream.send_all(data * 2 if response.twice else data)
        if connection.our_state is h11.MUST_CLOSE:
            return
        connection.start_next_cycle()


async def _until_closed(stream: trio.abc.Stream) -> None:
    with trio.move_on_after(IDLE_S):
        while await stream.receive_some(_RECEIVE_BYTES):
            pass


async def _next_request(stream: trio.abc.Stream, connection: h11.Connection) -> Request | None:
    started: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                await stream.send_all(_continue_bytes(connection))
            with trio.move_on_after(IDLE_S) as scope:
                connection.receive_data(bytes(await stream.receive_some(_RECEIVE_BYTES)))
            if scope.cancelled_caught:
                return None
        elif isinstance(event, h11.Request):
            started = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_BYTES_MAX:
                return None
        elif isinstance(event, h11.EndOfMessage) and started is not None:
            headers = {name.decode(): value.decode("latin-1") for name, value in started.headers}
            return make_request(
                started.method.decode(), started.target.decode("latin-1"), headers, bytes(body)
            )
        else:
            return None


def _response_bytes(connection: h11.Connection, response: Response, method: str) -> bytes:
    headers = list(response.headers)
    if response.status != _NO_CONTENT:
        headers.append(("content-length", str(len(response.body))))
    if response.body:
        headers.append(("content-type", response.content_type))
    parts: list[h11.Event] = [h11.Response(status_code=response.status, headers=headers)]
    if response.body and method != "HEAD":
        parts.append(h11.Data(data=response.body))
    parts.append(h11.EndOfMessage())
    return b"".join(connection.send(part) or b"" for part in parts)


def _continue_bytes(connection: h11.Connection) -> bytes:
    return connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
