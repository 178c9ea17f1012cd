"""A small HTTP server over memory connections, which answers as a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import attrs
import h11
import trio

from arb.io.connection import Connection
from arb.io.memory import MemoryNetwork

HOST = "sim"
PORT = 80
URL = f"http://{HOST}:{PORT}"


@attrs.define
class Asked:
    """A request as the server received it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@attrs.define
class Reply:
    """What the server shall answer; a status of 0 hangs up without an answer."""

    status: int = 200
    body: bytes = b"{}"
    delay_s: float = 0.0
    close: bool = False
    headers: list[tuple[str, str]] = attrs.field(factory=list)


Answer = Callable[[Asked], Reply | Awaitable[Reply]]


@attrs.define
class HttpServer:
    """Keeps what it was asked, and answers each request by ``answer``."""

    answer: Answer
    asked: list[Asked] = attrs.field(factory=list)
    connections: int = 0

    async def __call__(self, connection: Connection) -> None:
        """Serve one connection until either side closes it."""
        self.connections += 1
        protocol = h11.Connection(h11.SERVER)
        with suppress(trio.BrokenResourceError, h11.RemoteProtocolError):
            while await self._serve_one(connection, protocol):
                protocol.start_next_cycle()

    async def _serve_one(self, connection: Connection, protocol: h11.Connection) -> bool:
        asked = await self._request(connection, protocol)
        if asked is None:
            return False
        self.asked.append(asked)
        reply = self.answer(asked)
        if not isinstance(reply, Reply):
            reply = await reply
        await trio.sleep(reply.delay_s)
        if reply.status == 0:
            return False
        headers = [("Content-Length", str(len(reply.body))), *reply.headers]
        headers += [("Connection", "close")] if reply.close else []
        head = protocol.send(h11.Response(status_code=reply.status, headers=headers)) or b""
        body = protocol.send(h11.Data(data=reply.body)) or b""
        protocol.send(h11.EndOfMessage())
        await connection.send_all(head + body)
        return protocol.our_state is h11.DONE

    async def _request(self, connection: Connection, protocol: h11.Connection) -> Asked | None:
        asked: Asked | None = None
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                protocol.receive_data(await connection.receive_some())
            elif isinstance(event, h11.Request):
                headers = {name.decode(): value.decode() for name, value in event.headers}
                asked = Asked(event.method.decode(), event.target.decode(), headers, b"")
            elif isinstance(event, h11.Data) and asked is not None:
                asked.body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return asked
            elif isinstance(event, h11.ConnectionClosed):
                return None


@asynccontextmanager
async def http_served(answer: Answer) -> AsyncIterator[tuple[MemoryNetwork, HttpServer]]:
    """Run a server; give the network on which it listens, and the server itself."""
    server = HttpServer(answer)
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen(HOST, PORT, server)
        yield network, server
        nursery.cancel_scope.cancel()
