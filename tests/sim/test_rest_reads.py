"""What anybody reads over HTTP: series, events, markets, books, milestones."""

from __future__ import annotations

import pytest

from arb.sim.exchange.lifecycle import pause_trading
from arb.sim.exchange.values import BookSide, Lifetime
from arb.sim.world.leagues import NFL
from arb.sim.world.listing import list_game
from tests.sim.sim_client import Bench, Member, game_of

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL


def quote(bench: Bench) -> None:
    """Put a bid of 47 and an ask of 52 cents on the home market."""
    bench.place(bench.maker, BID, 4_700, 300)
    bench.place(bench.maker, ASK, 5_200, 200)


def buy(bench: Bench, count_e2: int = 100) -> None:
    bench.place(bench.member, BID, 5_200, count_e2, IOC, client_order_id=f"buy-{count_e2}")


async def test_status_follows_pauses(member: Member, bench: Bench) -> None:
    """A pause of trading and one of everything are told apart, for every shard."""
    for whole_exchange, active in ((False, True), (True, False)):
        pause_trading(bench.venue, whole_exchange=whole_exchange)
        status = await member.get("/exchange/status")
        shards = status.pop("exchange_index_statuses")
        assert status == {
            "exchange_active": active,
            "intra_exchange_transfers_active": active,
            "trading_active": False,
        }
        assert [one["exchange_index"] for one in shards] == [0, 1, 2, 3]
        assert {one["exchange_active"] for one in shards} == {active}


async def test_the_moment_of_private_data_tells_the_lag(member: Member, bench: Bench) -> None:
    """It stands as far behind as reads do."""
    bench.venue.conditions.stale_read_ms = 1_000
    now = await member.get("/exchange/user_data_timestamp")
    assert now == {"as_of_time": "2026-11-18T11:06:39Z"}


async def test_series_carry_the_fee(member: Member) -> None:
    """Baseball pays half; a series nobody knows is not found."""
    one = (await member.get("/series/KXMLBGAME"))["series"]
    assert (one["fee_type"], one["fee_multiplier"]) == ("quadratic_with_maker_fees", 0.5)
    assert (await member.get("/series?tags=Baseball"))["series"] == [one]
    assert (await member.get("/series?tags=Tennis"))["series"] == []
    assert (await member.get("/series?category=Politics"))["series"] == []
    assert (await member.call("GET", "/series/KXNONE")).status == 404
    assert await member.get("/series/fee_changes") == {"series_fee_change_arr": []}


async def test_events_can_be_read_with_their_markets(member: Member, bench: Bench) -> None:
    """Nested in each event, or beside a single one, or left out."""
    ticker = bench.home.event.ticker
    listed = (await member.get("/events?with_nested_markets=true&status=open"))["events"]
    assert [one["ticker"] for one in listed[0]["markets"]] == [
        bench.away.ticker,
        bench.home.ticker,
    ]
    assert "markets" not in (await member.get("/events"))["events"][0]
    one = await member.get(f"/events/{ticker}")
    assert len(one["markets"]) == 2
    alone = f"/events/{ticker}?exclude_markets=true"
    assert (await member.get(alone))["markets"] == []
    assert (await member.call("GET", f"{alone}&with_nested_markets=true")).status == 400
    inside = await member.get(f"/events/{ticker}?with_nested_markets=true")
    assert len(inside["event"]["markets"]) == 2
    assert (await member.call("GET", "/events/NOTHING")).status == 404


async def test_events_are_filtered(member: Member, bench: Bench) -> None:
    """By series, by ticker, by the state of their markets; with milestones when asked."""
    list_game(bench.venue, game_of(NFL, 2), bench.clock.now_ms)

    async def tickers(query: str) -> list[str]:
        return [one["event_ticker"] for one in (await member.get(f"/events?{query}"))["events"]]

    football = "KXNFLGAME-26NOV18KCBUF"
    assert await tickers("series_ticker=KXNFLGAME") == [football]
    assert await tickers(f"tickers={football}") == [football]
    assert await tickers("status=settled") == []
    paged = await member.get("/events?limit=1&with_milestones=true")
    assert len(paged["milestones"]) == 1
    rest = await member.get(f"/events?limit=1&cursor={paged['cursor']}")
    assert (rest["events"][0]["event_ticker"], rest["cursor"]) == (football, "")


async def test_markets_show_the_touch_or_placeholders(member: Member, bench: Bench) -> None:
    """An empty side shows 0.0000 and 1.0000."""
    path = f"/markets/{bench.home.ticker}"
    empty = (await member.get(path))["market"]
    assert (empty["yes_bid_dollars"], empty["yes_ask_dollars"]) == ("0.0000", "1.0000")
    quote(bench)
    market = (await member.get(path))["market"]
    shown = {key: market[key] for key in market if key.startswith(("yes_", "no_"))}
    assert shown == {
        "no_ask_dollars": "0.5300",
        "no_bid_dollars": "0.4800",
        "no_sub_title": "Los Angeles D",
        "yes_ask_dollars": "0.5200",
        "yes_ask_size_fp": "2.00",
        "yes_bid_dollars": "0.4700",
        "yes_bid_size_fp": "3.00",
        "yes_sub_title": "Los Angeles D",
    }
    assert (await member.call("GET", "/markets/NOWHERE")).status == 404


