"""The REST client against a small server over memory streams."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import trio

from arb.core.events import Side
from arb.core.grid import WHOLE_CENTS
from arb.io.clock import VirtualClock
from arb.io.http import Http
from arb.io.memory import MemoryNetwork
from arb.kalshi import rest_calls
from arb.kalshi.fields import Fault, Malformed
from arb.kalshi.listing import (
    Balance,
    ExchangeStatus,
    FeeChange,
    ListedPosition,
    Milestone,
    Series,
)
from arb.kalshi.rate import AccountLimits, RateBudget
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError, normalised_api_base
from arb.kalshi.token_bucket import BucketLimit
from tests.io.http_server import URL, Reply
from tests.kalshi.keys import PlainSigner
from tests.kalshi.rest_bench import EPOCH_MS, rest_over
from tests.kalshi.wire_samples import FILL


@pytest.mark.parametrize(
    "given",
    [
        "https://x.com",
        "https://x.com/",
        "https://x.com/trade-api/v2",
        "https://x.com/trade-api/v2/",
    ],
)
def test_the_api_base_is_taken_with_and_without_its_path(given: str) -> None:
    """All forms that people write mean the same address."""
    assert normalised_api_base(given) == "https://x.com/trade-api/v2"


async def test_a_read_is_signed_with_its_whole_path_and_without_its_query(
    autojump_clock: object,
) -> None:
    """The signature covers the path from the root."""
    async with rest_over(lambda path, query: {"fills": [], "cursor": ""}) as (rest, server):
        await rest.fills(5_999)
        assert repr(rest) == "<Rest http://sim:80/trade-api/v2>"

    asked = server.asked[0]
    assert asked.target == "/trade-api/v2/portfolio/fills?min_ts=5&limit=1000"
    assert (
        asked.headers["kalshi-access-signature"] == f"{EPOCH_MS}|GET|/trade-api/v2/portfolio/fills"
    )


async def test_cursors_are_followed_to_the_end(autojump_clock: object) -> None:
    """Every page is read, and each cursor is handed back as it came."""

    def pages(path: str, query: dict[str, str]) -> object:
        after = {"": "c/1=", "c/1=": "c2", "c2": ""}
        cursor = query.get("cursor", "")
        position = {
            "ticker": f"T{cursor}",
            "position_fp": "1.00",
            "market_exposure_dollars": "0.5",
            "fees_paid_dollars": "0.0",
        }
        return {"market_positions": [position], "cursor": after[cursor]}

    async with rest_over(pages) as (rest, server):
        positions = await rest.positions()

    assert [each.ticker for each in positions] == ["T", "Tc/1=", "Tc2"]
    assert len(server.asked) == 3


async def test_a_cursor_that_never_ends_is_given_up(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A garbage cursor answers with the first page for ever; the limit ends that."""
    monkeypatch.setattr(rest_calls, "PAGES_MAX", 3)
    async with rest_over(lambda path, query: {"orders": [], "cursor": "again"}) as (rest, server):
        with pytest.raises(RestError, match="GET /portfolio/orders: more than 3 pages"):
            await rest.orders()

    assert len(server.asked) == 3


MARKET = {
    "ticker": "KXNFLGAME-26AUG13DETCIN-CIN",
    "event_ticker": "KXNFLGAME-26AUG13DETCIN",
    "yes_sub_title": "Cincinnati",
    "status": "active",
    "close_time": "2026-08-15T23:00:00Z",
    "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": "0.0100"}],
    "exchange_index": 3,
    "custom_strike": {"football_team": "b007"},
}
EVENT = {
    "event_ticker": "KXNFLGAME-26AUG13DETCIN",
    "series_ticker": "KXNFLGAME",
    "title": "Detroit vs Cincinnati",
    "markets": [MARKET],
}


async def test_events_are_read_by_name_a_hundred_at_a_time(autojump_clock: object) -> None:
    """Whatever their status: no filter is sent, and no URL is too long for the exchange."""
    names = [f"KXNFLGAME-{number:04}" for number in range(230)]
    async with rest_over(lambda path, query: {"events": [EVENT], "cursor": ""}) as (rest, server):
        found = await rest.events_named(names)
        assert await rest.events_named([]) == []

    assert len(found) == len(server.asked) == 3
    queries = [parse_qs(urlsplit(asked.target).query) for asked in server.asked]
    assert [name for each in queries for name in each["tickers"][0].split(",")] == names
    assert all("status" not in each for each in queries)


