"""WebSocket frames: what they mean, recorded and documented ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from arb.core.events import Fill, Liquidity, Side
from arb.core.grid import PriceGrid
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.kalshi.wire import (
    BookDelta,
    BookSnapshot,
    EventFee,
    EventListed,
    FillFrame,
    Frame,
    Ignored,
    MarketLifecycle,
    MarketPosition,
    Ok,
    OrderFrame,
    Subscribed,
    Unsubscribed,
    WireError,
    parse_frame,
)
from arb.kalshi.wire_private import order_of
from tests.kalshi.wire_samples import DELTA, FILL, SNAPSHOT, TICKER, changed, level, parsed

# As the documentation's example of an order has it.
EXPIRES = "2024-12-01T11:00:00Z"


def test_a_delta_is_a_signed_change_of_one_level() -> None:
    """The shape of August 2026: no clock, no sending time."""
    assert parsed(DELTA) == BookDelta(
        1,
        268,
        TICKER,
        Side.BID,
        PriceE4(4800),
        CountE2(10_000),
        None,
        1786085244258,
        None,
    )


def test_a_delta_of_our_own_order_names_it() -> None:
    """October's shape has a clock and a sending time, and our own orders are named."""
    frame = changed(changed(DELTA, "clock", 4182061), "client_order_id", "a-b")
    frame["sending_ts_ms"] = 1
    frame["msg"] |= {"side": "no", "delta_fp": "-54.27"}

    delta = parsed(frame)
    assert isinstance(delta, BookDelta)
    assert (delta.side, delta.delta_e2) == (Side.ASK, -5427)
    assert (delta.client_order_id, delta.clock) == ("a-b", 4182061)


def test_a_snapshot_is_a_whole_book_on_the_yes_scale() -> None:
    """Levels keep their order; the reply to get_snapshot carries the command's id."""
    assert parsed({**SNAPSHOT, "id": 7, "sending_ts_ms": 1}) == BookSnapshot(
        2,
        2,
        TICKER,
        (level(800, 30_000), level(2200, 33_300)),
        (level(5400, 2000),),
        7,
        None,
    )


def test_a_side_that_is_left_out_is_empty() -> None:
    """An empty side has no key in the message."""
    snapshot = parsed(changed(changed(SNAPSHOT, "no_dollars_fp", ...), "yes_dollars_fp", ...))

    assert isinstance(snapshot, BookSnapshot)
    assert (snapshot.bids, snapshot.asks, snapshot.reply_to) == ((), (), None)


def test_a_frame_may_be_text_or_bytes_and_end_with_a_line() -> None:
    """Recorded frames end with a newline."""
    text = orjson.dumps(DELTA).decode() + "\n"

    assert parse_frame(text) == parse_frame(text.encode()) == parsed(DELTA)


@pytest.mark.parametrize(
    "frame, value",
    [
        (
            {"id": 1, "type": "subscribed", "msg": {"channel": "orderbook_delta", "sid": 1}},
            Subscribed(1, "orderbook_delta", 1),
        ),
        (
            {"id": 2, "sid": 4, "seq": 9, "type": "ok", "msg": {"market_tickers": ["A", "B"]}},
            Ok(2, 4, 9, ("A", "B")),
        ),
        ({"id": 2, "sid": 4, "seq": 9, "type": "ok"}, Ok(2, 4, 9, ())),
        ({"id": 3, "type": "ok", "msg": [{"channel": "fill", "sid": 2}]}, Ok(3, None, None, ())),
        ({"id": 5, "sid": 2, "seq": 7, "type": "unsubscribed"}, Unsubscribed(2, 7, 5)),
        ({"id": 6, "type": "error", "msg": {"code": 7, "msg": "no"}}, WireError(6, 7, "no")),
        ({"type": "error", "msg": {"code": 10}}, WireError(None, 10, "")),
        ({"type": "trade", "sid": 2, "seq": 3, "msg": {}}, Ignored("trade", 2, 3)),
        ({"type": "from the future"}, Ignored("from the future", None, None)),
        (
            {"type": "market_position", "msg": {"market_ticker": "T", "position_fp": "-2.50"}},
            MarketPosition("T", CountE2(-250)),
        ),
    ],
)
def test_replies_and_other_messages(frame: object, value: Frame) -> None:
    """Every reply has its own value; what is not used is named and keeps its sequence number."""
    assert parsed(frame) == value


def test_terminal_errors_end_a_subscription() -> None:
    """Errors 10 and 25 need a new subscription, others do not."""
    assert [WireError(1, code, "").ends_subscription for code in (7, 10, 25)] == [False, True, True]


def test_a_fill_is_one_execution() -> None:
    """Price, count, fee, side and liquidity are read; the price is the YES price."""
    frame = parsed({"type": "fill", "sid": 13, "msg": FILL})

    fill = Fill(
        trade_id="t-1",
        order_id="o-1",
        client_order_id="mine",
        ticker="T",
        side=Side.BID,
        price_e4=PriceE4(7500),
        count_e2=CountE2(27_800),
        fee_e6=MoneyE6(10_000),
        liquidity=Liquidity.TAKER,
        at_ms=1671899397123,
    )
    assert frame == FillFrame(fill, CountE2(50_000), 2)


def test_a_fill_of_a_maker_without_extras() -> None:
    """Position, shard and milliseconds may be missing."""
    fewer = {
        name: value
        for name, value in FILL.items()
        if name not in {"post_position_fp", "exchange_index", "ts_ms", "client_order_id"}
    }
    frame = parsed({"type": "fill", "msg": {**fewer, "is_taker": False, "book_side": "ask"}})

    assert isinstance(frame, FillFrame)
    assert frame.fill.at_ms == 1671899397000
    assert (frame.fill.liquidity, frame.fill.side) == (Liquidity.MAKER, Side.ASK)
    assert (frame.position_e2, frame.exchange_index) == (None, None)
    assert frame.fill.client_order_id is None


