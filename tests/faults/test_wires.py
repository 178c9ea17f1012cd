"""Every fault of the network, against a server that says back what it hears."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio

from arb.faults.frames import text_frame
from arb.faults.wire_connection import WiredConnection
from arb.faults.wire_faults import Refusal
from arb.faults.wires import BOOKS, LANES, Wire, Wires
from arb.io.clock import VirtualClock
from arb.io.memory import MemoryNetwork
from arb.io.net import Connection
from arb.kalshi.lane import Answer, Limits, OrderLanes
from tests.io.http_server import URL, HttpServer
from tests.kalshi.keys import PlainSigner
from tests.kalshi.lane_bench import EPOCH_MS, order, taken

UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@attrs.define
class Heard:
    """What an observer saw."""

    events: list[str] = attrs.field(factory=list)
    data: bytes = b""

    def opened(self, connection: WiredConnection) -> None:
        """Note it."""
        self.events.append("opened")

    def sending(self, connection: WiredConnection, data: bytes) -> None:
        """Note it."""
        self.events.append("sending")

    def sent(self, connection: WiredConnection) -> None:
        """Note it."""
        self.events.append("sent")

    def received(self, connection: WiredConnection, data: bytes) -> None:
        """Note it."""
        self.data += data

    def ended(self, connection: WiredConnection) -> None:
        """Note it."""
        self.events.append("ended")


@attrs.frozen
class Bench:
    """One wire to an echo, and what was seen on it; ``served`` is what the server has read."""

    wire: Wire
    wires: Wires
    heard: Heard
    served: list[bytes]

    async def connect(self) -> Connection:
        """Open a connection."""
        return await self.wires.plug().to(lambda _port: BOOKS).connect("host", 1, tls=False)


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    """Open a wire to an echo."""
    served: list[bytes] = []

    async def echo(connection: Connection) -> None:
        while data := await connection.receive_some():
            served.append(data)
            await connection.send_all(data)
        served.append(b"")

    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("host", 1, echo)
        heard = Heard()
        wires = Wires(network, heard)
        yield Bench(wires[BOOKS], wires, heard, served)
        nursery.cancel_scope.cancel()


async def test_a_good_wire_carries_everything(autojump_clock: object) -> None:
    """What is sent arrives, either way of sending, and an observer sees all of it."""
    async with bench() as one:
        connection = await one.connect()
        assert connection.send_now(b"ab") == 2
        assert await connection.receive_some() == b"ab"
        await connection.send_all(b"cd")
        assert await connection.receive_some(1) == b"c"
        assert connection.readable
        await connection.aclose()
        with pytest.raises(trio.ClosedResourceError):
            await connection.receive_some()
        await trio.sleep(1)

        assert one.served == [b"ab", b"cd", b""]
        assert one.heard.events == ["opened", "sending", "sent", "sending", "sent", "ended"]
        assert one.heard.data == b"abc"
        assert one.wire.connections == []


@pytest.mark.parametrize(
    "refusal, error",
    [
        (Refusal.REFUSED, ConnectionRefusedError),
        (Refusal.NO_NAME, socket.gaierror),
        (Refusal.BAD_TLS, ssl.SSLError),
    ],
)
async def test_a_connection_can_be_refused(
    refusal: Refusal, error: type[OSError], autojump_clock: object
) -> None:
    """Each way of refusing raises what a socket would raise."""
    async with bench() as one:
        one.wire.faults.refusal = refusal
        with pytest.raises(error):
            await one.connect()
        one.wire.heal()
        assert repr(await one.connect()) == "<WiredConnection books open>"


async def test_nobody_may_answer(autojump_clock: object) -> None:
    """Without an answer only the caller's deadline ends the wait."""
    async with bench() as one:
        one.wire.faults.refusal = Refusal.NO_ANSWER
        with pytest.raises(trio.TooSlowError), trio.fail_after(5):
            await one.connect()


async def test_a_hole_swallows_both_ways_until_it_ends(autojump_clock: object) -> None:
    """What is sent into a hole is taken and arrives later, and so does what is sent back."""
    async with bench() as one:
        connection = await one.connect()
        one.wire.faults.hole = True
        one.wire.poke()
        assert connection.send_now(b"ab") == 2
        with trio.move_on_after(60) as waited:
            await connection.receive_some()
        assert waited.cancelled_caught
        assert (one.served, connection.readable) == ([], False)

        one.wire.heal()
        assert await connection.receive_some() == b"ab"


async def test_the_close_of_a_connection_in_a_hole_is_heard_later(autojump_clock: object) -> None:
    """The peer learns of it when the hole ends."""
    async with bench() as one:
        connection = await one.connect()
        one.wire.faults.hole = True
        await connection.aclose()
        await trio.sleep(5)
        assert one.served == []
        one.wire.heal()
        await trio.sleep(1)
        assert one.served == [b""]


