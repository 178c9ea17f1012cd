"""Real sockets on loopback."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trio

from arb.io.net import Connection, SocketConnection, SocketNetwork
from arb.io.tls import client_context
from tests.io.tls_server import certificate

Serve = Callable[[trio.SocketStream], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Serve on a free port of this machine."""
    async with trio.open_nursery() as nursery:
        start = partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
        listeners = await nursery.start(start)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def echo(stream: trio.abc.Stream) -> None:
    """Send everything back."""
    while data := await stream.receive_some():
        await stream.send_all(data)


async def test_bytes_go_out_in_the_same_turn_and_come_back() -> None:
    """An immediate send leaves whole, without Nagle's delay."""
    async with listening(echo) as port:
        connection = await SocketNetwork().connect("127.0.0.1", port, tls=False)
        assert isinstance(connection, SocketConnection)
        assert connection._raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        assert not connection.readable
        assert connection.send_now(b"hello") == 5
        assert connection.backlog == 0
        assert await connection.receive_some() == b"hello"
        await connection.wait_send_all_might_not_block()
        assert f"127.0.0.1:{port}" in repr(connection)
        await connection.aclose()
        assert "closed" in repr(connection)


async def test_a_full_kernel_buffer_takes_a_part() -> None:
    """What the kernel does not take is left to send_all, in whose way nothing else gets."""
    go = trio.Event()

    async def late(stream: trio.SocketStream) -> None:
        await go.wait()
        while not (await stream.receive_some()).endswith(b"end"):
            pass
        await stream.send_all(b"all")

    async with listening(late) as port:
        connection = await SocketNetwork().connect("127.0.0.1", port, tls=False)
        assert 0 < connection.send_now(bytes(50_000_000)) < 50_000_000
        taken = 1
        while taken:
            await trio.lowlevel.checkpoint()
            taken = connection.send_now(bytes(65_536))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.send_all, bytes(50_000_000) + b"end")
            await trio.testing.wait_all_tasks_blocked()
            assert connection.send_now(b"x") == 0
            go.set()
            assert await connection.receive_some() == b"all"
        await connection.aclose()


async def read_out(stream: trio.SocketStream) -> tuple[int, str]:
    """Return how many bytes arrive from now on, and what comes after them."""
    count = 0
    try:
        while data := await stream.receive_some():
            count += len(data)
    except trio.BrokenResourceError:
        return count, "reset"
    return count, "end"


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    "discards, after",
    # To send on into so small a window takes the kernel a second.
    [(True, "reset"), pytest.param(False, "end", marks=pytest.mark.slow)],
)
async def test_a_close_may_throw_away_what_has_not_left(
    discards: bool,
    after: str,
    tls: bool,
    tmp_path: Path,
) -> None:
    """The kernel sends on after a close what the peer had no room for, unless told not to."""
    server_context, ca_path = certificate(tmp_path)
    closed, read = trio.Event(), trio.Event()
    arrived: list[tuple[int, str]] = []

    async def deaf(stream: trio.SocketStream) -> None:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        spoken: trio.abc.Stream = stream
        if tls:
            spoken = trio.SSLStream(stream, server_context, server_side=True)
        await spoken.send_all(b"ready")
        await closed.wait()
        arrived.append(await read_out(stream))
        read.set()

    async with listening(deaf) as port:
        network = SocketNetwork(client_context(str(ca_path)))
        connection = await network.connect("localhost", port, tls=tls)
        # What is unread at a close makes the kernel reset in any case.
        assert await connection.receive_some() == b"ready"
        if discards:
            connection.discard_at_close()
        piece, sent = bytes(65_536), 0
        while not connection.backlog and (taken := connection.send_now(piece)):
            sent += taken
        sent -= connection.backlog
        await connection.aclose()
        closed.set()
        with trio.fail_after(30):
            await read.wait()

    ((count, ending),) = arrived
    assert ending == after
    assert (count >= sent) is not discards


async def test_a_close_that_throws_away_takes_nothing_from_an_answered_request(
    tmp_path: Path,
) -> None:
    """All was said on both sides: the server meets a reset at most, and nobody an error before."""
    server_context, ca_path = certificate(tmp_path)
    heard: list[bytes] = []
    ended = trio.Event()

    async def answer(stream: trio.SocketStream) -> None:
        spoken = trio.SSLStream(stream, server_context, server_side=True)
        heard.append(bytes(await spoken.receive_some()))
        await spoken.send_all(b"answer")
        # The goodbye of TLS or the reset: which of them is read first is the kernel's.
        with suppress(trio.BrokenResourceError):
            assert not await spoken.receive_some()
        ended.set()

    async with listening(answer) as port:
        network = SocketNetwork(client_context(str(ca_path)))
        connection = await network.connect("localhost", port, tls=True)
        connection.discard_at_close()
        await connection.send_all(b"request")
        assert await connection.receive_some() == b"answer"
        await connection.aclose()
        connection.discard_at_close()
        with trio.fail_after(30):
            await ended.wait()

    assert heard == [b"request"]


async def test_the_peers_end_is_seen() -> None:
    """A closed peer makes the connection readable and its reads empty."""
    async with listening(lambda stream: stream.aclose()) as port:
        connection = await SocketNetwork().connect("127.0.0.1", port, tls=False)
        assert await connection.receive_some() == b""
        assert connection.readable
        await connection.aclose()
        assert connection.readable
        with pytest.raises(trio.BrokenResourceError, match="cannot send"):
            connection.send_now(b"x")


async def test_nobody_listening_is_an_oserror() -> None:
    """A port where nobody listens refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    network = SocketNetwork()

    with pytest.raises(OSError, match="connect"):
        await network.connect("127.0.0.1", port, tls=False)
    assert "SocketNetwork" in repr(network)


async def test_tls_on_a_real_socket(tmp_path: Path) -> None:
    """The whole way: TCP, a verified handshake, an immediate send and its echo."""
    server_context, ca_path = certificate(tmp_path)

    async def serve(stream: trio.SocketStream) -> None:
        await echo(trio.SSLStream(stream, server_context, server_side=True))

    async with listening(serve) as port:
        network = SocketNetwork(client_context(str(ca_path)))
        connection: Connection = await network.connect("localhost", port, tls=True)
        assert connection.send_now(b"hello") == 5
        assert await connection.receive_some() == b"hello"
        await connection.aclose()


async def test_a_server_without_a_known_certificate_is_refused(tmp_path: Path) -> None:
    """Without a context of its own the network trusts this machine's authorities alone."""
    server_context, _ = certificate(tmp_path)

    async def serve(stream: trio.SocketStream) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await echo(trio.SSLStream(stream, server_context, server_side=True))

    async with listening(serve) as port:
        with pytest.raises(OSError, match="certificate"):
            await SocketNetwork().connect("localhost", port, tls=True)
