"""What can go wrong with frames, subscriptions and connections, one condition at a time."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import trio
from trio_websocket import ConnectionClosed

from arb.sim.conditions import LOST, ExchangeConditions
from arb.sim.exchange.values import BookSide, Lifetime
from arb.sim.websocket.server import ExchangeServer
from tests.sim.sim_client import Bench, Json, Member, Socket, connect, rejection

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL
PRIVATE = ["fill", "user_orders", "market_positions"]


async def subscribed(socket: Socket, bench: Bench, *channels: str) -> None:
    """Subscribe to the home market's channels and read the greeting."""
    await socket.command(1, "subscribe", channels=list(channels), market_ticker=bench.home.ticker)
    await socket.frames(len(channels) + ("orderbook_delta" in channels))


def deltas(frames: list[Json]) -> list[tuple[int, str, str]]:
    return [(one["seq"], one["msg"]["price_dollars"], one["msg"]["delta_fp"]) for one in frames]


def buy(bench: Bench) -> None:
    bench.place(bench.member, BID, 4_000, 100, IOC)


async def test_only_fills_can_be_lost(member: Member, bench: Bench) -> None:
    """Order and position are told, the fill itself is not."""
    bench.place(bench.maker, ASK, 4_000, 300)
    bench.venue.conditions.drop_fills = True
    async with member.socket() as socket:
        await subscribed(socket, bench, *PRIVATE)
        buy(bench)
        kinds = [one["type"] for one in await socket.frames(2)]
    assert kinds == ["market_position", "user_order"]


async def test_orders_can_be_told_twice(member: Member, bench: Bench) -> None:
    """The same order frame again."""
    bench.venue.conditions.duplicate_orders = True
    async with member.socket() as socket:
        await subscribed(socket, bench, "user_orders")
        bench.place(bench.member, BID, 4_000, 100)
        first, second = await socket.frames(2)
    assert first["msg"] == second["msg"]


async def test_private_frames_can_be_late(
    member: Member, bench: Bench, autojump_clock: object
) -> None:
    """The book moves at once, one's own fill is heard later; nothing is lost."""
    bench.place(bench.maker, ASK, 4_000, 300)
    bench.venue.conditions.private_delay_s = 3.0
    async with member.socket() as socket:
        await subscribed(socket, bench, "fill", "orderbook_delta")
        began = trio.current_time()
        buy(bench)
        assert (await socket.frame())["type"] == "orderbook_delta"
        assert trio.current_time() == began
        assert (await socket.frame())["type"] == "fill"
        assert trio.current_time() - began == pytest.approx(3.0)


async def test_private_frames_can_overtake_each_other(
    member: Member, bench: Bench, autojump_clock: object
) -> None:
    """Every second one comes before the one that it followed."""
    bench.venue.conditions.reorder_private = True
    async with member.socket() as socket:
        await subscribed(socket, bench, "user_orders")
        for name in ("first", "second"):
            bench.place(bench.member, BID, 4_000, 100, client_order_id=name)
        names = [one["msg"]["client_order_id"] for one in await socket.frames(2)]
    assert names == ["second", "first"]


async def test_book_frames_can_overtake_each_other(
    member: Member, bench: Bench, autojump_clock: object
) -> None:
    """Their numbers come out of order."""
    bench.venue.conditions.reorder_books = True
    async with member.socket() as socket:
        await subscribed(socket, bench, "orderbook_delta")
        bench.place(bench.maker, BID, 4_000, 100)
        bench.place(bench.maker, BID, 4_000, 100)
        assert [one["seq"] for one in await socket.frames(2)] == [3, 2]


async def test_book_frames_can_come_twice(member: Member, bench: Bench) -> None:
    """The same number again, and the next one follows as if nothing were."""
    bench.venue.conditions.duplicate_books = True
    async with member.socket() as socket:
        await subscribed(socket, bench, "orderbook_delta")
        bench.place(bench.maker, BID, 4_000, 100)
        bench.place(bench.maker, BID, 4_100, 100)
        assert [one["seq"] for one in await socket.frames(4)] == [2, 2, 3, 3]


