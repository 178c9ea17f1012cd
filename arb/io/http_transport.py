"""httpx over the network seam, on a connection pool that is rebuilt when it is poisoned.

httpcore 1.0.9 never gives back the slot of a connection whose request was cancelled while it
connected. Once all slots are lost every request ends in a pool timeout, against a healthy
server, until the process ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import attrs
import httpcore
import httpx
import trio

from arb.io.connection import Connection
from arb.io.net import Network

# One service needs few at once; ten leave room for a burst of reads after a reconnect.
CONNECTIONS_MAX = 10

# One pool timeout can be a burst; two in a row, with nothing answered between, are lost slots.
POOL_TIMEOUTS_MAX = 2

# A page of a thousand markets weighs 3 MB.
ANSWER_BYTES_MAX = 32 * 1024 * 1024

# Giving a connection back needs no answer from anybody.
CLOSE_TIMEOUT_S = 1.0

# The widest first: a more precise one below wins.
_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.NetworkError: httpx.NetworkError,
    httpcore.ProtocolError: httpx.ProtocolError,
    httpcore.TimeoutException: httpx.TimeoutException,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
}


class SeamTransport(httpx.AsyncBaseTransport):
    """Carries httpx's requests over a `Network`, with one pool for each kind of connection."""

    def __init__(self, network: Network, connections_max: int = CONNECTIONS_MAX) -> None:
        self._network = network
        self._connections_max = connections_max
        self._pools = {tls: self._new_pool(tls=tls) for tls in (False, True)}
        self._retired: list[_Pool] = []
        self._pool_timeouts = 0
        self.rebuilt = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the whole answer; raises `httpx.TransportError`."""
        await self._close_retired()
        pool = self._pools[request.url.scheme == "https"]
        with trio.CancelScope() as under_way:
            pool.requests.append(under_way)
            try:
                response = await _exchange(pool.connections, request)
            except httpx.PoolTimeout:
                self._count_pool_timeout(pool)
                raise
            finally:
                pool.requests.remove(under_way)
            self._pool_timeouts = 0
            return response
        raise httpx.ReadError("its connection was given up")

    def give_up(self) -> None:
        """Use no connection of until now any more; requests that are under way fail."""
        for pool in tuple(self._pools.values()):
            self._replace(pool)
        for pool in self._retired:
            for under_way in pool.requests:
                under_way.cancel(reason="its connection was given up")

    def _count_pool_timeout(self, pool: _Pool) -> None:
        self._pool_timeouts += 1
        if self._pool_timeouts >= POOL_TIMEOUTS_MAX and self._pools[pool.tls] is pool:
            self._pool_timeouts = 0
            self.rebuilt += 1
            self._replace(pool)

    def _replace(self, pool: _Pool) -> None:
        self._retired.append(pool)
        self._pools[pool.tls] = self._new_pool(tls=pool.tls)

    async def _close_retired(self) -> None:
        # A slow request may still be under way on an old pool; its connection must not be torn.
        # Looked for anew after each: several requests may be at it at once.
        while pool := next((each for each in self._retired if not each.requests), None):
            self._retired.remove(pool)
            await pool.connections.aclose()
        await trio.lowlevel.checkpoint()

    def _new_pool(self, *, tls: bool) -> _Pool:
        connections = httpcore.AsyncConnectionPool(
            max_connections=self._connections_max,
            # Idle connections end when the server says so: for any other rule the pool would
            # read the machine's clock, and a simulation could not be repeated.
            keepalive_expiry=None,
            network_backend=_Backend(self._network, tls=tls),
        )
        return _Pool(connections, tls)

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in (*self._pools.values(), *self._retired):
            await pool.connections.aclose()
        await trio.lowlevel.checkpoint()

    def __repr__(self) -> str:
        pools = " ".join(repr(pool.connections) for pool in self._pools.values())
        return f"<SeamTransport rebuilt={self.rebuilt} {pools}>"


@attrs.define(eq=False)
class _Pool:
    """A pool, and the requests that need it still."""

    connections: httpcore.AsyncConnectionPool
    tls: bool
    requests: list[trio.CancelScope] = attrs.field(factory=list)


async def _exchange(
    connections: httpcore.AsyncConnectionPool, request: httpx.Request
) -> httpx.Response:
    try:
        response = await connections.handle_async_request(_carried(request))
        try:
            body = await response.aread()
        finally:
            with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
                await response.aclose()
    except Exception as error:
        raise _translated(error) from error
    return httpx.Response(response.status, headers=response.headers, content=body)


def _carried(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(
            # The network puts TLS on, so that a memory network may leave it out.
            scheme=b"http",
            host=url.raw_host,
            port=url.port or (443 if url.scheme == "https" else 80),
            target=url.raw_path,
        ),
        headers=request.headers.raw,
        content=_Content(request.content),
        extensions=request.extensions,
    )


class _Content:
    """A request's body. A generator would be left unfinished by a cancelled request."""

    def __init__(self, data: bytes) -> None:
        self._pieces = [data] if data else []

    def __aiter__(self) -> _Content:
        return self

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if not self._pieces:
            raise StopAsyncIteration
        return self._pieces.pop()


def _translated(error: Exception) -> Exception:
    found: type[httpx.TransportError] | None = None
    for theirs, ours in _ERRORS.items():
        if isinstance(error, theirs):
            found = ours
    return error if found is None else found(str(error))


class _Backend(httpcore.AsyncNetworkBackend):
    """The seam as httpcore sees it."""

    def __init__(self, network: Network, *, tls: bool) -> None:
        self._network = network
        self._tls = tls

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            with trio.fail_after(_seconds(timeout)):
                return _Stream(await self._network.connect(host, port, tls=self._tls))
        except trio.TooSlowError:
            raise httpcore.ConnectTimeout("no connection in time") from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """A connection as httpcore sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._received_bytes = 0

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> bytes:
        try:
            with trio.fail_after(_seconds(timeout)):
                data = await self._connection.receive_some(max_bytes)
        except trio.TooSlowError:
            raise httpcore.ReadTimeout("no answer in time") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore.ReadError(str(error)) from error
        self._received_bytes += len(data)
        if self._received_bytes > ANSWER_BYTES_MAX:
            raise httpcore.ReadError(f"the answer is larger than {ANSWER_BYTES_MAX} bytes")
        return data

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> None:
        # One answer follows one request: the count begins anew.
        self._received_bytes = 0
        try:
            with trio.fail_after(_seconds(timeout)):
                await self._connection.send_all(buffer)
        except trio.TooSlowError:
            raise httpcore.WriteTimeout("could not send in time") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        await self._connection.aclose()

    def get_extra_info(self, info: str) -> bool | None:
        # An idle connection that has something to read has been closed by the server.
        return self._connection.readable if info == "is_readable" else None


def _seconds(timeout_s: float | None) -> float:
    return math.inf if timeout_s is None else timeout_s
