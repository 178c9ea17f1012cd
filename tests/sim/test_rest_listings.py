"""What is listed beside markets: candlesticks, milestones, teams and what left the live data."""

from __future__ import annotations

import pytest

from arb.sim.exchange.candles import MINUTE_MS, Candle, CandleTape, Range, merged
from arb.sim.exchange.lifecycle import postpone
from arb.sim.exchange.values import BookSide, Lifetime
from tests.sim.sim_client import EPOCH_MS, Bench, Json, Member

BID, ASK = BookSide.BID, BookSide.ASK
IOC = Lifetime.IMMEDIATE_OR_CANCEL
HOUR_S = 3_600


def trade(bench: Bench, price_e4: int, count_e2: int = 100) -> None:
    bench.place(bench.maker, ASK, price_e4, count_e2)
    bench.place(bench.member, BID, price_e4, count_e2, IOC)


async def candles_of(member: Member, bench: Bench, minutes: int = 1, **more: int) -> list[Json]:
    now_s = bench.clock.now_ms // 1_000
    span = {"start_ts": now_s - HOUR_S, "end_ts": now_s + 48 * HOUR_S} | more
    query = "&".join(f"{name}={value}" for name, value in span.items())
    path = f"/series/KXMLBGAME/markets/{bench.home.ticker}/candlesticks"
    body = await member.get(f"{path}?{query}&period_interval={minutes}")
    assert body["ticker"] == bench.home.ticker
    found: list[Json] = body["candlesticks"]
    return found


async def test_minutes_show_quotes_and_trades(member: Member, bench: Bench) -> None:
    """Open, low, high and last of bid, ask and price; a quiet minute is left out."""
    bench.place(bench.maker, BID, 3_000, 100)
    for price_e4 in (5_000, 4_000, 6_000):
        trade(bench, price_e4)
    bench.later(2 * MINUTE_MS)
    bench.place(bench.maker, BID, 3_500, 100)
    first, second = await candles_of(member, bench)
    assert first["price"] == {
        "open_dollars": "0.5000",
        "low_dollars": "0.4000",
        "high_dollars": "0.6000",
        "close_dollars": "0.6000",
        "mean_dollars": "0.5000",
    }
    assert (first["volume_fp"], first["open_interest_fp"]) == ("3.00", "3.00")
    assert first["yes_ask"]["low_dollars"] == "0.4000"
    assert second["price"] == {"previous_dollars": "0.6000"}
    assert (second["yes_bid"]["open_dollars"], second["volume_fp"]) == ("0.3500", "0.00")
    assert second["end_period_ts"] - first["end_period_ts"] == 120


@pytest.mark.parametrize("minutes", [60, 1_440])
async def test_longer_periods_are_made_of_minutes(
    member: Member, bench: Bench, minutes: int
) -> None:
    """An hour or a day has the first minute's open, the last one's close and the sum of both."""
    bench.clock.now_ms = EPOCH_MS // (MINUTE_MS * 1_440) * MINUTE_MS * 1_440 + 1_000
    for price_e4 in (5_000, 4_000):
        trade(bench, price_e4)
        bench.later(MINUTE_MS)
    (one,) = await candles_of(member, bench, minutes)
    assert (one["price"]["open_dollars"], one["price"]["close_dollars"]) == ("0.5000", "0.4000")
    assert one["volume_fp"] == "2.00"


def test_a_period_may_begin_without_a_trade() -> None:
    """The first trade of a later minute opens it, and a quiet minute changes no price."""
    tape = CandleTape()
    tape.trade(1, 5_000, 100, 100)
    tape.touch(MINUTE_MS + 1, 4_000, 6_000)
    tape.touch(MINUTE_MS + 2, 3_000, 5_000)
    (whole,) = merged(tape.minutes, 2 * MINUTE_MS)
    assert (whole.bid.low_e4, whole.ask.high_e4) == (0, 10_000)
    assert whole.price == Range.at(5_000)
    quiet = Candle(MINUTE_MS, Range.at(1), Range.at(2))
    traded = Candle(2 * MINUTE_MS, Range.at(1), Range.at(2), Range.at(7), 100, 700)
    (later,) = merged([quiet, traded], 2 * MINUTE_MS)
    assert later.price == Range.at(7)
    (neither,) = merged([quiet, attrs_copy(quiet)], 2 * MINUTE_MS)
    assert neither.price is None