async def test_a_frame_can_be_garbled(member: Member, bench: Bench) -> None:
    """Half a frame that is no JSON, its number used up; the next one is whole again."""
    bench.venue.conditions.garble_frames = 1
    async with member.socket() as socket:
        await subscribed(socket, bench, "orderbook_delta")
        bench.place(bench.maker, BID, 4_000, 100)
        bench.place(bench.maker, BID, 4_000, 100)
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(await socket.text())
        assert (await socket.frame())["seq"] == 3


@pytest.mark.parametrize(
    ("name", "price", "delta"),
    [("cross_books", "0.9900", "1.00"), ("negative_books", "0.4000", "-1000000.00")],
)
async def test_a_book_can_become_impossible(
    member: Member, bench: Bench, name: str, price: str, delta: str
) -> None:
    """A delta that nothing stands behind, once; a snapshot shows the truth."""
    bench.place(bench.maker, ASK, 5_200, 100)
    setattr(bench.venue.conditions, name, 1)
    async with member.socket() as socket:
        await subscribed(socket, bench, "orderbook_delta")
        bench.place(bench.maker, BID, 4_000, 100)
        frames = await socket.frames(2)
        assert deltas(frames) == [(2, price, delta), (3, "0.4000", "1.00")]
        await socket.command(
            2,
            "update_subscription",
            sid=1,
            market_ticker=bench.home.ticker,
            action="get_snapshot",
        )
        snapshot = (await socket.frame())["msg"]
    assert snapshot["yes_dollars_fp"] == [["0.4000", "1.00"]]


async def test_a_flood_comes_and_leaves_nothing(member: Member, bench: Bench) -> None:
    """So many deltas that cancel each other out, numbered without a gap."""
    bench.venue.conditions.flood_frames = 1_000
    async with member.socket() as socket:
        await subscribed(socket, bench, "orderbook_delta")
        bench.place(bench.maker, BID, 4_000, 100)
        frames = await socket.frames(1_001)
    assert [one["seq"] for one in frames] == list(range(2, 1_003))
    assert sum(float(delta) for _, _, delta in deltas(frames[:-1])) == 0


async def test_a_market_can_fall_silent(member: Member, bench: Bench) -> None:
    """Nothing is said of it, and no number is missing when another market speaks."""
    bench.venue.conditions.silent_markets.add(bench.home.ticker)
    async with member.socket() as socket:
        await socket.command(
            1,
            "subscribe",
            channels=["orderbook_delta", "ticker", "trade"],
            market_tickers=[bench.home.ticker, bench.away.ticker],
        )
        await socket.frames(5)
        bench.place(bench.maker, ASK, 4_000, 100)
        buy(bench)
        bench.place(bench.maker, BID, 3_000, 100, ticker=bench.away.ticker)
        frame = await socket.until("orderbook_delta")
    assert (frame["seq"], frame["msg"]["market_ticker"]) == (3, bench.away.ticker)


@pytest.mark.parametrize("code", [10, 25])
async def test_a_subscription_can_end(member: Member, bench: Bench, code: int) -> None:
    """The error is its last word; the connection lives and can subscribe again."""
    async with member.socket() as socket:
        await subscribed(socket, bench, "orderbook_delta")
        bench.venue.conditions.end_subscription = code
        bench.place(bench.maker, BID, 4_000, 100)
        bench.place(bench.maker, BID, 4_000, 100)
        error = await socket.frame()
        assert (error["type"], error["sid"], error["msg"]["code"]) == ("error", 1, code)
        await subscribed(socket, bench, "orderbook_delta")
        assert bench.venue.conditions.end_subscription is None


@pytest.mark.parametrize("code", [8, 18, 20, 26, 27])
async def test_subscriptions_can_be_refused(member: Member, bench: Bench, code: int) -> None:
    """Every subscribe is answered with the condition's code; other commands are not."""
    bench.venue.conditions.refuse_subscriptions = code
    async with member.socket() as socket:
        await socket.command(7, "subscribe", channels=["fill"])
        error = await socket.frame()
        await socket.command(8, "list_subscriptions")
        assert (await socket.frame())["msg"] == []
    assert (error["id"], error["type"], error["msg"]["code"]) == (7, "error", code)