async def test_events_come_with_their_markets_and_bad_ones_are_counted(
    autojump_clock: object,
) -> None:
    """One damaged event costs that event alone."""
    damaged = {**EVENT, "markets": [{**MARKET, "price_ranges": None}]}
    told: list[Malformed] = []
    async with rest_over(
        lambda path, query: {"events": [damaged, EVENT, {}, 7], "cursor": ""}, on_bad=told.append
    ) as (rest, server):
        (event,) = await rest.events("KXNFLGAME")

        assert sum(rest.bad.values()) == len(told) == 3
        assert set(rest.bad) == {Fault.WRONG_TYPE, Fault.MISSING_FIELD}

    query = parse_qs(urlsplit(server.asked[0].target).query)
    assert query == {
        "series_ticker": ["KXNFLGAME"],
        "status": ["open"],
        "with_nested_markets": ["true"],
        "limit": ["200"],
    }
    (market,) = event.markets
    assert (event.title, event.fee_type, event.fee_multiplier_e4) == (EVENT["title"], None, None)
    assert (market.team_code, market.team_label, market.team_id) == ("CIN", "Cincinnati", "b007")
    assert (market.price_grid, market.exchange_index) == (WHOLE_CENTS, 3)


async def test_series_fees_and_announced_changes(autojump_clock: object) -> None:
    """Multipliers are exact."""

    def pages(path: str, query: dict[str, str]) -> object:
        fees = {"fee_type": "quadratic_with_maker_fees", "fee_multiplier": 0.5}
        if path == "/series/KXMLBGAME":
            return {"series": {"ticker": "KXMLBGAME", **fees}}
        assert path == "/series/fee_changes"
        change = {"series_ticker": "KXMLBGAME", "scheduled_ts": "2026-08-07T04:59:00Z", **fees}
        return {"series_fee_change_arr": [change]}

    async with rest_over(pages) as (rest, _):
        assert await rest.series("KXMLBGAME") == Series(
            "KXMLBGAME", "quadratic_with_maker_fees", 5000
        )
        assert await rest.fee_changes("KXMLBGAME") == [
            FeeChange("KXMLBGAME", "quadratic_with_maker_fees", 5000, 1_786_078_740_000)
        ]


async def test_milestones_carry_the_start(autojump_clock: object) -> None:
    """Games from half a day ago on are asked for, with the limit that is required."""
    game = {
        "related_event_tickers": ["E1", "E2"],
        "start_date": "2026-08-14T00:00:00Z",
        "title": "A vs B",
        "type": "football_game",
    }
    async with rest_over(lambda path, query: {"milestones": [game], "cursor": ""}) as (
        rest,
        server,
    ):
        assert await rest.milestones(competition="Pro Football", kind="football_game") == [
            Milestone(("E1", "E2"), 1_786_665_600_000, "A vs B", "football_game")
        ]
        await rest.milestones(from_ms=0)

    first, second = (parse_qs(urlsplit(asked.target).query) for asked in server.asked)
    assert first["minimum_start_date"] == ["2026-08-05T19:06:40Z"]
    assert (first["competition"], first["type"]) == (["Pro Football"], ["football_game"])
    assert first["limit"] == ["500"]
    assert second["minimum_start_date"] == ["1970-01-01T00:00:00Z"]


async def test_the_account_is_read_exactly(autojump_clock: object) -> None:
    """Cash from its exact fields, by shard; a position with its cost."""

    def pages(path: str, query: dict[str, str]) -> object:
        return {
            "/portfolio/balance": {
                "balance": 9801,
                "balance_dollars": "98.0186",
                "balance_breakdown": [{"balance": "98.0186", "exchange_index": 0}],
            },
            "/portfolio/positions": {
                "market_positions": [
                    {
                        "ticker": "T",
                        "position_fp": "-3.00",
                        "market_exposure_dollars": "2.500000",
                        "fees_paid_dollars": "0.018900",
                    }
                ]
            },
            "/exchange/status": {"exchange_active": True, "trading_active": False},
            "/exchange/user_data_timestamp": {"as_of_time": "1970-01-01T00:00:05.5Z"},
            "/account/limits": {
                "usage_tier": "basic",
                "read": {"bucket_capacity": 200, "refill_rate": 200},
                "write": {"bucket_capacity": 100, "refill_rate": 100},
            },
        }[path]

    async with rest_over(pages) as (rest, _):
        assert await rest.balance() == 98_018_600
        assert await rest.balances() == Balance(98_018_600, {0: 98_018_600})  # type: ignore[arg-type, dict-item]
        assert await rest.positions() == [ListedPosition("T", -300, 2_500_000, 18_900)]  # type: ignore[arg-type]
        assert await rest.exchange_status() == ExchangeStatus(True, False)
        assert await rest.user_data_ms() == 5500
        limits = AccountLimits("basic", BucketLimit(200, 200), BucketLimit(100, 100))
        assert await rest.limits() == limits


