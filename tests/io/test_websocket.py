"""The WebSocket client against small servers over memory streams, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio_websocket
import wsproto
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)

from arb.io import websocket
from arb.io.connection import Connection
from arb.io.memory import MemoryNetwork
from arb.io.websocket import ConnectFailed, SocketClosed, open_socket

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


async def test_messages_go_both_ways(autojump_clock: object) -> None:
    """What is sent comes back from an echo, text as text and bytes as bytes."""
    async with served(echo) as network, open_socket(network, URL) as socket:
        await socket.send("hello")
        assert await socket.receive() == "hello"
        await socket.send(b"raw")
        assert await socket.receive() == b"raw"
        assert repr(socket) == "<Socket sim/trade-api/ws/v2 open>"


async def test_the_upgrade_carries_path_query_and_headers(autojump_clock: object) -> None:
    """The server sees the whole target and the signature headers."""
    requests: list[Request] = []

    async def handler(connection: Connection) -> None:
        server = RawServer(connection)
        requests.append(await server.accept())
        await server.next(CloseConnection)

    async with (
        listening(handler) as network,
        open_socket(network, URL, headers=[("KALSHI-ACCESS-KEY", "id")]),
    ):
        pass

    assert requests[0].target == "/trade-api/ws/v2?apiKey=hush"
    assert (b"kalshi-access-key", b"id") in list(requests[0].extra_headers)


async def test_a_quiet_connection_stays_open(autojump_clock: object) -> None:
    """Our own pings prove a connection alive on which nothing is said for a minute."""
    async with served(echo) as network, open_socket(network, URL) as socket:
        await trio.sleep(60)
        assert trio.current_time() - socket.last_proof_s <= 1.1

        await socket.send("still there")
        assert await socket.receive() == "still there"


async def test_an_open_but_dead_connection_is_noticed_within_three_seconds(
    autojump_clock: object,
) -> None:
    """A peer that has stopped answering is given up, and receive says why."""

    async def handler(connection: Connection) -> None:
        await RawServer(connection).accept()
        await trio.sleep_forever()

    async with listening(handler) as network, open_socket(network, URL) as socket:
        start_s = trio.current_time()
        with pytest.raises(SocketClosed, match="no pong within 2 s"):
            await socket.receive()
        assert trio.current_time() - start_s <= 3.0
        with pytest.raises(SocketClosed, match="no pong"):
            await socket.send("x")
        with pytest.raises(SocketClosed, match="no pong"):
            await socket.receive()
        assert "no pong" in repr(socket)


async def test_a_ping_in_flight_does_not_outlive_a_drop(autojump_clock: object) -> None:
    """A connection cut while our ping waits ends receive at once."""

    async def handler(connection: Connection) -> None:
        server = RawServer(connection)
        await server.accept()
        await server.next(Ping)

    async with listening(handler) as network, open_socket(network, URL) as socket:
        with pytest.raises(SocketClosed, match="the connection was lost") as caught:
            await socket.receive()
        assert caught.value.code == 1006
        assert trio.current_time() == pytest.approx(1.0)


async def test_a_reset_is_the_end(autojump_clock: object) -> None:
    """A reset ends receive with a reason."""
    async with served(echo) as network, open_socket(network, URL) as socket:
        network.cut()
        with pytest.raises(SocketClosed, match="lost"):
            await socket.receive()


async def test_what_came_before_the_goodbye_is_still_handed_out(autojump_clock: object) -> None:
    """Messages sent before a close are received before SocketClosed, which carries the code."""

    async def burst(socket: trio_websocket.WebSocketConnection) -> None:
        for number in range(3):
            await socket.send_message(str(number))
        await socket.aclose(1013, "try again later")

    async with served(burst) as network, open_socket(network, URL) as socket:
        await trio.sleep(0.5)
        assert [await socket.receive() for _ in range(3)] == ["0", "1", "2"]
        with pytest.raises(SocketClosed, match=r"closed: 1013 .*try again later") as caught:
            await socket.receive()
        assert caught.value.code == 1013


async def test_pings_of_the_peer_are_answered_while_nobody_reads(autojump_clock: object) -> None:
    """A thousand unread messages do not keep the peer's ping from being answered."""
    answered = trio.Event()

    async def flood(socket: trio_websocket.WebSocketConnection) -> None:
        for number in range(1000):
            await socket.send_message(str(number))
        await socket.ping(b"heartbeat")
        answered.set()
        await trio.sleep_forever()

    async with served(flood) as network, open_socket(network, URL) as socket:
        await answered.wait()
        assert await socket.receive() == "0"


