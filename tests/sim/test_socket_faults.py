"""How the exchange's WebSocket ends, and what can be made to go wrong with it."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed

from arb.sim.exchange.values import BookSide, Lifetime
from arb.sim.signatures import KeyRing
from arb.sim.websocket.server import ExchangeServer
from tests.sim.sim_client import Bench, Member, connect, rejection

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL


async def test_the_server_pings_with_its_word(
    member: Member, bench: Bench, autojump_clock: object
) -> None:
    """Every ten seconds; a client that answers stays connected."""
    async with member.socket() as socket:
        await trio.sleep(95)
        bench.clock.now_ms += 95_000
        await socket.command(1, "list_subscriptions")
        assert (await socket.frame())["type"] == "ok"


async def raw_upgrade(member: Member) -> trio.abc.Stream:
    """Return a stream on which a WebSocket is open and nobody answers for us."""
    path = "/trade-api/ws/v2"
    stream = connect(member.nursery, member.server.serve_stream)
    head = "".join(f"{name}: {value}\r\n" for name, value in member.headers("GET", path))
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    upgrade = "Host: sim\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    await stream.send_all(f"GET {path} HTTP/1.1\r\n{upgrade}{key}{head}\r\n".encode())
    assert (await stream.receive_some(65_536)).startswith(b"HTTP/1.1 101")
    return stream


async def test_a_client_that_never_answers_a_ping_is_dropped(
    member: Member, server: ExchangeServer, autojump_clock: object
) -> None:
    """A peer that is silent below the messages is taken for dead."""
    stream = await raw_upgrade(member)
    received = b""
    with trio.fail_after(30):
        while data := await stream.receive_some(65_536):
            received += data
    assert received.endswith(b"heartbeat")
    assert trio.current_time() >= 20
    assert server.sessions == []


async def test_a_ping_after_our_close_ends_only_its_own_connection(
    member: Member, server: ExchangeServer, autojump_clock: object
) -> None:
    """The library calls it an error of its own; everybody else is served on."""
    stream = await raw_upgrade(member)
    server.sessions[0].outbox.close(1000)
    assert (await stream.receive_some(1_000)).startswith(b"\x88")
    await stream.send_all(b"\x89\x80\x00\x00\x00\x00")
    await trio.sleep(5)
    assert server.sessions == []
    assert (await member.get("/exchange/status"))["exchange_active"] is True


@pytest.mark.parametrize("garbage", [b"\xff" * 40, b"\x81\x85\x00\x00\x00\x00\xff\xff\xff\xff\xff"])
async def test_garbage_below_the_messages_ends_only_its_own_connection(
    member: Member, server: ExchangeServer, garbage: bytes, autojump_clock: object
) -> None:
    """Frames that are none, and text that is no UTF-8."""
    stream = await raw_upgrade(member)
    await stream.send_all(garbage)
    await trio.sleep(30)
    assert server.sessions == []
    assert (await member.get("/exchange/status"))["exchange_active"] is True


@pytest.mark.parametrize(("path", "status"), [("/trade-api/ws/v2", 401), ("/trade-api/ws/v1", 404)])
async def test_strangers_are_not_let_in(
    member: Member, server: ExchangeServer, path: str, status: int
) -> None:
    """Without a signature it is 401 with the recorded body, elsewhere 404."""
    stream = connect(member.nursery, server.serve_stream)
    assert (await rejection(stream, path, []))[0] == status


async def test_upgrades_can_be_refused(
    member: Member, bench: Bench, server: ExchangeServer
) -> None:
    """A 502 on reconnect, as after a reset on the real exchange."""
    bench.venue.conditions.refuse_upgrades = 502
    path = "/trade-api/ws/v2"
    stream = connect(member.nursery, server.serve_stream)
    assert await rejection(stream, path, member.headers("GET", path)) == (502, b"unavailable")


async def test_a_slow_reader_loses_its_subscription(bench: Bench, nursery: trio.Nursery) -> None:
    """Code 25 is the last word of the subscription; the connection lives and can start anew."""
    server = ExchangeServer(bench.venue, KeyRing(), outbox_limit=20)
    member = Member(server, nursery)
    wish = {"channels": ["orderbook_delta"], "market_ticker": bench.home.ticker}
    async with member.socket() as socket:
        await socket.command(1, "subscribe", **wish)
        await socket.frames(2)
        for _ in range(30):
            bench.place(bench.maker, BID, 4_000, 100)
        frames = await socket.frames(21)
        assert [one["seq"] for one in frames[:-1]] == list(range(2, 22))
        assert frames[-1]["msg"] == {"code": 25, "msg": "Subscription buffer overflow"}
        assert frames[-1]["sid"] == 1
        await socket.command(2, "subscribe", **wish)
        assert [one["type"] for one in await socket.frames(2)] == [
            "subscribed",
            "orderbook_snapshot",
        ]


async def test_a_gap_can_be_made(member: Member, bench: Bench) -> None:
    """Sequence numbers are left out once, before the next frame."""
    async with member.socket() as socket:
        await socket.command(
            1, "subscribe", channels=["orderbook_delta"], market_ticker=bench.home.ticker
        )
        await socket.frames(2)
        bench.venue.conditions.skip_sequences = 3
        bench.place(bench.maker, BID, 4_000, 100)
        bench.place(bench.maker, BID, 4_000, 100)
        assert [one["seq"] for one in await socket.frames(2)] == [5, 6]


async def test_private_frames_can_be_lost_or_doubled(member: Member, bench: Bench) -> None:
    """Two faults of the private channels."""
    bench.place(bench.maker, ASK, 4_000, 300)
    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=["fill"])
        await socket.frame()
        bench.venue.conditions.drop_private = True
        bench.place(bench.member, BID, 4_000, 100, IOC)
        bench.venue.conditions.drop_private = False
        bench.venue.conditions.duplicate_fills = True
        bench.place(bench.member, BID, 4_000, 100, IOC)
        first, second = await socket.frames(2)
        assert first["msg"] == second["msg"]
        assert first["msg"]["post_position_fp"] == "2.00"


async def test_sockets_can_stall_and_go_on(
    member: Member, bench: Bench, autojump_clock: object
) -> None:
    """Nothing is sent while stalled and nothing is lost."""
    async with member.socket() as socket:
        bench.venue.conditions.stall_sockets = True
        await socket.command(1, "list_subscriptions")
        with trio.move_on_after(30) as patience:
            await socket.frame()
        assert patience.cancelled_caught
        bench.venue.conditions.stall_sockets = False
        assert (await socket.frame())["id"] == 1


async def test_connections_can_be_cut(
    member: Member, server: ExchangeServer, autojump_clock: object
) -> None:
    """Every client loses its connection at once, without a farewell."""
    async with member.socket() as socket:
        assert "1 sockets" in repr(server)
        server.cut_connections()
        with pytest.raises(ConnectionClosed):
            await socket.frame()
    assert server.venue.listeners == []


async def test_any_frame_can_be_injected(member: Member, server: ExchangeServer) -> None:
    """Garbage reaches the client exactly as it was put in."""
    async with member.socket() as socket:
        await socket.command(1, "list_subscriptions")
        await socket.frame()
        server.inject_frame("{garbage")
        assert await socket.text() == "{garbage"
        assert "member" in repr(server.sessions[0])