ORDER = {
    "order_id": "o-1",
    "client_order_id": "mine",
    "ticker": "T",
    "book_side": "bid",
    "status": "resting",
    "yes_price_dollars": "0.0100",
    "fill_count_fp": "0.00",
    "remaining_count_fp": "1.00",
    "initial_count_fp": "1.00",
    "created_time": "2026-06-11T06:29:20.866753Z",
}


async def test_an_order_is_found_by_our_own_id(autojump_clock: object) -> None:
    """The list is narrowed and searched; what is not in it is None."""
    rows = [{**ORDER, "client_order_id": ""}, ORDER]
    async with rest_over(lambda path, query: {"orders": rows, "cursor": ""}) as (rest, server):
        order = await rest.order_by_client_id("mine", ticker="T", since_ms=7_000)
        assert order is not None
        assert (order.order_id, order.side, order.created_ms) == ("o-1", Side.BID, 1781159360866)
        assert await rest.order_by_client_id("other") is None
        assert len(await rest.open_orders()) == 2

    targets = [urlsplit(asked.target).query for asked in server.asked]
    assert targets == [
        "ticker=T&min_ts=7&limit=1000",
        "limit=1000",
        "status=resting&limit=1000",
    ]


async def test_half_an_account_is_an_error(autojump_clock: object) -> None:
    """One order that cannot be read fails the whole list, in one line."""
    rows = [ORDER, {**ORDER, "remaining_count_fp": 1}]
    async with rest_over(lambda path, query: {"orders": rows, "cursor": ""}) as (rest, _):
        with pytest.raises(RestError, match="GET /portfolio/orders: a field has the wrong type"):
            await rest.open_orders()


async def test_a_listed_fill_of_nothing_is_an_error(autojump_clock: object) -> None:
    """A fill without contracts is none: what it stands for is not known, so the list is not."""
    rows = [FILL, {**FILL, "trade_id": "t2", "count_fp": "0.00"}]
    async with rest_over(lambda path, query: {"fills": rows, "cursor": ""}) as (rest, _):
        with pytest.raises(RestError, match=r"GET /portfolio/fills: a fill of no contracts: 0\.00"):
            await rest.fills()


@pytest.mark.parametrize(
    "reply, why, code",
    [
        (
            Reply(
                401,
                b'{"error":{"code":"authentication_error","message":"m","details":"NOT_FOUND"}}',
            ),
            "GET /portfolio/balance: HTTP 401 authentication_error: m: NOT_FOUND",
            "authentication_error",
        ),
        (Reply(502, b"<html>\nbad"), "HTTP 502 http_502: <html> bad", "http_502"),
        (Reply(302, b""), "HTTP 302", "http_302"),
        (Reply(200, b"<html>"), "no JSON: <html>", None),
        (Reply(200, b"[]"), "wrong type", None),
        (Reply(200, b"{}"), "a field is missing: 'balance_dollars'", None),
        (Reply(0), "RemoteProtocolError", None),
    ],
)
async def test_failures_are_one_line(
    autojump_clock: object, reply: Reply, why: str, code: str | None
) -> None:
    """Whatever goes wrong is told with what was asked, and the exchange's code where it has one."""
    async with rest_over(lambda path, query: reply) as (rest, _):
        with pytest.raises(RestError, match=why) as caught:
            await rest.balance()

    assert caught.value.code == code
    assert "\n" not in str(caught.value)


async def test_reads_are_paid_for_and_a_429_empties_the_bucket(autojump_clock: object) -> None:
    """With a budget reads wait for their tokens."""
    budget = RateBudget(VirtualClock(EPOCH_MS))
    replies = [Reply(429, b'{"error":"too many requests"}')]

    def pages(path: str, query: dict[str, str]) -> object:
        return replies.pop() if replies else {"orders": [], "cursor": ""}

    async with rest_over(pages, budget=budget) as (rest, _):
        with pytest.raises(RestError, match="too many requests") as caught:
            await rest.orders()
        assert caught.value.status == 429
        assert await rest.orders() == []
        assert trio.current_time() == pytest.approx(0.3)


async def test_a_429_without_a_budget_is_an_error_all_the_same(autojump_clock: object) -> None:
    """Nobody counts, so nothing is counted."""
    async with rest_over(lambda path, query: Reply(429, b"")) as (rest, _):
        with pytest.raises(RestError, match="HTTP 429"):
            await rest.balance()


async def test_paging_asks_a_network_only_for_what_it_needs(autojump_clock: object) -> None:
    """A server that refuses connections is one error, not one for each page."""
    async with trio.open_nursery() as nursery, Http(MemoryNetwork(nursery)) as http:
        rest = Rest(http, PlainSigner(), VirtualClock(EPOCH_MS), URL)
        with pytest.raises(RestError, match="nobody listens"):
            await rest.fills()
