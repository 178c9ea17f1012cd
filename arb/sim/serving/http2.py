"""One HTTP/2 connection, by h2: several requests at once, each answered as it is ready.

A stream has one answer, so one that is to come twice comes once.
"""

from __future__ import annotations

import attrs
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import trio

from arb.sim.serving.http import Handler, Request, Response, make_request, ready

# How a client begins that knows what it wants; over TLS the two have agreed on it before.
PREFACE = b"PRI * HTTP/2.0\r\n\r\n"

BODY_BYTES_MAX = 4_194_304
_RECEIVE_BYTES = 65_536


@attrs.define
class _Asked:
    """A request whose body may still be coming."""

    headers: dict[str, str]
    body: bytearray = attrs.field(factory=bytearray)

    def request(self) -> Request:
        plain = {name: value for name, value in self.headers.items() if not name.startswith(":")}
        method, target = self.headers.get(":method", ""), self.headers.get(":path", "")
        return make_request(method, target, plain, bytes(self.body))


class Http2Connection:
    """The server's end of one connection."""

    def __init__(self, stream: trio.abc.Stream, app: Handler, idle_s: float) -> None:
        self._stream = stream
        self._app = app
        self._idle_s = idle_s
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self._protocol = h2.connection.H2Connection(config=config)
        self._asked: dict[int, _Asked] = {}
        self._sending = trio.Lock()
        self._wider = trio.lowlevel.ParkingLot()

    def __repr__(self) -> str:
        return f"Http2Connection({len(self._asked)} requests coming)"

    async def serve(self, head: bytes) -> None:
        """Serve to the end; ``head`` was read already. Raises what the stream raises."""
        self._protocol.initiate_connection()
        try:
            async with trio.open_nursery() as nursery:
                data = head
                while data and self._take(data, nursery):
                    await self._flush()
                    data = b""
                    with trio.move_on_after(self._idle_s):
                        data = bytes(await self._stream.receive_some(_RECEIVE_BYTES))
                nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            # The peer is gone: this connection is over, nothing else is.
            pass

    def _take(self, data: bytes, nursery: trio.Nursery) -> bool:
        """Take what came; False where the connection has ended."""
        try:
            events = self._protocol.receive_data(data)
        except h2.exceptions.ProtocolError:
            return False
        going_on = True
        for event in events:
            going_on = self._on_event(event, nursery) and going_on
        return going_on

    def _on_event(self, event: h2.events.Event, nursery: trio.Nursery) -> bool:
        if isinstance(event, h2.events.ConnectionTerminated):
            return False
        if isinstance(event, h2.events.WindowUpdated):
            self._wider.unpark_all()
        elif isinstance(event, h2.events.RequestReceived):
            fields = {str(name): str(value) for name, value in event.headers or ()}
            self._asked[event.stream_id or 0] = _Asked(fields)
        elif isinstance(event, h2.events.DataReceived):
            return self._on_data(event)
        elif isinstance(event, h2.events.StreamReset):
            self._asked.pop(event.stream_id or 0, None)
            self._wider.unpark_all()
        elif isinstance(event, h2.events.StreamEnded):
            asked = self._asked.pop(event.stream_id or 0, None)
            if asked is not None:
                nursery.start_soon(self._answer, event.stream_id, asked, nursery.cancel_scope)
        return True

    def _on_data(self, event: h2.events.DataReceived) -> bool:
        asked = self._asked.get(event.stream_id or 0)
        if asked is None:
            return True
        asked.body += event.data or b""
        self._protocol.acknowledge_received_data(
            event.flow_controlled_length or 0, event.stream_id or 0
        )
        return len(asked.body) <= BODY_BYTES_MAX

    async def _answer(self, number: int, asked: _Asked, scope: trio.CancelScope) -> None:
        response = await ready(self._app(asked.request()))
        if response.hang_up:
            scope.cancel()
        if response.hang_up or response.silent:
            return
        try:
            await self._send(number, response)
        except h2.exceptions.ProtocolError:
            # The client has given this request up meanwhile.
            return

    async def _send(self, number: int, response: Response) -> None:
        headers = [(":status", str(response.status))]
        headers += [(name.lower(), value) for name, value in response.headers]
        headers.append(("content-length", str(len(response.body))))
        if response.body:
            headers.append(("content-type", response.content_type))
        self._protocol.send_headers(number, headers, end_stream=not response.body)
        left = response.body
        while left:
            room = self._protocol.local_flow_control_window(number)
            size = min(len(left), room, self._protocol.max_outbound_frame_size)
            if not size:
                await self._flush()
                await self._wider.park()
                continue
            piece, left = left[:size], left[size:]
            self._protocol.send_data(number, piece, end_stream=not left)
        await self._flush()

    async def _flush(self) -> None:
        async with self._sending:
            while data := self._protocol.data_to_send():
                await self._stream.send_all(data)