async def test_a_book_is_bids_only_with_the_best_last(member: Member, bench: Bench) -> None:
    """The YES ask of 52 is a NO bid of 48, as recorded."""
    quote(bench)
    bench.place(bench.maker, BID, 4_600, 100)
    path = f"/markets/{bench.home.ticker}/orderbook"
    assert await member.get(path) == {
        "orderbook_fp": {
            "no_dollars": [["0.4800", "2.00"]],
            "yes_dollars": [["0.4600", "1.00"], ["0.4700", "3.00"]],
        }
    }
    top = (await member.get(f"{path}?depth=1"))["orderbook_fp"]
    assert top["yes_dollars"] == [["0.4700", "3.00"]]
    several = await member.get(f"/markets/orderbooks?tickers={bench.home.ticker}")
    assert several["orderbooks"][0]["ticker"] == bench.home.ticker
    assert (await member.call("GET", "/markets/orderbooks")).status == 400


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("status=open", 2),
        ("status=settled", 0),
        ("series_ticker=KXNFLGAME", 0),
        ("mve_filter=only", 0),
        ("mve_filter=exclude", 2),
        ("min_close_ts=1", 2),
        ("max_close_ts=1", 0),
        ("min_settled_ts=1", 0),
        ("limit=1", 1),
    ],
)
async def test_markets_are_filtered(member: Member, query: str, count: int) -> None:
    """Every filter narrows the list."""
    assert len((await member.get(f"/markets?{query}"))["markets"]) == count


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("min_close_ts=1&max_close_ts=2", 200),
        ("min_close_ts=1&max_settled_ts=2", 400),
        (f"tickers={','.join(['T'] * 800)}", 200),
        (f"tickers={','.join(['T'] * 801)}", 414),
    ],
)
async def test_some_filters_are_too_much(member: Member, query: str, status: int) -> None:
    """Moments of two kinds exclude each other, and a list of tickers has an end."""
    assert (await member.call("GET", f"/markets?{query}")).status == status


async def test_public_reads_can_be_stale(member: Member, bench: Bench) -> None:
    """Observed: without a signature a book is served out of a cache for a quarter minute."""
    bench.venue.conditions.public_cache_s = 15.0
    path = f"/trade-api/v2/markets/{bench.home.ticker}/orderbook"

    async def levels() -> int:
        answer = await member.http.send("GET", path, [])
        assert answer is not None
        return len(answer.json["orderbook_fp"]["yes_dollars"])

    assert await levels() == 0
    bench.place(bench.maker, BID, 4_000, 100)
    assert await levels() == 0
    signed = await member.get(path.removeprefix("/trade-api/v2"))
    assert len(signed["orderbook_fp"]["yes_dollars"]) == 1
    bench.later(15_000)
    assert await levels() == 1


async def test_paging_forgives_a_cursor_that_is_none(member: Member) -> None:
    """A garbage cursor shows the first page, the last page has an empty one."""
    first = await member.get("/markets?limit=1")
    for garbage in ("garbage-cursor", "Z2FyYmFnZQ", "%ff", "cGFnZTp4"):
        assert await member.get(f"/markets?limit=1&cursor={garbage}") == first
    second = await member.get(f"/markets?limit=1&cursor={first['cursor']}")
    assert second["markets"] != first["markets"]
    assert second["cursor"] == ""


@pytest.mark.parametrize(
    ("path", "status", "where"),
    [
        ("/markets?limit=1001", 400, "msg"),
        ("/markets?limit=-1", 400, "msg"),
        ("/milestones", 400, "msg"),
        ("/markets?limit=many", 400, "details"),
        ("/milestones?limit=1&minimum_start_date=soon", 400, "details"),
        ("/markets?status=finalized", 400, "error"),
        ("/portfolio/orders?status=open", 400, "error"),
        ("/portfolio/orders/queue_positions", 400, "error"),
        ("/nowhere", 404, None),
    ],
)
async def test_bad_parameters_have_the_shape_of_their_kind(
    member: Member, path: str, status: int, where: str | None
) -> None:
    """Validation answers bare, decoding flat, business rules nested."""
    answer = await member.call("GET", path)
    assert answer.status == status
    assert where is None or where in answer.json


async def test_milestones_tell_the_start(member: Member, bench: Bench) -> None:
    """No market field is the start; the milestone's start_date is."""
    (one,) = (await member.get("/milestones?limit=5&category=Sports"))["milestones"]
    assert one["start_date"] == "2026-11-18T12:06:40Z"
    assert one["related_event_tickers"] == [bench.home.event.ticker]
    assert one["details"]["home_team_id"] == bench.home.target_id
    for query in ("type=football_game", "category=Politics", "related_event_ticker=X"):
        assert (await member.get(f"/milestones?limit=5&{query}"))["milestones"] == []
    late = "minimum_start_date=2026-11-18T12:06:41Z"
    assert (await member.get(f"/milestones?limit=5&{late}"))["milestones"] == []


async def test_trades_are_public_and_newest_first(member: Member, bench: Bench) -> None:
    """A trade shows the taker's side and both prices, and nobody's name."""
    quote(bench)
    buy(bench, 200)
    bench.clock.now_ms += 5
    bench.place(bench.maker, BID, 5_300, 100)
    bench.place(bench.member, ASK, 5_300, 100, IOC)
    shown = (await member.get(f"/markets/trades?ticker={bench.home.ticker}"))["trades"]
    assert [(one["taker_book_side"], one["yes_price_dollars"]) for one in shown] == [
        ("ask", "0.5300"),
        ("bid", "0.5200"),
    ]
    assert (await member.get("/markets/trades?max_ts=1"))["trades"] == []
