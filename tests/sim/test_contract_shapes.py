"""Bodies and frames of the simulated exchange beside Kalshi's published contracts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest

from arb.sim.exchange.account import MoneyMove
from arb.sim.exchange.lifecycle import close, determine, pause_market, resume_market, settle
from arb.sim.exchange.values import BookSide, Lifetime
from tests.sim.sim_client import Bench, Json, Member, Socket, order_wish

BID, ASK = BookSide.BID, BookSide.ASK
FIELD = re.compile(r"^ +(\*?)(\w+) : (\S+)( enum\[.*?\])?")
KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "FixedPointDollars": (str,),
    "FixedPointCount": (str,),
    "ExchangeIndex": (int,),
}
DOLLARS = re.compile(r"^-?\d+\.\d{4}(\d\d)?$")
COUNT = re.compile(r"^-?\d+\.\d\d$")


@attrs.frozen
class Field:
    """One field of a schema."""

    name: str
    kind: str
    required: bool
    nullable: bool
    words: tuple[str, ...]


@attrs.define
class Contract:
    """Schemas by name, read from the plain text of the contract."""

    schemas: dict[str, list[Field]]

    @classmethod
    def read(cls, text: str) -> Contract:
        schemas: dict[str, list[Field]] = {}
        current: list[Field] = []
        for line in text.partition("==== SCHEMAS ====")[2].splitlines():
            if line.startswith("## "):
                current = schemas[line.split()[1]] = []
            elif found := FIELD.match(line):
                star, name, kind, enum = found.groups()
                words = tuple(re.findall(r"'([^']*)'", enum or ""))
                nullable = " nullable" in line.partition(" -- ")[0]
                current.append(Field(name, kind, star == "*", nullable, words))
        return cls(schemas)

    def check(self, value: Any, name: str, path: str = "") -> None:
        """Check an object against a schema, all that is inside it too."""
        where = f"{path}{name}"
        assert isinstance(value, dict), where
        for field in self.schemas[name]:
            if field.name not in value:
                assert not field.required, f"{where}.{field.name} is missing"
            elif value[field.name] is None:
                assert field.nullable, f"{where}.{field.name} is null"
            else:
                self._check_value(value[field.name], field, f"{where}.{field.name}")

    def _check_value(self, value: Any, field: Field, where: str) -> None:
        if field.kind.startswith("array<"):
            assert isinstance(value, list), where
            inner = Field("", field.kind[6:-1], required=True, nullable=False, words=())
            for item in value:
                self._check_value(item, inner, f"{where}[]")
            return
        plain = field.kind.partition("(")[0]
        if plain not in KINDS and self.schemas.get(plain):
            self.check(value, plain, f"{where}:")
            return
        assert isinstance(value, KINDS.get(plain, (object,))), f"{where}: {value!r}"
        assert not field.words or value in field.words, f"{where}: {value!r}"
        if plain == "FixedPointDollars":
            assert DOLLARS.match(str(value)), f"{where}: {value!r}"
        elif plain == "FixedPointCount":
            assert COUNT.match(str(value)), f"{where}: {value!r}"


@pytest.fixture
def contract(shared_data: Path) -> Contract:
    read = Contract.read((shared_data / "kalshi" / "openapi_compact.txt").read_text())
    assert len(read.schemas) > 100
    assert any(field.name == "settlement_bounds_type" for field in read.schemas["Market"])
    return read


@pytest.fixture
def examples(shared_data: Path) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = orjson.loads(
        (shared_data / "kalshi" / "ws_examples_asyncapi.json").read_bytes()
    )
    return found


def live_through(bench: Bench) -> str:
    """Give the member every kind of history; returns a resting order's id."""
    bench.place(bench.maker, BID, 4_700, 300)
    bench.place(bench.maker, ASK, 5_200, 300)
    bench.place(bench.member, BID, 5_200, 100, Lifetime.IMMEDIATE_OR_CANCEL, client_order_id="t")
    bench.place(bench.maker, ASK, 6_000, 500, ticker=bench.away.ticker)
    bench.place(
        bench.member,
        BID,
        6_000,
        500,
        Lifetime.IMMEDIATE_OR_CANCEL,
        ticker=bench.away.ticker,
        client_order_id="s",
    )
    close(bench.venue, bench.away)
    determine(bench.venue, bench.away, 5_000, "Tie")
    settle(bench.venue, bench.away)
    for number, amount_e6 in enumerate((5_000_000, -3_000_000)):
        bench.member.move_money(MoneyMove(f"m{number}", amount_e6, bench.clock.wall_ms()))
    return bench.place(
        bench.member,
        BID,
        4_000,
        500,
        client_order_id="r",
        expires_s=1_900_000_000,
        cancel_on_pause=True,
    ).order.order_id


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/exchange/status", "ExchangeStatus"),
        ("/exchange/user_data_timestamp", "GetUserDataTimestampResponse"),
        ("/series", "GetSeriesListResponse"),
        ("/series/KXMLBGAME", "GetSeriesResponse"),
        ("/series/fee_changes", "GetSeriesFeeChangesResponse"),
        ("/events?with_nested_markets=true&with_milestones=true", "GetEventsResponse"),
        ("/events/{event}", "GetEventResponse"),
        ("/markets", "GetMarketsResponse"),
        ("/markets/{ticker}", "GetMarketResponse"),
        ("/markets/{ticker}/orderbook", "GetMarketOrderbookResponse"),
        ("/markets/orderbooks?tickers={ticker}", "GetMarketOrderbooksResponse"),
        ("/markets/trades", "GetTradesResponse"),
        ("/milestones?limit=10", "GetMilestonesResponse"),
        ("/portfolio/orders", "GetOrdersResponse"),
        ("/portfolio/orders/{order}?market_ticker={ticker}", "GetOrderResponse"),
        ("/portfolio/fills", "GetFillsResponse"),
        ("/portfolio/positions?settlement_status=all", "GetPositionsResponse"),
        ("/portfolio/settlements", "GetSettlementsResponse"),
        ("/portfolio/deposits", "GetDepositsResponse"),
        ("/portfolio/withdrawals", "GetWithdrawalsResponse"),
        ("/portfolio/balance", "GetBalanceResponse"),
        (
            "/portfolio/orders/queue_positions?market_tickers={ticker}",
            "GetOrderQueuePositionsResponse",
        ),
        ("/portfolio/orders/{order}/queue_position", "GetOrderQueuePositionResponse"),
        ("/portfolio/order_groups", "GetOrderGroupsResponse"),
        ("/account/limits", "GetAccountApiLimitsResponse"),
        ("/account/endpoint_costs", "GetAccountEndpointCostsResponse"),
    ],
)
async def test_every_read_keeps_the_contract(
    member: Member, bench: Bench, contract: Contract, path: str, schema: str
) -> None:
    """Required fields are there, kinds and words are the contract's, decimals have their length."""
    order_id = live_through(bench)
    await member.call("POST", "/portfolio/order_groups/create", {"contracts_limit": 5})
    names = {
        "ticker": bench.home.ticker,
        "event": bench.home.event.ticker,
        "order": order_id,
    }
    contract.check(await member.get(path.format(**names)), schema)


