"""The exchange's WebSocket: commands, sequences, books, private channels."""

from __future__ import annotations

import pytest

from arb.sim.exchange.grid import DECI_CENT
from arb.sim.exchange.lifecycle import announce, change_grid, close, determine, settle
from arb.sim.exchange.markets import Event, Market
from arb.sim.exchange.resting import cancel
from arb.sim.exchange.values import BookSide, Lifetime
from tests.sim.sim_client import Bench, Json, Member

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL


def bare(frame: Json) -> Json:
    """Return a frame without its stamp, which every frame carries."""
    assert isinstance(frame.pop("sending_ts_ms"), int)
    return frame


async def test_a_subscription_begins_with_the_book(member: Member, bench: Bench) -> None:
    """First the acknowledgement, then a snapshot with number 1, then deltas."""
    bench.place(bench.maker, BID, 4_700, 300)
    bench.place(bench.maker, ASK, 5_200, 200)
    async with member.socket() as socket:
        await socket.command(
            1, "subscribe", channels=["orderbook_delta"], market_ticker=bench.home.ticker
        )
        assert bare(await socket.frame()) == {
            "type": "subscribed",
            "id": 1,
            "msg": {"channel": "orderbook_delta", "sid": 1},
        }
        assert bare(await socket.frame()) == {
            "type": "orderbook_snapshot",
            "sid": 1,
            "seq": 1,
            "msg": {
                "market_ticker": bench.home.ticker,
                "market_id": bench.home.market_id,
                "clock": 2,
                "yes_dollars_fp": [["0.4700", "3.00"]],
                "no_dollars_fp": [["0.4800", "2.00"]],
            },
        }
        bench.place(bench.maker, ASK, 5_200, 100)
        delta = bare(await socket.frame())
        assert (delta["seq"], delta["msg"]["clock"]) == (2, 3)
        assert (delta["msg"]["side"], delta["msg"]["price_dollars"]) == ("no", "0.4800")
        assert delta["msg"]["delta_fp"] == "1.00"
        assert "client_order_id" not in delta["msg"]


async def test_no_levels_can_be_told_on_the_yes_scale(member: Member, bench: Bench) -> None:
    """With use_yes_price the same order reads 52 instead of 48, in snapshots and deltas."""
    bench.place(bench.maker, ASK, 5_200, 200)
    async with member.socket() as socket:
        await socket.command(
            1,
            "subscribe",
            channels=["orderbook_delta"],
            market_tickers=[bench.home.ticker],
            use_yes_price=True,
        )
        snapshot = (await socket.frames(2))[1]
        assert snapshot["msg"]["no_dollars_fp"] == [["0.5200", "2.00"]]
        assert "yes_dollars_fp" not in snapshot["msg"]
        bench.place(bench.maker, ASK, 5_300, 100)
        assert (await socket.frame())["msg"]["price_dollars"] == "0.5300"


async def test_one_channel_has_one_sequence_for_all_markets(member: Member, bench: Bench) -> None:
    """A second subscribe adds to the same sid; its ok takes a number and lists all markets."""
    async with member.socket() as socket:
        books = {"channels": ["orderbook_delta"]}
        await socket.command(1, "subscribe", **books, market_ticker=bench.home.ticker)
        await socket.command(2, "subscribe", **books, market_ticker=bench.away.ticker)
        frames = await socket.frames(4)
        assert [(one["type"], one.get("seq")) for one in frames] == [
            ("subscribed", None),
            ("orderbook_snapshot", 1),
            ("ok", 2),
            ("orderbook_snapshot", 3),
        ]
        assert frames[2]["msg"] == {
            "market_tickers": sorted([bench.home.ticker, bench.away.ticker])
        }
        bench.place(bench.maker, BID, 4_000, 100, ticker=bench.away.ticker)
        bench.place(bench.maker, BID, 4_000, 100)
        assert [one["seq"] for one in await socket.frames(2)] == [4, 5]


async def test_markets_can_be_added_taken_out_and_read_again(member: Member, bench: Bench) -> None:
    """get_snapshot answers with the command's id and changes no subscription."""
    home, away = bench.home.ticker, bench.away.ticker
    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=["orderbook_delta"], market_ticker=home)
        await socket.frames(2)

        async def update(command_id: int, action: str, ticker: str, **which: object) -> None:
            await socket.command(
                command_id,
                "update_subscription",
                market_tickers=[ticker],
                action=action,
                **(which or {"sids": [1]}),
            )

        await update(2, "add_markets", away)
        added = await socket.frames(2)
        assert [one["type"] for one in added] == ["ok", "orderbook_snapshot"]
        await update(3, "get_snapshot", home)
        again = await socket.frame()
        assert (again["id"], again["seq"], again["msg"]["market_ticker"]) == (3, 4, home)
        await update(4, "delete_markets", away, sid=1)
        left = await socket.frame()
        assert (left["id"], left["seq"], left["msg"]) == (4, 5, {"market_tickers": [home]})
        bench.place(bench.maker, BID, 4_000, 100, ticker=away)
        bench.place(bench.maker, BID, 4_000, 100)
        assert (await socket.frame())["msg"]["market_ticker"] == home
        await update(5, "get_snapshot", "NOWHERE")
        await socket.command(6, "list_subscriptions")
        assert bare(await socket.frame()) == {
            "id": 6,
            "type": "ok",
            "msg": [{"channel": "orderbook_delta", "sid": 1}],
        }


