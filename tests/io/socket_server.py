"""Small WebSocket servers over memory streams: a well-behaved one, and one that obeys a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import trio
import trio_websocket
import wsproto
from wsproto.events import (
    AcceptConnection,
    Event,
    Request,
)

from arb.io.connection import Connection
from arb.io.memory import MemoryNetwork

URL = "ws://sim:80/trade-api/ws/v2?apiKey=hush"

Serve = Callable[[trio_websocket.WebSocketConnection], Awaitable[None]]


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[MemoryNetwork]:
    """Run a well-behaved WebSocket server."""

    async def handler(connection: Connection) -> None:
        with suppress(trio_websocket.ConnectionClosed):
            async with trio.open_nursery() as nursery:
                request = await trio_websocket.wrap_server_stream(nursery, connection)
                try:
                    await serve(await request.accept())
                except* trio_websocket.ConnectionClosed:
                    pass
                nursery.cancel_scope.cancel()

    async with listening(handler) as network:
        yield network


@asynccontextmanager
async def listening(
    handler: Callable[[Connection], Awaitable[None]],
) -> AsyncIterator[MemoryNetwork]:
    """Run a server of bytes."""
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)

        async def lenient(connection: Connection) -> None:
            with suppress(trio.BrokenResourceError):
                await handler(connection)

        network.listen("sim", 80, lenient)
        yield network
        nursery.cancel_scope.cancel()


class RawServer:
    """A server that does only what it is told to, frame by frame."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.protocol = wsproto.WSConnection(wsproto.ConnectionType.SERVER)

    async def next(self, kind: type[Event]) -> Event:
        """Read until an event of ``kind`` comes."""
        while True:
            for event in self.protocol.events():
                if isinstance(event, kind):
                    return event
            self.protocol.receive_data(await self.connection.receive_some() or None)

    async def send(self, event: Event) -> None:
        """Send one event."""
        await self.connection.send_all(self.protocol.send(event))

    async def accept(self) -> Request:
        """Do the server's part of the upgrade."""
        request = await self.next(Request)
        assert isinstance(request, Request)
        await self.send(AcceptConnection())
        return request


async def silence(connection: Connection) -> None:
    """Accept bytes and say nothing."""
    await trio.sleep_forever()


async def echo(socket: trio_websocket.WebSocketConnection) -> None:
    """Send every message back."""
    while True:
        await socket.send_message(await socket.get_message())
