"""Whole sessions in virtual time: what a client sees is what the exchange knows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from arb.io.clock import VirtualClock
from arb.sim.conditions import POSITION_READ_LAG_MS
from arb.sim.exchange.values import BookSide
from arb.sim.simulation import MEMBER, Simulation, SimulationSettings
from arb.sim.world.games import Calendar
from tests.sim.sim_client import (
    EPOCH_MS,
    KEY,
    Json,
    Member,
    Socket,
    connect,
    open_socket,
    order_wish,
)

BID, ASK = BookSide.BID, BookSide.ASK
ORDERS = "/portfolio/events/orders"


@attrs.define
class Books:
    """Every book as one client has put it together from frames, levels on the YES scale."""

    levels: dict[tuple[str, str], Counter[str]] = attrs.field(factory=dict)
    seq: int = 0
    names: list[str] = attrs.field(factory=list)

    def take(self, frame: Json) -> None:
        if frame["type"] not in ("orderbook_snapshot", "orderbook_delta"):
            return
        assert frame["seq"] == self.seq + 1
        self.seq = frame["seq"]
        message = frame["msg"]
        ticker = message["market_ticker"]
        if frame["type"] == "orderbook_snapshot":
            for side in ("yes", "no"):
                levels = message.get(f"{side}_dollars_fp", [])
                self.levels[ticker, side] = Counter({price: cents(size) for price, size in levels})
            return
        book = self.levels[ticker, message["side"]]
        book[message["price_dollars"]] += cents(message["delta_fp"])
        assert book[message["price_dollars"]] >= 0
        if "client_order_id" in message:
            self.names.append(message["client_order_id"])

    def standing(self, ticker: str, side: str) -> dict[str, int]:
        return {price: size for price, size in self.levels[ticker, side].items() if size}


def cents(text: str) -> int:
    """Return a text of two decimals as hundredths."""
    return round(float(text) * 100)


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[tuple[Simulation, Member]]:
    """Run a world in virtual time with one member connected to it."""
    simulation = Simulation(SimulationSettings(**settings), VirtualClock(EPOCH_MS))
    simulation.admit(KEY.public_key())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(simulation.run)
        yield simulation, Member(simulation.exchange, nursery, simulation.key_id)
        nursery.cancel_scope.cancel()


async def follow(socket: Socket, books: Books, seconds: float) -> None:
    """Take frames for so long."""
    with trio.move_on_after(seconds):
        while True:
            books.take(await socket.frame())


async def trade_at_random(member: Member, tickers: list[str], rng: random.Random) -> None:
    """Place, amend and cancel as a busy client does; whatever is refused is refused."""
    for number in range(1_000_000):
        await trio.sleep(rng.uniform(0.05, 0.4))
        ticker = rng.choice(tickers)
        wish = order_wish(
            ticker,
            rng.choice(("bid", "ask")),
            f"0.{rng.randint(20, 80)}00",
            f"{rng.randint(1, 9)}.00",
            client_order_id=f"mine-{number}",
            time_in_force=rng.choice(("good_till_canceled", "immediate_or_cancel")),
        )
        answer = await member.call("POST", ORDERS, wish)
        assert answer.status == 201, answer.body
        if answer.json["remaining_count"] != "0.00" and rng.random() < 0.7:
            path = f"{ORDERS}/{answer.json['order_id']}?market_ticker={ticker}"
            assert (await member.call("DELETE", path)).status in (200, 404)


@pytest.mark.slow
async def test_a_clients_books_equal_the_exchanges(autojump_clock: object) -> None:
    """After a busy minute every level of every book is the same on both sides of the wire."""
    async with running(seed=11, games=4) as (simulation, member):
        tickers = list(simulation.venue.markets)
        books = Books()
        async with member.socket() as socket, trio.open_nursery() as nursery:
            await socket.command(
                1,
                "subscribe",
                channels=["orderbook_delta"],
                market_tickers=tickers,
                use_yes_price=True,
            )
            trader = Member(simulation.exchange, nursery, simulation.key_id)
            nursery.start_soon(trade_at_random, trader, tickers, random.Random(12))
            await follow(socket, books, 60)
            nursery.cancel_scope.cancel()
        assert books.seq > 500
        assert books.names
        for ticker in tickers:
            shown = (await member.get(f"/markets/{ticker}/orderbook"))["orderbook_fp"]
            assert books.standing(ticker, "yes") == {
                price: cents(size) for price, size in shown["yes_dollars"]
            }
            assert books.standing(ticker, "no") == {
                f"{1 - float(price):.4f}": cents(size) for price, size in shown["no_dollars"]
            }


@pytest.mark.slow
async def test_a_clients_ledger_equals_the_exchanges(autojump_clock: object) -> None:
    """Fills heard over the socket, fills read over REST, positions and cash all agree."""
    async with running(seed=13, games=4) as (simulation, member):
        tickers = list(simulation.venue.markets)
        heard: list[Json] = []
        async with member.socket() as socket, trio.open_nursery() as nursery:
            await socket.command(1, "subscribe", channels=["fill"])
            trader = Member(simulation.exchange, nursery, simulation.key_id)
            nursery.start_soon(trade_at_random, trader, tickers, random.Random(14))
            with trio.move_on_after(90):
                while True:
                    frame = await socket.frame()
                    heard += [frame["msg"]] if frame["type"] == "fill" else []
            nursery.cancel_scope.cancel()
        await trio.sleep(POSITION_READ_LAG_MS / 1_000)
        read = await all_pages(member, "/portfolio/fills?limit=7", "fills")
        assert len(heard) > 50
        assert [one["trade_id"] for one in heard] == [one["trade_id"] for one in reversed(read)]
        check_positions(heard, (await member.get("/portfolio/positions"))["market_positions"])
        check_cash(read, await member.get("/portfolio/balance"))


async def all_pages(member: Member, path: str, name: str) -> list[Json]:
    """Follow the cursor to the end."""
    found: list[Json] = []
    cursor = ""
    while True:
        body = await member.get(f"{path}&cursor={cursor}")
        found += body[name]
        cursor = body["cursor"]
        if not cursor:
            return found


def check_positions(fills: list[Json], positions: list[Json]) -> None:
    held: Counter[str] = Counter()
    for fill in fills:
        sign = 1 if fill["book_side"] == "bid" else -1
        held[fill["market_ticker"]] += sign * cents(fill["count_fp"])
        last = fill
        assert cents(last["post_position_fp"]) == held[fill["market_ticker"]]
    shown = {one["ticker"]: cents(one["position_fp"]) for one in positions}
    assert shown == dict(held)


def check_cash(fills: list[Json], balance: Json) -> None:
    """Cash is what buying cost and closing brought, oldest fill first, and the fees."""
    cash_e6, held = 10_000_000_000, Counter[str]()
    for fill in reversed(fills):
        ticker, count_e2 = fill["ticker"], cents(fill["count_fp"])
        yes = fill["book_side"] == "bid"
        own = fill["yes_price_dollars" if yes else "no_price_dollars"]
        own_e4 = round(float(own) * 10_000)
        closing_e2 = min(max(-held[ticker] if yes else held[ticker], 0), count_e2)
        cash_e6 += closing_e2 * (10_000 - own_e4) - (count_e2 - closing_e2) * own_e4
        cash_e6 -= round(float(fill["fee_cost"]) * 1_000_000)
        held[ticker] += count_e2 if yes else -count_e2
    assert round(float(balance["balance_dollars"]) * 1_000_000) == cash_e6


async def story() -> list[str]:
    """Return what one client of a small world is sent, both feeds as they are."""
    async with running(seed=15, games=2) as (simulation, member):
        path = f"/v3/ws?apiKey={simulation.odds_key}&markets=ML,Totals"
        stream = connect(member.nursery, simulation.odds.serve_stream)
        async with member.socket() as socket, open_socket(stream, path, []) as odds:
            await socket.command(
                1,
                "subscribe",
                channels=["orderbook_delta", "trade", "ticker"],
                market_tickers=list(simulation.venue.markets),
            )
            frames = [await socket.text() for _ in range(100)]
            return frames + [await odds.text() for _ in range(20)]


def test_a_session_repeats_to_the_byte() -> None:
    """Two runs of one seed send the same bytes to the same client, ids and stamps included."""
    first, second = (trio.run(story, clock=MockClock(autojump_threshold=0)) for _ in range(2))
    assert first == second
    assert len(set(first)) > 100


async def test_a_season_is_played_to_the_end(autojump_clock: object) -> None:
    """Short games start, end and settle; what the member held is paid, and nothing is open."""
    calendar = Calendar(start_in_ms=2_000, stagger_ms=1_000, length_ms=8_000)
    async with running(seed=16, games=4, speed=5.0, calendar=calendar) as (simulation, member):
        tickers = list(simulation.venue.markets)
        async with member.socket() as socket:
            await socket.command(1, "subscribe", channels=["market_lifecycle_v2"])
            for ticker in tickers:
                wish = order_wish(ticker, "bid", "0.9900", "3", time_in_force="immediate_or_cancel")
                answer = await member.call("POST", ORDERS, wish)
                assert answer.json["fill_count"] == "3.00"
            settled: set[str] = set()
            while len(settled) < len(tickers):
                frame = await socket.frame()
                if frame["msg"].get("event_type") == "settled":
                    settled.add(frame["msg"]["market_ticker"])
        paid = (await member.get("/portfolio/settlements"))["settlements"]
        assert Counter(one["market_result"] for one in paid) == {"yes": 4, "no": 4}
        assert sum(one["revenue"] for one in paid) == 4 * 300
        assert (await member.get("/portfolio/positions"))["market_positions"] == []
        assert (await member.get("/markets?status=open"))["markets"] == []
        assert len((await member.get("/markets?status=settled"))["markets"]) == len(tickers)
        account = simulation.venue.accounts[MEMBER]
        spent_e6 = sum(fill.price_e4 * fill.count_e2 + fill.fee_e6 for fill in account.fills)
        assert account.total_cash_e6 == 10_000_000_000 - spent_e6 + 12_000_000
