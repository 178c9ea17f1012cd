"""Server-sent events over the network seam: one request whose answer never ends.

An event is handed out as the text that was sent, lines and all, so that a tape keeps it whole.
Every way to end is a plain `SocketClosed` with a reason, as a WebSocket's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from urllib.parse import urlencode

import h11
import trio

from arb.io.connection import RECEIVE_BYTES_MAX, Connection
from arb.io.net import Network
from arb.io.text import one_line
from arb.io.url import Endpoint
from arb.io.websocket import ConnectFailed, SocketClosed

# TCP, TLS and the answer's head together; a healthy server takes some hundred milliseconds.
OPEN_TIMEOUT_S = 5.0

# A server that pings every five seconds and is silent for three of them has gone.
SILENCE_S = 15.0

# All books of all games of a busy Saturday in one event are below this; more is no event.
EVENT_BYTES_MAX = 4 * 1024 * 1024

# What of a refusal is read to be shown.
REFUSAL_BYTES_MAX = 4_096

# Two seconds of the busiest stream; a reader that is further behind reads old prices.
EVENTS_WAITING_MAX = 4_096

_OK = 200


class EventStream:
    """One open stream of events; ``last_proof_s`` is Trio's time of its last received bytes."""

    def __init__(self, connection: Connection, place: Endpoint, silence_s: float) -> None:
        self._connection = connection
        self._place = place
        self._silence_s = silence_s
        self._http = h11.Connection(h11.CLIENT)
        self._buffer = bytearray()
        self._closed: SocketClosed | None = None
        self.last_proof_s = trio.current_time()

    async def receive(self) -> str:
        """Return the next event as it was sent; raises `SocketClosed`."""
        while True:
            event = self._next_event()
            if event is not None:
                return event
            if self._closed is not None:
                raise self._closed
            await self._read_more()

    async def ask(self, headers: Sequence[tuple[str, str]]) -> None:
        """Send the request and read the answer's head; raises `ConnectFailed`."""
        request = h11.Request(
            method="GET",
            target=self._place.target,
            headers=[
                ("Host", self._place.authority),
                ("Accept", "text/event-stream"),
                ("User-Agent", "arb"),
                *headers,
            ],
        )
        await self._connection.send_all(
            (self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        )
        head = await self._next_part()
        while isinstance(head, h11.InformationalResponse):
            head = await self._next_part()
        if not isinstance(head, h11.Response):
            raise ConnectFailed(None, f"{self._place}: the server hung up")
        if head.status_code != _OK:
            raise ConnectFailed(head.status_code, one_line(await self._refusal()))

    async def _refusal(self) -> bytes:
        body = b""
        while len(body) < REFUSAL_BYTES_MAX:
            part = await self._next_part()
            if not isinstance(part, h11.Data):
                break
            body += part.data
        return body or b"the stream was refused"

    async def _next_part(self) -> object:
        while (part := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._connection.receive_some(RECEIVE_BYTES_MAX))
        return part

    async def _read_more(self) -> None:
        with trio.move_on_after(self._silence_s) as patience:
            try:
                part = await self._next_part()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._closed = SocketClosed("the connection was lost")
                return
            except h11.RemoteProtocolError as error:
                self._closed = SocketClosed(f"the answer broke off: {one_line(error)}")
                return
        if patience.cancelled_caught:
            self._closed = SocketClosed(f"nothing heard for {self._silence_s:g} s")
        elif isinstance(part, h11.Data):
            self.last_proof_s = trio.current_time()
            self._buffer += part.data.replace(b"\r", b"")
            if len(self._buffer) > EVENT_BYTES_MAX:
                self._closed = SocketClosed("an event without an end")
        else:
            self._closed = SocketClosed("the server ended the stream")

    def _next_event(self) -> str | None:
        while (end := self._buffer.find(b"\n\n")) >= 0:
            event = bytes(self._buffer[:end]).strip(b"\n")
            del self._buffer[: end + 2]
            if event:
                return event.decode(errors="replace")
        return None

    def __repr__(self) -> str:
        state = self._closed.reason if self._closed else "open"
        return f"<EventStream {self._place} {state}>"


@asynccontextmanager
async def open_events(
    network: Network,
    url: str,
    *,
    params: Sequence[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = (),
    silence_s: float = SILENCE_S,
) -> AsyncIterator[EventStream]:
    """Open a stream of events for the length of a block; raises `ConnectFailed`."""
    place = Endpoint.parse(f"{url}?{urlencode(params)}" if params else url)
    async with AsyncExitStack() as stack:
        yield await _opened(stack, network, place, headers, silence_s)


async def _opened(
    stack: AsyncExitStack,
    network: Network,
    place: Endpoint,
    headers: Sequence[tuple[str, str]],
    silence_s: float,
) -> EventStream:
    try:
        with trio.fail_after(OPEN_TIMEOUT_S):
            connection = await network.connect(place.host, place.port, tls=place.tls)
            stack.push_async_callback(trio.aclose_forcefully, connection)
            stream = EventStream(connection, place, silence_s)
            await stream.ask(headers)
            return stream
    except trio.TooSlowError:
        why = f"no connection within {OPEN_TIMEOUT_S:g} s"
    except (OSError, trio.BrokenResourceError, h11.RemoteProtocolError) as error:
        why = one_line(error)
    raise ConnectFailed(None, f"{place}: {why}")


class merged_events:  # noqa: N801 - used as a function is: async with merged_events(...) as stream
    """Open several streams as one for the length of a block; raises `ConnectFailed`.

    The end of any of them is the end of all.
    """

    def __init__(self, opens: Sequence[AbstractAsyncContextManager[EventStream]]) -> None:
        self._opens = tuple(opens)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> MergedStream:
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(each) for each in self._opens]
            merged = MergedStream(streams)
            nursery = await stack.enter_async_context(trio.open_nursery())
            stack.callback(nursery.cancel_scope.cancel)
            for stream in streams:
                nursery.start_soon(merged.pump, stream)
            self._stack = stack.pop_all()
            return merged

    async def __aexit__(self, *_: object) -> None:
        # The nursery is not told of the block's error, which it would wrap in a group.
        await self._stack.aclose()


class MergedStream:
    """The events of several streams in the order in which they came."""

    def __init__(self, streams: Sequence[EventStream]) -> None:
        self._streams = tuple(streams)
        self._send, self._receive = trio.open_memory_channel[str](EVENTS_WAITING_MAX)
        self._closed: SocketClosed | None = None

    @property
    def last_proof_s(self) -> float:
        """Return when the stream that is silent for longest was last heard."""
        return min((each.last_proof_s for each in self._streams), default=0.0)

    async def receive(self) -> str:
        """Return the next event of any stream; raises `SocketClosed`."""
        try:
            return await self._receive.receive()
        except trio.EndOfChannel:
            raise self._closed or SocketClosed("closed by us") from None

    async def pump(self, stream: EventStream) -> None:
        """Take over one stream's events until it ends, which ends all."""
        try:
            while self._closed is None:
                self._send.send_nowait(await stream.receive())
        except SocketClosed as closed:
            self._end(closed)
        except trio.WouldBlock:
            self._end(SocketClosed("we fell behind"))
        except trio.ClosedResourceError:
            pass  # another stream has ended, and it has said why

    def _end(self, closed: SocketClosed) -> None:
        if self._closed is None:
            self._closed = closed
        self._send.close()

    def __repr__(self) -> str:
        return f"<MergedStream of {len(self._streams)}>"