def attrs_copy(candle: Candle) -> Candle:
    return Candle(2 * MINUTE_MS, candle.bid, candle.ask)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("end_ts=1&period_interval=1", 400),
        ("start_ts=1&period_interval=1", 400),
        ("start_ts=1&end_ts=2&period_interval=5", 400),
        ("start_ts=0&end_ts=300060&period_interval=1", 400),
        ("start_ts=0&end_ts=300000&period_interval=1", 200),
    ],
)
async def test_candlesticks_need_a_sensible_range(
    member: Member, bench: Bench, query: str, status: int
) -> None:
    """Both ends, one of three lengths, and no more than five thousand periods."""
    path = f"/series/KXMLBGAME/markets/{bench.home.ticker}/candlesticks?{query}"
    assert (await member.call("GET", path)).status == status


async def test_candlesticks_of_several_markets(member: Member, bench: Bench) -> None:
    """By market, at least one and none unknown."""
    trade(bench, 5_000)
    span = f"start_ts=0&end_ts={EPOCH_MS}&period_interval=1440"
    path = f"/markets/candlesticks?{span.replace('start_ts=0', f'start_ts={EPOCH_MS - 1}')}"
    tickers = f"{bench.home.ticker},{bench.away.ticker}"
    body = await member.get(f"{path}&market_tickers={tickers}")
    assert [one["market_ticker"] for one in body["markets"]] == tickers.split(",")
    assert (await member.call("GET", f"{path}&market_tickers=")).status == 400
    assert (await member.call("GET", f"{path}&market_tickers=X")).status == 404
    other = f"/series/KXNONE/markets/{bench.home.ticker}/candlesticks?{span}"
    assert (await member.call("GET", other)).status == 404


async def test_milestones_are_filtered(member: Member, bench: Bench) -> None:
    """By everything that the contract names; a limit is required and is not nothing."""
    event = bench.home.event
    bench.later(10_000)
    postpone(bench.venue, event, 3_600_000)
    now_s = bench.clock.now_ms // 1_000

    async def count(query: str) -> int:
        return len((await member.get(f"/milestones?limit=5&{query}"))["milestones"])

    assert await count(f"category=Sports&type={event.series.milestone_type}") == 1
    assert await count(f"source_id={event.milestone_id}") == 1
    for query in ("category=Politics", "type=golf", "competition=Golf", "source_id=x"):
        assert await count(query) == 0
    assert await count("related_event_ticker=X") == 0
    assert await count(f"min_updated_ts={now_s}") == 1
    assert await count(f"min_updated_ts={now_s + 1}") == 0
    for bad in ("", "?limit=0", "?limit=501", "?limit=5&minimum_start_date=soon"):
        assert (await member.call("GET", f"/milestones{bad}")).status == 400
    one = (await member.get(f"/milestones/{event.milestone_id}"))["milestone"]
    assert one["related_event_tickers"] == [event.ticker]
    assert (await member.call("GET", "/milestones/none")).status == 404


async def test_teams_are_structured_targets(member: Member, bench: Bench) -> None:
    """By id, repeated or not, by kind and by competition, and one by one."""
    home, away = bench.home.target_id, bench.away.target_id

    async def names(query: str) -> list[str]:
        found = (await member.get(f"/structured_targets?{query}"))["structured_targets"]
        return sorted(one["id"] for one in found)

    assert await names(f"ids={home}&ids={away}") == sorted([home, away])
    assert await names(f"ids={home}") == [home]
    assert await names("type=baseball_team&competition=Pro%20Baseball") == sorted([home, away])
    assert await names("type=football_team") == []
    assert await names("competition=Golf") == []
    assert len(await names("page_size=1")) == 1
    assert (await member.call("GET", "/structured_targets?page_size=2001")).status == 400
    one = (await member.get(f"/structured_targets/{home}"))["structured_target"]
    assert (one["name"], one["details"]["abbreviation"]) == ("Los Angeles D", "LAD")
    assert (await member.call("GET", "/structured_targets/none")).status == 404


async def test_nothing_is_old_enough_to_be_historical(member: Member, bench: Bench) -> None:
    """The cutoff is three months back, and all that happened is in the live data."""
    trade(bench, 5_000)
    moment = (await member.get("/historical/cutoff"))["trades_created_ts"]
    assert moment == "2026-08-20T11:06:40Z"
    for name in ("markets", "trades", "fills", "orders"):
        assert (await member.get(f"/historical/{name}"))[name] == []
    positions = await member.get("/historical/positions")
    assert (positions["market_positions"], positions["event_positions"]) == ([], [])
    assert (await member.call("GET", f"/historical/markets/{bench.home.ticker}")).status == 404


def test_a_tape_keeps_the_latest_minutes() -> None:
    """A clock that stands still within a minute adds nothing to the tape."""
    tape = CandleTape()
    for at_ms in (1, 2, MINUTE_MS, MINUTE_MS + 1):
        tape.touch(at_ms, 4_000, 6_000)
    assert [one.end_ms for one in tape.minutes] == [MINUTE_MS, 2 * MINUTE_MS]
