"""One WebSocket connection whose every way to end is a plain `SocketClosed` with a reason.

trio-websocket 0.12.2 is contained here, because of what it was seen to do: a ping that arrives
after we began to close ends its reader with `LocalProtocolError`, which its own context manager
turns into a bare `trio.Cancelled` that silently kills every sibling task; `ping()` waits for ever
when the connection drops, and so does opening when the peer hangs up during the upgrade; a slow
reader stops answering the peer's pings; and closing waits a minute for a peer that is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from types import TracebackType

import trio
import trio_websocket
from wsproto.utilities import LocalProtocolError

from arb.io.connection import Connection
from arb.io.groups import innermost
from arb.io.net import Network
from arb.io.text import one_line
from arb.io.url import Endpoint

# TCP, TLS and the upgrade together; a healthy exchange takes 30 ms, one across an ocean 500.
OPEN_TIMEOUT_S = 5.0

# A peer that does not answer our goodbye is not waited for: one round trip, even across an ocean,
# and less than the half second that a feed has to stop before it is called stuck.
CLOSE_TIMEOUT_S = 0.4

# The reply to a subscription lists all its markets: 4 MiB hold 100,000 tickers, and twenty
# snapshots of a market with every price of the finest grid on both sides.
MESSAGE_BYTES_MAX = 4 * 1024 * 1024

# Two seconds of the busiest stream we plan for. A reader that falls further behind stops the
# peer's pings from being answered, and the connection is given up: old prices are worth nothing.
MESSAGES_WAITING_MAX = 4_096

_RECEIVE_BYTES = 65_536
_ABNORMAL = 1006


# What a server says that wants less of us: as an HTTP status, and as a WebSocket close code.
TOO_MANY_REQUESTS = 429
TRY_AGAIN_LATER = 1013


class ConnectFailed(Exception):
    """No WebSocket connection came about; ``status`` is the HTTP answer where there was one.

    ``throttled`` says that the server wants us to come more rarely.
    """

    def __init__(self, status: int | None, text: str, *, throttled: bool = False) -> None:
        super().__init__(text if status is None else f"HTTP {status}: {text}")
        self.status = status
        self.text = text
        self.throttled = throttled or status == TOO_MANY_REQUESTS


class SocketClosed(Exception):
    """The connection has ended; ``code`` is the WebSocket close code where there was one."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code

    @property
    def throttled(self) -> bool:
        """Return whether the server wants us to come more rarely."""
        return self.code == TRY_AGAIN_LATER


class open_socket:  # noqa: N801 - used as a function is: async with open_socket(...) as socket
    """Open a WebSocket for the length of an ``async with`` block; raises `ConnectFailed`.

    A connection that is open but dead is noticed ``ping_interval_s + ping_timeout_s`` after its
    last answer at the latest. The block is never cancelled from here and never sees a group: it
    learns of the end from the next `Socket.send` or `Socket.receive`.
    """

    def __init__(
        self,
        network: Network,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (),
        ping_interval_s: float = 1.0,
        ping_timeout_s: float = 2.0,
    ) -> None:
        self._network = network
        self._headers = headers
        self._subprotocols = subprotocols
        self._ping_interval_s = ping_interval_s
        self._ping_timeout_s = ping_timeout_s
        self._socket = Socket(Endpoint.parse(url))
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Socket:
        socket = self._socket
        async with AsyncExitStack() as stack:
            nursery = await stack.enter_async_context(trio.open_nursery())
            stack.push_async_callback(socket.shut, nursery)
            nursery.start_soon(socket.carry, self._network, self._headers, self._subprotocols)
            failure = await socket.opened()
            if failure is None:
                nursery.start_soon(socket.keep_alive, self._ping_interval_s, self._ping_timeout_s)
                self._stack = stack.pop_all()
                return socket
        raise failure

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The nursery is not told of the block's error, which it would wrap in a group.
        await self._stack.aclose()


