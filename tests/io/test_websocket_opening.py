"""Opening a WebSocket and closing it, whatever the peer does."""

from __future__ import annotations

import pytest
import trio
import trio_websocket
from wsproto.events import (
    CloseConnection,
    Ping,
)

from arb.io import websocket
from arb.io.connection import Connection
from arb.io.memory import MemoryNetwork
from arb.io.websocket import ConnectFailed, open_socket
from tests.io.socket_server import URL, RawServer, listening, silence


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