async def test_an_unsubscribed_channel_is_silent(member: Member, bench: Bench) -> None:
    """The farewell takes a number; a new subscription gets a new sid and starts again at 1."""
    async with member.socket() as socket:
        wish = {"channels": ["orderbook_delta", "fill"], "market_ticker": bench.home.ticker}
        await socket.command(1, "subscribe", **wish)
        await socket.frames(3)
        await socket.command(2, "unsubscribe", sids=[1, 2])
        assert [bare(one) for one in await socket.frames(2)] == [
            {"id": 2, "sid": 1, "seq": 2, "type": "unsubscribed"},
            {"id": 2, "sid": 2, "seq": 1, "type": "unsubscribed"},
        ]
        bench.place(bench.maker, BID, 4_000, 100)
        await socket.command(3, "subscribe", **wish)
        frames = await socket.frames(3)
        assert [one["msg"].get("sid") for one in frames if one["type"] == "subscribed"] == [3, 4]
        assert frames[2]["seq"] == 1


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("dance", {"x": 1}, 5),
        ("subscribe", {}, 2),
        ("subscribe", {"channels": []}, 3),
        ("subscribe", {"channels": ["cfbenchmarks"]}, 8),
        ("subscribe", {"channels": ["orderbook_delta"]}, 14),
        ("subscribe", {"channels": ["ticker"], "market_ticker": "a", "market_tickers": ["b"]}, 11),
        ("subscribe", {"channels": ["ticker"], "market_tickers": [1]}, 11),
        ("unsubscribe", {"sids": []}, 4),
        ("unsubscribe", {"sids": [9]}, 7),
        ("unsubscribe", {"sids": ["x"]}, 7),
        ("update_subscription", {"action": "add_markets"}, 4),
        ("update_subscription", {"sids": [1, 2], "action": "add_markets"}, 12),
        ("update_subscription", {"sid": 9, "action": "add_markets"}, 7),
        ("update_subscription", {"sid": 1}, 15),
        ("update_subscription", {"sid": 1, "action": "turn"}, 13),
        ("update_subscription", {"sid": 1, "action": "add_markets"}, 14),
        ("update_subscription", {"sid": 1, "action": "get_snapshot", "market_ticker": "a"}, 13),
    ],
)
async def test_bad_commands_have_their_code(
    member: Member, name: str, params: Json, code: int
) -> None:
    """The error carries the command's id and its number from the contract."""
    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=["fill"])
        await socket.frame()
        await socket.command(7, name, **params)
        answer = bare(await socket.frame())
        assert (answer["type"], answer["id"], answer["msg"]["code"]) == ("error", 7, code)


@pytest.mark.parametrize("text", ["no json", "[]", '"subscribe"'])
async def test_what_is_no_command_is_not_processed(member: Member, text: str) -> None:
    """Code 1, without an id."""
    async with member.socket() as socket:
        await socket.connection.send_message(text)
        answer = bare(await socket.frame())
        assert answer == {
            "type": "error",
            "msg": {"code": 1, "msg": "Unable to process message"},
        }


async def test_bytes_are_read_like_text(member: Member) -> None:
    """A binary frame with a command in it is obeyed."""
    async with member.socket() as socket:
        await socket.connection.send_message(b'{"id":1,"cmd":"list_subscriptions"}')
        assert (await socket.frame())["msg"] == []


async def test_an_own_fill_is_told_everywhere(member: Member, bench: Bench) -> None:
    """Level, trade, ticker, fill, position and order, each on its channel."""
    bench.place(bench.maker, ASK, 4_000, 300)
    async with member.socket() as socket:
        channels = ["fill", "user_orders", "market_positions", "trade", "ticker"]
        await socket.command(1, "subscribe", channels=channels)
        await socket.command(
            2, "subscribe", channels=["orderbook_delta"], market_ticker=bench.home.ticker
        )
        await socket.frames(7)
        bench.place(bench.member, BID, 4_000, 100, IOC, client_order_id="mine")
        frames = await socket.frames(6)
        found = {one["type"]: one for one in frames}
    assert list(found) == [
        "ticker",
        "orderbook_delta",
        "trade",
        "fill",
        "market_position",
        "user_order",
    ]
    assert found["orderbook_delta"]["msg"]["client_order_id"] == "mine"
    assert found["orderbook_delta"]["msg"]["delta_fp"] == "-1.00"
    assert found["trade"]["seq"] == 1
    assert found["trade"]["msg"]["taker_book_side"] == "bid"
    fill = found["fill"]["msg"]
    assert (fill["client_order_id"], fill["post_position_fp"]) == ("mine", "1.00")
    assert (fill["fee_cost"], fill["yes_price_dollars"]) == ("0.008400", "0.4000")
    assert "seq" not in found["fill"]
    order = found["user_order"]["msg"]
    assert (order["status"], order["last_update_reason"]) == ("executed", "Trade")
    position = found["market_position"]["msg"]
    assert (position["position_fp"], position["position_cost_dollars"]) == ("1.00", "0.400000")
    assert found["ticker"]["msg"]["yes_ask_size_fp"] == "2.00"