class Socket:
    """An open WebSocket connection; `last_proof_s` is Trio's time of its last received bytes."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._web_socket: trio_websocket.WebSocketConnection | None = None
        self._stream: _Watched | None = None
        self._settled = trio.Event()
        self._failure: ConnectFailed | None = None
        self._closed: SocketClosed | None = None
        self._opening = trio.CancelScope()
        self._shutting = trio.CancelScope(shield=True)
        # Shielded, so that the goodbye can still be said when the block is cancelled from outside.
        self._carrying = trio.CancelScope(shield=True)

    @property
    def last_proof_s(self) -> float:
        """Return Trio's time at which the peer was last heard, 0 before it was."""
        return self._stream.heard_s if self._stream is not None else 0.0

    async def receive(self) -> str | bytes:
        """Return the next message; raises `SocketClosed`.

        Messages that came before the peer's goodbye are still handed out; none is after the
        connection was found dead.
        """
        web_socket = self._live()
        try:
            return await web_socket.get_message()
        except trio_websocket.ConnectionClosed as closed:
            raise self._ended(_goodbye(closed)) from None

    async def send(self, text: str | bytes) -> None:
        """Send one message; raises `SocketClosed`."""
        web_socket = self._live()
        try:
            await web_socket.send_message(text)
        except trio_websocket.ConnectionClosed as closed:
            raise self._ended(_goodbye(closed)) from None
        except LocalProtocolError:
            raise self._ended(SocketClosed("the connection is closing")) from None

    # What follows is for `open_socket` alone.

    async def opened(self) -> ConnectFailed | None:
        """Wait until the connection stands, and return what prevented it otherwise."""
        await self._settled.wait()
        return self._failure

    async def carry(
        self,
        network: Network,
        headers: Sequence[tuple[str, str]],
        subprotocols: Sequence[str] = (),
    ) -> None:
        """Hold the connection in a nursery of its own, out of which no error comes."""
        await trio.lowlevel.checkpoint()
        try:
            with self._carrying:
                async with trio.open_nursery() as nursery:
                    await self._establish(nursery, network, headers, subprotocols)
        except* trio_websocket.ConnectionRejected as group:
            self._fail(_rejection(group))
        except* Exception as group:  # noqa: BLE001 - every error here means the same: it ended
            self._fail(ConnectFailed(None, f"{self._endpoint}: {innermost(group)}"))
            self._ended(SocketClosed(f"the connection broke: {innermost(group)}"))
        finally:
            self._fail(ConnectFailed(None, f"{self._endpoint}: the connection ended"))
            self._shutting.cancel(reason="the connection has ended")

    async def _establish(
        self,
        nursery: trio.Nursery,
        network: Network,
        headers: Sequence[tuple[str, str]],
        subprotocols: Sequence[str],
    ) -> None:
        place = self._endpoint
        self._opening.deadline = trio.current_time() + OPEN_TIMEOUT_S
        with self._opening:
            connection = await network.connect(place.host, place.port, tls=place.tls)
            self._stream = _Watched(connection, self._opening)
            self._web_socket = await trio_websocket.wrap_client_stream(
                nursery,
                # Typed for sockets alone; it uses nothing that another stream has not.
                self._stream,  # type: ignore[arg-type]
                place.authority,
                place.target,
                subprotocols=list(subprotocols) or None,
                extra_headers=[(name.encode(), value.encode()) for name, value in headers],
                message_queue_size=MESSAGES_WAITING_MAX,
                max_message_size=MESSAGE_BYTES_MAX,
                receive_buffer_size=_RECEIVE_BYTES,
            )
            self._stream.opening = None
            self._settled.set()
        if not self._settled.is_set():
            nursery.cancel_scope.cancel(reason="the connection could not be opened")
            self._fail(ConnectFailed(None, f"{place}: {self._opening_failure()}"))

    def _opening_failure(self) -> str:
        if self._stream is not None and self._stream.ended:
            return "the peer hung up during the upgrade"
        return f"no connection within {OPEN_TIMEOUT_S:g} s"

    def _fail(self, failure: ConnectFailed) -> None:
        if not self._settled.is_set():
            self._failure = failure
            self._settled.set()

    async def keep_alive(self, interval_s: float, timeout_s: float) -> None:
        """Ping every ``interval_s``, and give the connection up when a pong takes too long."""
        count = 0
        # Whatever ended the connection is told by the next send or receive.
        with suppress(SocketClosed, trio_websocket.ConnectionClosed, LocalProtocolError):
            while True:
                await trio.sleep(interval_s)
                count += 1
                with trio.move_on_after(timeout_s) as patience:
                    await self._live().ping(b"%d" % count)
                if patience.cancelled_caught:
                    await self._give_up(f"no pong within {timeout_s:g} s")
        await trio.lowlevel.checkpoint()

    async def _give_up(self, reason: str) -> None:
        self._ended(SocketClosed(reason))
        if self._stream is not None:
            await trio.aclose_forcefully(self._stream)
        await trio.lowlevel.checkpoint()

    async def shut(self, nursery: trio.Nursery) -> None:
        """Say goodbye within `CLOSE_TIMEOUT_S`, then end everything in ``nursery``."""
        try:
            await self._say_goodbye()
        finally:
            self._ended(SocketClosed("closed by us"))
            self._carrying.cancel(reason="the socket is closed")
            nursery.cancel_scope.cancel(reason="the socket is closed")
        await trio.lowlevel.checkpoint()

    async def _say_goodbye(self) -> None:
        # Whatever goes wrong in a goodbye, the connection is closed by force in the end.
        if self._web_socket is not None and self._closed is None:
            self._shutting.deadline = trio.current_time() + CLOSE_TIMEOUT_S
            with self._shutting, suppress(Exception):
                await self._web_socket.aclose()
        if self._stream is not None:
            with suppress(Exception):
                await trio.aclose_forcefully(self._stream)
        await trio.lowlevel.checkpoint()

    def _live(self) -> trio_websocket.WebSocketConnection:
        if self._closed is not None:
            raise self._closed
        if self._web_socket is None:
            raise SocketClosed("not open yet")
        return self._web_socket

    def _ended(self, closed: SocketClosed) -> SocketClosed:
        # The first reason is the true one; those after it are its consequences.
        if self._closed is None:
            self._closed = closed
        return self._closed

    def __repr__(self) -> str:
        state = self._closed.reason if self._closed else "open"
        return f"<Socket {self._endpoint} {state}>"