async def test_a_message_beyond_the_limit_ends_the_connection(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message larger than the limit is not taken."""
    monkeypatch.setattr(websocket, "MESSAGE_BYTES_MAX", 10)

    async def big(socket: trio_websocket.WebSocketConnection) -> None:
        await socket.send_message("x" * 11)
        await trio.sleep_forever()

    async with served(big) as network, open_socket(network, URL) as socket:
        with pytest.raises(SocketClosed, match="Exceeded maximum message size"):
            await socket.receive()


async def test_a_refused_upgrade_tells_status_and_text(autojump_clock: object) -> None:
    """An HTTP error instead of the upgrade is a ConnectFailed with one line of its body."""

    async def handler(connection: Connection) -> None:
        async with trio.open_nursery() as nursery:
            request = await trio_websocket.wrap_server_stream(nursery, connection)
            await request.reject(400, body=b"Too many sports.\nMaximum 10 allowed.")
            nursery.cancel_scope.cancel()

    async with listening(handler) as network:
        with pytest.raises(ConnectFailed) as caught:
            async with open_socket(network, URL):
                pytest.fail("the socket opened")

    assert caught.value.status == 400
    assert str(caught.value) == "HTTP 400: Too many sports. Maximum 10 allowed."


async def test_nobody_listening_is_a_failed_connect(autojump_clock: object) -> None:
    """A refused connection is a ConnectFailed, and its text keeps the key to itself."""
    async with trio.open_nursery() as nursery:
        with pytest.raises(ConnectFailed, match="sim/trade-api/ws/v2: nobody listens") as caught:
            async with open_socket(MemoryNetwork(nursery), URL):
                pytest.fail("the socket opened")

    assert caught.value.status is None
    assert "hush" not in str(caught.value)


async def test_a_peer_that_hangs_up_during_the_upgrade_is_noticed_at_once(
    autojump_clock: object,
) -> None:
    """The end of the stream before the upgrade is done does not wait for a deadline."""

    async def handler(connection: Connection) -> None:
        await connection.receive_some()

    async with listening(handler) as network:
        with pytest.raises(ConnectFailed, match="hung up during the upgrade"):
            async with open_socket(network, URL):
                pytest.fail("the socket opened")

    assert trio.current_time() == 0


async def test_a_reset_during_the_upgrade_is_noticed_at_once(autojump_clock: object) -> None:
    """A connection cut before the upgrade is done is a ConnectFailed."""
    async with listening(silence) as network, trio.open_nursery() as nursery:

        async def cut() -> None:
            await trio.sleep(0.5)
            network.cut()

        nursery.start_soon(cut)
        with pytest.raises(ConnectFailed, match="hung up during the upgrade"):
            async with open_socket(network, URL):
                pytest.fail("the socket opened")
        assert trio.current_time() == 0.5


async def test_a_peer_that_never_answers_the_upgrade_is_given_up(autojump_clock: object) -> None:
    """Opening has a deadline."""
    async with listening(silence) as network:
        with pytest.raises(ConnectFailed, match="no connection within 5 s"):
            async with open_socket(network, URL):
                pytest.fail("the socket opened")

    assert trio.current_time() == 5.0


async def test_an_answer_that_is_no_http_is_a_failed_connect(autojump_clock: object) -> None:
    """Nonsense instead of the upgrade does not hang and does not leak."""

    async def handler(connection: Connection) -> None:
        await connection.receive_some()
        await connection.send_all(b"\x00\x01nonsense\r\n\r\n")
        await connection.receive_some()

    async with listening(handler) as network:
        with pytest.raises(ConnectFailed):
            async with open_socket(network, URL):
                pytest.fail("the socket opened")


@pytest.mark.parametrize("mode", ["clean", "body error"])
async def test_a_ping_after_our_goodbye_kills_no_sibling(autojump_clock: object, mode: str) -> None:
    """The race that makes trio-websocket leak a bare Cancelled leaves siblings alone."""
    survived = trio.Event()

    async def handler(connection: Connection) -> None:
        server = RawServer(connection)
        await server.accept()
        # The close frame is read as bytes only, so that a ping can still be sent before the answer.
        data = await connection.receive_some()
        await server.send(Ping(payload=b"heartbeat"))
        await trio.sleep(0.1)
        server.protocol.receive_data(data)
        for event in server.protocol.events():
            if isinstance(event, CloseConnection):
                await server.send(event.response())

    async def feed(network: MemoryNetwork) -> None:
        async with open_socket(network, URL):
            if mode == "body error":
                raise KeyError("a reason of the block's own")

    async def sibling() -> None:
        await trio.sleep(5)
        survived.set()

    async with listening(handler) as network, trio.open_nursery() as nursery:
        nursery.start_soon(sibling)
        if mode == "body error":
            with pytest.raises(KeyError, match="of the block's own"):
                await feed(network)
        else:
            await feed(network)
        assert trio.current_time() <= websocket.CLOSE_TIMEOUT_S

    assert survived.is_set()


async def test_closing_does_not_wait_long_for_a_silent_peer(autojump_clock: object) -> None:
    """A peer that ignores the close frame costs a second, not a minute."""

    async def handler(connection: Connection) -> None:
        await RawServer(connection).accept()
        await trio.sleep_forever()

    async with listening(handler) as network:
        async with open_socket(network, URL, ping_interval_s=60):
            pass
        assert trio.current_time() == websocket.CLOSE_TIMEOUT_S


async def test_cancelling_the_block_closes_the_connection(autojump_clock: object) -> None:
    """A cancelled block ends as cancelled, and the peer sees the goodbye."""
    farewell: list[int] = []

    async def handler(connection: Connection) -> None:
        server = RawServer(connection)
        await server.accept()
        event = await server.next(CloseConnection)
        assert isinstance(event, CloseConnection)
        farewell.append(event.code)
        await server.send(event.response())

    async with listening(handler) as network:
        with trio.move_on_after(0.5) as scope:
            async with open_socket(network, URL) as socket:
                await socket.receive()

        assert scope.cancelled_caught
    assert farewell == [1000]


async def test_cancelling_while_opening_ends_cleanly(autojump_clock: object) -> None:
    """A caller may give up before the connection stands."""
    async with listening(silence) as network:
        with trio.move_on_after(0.5) as scope:
            async with open_socket(network, URL):
                pytest.fail("the socket opened")

        assert scope.cancelled_caught


async def test_a_peer_breaking_the_protocol_ends_the_connection(autojump_clock: object) -> None:
    """A frame that no WebSocket peer may send closes the connection with a reason."""

    async def handler(connection: Connection) -> None:
        await RawServer(connection).accept()
        await connection.send_all(b"\xff\xff\xff\xff")
        await trio.sleep_forever()

    async with listening(handler) as network, open_socket(network, URL) as socket:
        with pytest.raises(SocketClosed):
            await socket.receive()
        assert trio.current_time() < 3


async def test_a_blocked_send_ends_when_the_connection_is_found_dead(
    autojump_clock: object,
) -> None:
    """A send into a full connection of a dead peer does not wait for ever."""

    async def handler(connection: Connection) -> None:
        await RawServer(connection).accept()
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery, capacity_bytes=2048)
        network.listen("sim", 80, handler)
        async with open_socket(network, URL) as socket:
            with pytest.raises(SocketClosed, match="no pong"):
                await socket.send("x" * 4096)
            assert trio.current_time() <= 3.0
        nursery.cancel_scope.cancel()


async def test_a_pong_nobody_asked_for_is_ignored(autojump_clock: object) -> None:
    """An unsolicited pong neither proves nor breaks anything."""

    async def handler(connection: Connection) -> None:
        server = RawServer(connection)
        await server.accept()
        await server.send(Pong(payload=b"unasked"))
        await server.send(TextMessage(data="after"))
        await server.next(CloseConnection)

    async with listening(handler) as network, open_socket(network, URL) as socket:
        assert await socket.receive() == "after"


async def test_the_block_is_never_cancelled_by_the_connection(autojump_clock: object) -> None:
    """A block busy with something else goes on when the peer closes, and learns of it later."""

    async def hang_up(socket: trio_websocket.WebSocketConnection) -> None:
        await socket.aclose(1001)

    async with served(hang_up) as network, open_socket(network, URL) as socket:
        await trio.sleep(10)
        with pytest.raises(SocketClosed, match="1001"):
            await socket.send("anybody there?")
        with pytest.raises(SocketClosed, match="1001"):
            await socket.receive()
