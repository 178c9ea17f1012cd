"""Every endpoint and every kind of frame once, beside Kalshi's published contracts.

The test client checks whatever it receives; what is here makes sure that everything is received.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from arb.sim.exchange import grouping
from arb.sim.exchange.fee_changes import schedule_event_fee, schedule_series_fee
from arb.sim.exchange.fees import FeeSchedule
from arb.sim.exchange.grid import DECI_CENT
from arb.sim.exchange.lifecycle import (
    announce,
    change_grid,
    close,
    determine,
    pause_market,
    postpone,
    resume_market,
    settle,
)
from arb.sim.exchange.transfers import create_subaccount, deposit, move
from arb.sim.exchange.values import BookSide, Lifetime
from arb.sim.rest.routes import ROUTES
from tests.sim.published_contract import (
    FOLDER,
    Broken,
    Contract,
    check_frame,
    check_response,
    need_contracts,
    socket_contract,
)
from tests.sim.sim_client import Bench, Json, Member, order_wish

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL
QUERIES = {
    "/markets/orderbooks": "tickers={ticker}",
    "/markets/candlesticks": "market_tickers={ticker}&{range}",
    "/series/{series_ticker}/markets/{ticker}/candlesticks": "{range}",
    "/milestones": "limit=10",
    "/events": "with_nested_markets=true&with_milestones=true",
    "/portfolio/orders/queue_positions": "market_tickers={ticker}",
    "/portfolio/orders/{order_id}": "market_ticker={ticker}",
    "/portfolio/events/orders/{order_id}": "market_ticker={ticker}",
    "/series/fee_changes": "show_historical=true",
    "/portfolio/positions": "settlement_status=all",
}
TRANSFER = {
    "client_transfer_id": "6d1f3d5e-5a44-4a54-9a3c-0d2c1a0c9a11",
    "source": "event_contract",
    "destination": "event_contract",
    "amount": 10_000,
    "source_exchange_shard": 3,
}
MOVE = {
    "client_transfer_id": "6d1f3d5e-5a44-4a54-9a3c-0d2c1a0c9a12",
    "from_subaccount": 0,
    "to_subaccount": 1,
    "amount_cents": 100,
}


def live_through(bench: Bench) -> dict[str, str]:
    """Give the member every kind of history; returns the names that paths are made of."""
    venue, now_ms = bench.venue, bench.clock.now_ms
    bench.place(bench.maker, BID, 4_700, 300)
    bench.place(bench.maker, ASK, 5_200, 300)
    bench.place(bench.member, BID, 5_200, 100, IOC, client_order_id="t")
    bench.place(bench.maker, ASK, 6_000, 500, ticker=bench.away.ticker)
    bench.place(bench.member, BID, 6_000, 500, IOC, ticker=bench.away.ticker)
    close(venue, bench.away)
    determine(venue, bench.away, 5_000, "Tie")
    settle(venue, bench.away)
    schedule_series_fee(venue, "KXMLBGAME", FeeSchedule(), now_ms + 60_000)
    schedule_event_fee(venue, bench.home.event.ticker, FeeSchedule(), now_ms)
    group = grouping.make_group(venue, bench.member, 1_000, 3)
    create_subaccount(bench.member)
    transfer = move(venue, bench.member, 1_000_000, (0, 0), (0, 3), "t")
    move(venue, bench.member, 1_000_000, (0, 0), (1, 0), "s")
    for amount_e6 in (1_000_000, -1_000_000):
        deposit(venue, bench.member, amount_e6)
    order = bench.place(
        bench.member,
        BID,
        4_000,
        500,
        client_order_id="r",
        expires_s=1_900_000_000,
        cancel_on_pause=True,
        group_id=group.group_id,
    ).order
    bench.later()
    start_s = now_ms // 1_000
    return {
        "ticker": bench.home.ticker,
        "series_ticker": "KXMLBGAME",
        "milestone_id": bench.home.event.milestone_id,
        "target_id": bench.home.target_id,
        "order_id": order.order_id,
        "group_id": group.group_id,
        "transfer_id": transfer.transfer_id,
        "range": f"start_ts={start_s - 3_600}&end_ts={start_s + 3_600}&period_interval=1",
    }


def body_for(method: str, pattern: str, names: dict[str, str]) -> Any:
    """Return the body that an endpoint needs, None where it needs none."""
    wish = order_wish(names["ticker"], "bid", "0.4000", "5.00")
    if pattern.endswith("/batched"):
        one = {"order_id": names["order_id"], "market_ticker": names["ticker"]}
        return {"orders": [wish if method == "POST" else one, {"order_id": "x"}]}
    bodies: dict[str, Any] = {
        "/portfolio/events/orders": wish,
        "/portfolio/events/orders/{order_id}/amend": {
            "ticker": names["ticker"],
            "side": "bid",
            "price": "0.5200",
            "count": "3.00",
        },
        "/portfolio/events/orders/{order_id}/decrease": {
            "reduce_to": "1.00",
            "market_ticker": names["ticker"],
        },
        "/portfolio/order_groups/create": {"contracts_limit": 5},
        "/portfolio/order_groups/{group_id}/limit": {"contracts_limit_fp": "7.50"},
        "/portfolio/subaccounts": {},
        "/portfolio/subaccounts/transfer": MOVE,
        "/portfolio/subaccounts/netting": {"subaccount_number": 0, "enabled": True},
        "/portfolio/intra_exchange_instance_transfer": TRANSFER,
    }
    return None if method in ("GET", "DELETE") else bodies.get(pattern, {})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.pattern}")
async def test_every_endpoint_keeps_the_contract(member: Member, bench: Bench, route: Any) -> None:
    """Each answers with success and by its contract; the first order endpoints are gone."""
    need_contracts()
    names = live_through(bench)
    path = route.pattern
    if path.startswith("/series/{ticker}"):
        names["ticker"] = "KXMLBGAME"
    if path.startswith("/events/{ticker}"):
        names["ticker"] = bench.home.event.ticker
    query = QUERIES.get(route.pattern)
    target = (path if query is None else f"{path}?{query}").format(**names)
    answer = await member.call(route.method, target, body_for(route.method, path, names))
    if route.method != "GET" and path.startswith("/portfolio/orders"):
        assert answer.status == 410
    elif path == "/historical/markets/{ticker}":
        assert answer.status == 404
    else:
        assert answer.status in (200, 201, 204), answer.body


def test_the_exchange_serves_nothing_of_combinations() -> None:
    """Multivariate events are not part of this world, and no endpoint pretends so."""
    assert not any("multivariate" in route.pattern for route in ROUTES)


KINDS = {
    "error",
    "event_fee_update",
    "event_lifecycle",
    "fill",
    "market_lifecycle_v2",
    "market_position",
    "ok",
    "order_group_updates",
    "orderbook_delta",
    "orderbook_snapshot",
    "subscribed",
    "ticker",
    "trade",
    "unsubscribed",
    "user_order",
}
CHANNELS = ["fill", "user_orders", "market_positions", "trade", "ticker", "order_group_updates"]
LIFECYCLE = ["market_lifecycle_v2", "multivariate_market_lifecycle"]


async def test_every_kind_of_frame_keeps_the_contract(member: Member, bench: Bench) -> None:
    """Everything that can happen happens, and each kind of frame was seen."""
    need_contracts()
    seen: list[Json] = []
    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=[*CHANNELS, *LIFECYCLE])
        tickers = [bench.home.ticker, bench.away.ticker]
        await socket.command(2, "subscribe", channels=["orderbook_delta"], market_tickers=tickers)
        seen += await socket.frames(len(CHANNELS) + len(LIFECYCLE) + 1 + len(tickers))
        pause_market(bench.venue, bench.home)
        resume_market(bench.venue, bench.home)
        change_grid(bench.venue, bench.home, DECI_CENT)
        postpone(bench.venue, bench.home.event, 3_600_000)
        announce(bench.venue, bench.home)
        live_through(bench)
        schedule_event_fee(bench.venue, bench.home.event.ticker, None, bench.clock.now_ms)
        for group in grouping.groups_of(bench.venue, bench.member):
            grouping.trigger_group(bench.venue, group)
            grouping.reset_group(bench.venue, group)
            grouping.limit_group(bench.venue, group, 50)
            grouping.delete_group(bench.venue, group)
        await socket.command(3, "update_subscription", sid=1, action="x", market_ticker="y")
        await socket.command(
            4, "update_subscription", sid=9, action="delete_markets", market_tickers=tickers
        )
        await socket.command(5, "list_subscriptions")
        await socket.command(6, "unsubscribe", sids=[1])
        while seen[-1]["type"] != "unsubscribed":
            seen.append(await socket.frame())
    assert {one["type"] for one in seen} == KINDS
    words = [one["msg"]["event_type"] for one in seen if one["type"] == "order_group_updates"]
    assert words == ["created", "triggered", "reset", "limit_updated", "deleted"]


OPTIONAL = frozenset(
    {"client_order_id", "order_group_id", "expiration_time", "expiration_ts_ms"}
    | {"last_update_reason", "last_updated_ts_ms"}
)


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        ("orderbookSnapshot", "orderbook_snapshot"),
        ("orderbookDelta", "orderbook_delta"),
        ("ticker", "ticker"),
        ("trade", "trade"),
        ("fill", "fill"),
        ("userOrder", "user_order"),
        ("marketPosition", "market_position"),
        ("subscribedResponse", "subscribed"),
    ],
)
async def test_frames_have_all_fields_of_the_examples(
    member: Member, bench: Bench, example: str, kind: str
) -> None:
    """Not only what the contract requires, but all that its example shows."""
    need_contracts()
    examples = orjson.loads((FOLDER / "ws_examples_asyncapi.json").read_bytes())
    bench.place(bench.maker, BID, 4_700, 300)
    bench.place(bench.maker, ASK, 5_200, 300)
    async with member.socket() as socket:
        channels = ["orderbook_delta", "ticker", "trade", *CHANNELS[:3]]
        await socket.command(1, "subscribe", channels=channels, market_ticker=bench.home.ticker)
        frames = await socket.frames(7)
        bench.place(bench.member, BID, 5_200, 100, IOC)
        frames += await socket.frames(6)
    frame = next(one for one in frames if one["type"] == kind)
    expected = examples[example][0]
    assert set(frame) == set(expected)
    assert set(expected["msg"]) - OPTIONAL == set(frame["msg"]) - OPTIONAL


def small(**schema: Any) -> Contract:
    return Contract(
        {"components": {"schemas": {"FixedPointDollars": {"type": "string"}, **schema}}}
    )


@pytest.mark.parametrize(
    ("value", "schema", "problem"),
    [
        ({}, {"type": "object", "required": ["a"]}, "x.a is missing"),
        ({"b": 1}, {"type": "object", "properties": {"a": {}}}, "x.b is in no contract"),
        ("1", {"type": "integer"}, "x: '1' is no integer"),
        (True, {"type": "integer"}, "x: True is no integer"),
        (None, {"type": "string"}, "x: None is no string"),
        ("c", {"type": "string", "enum": ["a"]}, "x: 'c' is none of"),
        ("c", {"const": "a"}, "x: 'c' is not 'a'"),
        ([1], {"type": "array", "items": {"type": "string"}}, r"x\[0\]: 1 is no string"),
        ([1], {"type": "array", "minItems": 2}, "x: 1 is out of bounds"),
        (5, {"type": "integer", "maximum": 4}, "x: 5 is out of bounds"),
        ("soon", {"type": "string", "format": "date-time"}, "x: 'soon' is no moment"),
        ("1.5", {"$ref": "#/components/schemas/FixedPointDollars"}, "x: '1.5' are no dollars"),
        (1, {"allOf": [{"type": "string"}]}, "x: 1 is no string"),
        ({"a": 1}, {"additionalProperties": {"type": "string"}}, "x.a: 1 is no string"),
    ],
)
def test_the_checker_finds_what_is_wrong(value: Any, schema: Json, problem: str) -> None:
    """Each rule of the contracts can fail."""
    with pytest.raises(Broken, match=problem):
        small().check(value, schema, "x")


def test_the_checker_knows_endpoints_and_frames() -> None:
    """What no contract knows is a fault, and so is an error in an unheard-of shape."""
    need_contracts()
    contract = socket_contract()
    assert contract is not None
    for call in (
        ("GET", "/trade-api/v2/nowhere", 200, b"{}"),
        ("GET", "/trade-api/v2/exchange/status", 204, b""),
        ("GET", "/trade-api/v2/exchange/status", 200, b"{}"),
        ("GET", "/trade-api/v2/exchange/status", 400, b'{"oops":1}'),
        ("GET", "/trade-api/v2/exchange/status", 429, b'{"error":{}}'),
    ):
        with pytest.raises(Broken):
            check_response(*call)
    for text in ('{"type":"dance"}', '{"type":"ticker","sid":1}'):
        with pytest.raises(Broken):
            check_frame(text)
