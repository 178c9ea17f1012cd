"""The simulated servers over HTTP/2, asked by a client that knows nothing of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
import trio
import trio.testing

from arb.sim.serving import http2
from arb.sim.serving.connection import serve_connection
from arb.sim.serving.http import Request, Response

HEADERS = [(":method", "POST"), (":scheme", "http"), (":authority", "sim"), (":path", "/x?a=1")]
LONG = b"y" * 200_000


def answer(request: Request) -> Response:
    """Answer with what was asked, slowly or not at all where the body says so."""
    if request.body == b"hang up":
        return Response(0, hang_up=True)
    if request.body == b"long":
        return Response(200, LONG)
    if request.body == b"silent":
        return Response(200, silent=True)
    if request.body == b"nothing":
        return Response(204)
    delay_s = 1.0 if request.body == b"slow" else 0.0
    text = f"{request.method} {request.path} {request.query} {request.body.decode()}".encode()
    return Response(200, text, (("X-Kind", "test"),), delay_s=delay_s)


class Client:
    """The client's end: its own library, told what to do by a test."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.protocol = h2.connection.H2Connection(config=config)
        self.bodies: dict[int, bytes] = {}
        self.heads: dict[int, dict[str, str]] = {}
        self.ended: list[int] = []

    async def send(self) -> None:
        await self.stream.send_all(self.protocol.data_to_send())

    async def ask(self, stream: int, body: bytes) -> None:
        self.protocol.send_headers(stream, HEADERS)
        self.protocol.send_data(stream, body, end_stream=True)
        await self.send()

    async def read(self, *, until: int, widen: bool = True) -> bool:
        """Read until so many answers have ended; False where the connection did."""
        while len(self.ended) < until:
            data = bytes(await self.stream.receive_some(65_536))
            if not data:
                return False
            for event in self.protocol.receive_data(data):
                self._take(event, widen=widen)
            await self.send()
        return True

    def _take(self, event: Any, *, widen: bool) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            fields = {str(name): str(value) for name, value in event.headers or ()}
            self.heads[event.stream_id or 0] = fields
        elif isinstance(event, h2.events.DataReceived):
            stream = event.stream_id or 0
            self.bodies[stream] = self.bodies.get(stream, b"") + (event.data or b"")
            if widen:
                size = event.flow_controlled_length or 0
                self.protocol.acknowledge_received_data(size, stream)
        elif isinstance(event, h2.events.StreamEnded):
            self.ended.append(event.stream_id or 0)


@asynccontextmanager
async def talking() -> AsyncIterator[Client]:
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_connection, theirs, answer, trio.aclose_forcefully)
        client = Client(ours)
        client.protocol.initiate_connection()
        await client.send()
        yield client
        nursery.cancel_scope.cancel()


async def test_requests_are_answered_as_they_are_ready(autojump_clock: object) -> None:
    """A slow one does not hold up the next, and each has status, headers and body."""
    async with talking() as client:
        await client.ask(1, b"slow")
        await client.ask(3, b"quick")
        await client.ask(5, b"silent")
        assert await client.read(until=2)

    assert client.ended == [3, 1]
    assert client.bodies[3] == b"POST /x {'a': ['1']} quick"
    assert client.heads[3][":status"] == "200"
    assert client.heads[3]["x-kind"] == "test"
    assert client.heads[3]["content-length"] == str(len(client.bodies[3]))


async def test_an_answer_waits_for_the_clients_window(autojump_clock: object) -> None:
    """It comes in pieces as the client makes room, and whole in the end."""
    async with talking() as client:
        await client.ask(1, b"long")
        await client.ask(3, b"nothing")
        assert await client.read(until=2)

    assert client.bodies[1] == LONG
    assert client.heads[3][":status"] == "204"


async def test_a_request_that_is_given_up_ends_alone(autojump_clock: object) -> None:
    """Its answer is dropped, while it waits for a window too, and others go on."""
    async with talking() as client:
        await client.ask(1, b"slow")
        client.protocol.reset_stream(1)
        client.protocol.send_headers(3, HEADERS)
        client.protocol.reset_stream(3)
        await client.send()
        await client.ask(5, b"quick")
        assert await client.read(until=1)
        await trio.sleep(2)
        await client.ask(7, b"again")
        assert await client.read(until=2)

    assert client.ended == [5, 7]


@pytest.mark.parametrize("body", [b"hang up", b"x" * 3_000])
async def test_a_connection_that_cannot_go_on_is_closed(
    body: bytes, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hung up on purpose, or asked for more than anybody asks."""
    monkeypatch.setattr(http2, "BODY_BYTES_MAX", 1_000)
    async with talking() as client:
        await client.ask(1, body)
        assert not await client.read(until=1)


async def test_nonsense_and_goodbye_end_it(autojump_clock: object) -> None:
    """After what is no frame, or the client's goodbye, nothing is said any more."""
    for polite in (False, True):
        async with talking() as client:
            await client.ask(1, b"quick")
            assert await client.read(until=1)
            if polite:
                client.protocol.close_connection()
            await client.stream.send_all(client.protocol.data_to_send() or b"\xff" * 100)
            assert not await client.read(until=2)


def test_it_shows_itself() -> None:
    """A connection says how many requests are on their way."""
    ours, _ = trio.testing.memory_stream_pair()
    assert repr(http2.Http2Connection(ours, answer, 1.0)) == "Http2Connection(0 requests coming)"
