"""The network seam: everything that leaves the process goes through these two small classes.

Swap the `Network` and the whole engine runs over memory streams in virtual time.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

import trio

from arb.io.connection import RECEIVE_BYTES_MAX, Connection
from arb.io.tls import client_context, secured

__all__ = ["Connection", "Network", "SocketConnection", "SocketNetwork"]


# SO_LINGER on, for no time at all: a close resets, and the kernel forgets what it holds.
LINGER_NOT = struct.pack("ii", 1, 0)


class Network(Protocol):
    """Opens connections. The caller sets the deadline."""

    async def connect(
        self, host: str, port: int, *, tls: bool, alpn: Sequence[str] = ()
    ) -> Connection:
        """Open a connection, with TLS where asked; raises `OSError`.

        ``alpn`` are the protocols of which a TLS server must choose one.
        """


class SocketNetwork:
    """Real TCP, without Nagle's delay; TLS verified against ``ssl_context``."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context

    async def connect(
        self, host: str, port: int, *, tls: bool, alpn: Sequence[str] = ()
    ) -> Connection:
        """Open a connection; raises `OSError`, of which `ssl.SSLError` is one."""
        connection = SocketConnection(await trio.open_tcp_stream(host, port))
        if not tls:
            return connection
        if self._ssl_context is None:
            self._ssl_context = client_context()
        return await secured(connection, self._ssl_context, host, alpn)

    def __repr__(self) -> str:
        return "<SocketNetwork>"


class SocketConnection(Connection):
    """One TCP connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        # Trio's own socket cannot send without a scheduler pass. Its descriptor moves into a
        # plain socket, which does the immediate sends, and Trio waits on that one.
        self._raw = socket.socket(fileno=stream.socket.detach())
        self._raw.settimeout(0)
        # SocketStream switches Nagle's delay off.
        self._stream = trio.SocketStream(trio.socket.from_stdlib_socket(self._raw))
        self._sending = False

    def send_now(self, data: bytes) -> int:
        """Send what the kernel takes in this turn; 0 while a `send_all` is under way."""
        if self._sending:
            return 0
        try:
            return self._raw.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise trio.BrokenResourceError(f"cannot send: {error}") from error

    def discard_at_close(self) -> None:
        """Let the kernel reset the connection at its close, and send on nothing that it holds."""
        # Some systems take no options of a connection that is gone; it sends nothing any more.
        with suppress(OSError):
            self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)

    @property
    def readable(self) -> bool:
        """Say whether a read would return at once."""
        try:
            self._raw.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything, waiting for the kernel where it must."""
        with self._sending_alone():
            await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the kernel has room."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return some bytes, or none at the end of the stream."""
        return bytes(await self._stream.receive_some(max_bytes or RECEIVE_BYTES_MAX))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    @contextmanager
    def _sending_alone(self) -> Iterator[None]:
        # Bytes of an immediate send must not land in the middle of a waiting one.
        before, self._sending = self._sending, True
        try:
            yield
        finally:
            self._sending = before

    def __repr__(self) -> str:
        return f"<SocketConnection {_peer(self._raw)}>"


def _peer(raw: socket.socket) -> str:
    if raw.fileno() < 0:
        return "closed"
    try:
        name = raw.getpeername()
    except OSError:
        return "disconnected"
    return f"{name[0]}:{name[1]}"