async def test_every_change_keeps_the_contract(
    member: Member, bench: Bench, contract: Contract
) -> None:
    """Create, amend, decrease, cancel, and both batches."""
    bench.place(bench.maker, ASK, 5_200, 300)
    orders, home = "/portfolio/events/orders", bench.home.ticker
    wish = order_wish(home, "bid", "0.4000", "5.00", client_order_id="one")
    created = (await member.call("POST", orders, wish)).json
    contract.check(created, "CreateOrderV2Response")
    taken = wish | {"price": "0.5200", "count": "1.00", "client_order_id": "two"}
    contract.check((await member.call("POST", orders, taken)).json, "CreateOrderV2Response")
    path = f"{orders}/{created['order_id']}"
    change = {"ticker": home, "side": "bid", "price": "0.5200", "count": "1.00"}
    amended = await member.call("POST", f"{path}/amend", change)
    contract.check(amended.json, "AmendOrderV2Response")
    third = (await member.call("POST", orders, wish | {"client_order_id": "three"})).json
    path = f"{orders}/{third['order_id']}"
    less = await member.call("POST", f"{path}/decrease", {"reduce_to": "1", "market_ticker": home})
    contract.check(less.json, "DecreaseOrderV2Response")
    gone = await member.call("DELETE", f"{path}?market_ticker={home}")
    contract.check(gone.json, "CancelOrderV2Response")
    batch = {"orders": [wish | {"client_order_id": "four"}, wish | {"price": "2"}]}
    placed = await member.call("POST", f"{orders}/batched", batch)
    contract.check(placed.json, "BatchCreateOrdersV2Response")
    ids = [{"order_id": one.get("order_id", "x")} for one in placed.json["orders"]]
    swept = await member.call("DELETE", f"{orders}/batched", {"orders": ids})
    contract.check(swept.json, "BatchCancelOrdersV2Response")
    group = await member.call("POST", "/portfolio/order_groups/create", {"contracts_limit": 5})
    contract.check(group.json, "CreateOrderGroupResponse")
    found = await member.get(f"/portfolio/order_groups/{group.json['order_group_id']}")
    contract.check(found, "GetOrderGroupResponse")


