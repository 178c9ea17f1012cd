"""The WebSocket client: messages, signs of life and limits, in virtual time."""

from __future__ import annotations

import pytest
import trio
import trio_websocket
from wsproto.events import (
    CloseConnection,
    Ping,
    Pong,
    Request,
    TextMessage,
)

from arb.io import websocket
from arb.io.connection import Connection
from arb.io.memory import MemoryNetwork
from arb.io.websocket import SocketClosed, open_socket
from tests.io.socket_server import URL, RawServer, echo, listening, served


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