async def test_others_orders_stay_private(member: Member, bench: Bench) -> None:
    """What the maker does shows in the book and nowhere else, and without a name."""
    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=["fill", "user_orders", "market_positions"])
        await socket.command(
            2, "subscribe", channels=["orderbook_delta"], market_ticker=bench.home.ticker
        )
        await socket.frames(5)
        bench.place(bench.maker, ASK, 4_000, 300, client_order_id="theirs")
        third = bench.venue.open_account("third", {3: 1_000_000_000})
        bench.place(third, BID, 4_000, 100, IOC)
        frames = await socket.frames(2)
        assert [one["type"] for one in frames] == ["orderbook_delta"] * 2
        assert not any("client_order_id" in one["msg"] for one in frames)


async def test_resting_orders_name_expiry_and_group(member: Member, bench: Bench) -> None:
    """An order's message carries what it was placed with, and why it ended."""
    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=["user_orders"])
        await socket.frame()
        order = bench.place(bench.member, BID, 4_000, 100, expires_s=1_900_000_000).order
        placed = (await socket.frame())["msg"]
        assert (placed["status"], placed["expiration_ts_ms"]) == ("resting", 1_900_000_000_000)
        assert "last_update_reason" not in placed
        cancel(bench.venue, bench.member, order.order_id, 3)
        ended = (await socket.frame())["msg"]
        assert (ended["status"], ended["remaining_count_fp"]) == ("canceled", "0.00")


async def test_a_ticker_is_sent_when_it_says_something_new(member: Member, bench: Bench) -> None:
    """At once when asked for, and again only when a field changed."""
    bench.place(bench.maker, BID, 4_000, 100)
    async with member.socket() as socket:
        await socket.command(
            1,
            "subscribe",
            channels=["ticker"],
            market_tickers=[bench.home.ticker, "NOWHERE"],
            send_initial_snapshot=True,
        )
        frames = await socket.frames(2)
        assert frames[1]["msg"]["yes_bid_dollars"] == "0.4000"
        bench.place(bench.maker, BID, 3_900, 100)
        bench.place(bench.maker, BID, 4_100, 100, ticker=bench.away.ticker)
        bench.place(bench.maker, ASK, 5_000, 100)
        assert (await socket.frame())["msg"]["yes_ask_dollars"] == "0.5000"


async def test_acknowledgements_can_be_short(member: Member, bench: Bench) -> None:
    """skip_ticker_ack leaves the list of markets out."""
    async with member.socket() as socket:
        wish = {"channels": ["trade"], "skip_ticker_ack": True}
        await socket.command(1, "subscribe", **wish, market_ticker=bench.home.ticker)
        await socket.command(2, "subscribe", channels=["trade"])
        assert bare((await socket.frames(2))[1]) == {
            "id": 2,
            "sid": 1,
            "seq": 1,
            "type": "ok",
            "msg": {},
        }


async def test_the_life_of_markets_is_told(member: Member, bench: Bench) -> None:
    """Created, grid changed, closed, determined, settled, each with its own fields."""
    async with member.socket() as socket:
        await socket.command(
            1, "subscribe", channels=["market_lifecycle_v2"], market_ticker=bench.home.ticker
        )
        await socket.frame()
        announce(bench.venue, _another_market(bench))
        change_grid(bench.venue, bench.away, DECI_CENT)
        close(bench.venue, bench.home)
        determine(bench.venue, bench.home, 0, "Los Angeles A")
        settle(bench.venue, bench.home)
        frames = await socket.frames(6)
    assert [(one["seq"], one["msg"].get("event_type", one["type"])) for one in frames] == [
        (1, "event_lifecycle"),
        (2, "created"),
        (3, "price_level_structure_updated"),
        (4, "close_date_updated"),
        (5, "determined"),
        (6, "settled"),
    ]
    created, grid, determined = frames[1]["msg"], frames[2]["msg"], frames[4]["msg"]
    assert created["additional_metadata"]["yes_sub_title"] == "Los Angeles D"
    assert grid["price_ranges"] == [{"end": "1.0000", "start": "0.0000", "step": "0.0010"}]
    assert (determined["result"], determined["settlement_value"]) == ("no", "0.0000")


def _another_market(bench: Bench) -> Market:
    old = bench.home
    event: Event = old.event
    now_ms = bench.clock.now_ms
    return Market(
        f"{old.ticker}2", event, old.label, old.target_id, "id", now_ms, now_ms + 1, now_ms
    )