def test_an_order_of_ours_has_changed() -> None:
    """The private channel tells status, counts and the cause."""
    frame = parsed(
        {
            "type": "user_order",
            "sid": 22,
            "msg": {
                "order_id": "o-1",
                "ticker": "T",
                "exchange_index": 3,
                "status": "canceled",
                "book_side": "ask",
                "yes_price_dollars": "0.3500",
                "fill_count_fp": "4.00",
                "remaining_count_fp": "0.00",
                "initial_count_fp": "10.00",
                "client_order_id": "mine",
                "last_update_reason": "SelfTradeCancel",
            },
        }
    )

    assert frame == OrderFrame(
        "mine",
        "o-1",
        "T",
        "canceled",
        Side.ASK,
        PriceE4(3500),
        CountE2(0),
        CountE2(400),
        CountE2(1000),
        "SelfTradeCancel",
        3,
    )


@pytest.mark.parametrize(
    "said, expires_s",
    [({}, None), ({"expiration_time": None}, None), ({"expiration_time": EXPIRES}, 1_733_050_800)],
)
def test_an_order_says_when_it_expires(said: dict[str, Any], expires_s: int | None) -> None:
    """As the private channel and the order list have it; nothing said is nothing known."""
    order = order_of(
        {
            "order_id": "o-1",
            "ticker": "T",
            "status": "resting",
            "book_side": "ask",
            "yes_price_dollars": "0.3500",
            "fill_count_fp": "0.00",
            "remaining_count_fp": "10.00",
            "initial_count_fp": "10.00",
            **said,
        }
    )

    assert order.expires_s == expires_s


def test_a_market_changes_its_life() -> None:
    """A created market, one whose grid changes, and one that is decided."""
    created = {
        "market_ticker": "E-A",
        "event_type": "created",
        "close_ts": 1694721600,
        "additional_metadata": {"event_ticker": "E"},
    }
    grid = {
        "market_ticker": "E-A",
        "event_type": "price_level_structure_updated",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0010"}],
    }
    decided = {"market_ticker": "E-A", "event_type": "determined", "result": "yes"}
    frames = [
        parsed({"type": "market_lifecycle_v2", "sid": 13, "seq": 3, "msg": msg})
        for msg in (created, grid, decided)
    ]

    assert frames == [
        MarketLifecycle("E-A", "created", 13, 3, "E", 1694721600000),
        MarketLifecycle(
            "E-A",
            "price_level_structure_updated",
            13,
            3,
            price_grid=PriceGrid(((0, 10_000, 10),)),
        ),
        MarketLifecycle("E-A", "determined", 13, 3, result="yes"),
    ]


def test_a_new_event_names_its_series() -> None:
    """The documented example; it uses up a number of the markets' lives."""
    fields = {"event_ticker": "E-1", "series_ticker": "E", "title": "What", "exchange_index": 0}
    frame = {"type": "event_lifecycle", "sid": 5, "seq": 8, "msg": fields}

    assert parsed(frame) == EventListed("E-1", "E", 5, 8)


def test_fees_of_an_event_are_set_and_cleared() -> None:
    """Both fields are null when the override is gone."""
    fields = {"event_ticker": "E", "fee_type_override": "quadratic", "fee_multiplier_override": 0.5}
    cleared = {"event_ticker": "E", "fee_type_override": None, "fee_multiplier_override": None}

    assert parsed({"type": "event_fee_update", "sid": 5, "seq": 9, "msg": fields}) == EventFee(
        "E", "quadratic", 5000, 5, 9
    )
    assert parsed({"type": "event_fee_update", "msg": cleared}) == EventFee("E", None, None)


def recorded(folder: Path) -> Iterator[bytes]:
    """Give every recorded frame."""
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            if line.strip():
                content = orjson.loads(line)
                yield orjson.dumps(content["frame"]) if "frame" in content else line


def test_every_recorded_frame_is_read(shared_data: Path) -> None:
    """Production and demo frames give values; what is ignored is so on purpose."""
    frames = [parse_frame(raw) for raw in recorded(shared_data / "kalshi" / "recorded")]

    assert len(frames) >= 160
    assert {frame.type for frame in frames if isinstance(frame, Ignored)} == set()
    assert sum(isinstance(frame, BookSnapshot) for frame in frames) >= 12
    assert all(frame.bids or frame.asks for frame in frames if isinstance(frame, BookSnapshot))


def test_the_recorded_sequence_has_no_gap(shared_data: Path) -> None:
    """Snapshots, deltas and ok replies of one subscription count 1, 2, 3 and on."""
    path = shared_data / "kalshi" / "recorded" / "prod-2026-08" / "ws_orderbook_stream.jsonl"
    frames = [
        parse_frame(orjson.dumps(orjson.loads(line)["frame"]))
        for line in path.read_bytes().splitlines()
    ]
    numbers = [frame.seq for frame in frames if isinstance(frame, BookSnapshot | BookDelta | Ok)]

    assert numbers == list(range(1, len(numbers) + 1))


def test_every_documented_message_is_read(shared_data: Path) -> None:
    """The examples of the exchange's own contract give values."""
    examples = orjson.loads((shared_data / "kalshi" / "ws_examples_asyncapi.json").read_bytes())
    frames = [
        example
        for group in examples.values()
        for example in group
        if isinstance(example, dict) and "type" in example
    ]
    kinds = {type(parsed(frame)) for frame in frames}

    assert len(frames) >= 20
    assert kinds >= {BookSnapshot, BookDelta, FillFrame, OrderFrame, MarketPosition, EventFee}