OPTIONAL = frozenset({"client_order_id", "order_group_id", "expiration_time", "expiration_ts_ms"})


def names_and_kinds(message: Json) -> dict[str, str]:
    return {
        name: "number" if isinstance(value, int | float) else type(value).__name__
        for name, value in message.items()
        if name not in OPTIONAL
    }


async def heard(socket: Socket, count: int) -> dict[str, Json]:
    """Return the next frames, the first of each type."""
    found: dict[str, Json] = {}
    for frame in await socket.frames(count):
        found.setdefault(frame["type"], frame)
    return found


@pytest.mark.parametrize(
    ("example", "kind", "added", "left_out"),
    [
        ("orderbookSnapshot", "orderbook_snapshot", set(), set()),
        ("orderbookDelta", "orderbook_delta", set(), set()),
        ("ticker", "ticker", set(), set()),
        ("trade", "trade", set(), set()),
        ("fill", "fill", set(), set()),
        ("userOrder", "user_order", {"last_updated_ts_ms", "last_update_reason"}, set()),
        ("marketPosition", "market_position", set(), set()),
    ],
)
async def test_frames_have_the_fields_of_the_examples(
    member: Member,
    bench: Bench,
    examples: dict[str, list[Json]],
    example: str,
    kind: str,
    added: set[str],
    left_out: set[str],
) -> None:
    """Every message of a channel has the documented fields and kinds, and so has its envelope."""
    bench.place(bench.maker, BID, 4_700, 300)
    bench.place(bench.maker, ASK, 5_200, 300)
    async with member.socket() as socket:
        private = ["fill", "user_orders", "market_positions"]
        channels = ["orderbook_delta", "ticker", "trade", *private]
        await socket.command(1, "subscribe", channels=channels, market_ticker=bench.home.ticker)
        frames = await heard(socket, 7)
        bench.place(bench.member, BID, 5_200, 100, Lifetime.IMMEDIATE_OR_CANCEL)
        frames |= await heard(socket, 6)
    expected = examples[example][0]
    frame = frames[kind]
    assert set(frame) == set(expected)
    wanted = names_and_kinds(expected["msg"])
    found = names_and_kinds(frame["msg"])
    assert set(found) - added == set(wanted) - left_out
    assert {name: kind for name, kind in found.items() if name in wanted} == wanted


async def test_replies_have_the_fields_of_the_examples(
    member: Member, bench: Bench, examples: dict[str, list[Json]]
) -> None:
    """Acknowledgements, lists, farewells and errors, envelope and message."""
    async with member.socket() as socket:
        books = {"channels": ["orderbook_delta"]}
        await socket.command(1, "subscribe", **books, market_ticker=bench.home.ticker)
        await socket.command(2, "subscribe", **books, market_ticker=bench.away.ticker)
        await socket.command(3, "list_subscriptions")
        await socket.command(4, "unsubscribe", sids=[1])
        await socket.command(5, "unsubscribe", sids=[1])
        frames = await socket.frames(7)
    by_example = {
        "subscribedResponse": frames[0],
        "okResponse": frames[2],
        "listSubscriptionsResponse": frames[4],
        "unsubscribedResponse": frames[5],
        "errorResponse": frames[6],
    }
    for name, frame in by_example.items():
        expected = examples[name][0]
        assert set(frame) == set(expected), name
        if isinstance(expected.get("msg"), dict):
            assert set(frame["msg"]) == set(expected["msg"]), name


async def test_lifecycle_frames_have_the_fields_of_the_examples(
    member: Member, bench: Bench, examples: dict[str, list[Json]]
) -> None:
    """The envelope is the documented one, and a pause says whether it is one."""
    async with member.socket() as socket:
        await socket.command(1, "subscribe", channels=["market_lifecycle_v2"])
        await socket.frame()
        pause_market(bench.venue, bench.home)
        resume_market(bench.venue, bench.home)
        down, up = await socket.frames(2)
    assert set(down) == set(examples["marketLifecycleV2"][0])
    assert [(one["msg"]["event_type"], one["msg"]["is_deactivated"]) for one in (down, up)] == [
        ("deactivated", True),
        ("activated", False),
    ]
