"""The seam's memory twin: connections that live in this process, for tests and simulation."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence

import trio

from arb.io.connection import RECEIVE_BYTES_MAX, Connection
from arb.io.tls import secured

# What Linux gives a socket's send buffer to begin with is of this order; a writer must be able to
# meet a full one in a test.
CAPACITY_BYTES = 262_144

Handler = Callable[[Connection], Awaitable[object]]


class MemoryNetwork:
    """Connects to handlers that listen in this process; each runs in ``nursery``.

    TLS is left out unless a context is given: there is nobody to hide from inside a process.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        *,
        ssl_context: ssl.SSLContext | None = None,
        capacity_bytes: int = CAPACITY_BYTES,
    ) -> None:
        self._nursery = nursery
        self._ssl_context = ssl_context
        self._capacity_bytes = capacity_bytes
        self._handlers: dict[tuple[str, int], Handler] = {}
        self.connections: list[MemoryConnection] = []

    def listen(self, host: str, port: int, handler: Handler) -> None:
        """Let ``handler`` serve whoever connects to ``host`` and ``port``."""
        self._handlers[host, port] = handler

    def deafen(self, host: str, port: int) -> None:
        """Refuse new connections to ``host`` and ``port``."""
        self._handlers.pop((host, port), None)

    async def connect(
        self, host: str, port: int, *, tls: bool, alpn: Sequence[str] = ()
    ) -> Connection:
        """Open a connection; raises `ConnectionRefusedError` where nobody listens."""
        await trio.lowlevel.checkpoint()
        handler = self._handlers.get((host, port))
        if handler is None:
            raise ConnectionRefusedError(f"nobody listens on {host}:{port}")
        ours, theirs = memory_pair(self._capacity_bytes)
        self.connections = [one for one in self.connections if not one.closed]
        self.connections.append(ours)
        self._nursery.start_soon(_serve, handler, theirs)
        if tls and self._ssl_context is not None:
            return await secured(ours, self._ssl_context, host, alpn)
        return ours

    def cut(self) -> None:
        """Break every open connection as a reset would."""
        for connection in self.connections:
            connection.cut()

    def __repr__(self) -> str:
        places = ", ".join(f"{host}:{port}" for host, port in self._handlers)
        return f"<MemoryNetwork {places or 'nobody listens'}>"


async def _serve(handler: Handler, connection: Connection) -> None:
    try:
        await handler(connection)
    finally:
        await trio.aclose_forcefully(connection)


def memory_pair(
    capacity_bytes: int = CAPACITY_BYTES,
) -> tuple[MemoryConnection, MemoryConnection]:
    """Return the two ends of a connection within this process."""
    forth, back = _Pipe(capacity_bytes), _Pipe(capacity_bytes)
    return MemoryConnection(back, forth), MemoryConnection(forth, back)


class _Pipe:
    """Bytes on their way in one direction."""

    def __init__(self, capacity_bytes: int) -> None:
        self.data = bytearray()
        self.capacity_bytes = capacity_bytes
        self.ended = False
        self.broken = False
        self.changed = trio.lowlevel.ParkingLot()

    def put(self, data: bytes | bytearray | memoryview) -> int:
        if self.broken:
            raise trio.BrokenResourceError("the peer has gone")
        taken = max(0, min(len(data), self.capacity_bytes - len(self.data)))
        self.data += data[:taken]
        self.changed.unpark_all()
        return taken

    def take(self, max_bytes: int) -> bytes:
        data = bytes(self.data[:max_bytes])
        del self.data[:max_bytes]
        self.changed.unpark_all()
        return data

    def end(self, *, broken: bool) -> None:
        self.ended = True
        self.broken = self.broken or broken
        self.changed.unpark_all()


class MemoryConnection(Connection):
    """One end of a connection within this process."""

    def __init__(self, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._cut = False
        self._sending = False
        self.closed = False

    def send_now(self, data: bytes) -> int:
        """Take what the pipe has room for; 0 while a `send_all` is under way."""
        self._check()
        return 0 if self._sending else self._outgoing.put(data)

    @property
    def readable(self) -> bool:
        """Say whether a read would return at once."""
        return bool(self._incoming.data) or self._incoming.ended or self.closed

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything, waiting for the reader where the pipe is full."""
        await trio.lowlevel.checkpoint()
        if self._sending:
            raise trio.BusyResourceError("another task is sending on this connection")
        self._sending = True
        try:
            rest = self._put(memoryview(data))
            while rest:
                await self._outgoing.changed.park()
                rest = self._put(rest)
        finally:
            self._sending = False

    def _put(self, rest: memoryview) -> memoryview:
        self._check()
        return rest[self._outgoing.put(rest) :]

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the pipe has room."""
        await trio.lowlevel.checkpoint()
        self._check()
        while len(self._outgoing.data) >= self._outgoing.capacity_bytes:
            await self._outgoing.changed.park()
            self._check()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return some bytes, or none once the peer has closed."""
        await trio.lowlevel.checkpoint()
        while True:
            self._check()
            if self._incoming.data:
                return self._incoming.take(max_bytes or RECEIVE_BYTES_MAX)
            if self._incoming.ended:
                return b""
            await self._incoming.changed.park()

    async def aclose(self) -> None:
        """Close this end; the peer reads what is left and then the end of the stream."""
        self.hang_up()
        await trio.lowlevel.checkpoint()

    def hang_up(self) -> None:
        """Close this end in this turn, as the kernel does for a process that was killed."""
        if not self.closed:
            self.closed = True
            self._outgoing.end(broken=False)
            self._incoming.end(broken=True)

    def cut(self) -> None:
        """Break both directions at once, as a reset does; what was on its way is lost."""
        self._cut = True
        for pipe in (self._incoming, self._outgoing):
            pipe.data.clear()
            pipe.end(broken=True)

    def _check(self) -> None:
        if self.closed:
            raise trio.ClosedResourceError("this end is closed")
        if self._cut:
            raise trio.BrokenResourceError("the connection was cut")

    def __repr__(self) -> str:
        state = "closed" if self.closed else "cut" if self._cut else "open"
        return f"<MemoryConnection {state} in={len(self._incoming.data)}>"