async def test_an_order_in_a_hole_ends_with_its_lane(autojump_clock: object) -> None:
    """What has not left when a lane is given up never does, however soon the line is back."""
    server, answers = HttpServer(taken), list[Answer]()
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("sim", 80, server)
        wires = Wires(network, Heard())
        lanes = OrderLanes(
            wires.plug().to(lambda _port: LANES),
            URL,
            PlainSigner(),
            VirtualClock(EPOCH_MS),
            limits=Limits(answer_s=2),
            on_answer=answers.append,
        )
        nursery.start_soon(lanes.run)
        await trio.sleep(0.5)
        wires[LANES].faults.hole = True
        wires[LANES].poke()
        lanes.send(order())
        await trio.sleep(2.1)
        assert [answer.failure for answer in answers] == ["no answer within 2 s"]
        wires.heal()
        await trio.sleep(30)
        assert lanes.connected == 3
        nursery.cancel_scope.cancel()

    assert [asked.method for asked in server.asked if asked.method != "GET"] == []


async def test_half_open_means_that_nothing_ever_says_so(autojump_clock: object) -> None:
    """Sends are taken, reads hang, and healing mends nothing: the peer is gone."""
    async with bench() as one:
        connection = await one.connect()
        one.wire.each(WiredConnection.lose_peer)
        assert connection.send_now(b"ab") == 2
        one.wire.heal()
        with trio.move_on_after(60) as waited:
            await connection.receive_some()
        assert waited.cancelled_caught
        assert one.served == [b""]


async def test_a_reset_and_a_close_look_as_they_do(autojump_clock: object) -> None:
    """A reset raises in the read that waits; an orderly close ends it."""
    async with bench() as one:
        for do, ends in ((WiredConnection.reset, False), (WiredConnection.end, True)):
            connection = await one.connect()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_expect, connection, ends)
                await trio.sleep(1)
                one.wire.each(do)
            await connection.aclose()


async def _expect(connection: Connection, ends: bool) -> None:
    if ends:
        assert await connection.receive_some() == b""
        return
    with pytest.raises(trio.BrokenResourceError):
        await connection.receive_some()


async def test_a_reset_may_come_in_mid_message(autojump_clock: object) -> None:
    """So many bytes arrive, and then the connection is gone."""
    async with bench() as one:
        connection = await one.connect()
        one.wire.faults.reset_in = 3
        connection.send_now(b"abcdef")
        assert await connection.receive_some() == b"abc"
        with pytest.raises(trio.BrokenResourceError):
            await connection.receive_some()


async def test_bytes_come_one_by_one_or_drop_by_drop(autojump_clock: object) -> None:
    """A sliced read has one byte; a drip takes its time for each few."""
    async with bench() as one:
        connection = await one.connect()
        one.wire.faults.slices = 2
        connection.send_now(b"abcdef")
        assert [await connection.receive_some() for _ in range(3)] == [b"a", b"b", b"cdef"]

        one.wire.faults.drip_bytes = 4
        connection.send_now(b"abcdef")
        before_s = trio.current_time()
        assert await connection.receive_some() == b"abcd"
        assert trio.current_time() > before_s


async def test_latency_delays_and_loses_nothing(autojump_clock: object) -> None:
    """A read that is cancelled while data is on its way finds it later."""
    async with bench() as one:
        connection = await one.connect()
        one.wire.faults.latency_s = 1.0
        connection.send_now(b"ab")
        with trio.move_on_after(0.5):
            await connection.receive_some()
        assert await connection.receive_some() == b"ab"
        assert trio.current_time() >= 1.0


async def test_messages_are_held_while_the_connection_lives(autojump_clock: object) -> None:
    """A frozen feed answers pings; what it held back comes when it thaws, in order."""
    async with bench() as one:
        connection = await one.connect()
        connection.send_now(UPGRADE)
        assert await connection.receive_some() == UPGRADE
        one.wire.faults.frames.held = True
        pong = b"\x8a\x00"
        connection.send_now(text_frame(b"a").raw + pong + text_frame(b"b").raw)
        assert await connection.receive_some() == pong
        with trio.move_on_after(5) as waited:
            await connection.receive_some()
        assert waited.cancelled_caught

        one.wire.heal()
        assert await connection.receive_some() == text_frame(b"a").raw + text_frame(b"b").raw


async def test_a_plug_that_is_pulled_ends_everything(autojump_clock: object) -> None:
    """A killed program's connections end for the peer, and it opens no new ones."""
    async with bench() as one:
        plug = one.wires.plug()
        network = plug.to(lambda _port: BOOKS)
        connection = await network.connect("host", 1, tls=False)
        plug.pull()
        with pytest.raises(trio.ClosedResourceError):
            connection.send_now(b"ab")
        with trio.move_on_after(5) as waited:
            await network.connect("host", 1, tls=False)

        assert waited.cancelled_caught
        assert one.served == [b""]
        assert repr(plug) == "<Plug pulled>"
        assert repr(one.wires).startswith("<Wires {'books': 0")