@pytest.mark.parametrize("code", [18, 26, 27, LOST])
async def test_additions_can_be_refused_or_lost(member: Member, bench: Bench, code: int) -> None:
    """Nothing is added then, and other commands are obeyed; one that is lost has no answer."""
    async with member.socket() as socket:
        await subscribed(socket, bench, "orderbook_delta")
        bench.venue.conditions.refuse_additions = code
        update = {"sids": [1], "market_tickers": [bench.away.ticker]}
        await socket.command(7, "update_subscription", **update, action="add_markets")
        if code != LOST:
            error = await socket.frame()
            assert (error["id"], error["type"], error["msg"]["code"]) == (7, "error", code)
        await socket.command(8, "update_subscription", **update, action="delete_markets")
        listed = await socket.frame()
        assert (listed["id"], listed["msg"]["market_tickers"]) == (8, [bench.home.ticker])
    assert bench.venue.conditions.strikes["refuse_additions"] == 1


async def test_a_connection_can_be_open_and_dead(
    member: Member, bench: Bench, autojump_clock: object
) -> None:
    """Neither a command nor a ping of ours is answered while it stands still."""
    async with member.socket() as socket:
        bench.venue.conditions.freeze_sockets = True
        await socket.command(1, "list_subscriptions")
        with trio.move_on_after(5) as patience:
            await socket.connection.ping(b"alive?")
        assert patience.cancelled_caught
        bench.venue.conditions.freeze_sockets = False
        assert (await socket.frame())["id"] == 1


async def test_long_connections_are_reset(
    member: Member, server: ExchangeServer, autojump_clock: object
) -> None:
    """Around its mean age a socket breaks off, and the next upgrade is a 502."""
    server.venue.conditions.socket_life_s = 600.0
    began = trio.current_time()
    async with member.socket() as socket:
        with pytest.raises(ConnectionClosed):
            await socket.connection.get_message()
    assert 300 <= trio.current_time() - began <= 900
    path = "/trade-api/ws/v2"
    stream = connect(member.nursery, server.serve_stream)
    assert (await rejection(stream, path, member.headers("GET", path)))[0] == 502
    async with member.socket() as socket:
        await socket.command(1, "list_subscriptions")
        assert (await socket.frame())["type"] == "ok"


async def test_the_exchanges_clock_can_be_ahead(member: Member, bench: Bench) -> None:
    """Beyond the window every signature is too old, on REST and on the upgrade."""
    bench.venue.conditions.clock_ahead_ms = 30_000
    answer = await member.call("GET", "/portfolio/balance")
    assert answer.json["error"]["code"] == "header_timestamp_expired"
    path = "/trade-api/ws/v2"
    stream = connect(member.nursery, member.server.serve_stream)
    assert (await rejection(stream, path, member.headers("GET", path)))[0] == 401
    bench.venue.conditions.clock_ahead_ms = 10_000
    assert (await member.call("GET", "/portfolio/balance")).status == 200


async def test_rest_can_be_slow(member: Member, bench: Bench, autojump_clock: object) -> None:
    """Every answer comes so much later."""
    bench.venue.conditions.rest_delay_s = 4.0
    began = trio.current_time()
    await member.get("/exchange/status")
    assert trio.current_time() - began == pytest.approx(4.0)


def test_all_faults_are_off_by_default() -> None:
    """But for the two lags that the real exchange shows every day."""
    quiet: dict[str, Any] = {"stale_read_ms": 400, "stale_position_ms": 1_000}
    conditions = ExchangeConditions()
    for name in ExchangeConditions.__slots__:
        value = getattr(conditions, name, None)
        if name in quiet:
            assert value == quiet[name]
        elif name not in ("refusal", "__weakref__"):
            assert not value or value == "normal", name
