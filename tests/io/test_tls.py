"""TLS by memory buffers, over memory connections in virtual time."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio

from arb.io.connection import Connection
from arb.io.memory import CAPACITY_BYTES, MemoryNetwork
from arb.io.tls import TlsConnection, client_context
from tests.io.tls_server import certificate


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server and of a client that trusts it."""
    server, ca_path = certificate(tmp_path_factory.mktemp("tls"))
    return server, client_context(str(ca_path))


@asynccontextmanager
async def secure(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    serve: object,
    capacity_bytes: int = CAPACITY_BYTES,
) -> AsyncIterator[tuple[Connection, MemoryNetwork]]:
    """Connect to a TLS server that runs ``serve`` over its plaintext stream."""
    assert callable(serve)

    async def handler(connection: Connection) -> None:
        stream = trio.SSLStream(connection, contexts[0], server_side=True)
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await serve(stream)

    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery, ssl_context=contexts[1], capacity_bytes=capacity_bytes)
        network.listen("localhost", 443, handler)
        connection = await network.connect("localhost", 443, tls=True)
        yield connection, network
        nursery.cancel_scope.cancel()


async def echo(stream: trio.abc.Stream) -> None:
    """Send everything back."""
    while data := await stream.receive_some():
        await stream.send_all(data)
    await stream.aclose()


Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


async def test_plaintext_goes_through_both_ways_of_sending(contexts: Contexts) -> None:
    """What is sent at once and what is sent with waiting arrive, in order."""
    async with secure(contexts, echo) as (connection, _):
        assert connection.send_now(b"first,") == 6
        await connection.send_all(b"second")
        assert connection.backlog == 0

        received = b""
        while len(received) < 12:
            received += await connection.receive_some()
        assert received == b"first,second"
        assert "TLSv1" in repr(connection)


async def test_what_the_kernel_does_not_take_waits_in_the_backlog(contexts: Contexts) -> None:
    """A request larger than the buffer is taken whole, and send_all pushes the rest out."""
    received = bytearray()

    started = trio.Event()

    async def late(stream: trio.abc.Stream) -> None:
        await stream.receive_some(1)
        await started.wait()
        while len(received) < 9_999:
            received.extend(await stream.receive_some())

    async with secure(contexts, late, capacity_bytes=4096) as (connection, _):
        await connection.send_all(b"!")
        data = bytes(range(256)) * 40
        assert connection.send_now(data[:9_999]) == 9_999
        assert connection.backlog > 0
        assert connection.send_now(b"") == 0
        started.set()
        await connection.send_all(b"")
        await trio.testing.wait_all_tasks_blocked()
        assert connection.backlog == 0

    assert bytes(received) == data[:9_999]


async def test_an_immediate_send_keeps_its_place_behind_a_waiting_one(contexts: Contexts) -> None:
    """Records never overtake each other, whoever sends them."""
    received = bytearray()
    go = trio.Event()

    async def late(stream: trio.abc.Stream) -> None:
        await stream.receive_some(1)
        await go.wait()
        while len(received) < 20_004:
            received.extend(await stream.receive_some())

    async with secure(contexts, late, capacity_bytes=4096) as (connection, _):
        await connection.send_all(b"!")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.send_all, b"x" * 20_000)
            await trio.testing.wait_all_tasks_blocked()
            assert connection.send_now(b"last") == 4
            go.set()
        await connection.send_all(b"")
        await trio.testing.wait_all_tasks_blocked()

    assert bytes(received) == b"x" * 20_000 + b"last"


async def test_the_end_is_told_as_an_empty_read(contexts: Contexts) -> None:
    """A goodbye ends the stream, and so does a peer that closes without one."""

    async def polite(stream: trio.SSLStream[Connection]) -> None:
        await stream.send_all(b"bye")
        await stream.aclose()

    async def rude(stream: trio.SSLStream[Connection]) -> None:
        await stream.send_all(b"bye")
        await stream.transport_stream.aclose()

    for ending in (polite, rude):
        async with secure(contexts, ending) as (connection, _):
            assert await connection.receive_some() == b"bye"
            assert await connection.receive_some() == b""
            await connection.aclose()


async def test_a_reset_breaks_reading_and_sending(contexts: Contexts) -> None:
    """A cut connection raises BrokenResourceError everywhere, and again afterwards."""
    async with secure(contexts, echo) as (connection, network):
        network.cut()
        assert connection.readable
        with pytest.raises(trio.BrokenResourceError):
            await connection.receive_some()
        with pytest.raises(trio.BrokenResourceError):
            connection.send_now(b"x")
        with pytest.raises(trio.BrokenResourceError, match="earlier send"):
            connection.send_now(b"x")
        with pytest.raises(trio.BrokenResourceError, match="earlier send"):
            await connection.send_all(b"x")
        await connection.aclose()


async def test_garbage_from_the_peer_breaks_the_connection(contexts: Contexts) -> None:
    """Bytes that are no TLS record are a broken connection, not plaintext."""

    async def garble(stream: trio.SSLStream[Connection]) -> None:
        await stream.do_handshake()
        await stream.transport_stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await trio.sleep_forever()

    async with secure(contexts, garble) as (connection, _):
        with pytest.raises(trio.BrokenResourceError, match="TLS failed"):
            await connection.receive_some()


async def test_a_certificate_that_nobody_vouches_for_is_refused(contexts: Contexts) -> None:
    """An unknown authority ends the handshake with an OSError."""
    with pytest.RaisesGroup(ssl.SSLCertVerificationError, flatten_subgroups=True):
        async with secure((contexts[0], client_context()), echo):
            pytest.fail("connected")


async def test_a_peer_that_hangs_up_in_the_handshake_is_an_oserror() -> None:
    """A connection lost during the handshake is a ConnectionResetError."""

    async def hang_up(connection: Connection) -> None:
        await connection.receive_some()

    async def cut_off(connection: Connection) -> None:
        await trio.lowlevel.checkpoint()
        network.cut()

    for handler in (hang_up, cut_off):
        async with trio.open_nursery() as nursery:
            network = MemoryNetwork(nursery, ssl_context=client_context())
            network.listen("localhost", 443, handler)
            with pytest.raises(OSError):
                await network.connect("localhost", 443, tls=True)


async def test_waiting_for_room_and_asking_what_can_be_read(contexts: Contexts) -> None:
    """Both look through to the connection below."""
    async with secure(contexts, echo) as (connection, _):
        assert isinstance(connection, TlsConnection)
        await connection.wait_send_all_might_not_block()
        await connection.send_all(b"hello")
        await trio.testing.wait_all_tasks_blocked()
        assert connection.readable
        assert await connection.receive_some(2) == b"he"
        assert connection.readable
        assert await connection.receive_some() == b"llo"


async def test_a_cancelled_send_leaves_no_half_record_behind(
    contexts: Contexts, autojump_clock: object
) -> None:
    """After a cancelled send the connection is broken, because its records are cut."""

    async def deaf(stream: trio.SSLStream[Connection]) -> None:
        await stream.do_handshake()
        await trio.sleep_forever()

    async with secure(contexts, deaf, capacity_bytes=4096) as (connection, _):
        with trio.move_on_after(1):
            await connection.send_all(b"x" * 20_000)
        with pytest.raises(trio.BrokenResourceError, match="earlier send"):
            connection.send_now(b"x")
