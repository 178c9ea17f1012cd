"""The simulated exchange beside bytes recorded on the demo exchange in June 2026.

Compared are status and shape. What changed since is named: `service` is gone from errors,
`exchange_index` came, fields of the fixed-point migration went.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from arb.sim.exchange.values import BookSide, Lifetime
from tests.sim.sim_client import Bench, Member, order_wish

GONE = frozenset(
    {
        "expiration_time",
        "fractional_trading_enabled",
        "liquidity_dollars",
        "response_price_units",
        "resting_orders_count",
        "service",
    }
)
ADDED = frozenset(
    {"category", "exchange_index", "settlement_bounds_type", "subtitle", "client_order_id"}
)
IOC = "immediate_or_cancel"
ORDERS = "/portfolio/events/orders"


@pytest.fixture
def recorded(shared_data: Path) -> Path:
    return shared_data / "kalshi" / "recorded" / "demo-2026-06"


def body_of(recorded: Path, name: str) -> Any:
    return orjson.loads((recorded / f"{name}.json").read_bytes())


def status_of(recorded: Path, name: str) -> int:
    meta = orjson.loads((recorded / f"{name}.meta.json").read_bytes())
    return int(meta["status"])


def shape(value: Any) -> Any:
    """Return the names and kinds in a value; of a list its first item."""
    if isinstance(value, dict):
        return {
            name: shape(item)
            for name, item in sorted(value.items())
            if name not in GONE and name not in ADDED
        }
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def quote(bench: Bench) -> None:
    bench.place(bench.maker, BookSide.BID, 4_700, 300)
    bench.place(bench.maker, BookSide.ASK, 5_200, 300)


def wish(bench: Bench, side: str, price: str, count: str = "1.00", **more: Any) -> Any:
    return order_wish(bench.home.ticker, side, price, count, **more)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("orders__create_v2_maker", {"side": "bid", "price": "0.0100"}),
        ("orders__create_v2_taker_ioc", {"time_in_force": IOC}),
        ("orders__insufficient_balance", {"count": "1009900.00"}),
        ("orders__invalid_price_structure", {"price": "0.5150", "post_only": True}),
        ("orders__numeric_field_types", {"count": 1, "price": 0.01}),
        ("orders__post_only_cross", {"post_only": True}),
    ],
)
async def test_orders_are_answered_as_recorded(
    member: Member, bench: Bench, recorded: Path, name: str, change: dict[str, Any]
) -> None:
    """Status and shape of every recorded way to place an order."""
    quote(bench)
    body = wish(bench, "bid", "0.9900", client_order_id="new") | change
    answer = await member.call("POST", ORDERS, body)
    assert answer.status == status_of(recorded, name)
    assert shape(answer.json) == shape(body_of(recorded, name))
    if answer.status >= 400:
        expected = orjson.dumps(body_of(recorded, name)).replace(b',"service":"exchange"', b"")
        assert answer.body == expected


async def test_a_client_order_id_is_refused_as_recorded(
    member: Member, bench: Bench, recorded: Path
) -> None:
    """Resubmitted while it rests and after its cancel, the recorded 409 comes."""
    body = wish(bench, "bid", "0.0100", client_order_id="once")
    order_id = (await member.call("POST", ORDERS, body)).json["order_id"]
    again = await member.call("POST", ORDERS, body)
    assert again.status == status_of(recorded, "orders__duplicate_client_order_id")
    path = f"{ORDERS}/{order_id}?market_ticker={bench.home.ticker}"
    cancelled = await member.call("DELETE", path)
    assert shape(cancelled.json) == shape(body_of(recorded, "orders__cancel_v2"))
    late = await member.call("POST", ORDERS, body)
    assert late.status == status_of(recorded, "orders__reuse_canceled_client_id")
    assert late.json["error"]["code"] == "order_already_exists"
    for name in ("already_canceled", "executed", "unknown_id"):
        gone = await member.call("DELETE", path)
        assert gone.status == status_of(recorded, f"orders__cancel_{name}")
        assert shape(gone.json) == shape(body_of(recorded, f"orders__cancel_{name}"))


async def test_a_self_cross_is_answered_as_recorded(
    member: Member, bench: Bench, recorded: Path
) -> None:
    """201 with nothing filled and nothing left, the resting order untouched."""
    quote(bench)
    await member.call("POST", ORDERS, wish(bench, "bid", "0.4800", post_only=True))
    answer = await member.call("POST", ORDERS, wish(bench, "ask", "0.4800", time_in_force=IOC))
    expected = body_of(recorded, "orders__stp_self_cross")
    assert answer.status == status_of(recorded, "orders__stp_self_cross")
    counts = ("fill_count", "remaining_count")
    assert [answer.json[name] for name in counts] == [expected[name] for name in counts]
    (resting,) = (await member.get("/portfolio/orders?status=resting"))["orders"]
    after = body_of(recorded, "orders__stp_resting_after")["order"]
    assert shape(resting) == shape(after)
    assert (resting["remaining_count_fp"], resting["yes_price_dollars"]) == ("1.00", "0.4800")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("account__limits", "/account/limits"),
        ("account__endpoint_costs", "/account/endpoint_costs"),
        ("auth__balance_ok", "/portfolio/balance"),
        ("exchange__status", "/exchange/status"),
        ("fills__after_taker", "/portfolio/fills?limit=10"),
        ("markets__garbage_cursor", "/markets?limit=1&cursor=garbage-cursor-fixture"),
        ("markets__limit_over_max", "/markets?limit=1001"),
        ("orderbook__base", "/markets/{ticker}/orderbook"),
        ("orders__get_after_create", "/portfolio/orders/{order_id}?market_ticker={ticker}"),
        ("portfolio__orders_list", "/portfolio/orders?limit=10"),
        ("portfolio__positions", "/portfolio/positions"),
        ("series__fee_changes", "/series/fee_changes"),
        ("settlements__page", "/portfolio/settlements?limit=10"),
    ],
)
async def test_reads_have_the_recorded_shape(
    member: Member, bench: Bench, recorded: Path, name: str, path: str
) -> None:
    """Every field that is still there has its recorded name and kind."""
    quote(bench)
    taken = bench.place(bench.member, BookSide.BID, 5_200, 100, Lifetime.IMMEDIATE_OR_CANCEL)
    found = path.format(ticker=bench.home.ticker, order_id=taken.order.order_id)
    answer = await member.call("GET", found)
    expected = body_of(recorded, name)
    assert answer.status == status_of(recorded, name)
    if name == "markets__garbage_cursor":
        market = body_of(recorded, "markets__single")["market"]
        expected = {"cursor": "", "markets": [market | {"custom_strike": {"baseball_team": ""}}]}
    assert shape(answer.json) == shape(expected)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("auth__bad_signature", {"KALSHI-ACCESS-SIGNATURE": "AAAA"}),
        ("auth__missing_signature_header", {"KALSHI-ACCESS-SIGNATURE": None}),
        ("auth__unknown_key_id", {"KALSHI-ACCESS-KEY": "00000000-0000-0000-0000-000000000000"}),
        ("auth__skew_minus30s", -30_000),
        ("auth__skew_minus5min", -300_000),
        ("auth__skew_plus5min", 300_000),
        ("auth__skew_minus5s", -5_000),
        ("auth__skew_plus5s", 5_000),
    ],
)
async def test_authentication_is_answered_byte_for_byte(
    member: Member, bench: Bench, recorded: Path, name: str, change: Any
) -> None:
    """The recorded bodies of 401, and the recorded tolerance of the clock."""
    path = "/trade-api/v2/portfolio/balance"
    moved = change if isinstance(change, int) else 0
    bench.clock.now_ms += moved
    headers: dict[str, str | None] = dict(member.headers("GET", path))
    bench.clock.now_ms -= moved
    if isinstance(change, dict):
        headers |= change
    sent = [(key, value) for key, value in headers.items() if value is not None]
    answer = await member.http.send("GET", path, sent)
    assert answer is not None
    assert answer.status == status_of(recorded, name)
    if answer.status == 401:
        assert answer.body == (recorded / f"{name}.json").read_bytes().strip()


@pytest.mark.parametrize("flag", [True, False])
async def test_book_frames_have_the_recorded_shape(
    member: Member, bench: Bench, recorded: Path, flag: bool
) -> None:
    """Subscribed, snapshot and deltas, with what was added since left out."""
    lines = (recorded / f"ws__orderbook_trade_{'yes' if flag else 'noleg'}.jsonl").read_bytes()
    expected = [orjson.loads(line) for line in lines.splitlines() if line.strip()]
    quote(bench)
    async with member.socket() as socket:
        await socket.command(
            1,
            "subscribe",
            channels=["orderbook_delta", "trade"],
            market_tickers=[bench.home.ticker],
            use_yes_price=flag,
        )
        frames = await socket.frames(3)
        bench.place(bench.maker, BookSide.ASK, 5_200, 100)
        frames.append(await socket.frame())
    for frame in frames:
        frame.pop("sending_ts_ms")
        frame["msg"].pop("clock", None)
    kinds = ["subscribed", "orderbook_snapshot", "subscribed", "orderbook_delta"]
    assert [frame["type"] for frame in frames] == kinds
    for frame in frames:
        same = next(one for one in expected if one["type"] == frame["type"])
        assert shape(frame) == shape(same)
    assert frames[1]["msg"]["no_dollars_fp"][0][0] == ("0.5200" if flag else "0.4800")