class _Watched(trio.abc.Stream):
    """A connection that notes when it was heard, and calls off an upgrade that cannot end."""

    def __init__(self, inner: Connection, opening: trio.CancelScope) -> None:
        self._inner = inner
        self.opening: trio.CancelScope | None = opening
        self.heard_s = trio.current_time()
        self.ended = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        try:
            data = await self._inner.receive_some(max_bytes)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._note_end()
            raise
        if data:
            self.heard_s = trio.current_time()
        else:
            self._note_end()
        return data

    def _note_end(self) -> None:
        self.ended = True
        if self.opening is not None:
            self.opening.cancel(reason="the peer hung up during the upgrade")

    async def aclose(self) -> None:
        await self._inner.aclose()


def _goodbye(closed: trio_websocket.ConnectionClosed) -> SocketClosed:
    reason = closed.reason
    if reason is None or reason.code == _ABNORMAL:
        return SocketClosed("the connection was lost", _ABNORMAL)
    words = " ".join(filter(None, (str(reason.code), reason.name, reason.reason)))
    return SocketClosed(f"closed: {one_line(words)}", reason.code)


def _rejection(group: BaseExceptionGroup[trio_websocket.ConnectionRejected]) -> ConnectFailed:
    rejected = innermost(group)
    if not isinstance(rejected, trio_websocket.ConnectionRejected):
        return ConnectFailed(None, "the upgrade was refused")
    return ConnectFailed(
        rejected.status_code, one_line(rejected.body or b"") or "the upgrade was refused"
    )
