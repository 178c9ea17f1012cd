"""The faulty proxy on real sockets of loopback: each fault, and that it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import attrs
import pytest
import trio

from arb.faults.tcp_proxy import HOST, LineFaults, TcpProxy

PATIENCE_S = 10.0
# Long enough to tell that nothing comes, short enough for a test.
NOTHING_S = 0.15


@attrs.define(eq=False)
class Bench:
    """A proxy to a server that sends everything back, and counts the ends it hears."""

    proxy: TcpProxy
    ends: int = 0

    async def connected(self) -> trio.SocketStream:
        """Return a connection through the proxy that the server has taken."""
        stream = await trio.open_tcp_stream(HOST, self.proxy.port)
        await stream.send_all(b"hello")
        assert await some(stream, 5) == b"hello"
        return stream


@pytest.fixture
async def bench(nursery: trio.Nursery) -> AsyncIterator[Bench]:
    """Serve an echo behind a proxy."""

    async def echo(stream: trio.SocketStream) -> None:
        try:
            while data := await stream.receive_some():
                await stream.send_all(data)
            made.ends += 1
        except trio.BrokenResourceError:
            made.ends += 1

    listeners = await trio.open_tcp_listeners(0, host=HOST)
    nursery.start_soon(trio.serve_listeners, echo, listeners)
    made = Bench(TcpProxy(listeners[0].socket.getsockname()[1], Random(1)))
    await nursery.start(made.proxy.serve)
    with trio.fail_after(PATIENCE_S):
        yield made
    nursery.cancel_scope.cancel()


async def some(stream: trio.SocketStream, size: int) -> bytes:
    """Return so many bytes, fewer where the other side ends."""
    data = b""
    while len(data) < size and (piece := await stream.receive_some()):
        data += piece
    return data


async def comes(stream: trio.SocketStream) -> bytes | None:
    """Return what comes within a while, None for nothing."""
    with trio.move_on_after(NOTHING_S):
        return bytes(await stream.receive_some())
    return None


async def test_bytes_pass_both_ways_and_ends_do_too(bench: Bench) -> None:
    """Without a fault nobody can tell that it is there."""
    async with await bench.connected() as stream:
        await stream.send_all(b"x" * 300_000)
        await stream.send_eof()
        assert await some(stream, 400_000) == b"x" * 300_000
    assert bench.ends == 1
    assert bench.proxy.counts.connections == 1
    assert "0 live" in repr(bench.proxy) or "1 live" in repr(bench.proxy)


async def test_a_delay_holds_bytes_back(bench: Bench) -> None:
    """They come in their order, each so much later in each direction."""
    async with await bench.connected() as stream:
        bench.proxy.faults.delay_s = 0.1
        began_s = trio.current_time()
        await stream.send_all(b"a")
        assert await stream.receive_some() == b"a"
        assert trio.current_time() - began_s >= 0.2


async def test_a_throttle_and_slices_take_their_time(bench: Bench) -> None:
    """All bytes come, in pieces."""
    async with await bench.connected() as stream:
        bench.proxy.faults.bytes_per_s = 2_000.0
        began_s = trio.current_time()
        await stream.send_all(b"a" * 400)
        assert await some(stream, 400) == b"a" * 400
        assert trio.current_time() - began_s >= 0.15
        bench.proxy.faults = LineFaults(slice_bytes=1)
        await stream.send_all(b"b" * 50)
        assert await some(stream, 50) == b"b" * 50


async def test_a_hole_swallows_until_it_is_healed(bench: Bench) -> None:
    """The connection stays open; what was sent comes afterwards, as TCP would send it again."""
    async with await bench.connected() as stream:
        bench.proxy.faults.hole = True
        await stream.send_all(b"a")
        assert await comes(stream) is None
        bench.proxy.heal()
        assert await stream.receive_some() == b"a"


async def test_a_reset_breaks_both_sides(bench: Bench) -> None:
    """It is an error and no end; a connection made afterwards is a good one."""
    stream = await bench.connected()
    bench.proxy.reset(1.0)
    with pytest.raises(trio.BrokenResourceError):
        await stream.receive_some()
    await stream.aclose()
    await (await bench.connected()).aclose()
    assert bench.proxy.counts.resets == 1
    # Nobody is left whom it could break.
    bench.proxy.reset(0.0)
    assert bench.proxy.counts.resets == 1


async def test_a_half_close_ends_one_direction(bench: Bench) -> None:
    """Nothing comes any more; what is sent still arrives."""
    async with await bench.connected() as stream:
        bench.proxy.half_close(1.0)
        bench.proxy.half_close(1.0)
        assert await stream.receive_some() == b""
        await stream.send_all(b"still")
        await trio.sleep(NOTHING_S)
        assert bench.ends == 0
    while not bench.ends:  # noqa: ASYNC110 - the server tells nobody
        await trio.sleep(0.01)
    assert bench.proxy.counts.half_closes == 1


async def test_refused_connections_are_broken_at_once(bench: Bench) -> None:
    """Those that stand go on."""
    async with await bench.connected() as stream:
        bench.proxy.faults.refuse = True
        async with await trio.open_tcp_stream(HOST, bench.proxy.port) as refused:
            with pytest.raises(trio.BrokenResourceError):
                await refused.receive_some()
        await stream.send_all(b"a")
        assert await stream.receive_some() == b"a"
    assert bench.proxy.counts.refused == 1


async def test_corruption_is_never_another_text(bench: Bench) -> None:
    """One byte has its highest bit set, on the way to the client only, and once."""
    async with await bench.connected() as stream:
        bench.proxy.corrupt(1.0)
        await stream.send_all(b"12345")
        damaged = await some(stream, 5)
        assert sum(byte >= 0x80 for byte in damaged) == 1
        with pytest.raises(UnicodeDecodeError):
            damaged.decode()
        await stream.send_all(b"12345")
        assert await some(stream, 5) == b"12345"


async def test_only_a_part_of_the_connections_feels_a_fault(bench: Bench) -> None:
    """Whose luck is beyond the share is not touched."""
    async with await bench.connected() as stream:
        bench.proxy.faults = LineFaults(hole=True, slice_bytes=1, share=0.0)
        await stream.send_all(b"ab")
        assert await stream.receive_some() == b"ab"
        bench.proxy.half_close(0.0)
        bench.proxy.corrupt(0.0)
        await stream.send_all(b"cd")
        assert await stream.receive_some() == b"cd"


async def test_a_server_that_is_gone_is_a_closed_connection(nursery: trio.Nursery) -> None:
    """The client is hung up on."""
    listeners = await trio.open_tcp_listeners(0, host=HOST)
    port = listeners[0].socket.getsockname()[1]
    await trio.aclose_forcefully(listeners[0])
    proxy = TcpProxy(port, Random(1))
    await nursery.start(proxy.serve)
    async with await trio.open_tcp_stream(HOST, proxy.port) as stream:
        assert await stream.receive_some() == b""
    nursery.cancel_scope.cancel()
