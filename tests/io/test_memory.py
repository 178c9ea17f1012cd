"""The memory twin of the network seam."""

from __future__ import annotations

import pytest
import trio

from arb.io.connection import Connection
from arb.io.memory import MemoryNetwork, memory_pair


async def silence(connection: Connection) -> None:
    """Accept bytes and say nothing."""
    await trio.sleep_forever()


async def test_bytes_travel_both_ways() -> None:
    """What one end sends the other receives, by either way of sending."""
    ours, theirs = memory_pair()

    assert ours.send_now(b"hello") == 5
    await theirs.send_all(b"hi")

    assert await theirs.receive_some() == b"hello"
    assert await ours.receive_some(1) == b"h"
    assert await ours.receive_some(9) == b"i"


async def test_a_full_pipe_takes_a_part_and_makes_send_all_wait(autojump_clock: object) -> None:
    """An immediate send is cut where the pipe is full, and send_all goes on as it empties."""
    ours, theirs = memory_pair(4)

    assert ours.send_now(b"123456") == 4
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.send_all, b"56")
        await trio.testing.wait_all_tasks_blocked()
        assert ours.send_now(b"x") == 0
        with pytest.raises(trio.BusyResourceError):
            await ours.send_all(b"y")

        assert await theirs.receive_some() == b"1234"
    assert await theirs.receive_some() == b"56"


async def test_waiting_for_room_ends_when_the_reader_reads() -> None:
    """wait_send_all_might_not_block returns once there is room."""
    ours, theirs = memory_pair(2)
    ours.send_now(b"ab")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.wait_send_all_might_not_block)
        await trio.testing.wait_all_tasks_blocked()
        await theirs.receive_some()

    assert ours.send_now(b"c") == 1


async def test_closing_ends_the_peers_reading_and_breaks_its_sending() -> None:
    """The peer of a closed end reads what is left, then the end, and cannot send."""
    ours, theirs = memory_pair()
    await ours.send_all(b"last")
    before = ours.readable
    await ours.aclose()
    await ours.aclose()

    assert not before
    assert theirs.readable
    assert await theirs.receive_some() == b"last"
    assert await theirs.receive_some() == b""
    with pytest.raises(trio.BrokenResourceError):
        theirs.send_now(b"x")
    with pytest.raises(trio.ClosedResourceError):
        ours.send_now(b"x")
    assert ours.readable
    assert "closed" in repr(ours)


async def test_a_cut_wakes_who_waits_and_loses_what_was_on_its_way() -> None:
    """A cut breaks both ends at once, as a reset does."""
    ours, theirs = memory_pair()
    ours.send_now(b"lost")
    broken = 0

    async def wait(connection: Connection) -> None:
        nonlocal broken
        with pytest.raises(trio.BrokenResourceError):
            await connection.receive_some()
        broken += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, ours)
        await trio.testing.wait_all_tasks_blocked()
        ours.cut()
    assert await theirs.receive_some() == b""
    with pytest.raises(trio.BrokenResourceError):
        theirs.send_now(b"x")

    assert broken == 1
    assert "cut" in repr(ours)


async def test_a_network_runs_a_handler_for_each_connection() -> None:
    """Whoever connects is served, and the server's end is closed when its handler returns."""

    async def shout(connection: Connection) -> None:
        await connection.send_all((await connection.receive_some()).upper())

    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("sim", 1, shout)
        connection = await network.connect("sim", 1, tls=True)
        await connection.send_all(b"hello")

        assert await connection.receive_some() == b"HELLO"
        assert await connection.receive_some() == b""
        assert repr(network) == "<MemoryNetwork sim:1>"
        await connection.aclose()


async def test_nobody_listening_refuses() -> None:
    """A connection to where nobody listens, or no longer does, is refused."""
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("sim", 1, silence)
        network.deafen("sim", 1)

        with pytest.raises(ConnectionRefusedError, match="nobody listens on sim:1"):
            await network.connect("sim", 1, tls=False)
        assert "nobody" in repr(network)


async def test_the_network_can_be_cut() -> None:
    """Cutting the network breaks every open connection."""
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("sim", 1, silence)
        first = await network.connect("sim", 1, tls=False)
        await first.aclose()
        second = await network.connect("sim", 1, tls=False)
        network.cut()

        with pytest.raises(trio.BrokenResourceError):
            await second.receive_some()
        assert network.connections == [second]
        nursery.cancel_scope.cancel()
