"""The OpticOdds client against the simulated provider over memory streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from arb.core.events import Quote, QuoteOrigin
from arb.feeds.base import Bad, FeedError, OddsFeed, Updates
from arb.feeds.opticodds import OpticOdds
from arb.io.clock import VirtualClock
from arb.io.http import Http
from arb.io.memory import MemoryNetwork
from arb.io.websocket import ConnectFailed, SocketClosed
from arb.sim.serving.http import json_response
from tests.sim.odds_provider import KEY, Provider

BOOKS = ("Pinnacle", "FanDuel", "DraftKings", "A", "B", "C")


@asynccontextmanager
async def served(key: str = KEY) -> AsyncIterator[tuple[OpticOdds, Provider, MemoryNetwork]]:
    """Serve two games and three books."""
    async with trio.open_nursery() as nursery:
        provider, network = Provider(nursery), MemoryNetwork(nursery)
        network.listen("optic", 80, provider.server.serve_stream)
        async with Http(network) as http:
            clock = VirtualClock(0)
            feed = OpticOdds(http, network, clock, "http://optic/api/v3/", key, books=BOOKS)
            conforms: OddsFeed = feed
            assert conforms.provider == "opticodds"
            yield feed, provider, network
        nursery.cancel_scope.cancel()


async def until_closed(updates: Updates) -> None:
    """Read a stream to its end, which is an error."""
    while True:
        await updates.receive()


async def test_games_and_prices_are_read(autojump_clock: object) -> None:
    """Both games, and each of three books' prices, marked as polled."""
    async with served() as (feed, _, _):
        games = await feed.events(("nfl", "mlb"))
        quotes = await feed.snapshot([game.event_id for game in games])

    assert [game.league for game in games] == ["nfl", "mlb"]
    assert len(quotes) == 6
    assert {quote.origin for quote in quotes} == {QuoteOrigin.POLL}
    assert {round(quote.home, 2) for quote in quotes} == {1.90}


async def test_kalshis_own_prices_name_its_event(autojump_clock: object) -> None:
    """Both sides' markets are of one event; where it is not said, names and times decide alone."""
    async with served() as (feed, provider, _):
        games = await feed.events(("nfl", "mlb"))
        tickers = [game.event_ticker for game in provider.games]
        assert [game.kalshi_event_ticker for game in games] == tickers

        for said in (json_response(500, {}), json_response(200, {"data": [{"id": 5}, ODD_ROW]})):
            optic: Any = provider.server.others[0]
            optic._odds = lambda _request, said=said: said
            games = await feed.events(("nfl", "mlb"))
            assert [game.kalshi_event_ticker for game in games] == [None, None]


# Prices of two events, of no market, and of none that can be read.
ODD_ROW = {
    "id": "F",
    "odds": [
        {"source_ids": {"market_id": "KXMLBGAME-26APR10PITCHC-CHC"}},
        {"source_ids": {"market_id": "KXMLBGAME-26APR11PITCHC-PIT"}},
        {"source_ids": {"market_id": 7}},
        {"source_ids": None},
    ],
}


async def test_what_was_polled_and_cannot_be_used_is_told(autojump_clock: object) -> None:
    """A price that no book writes costs itself alone, and somebody hears of it."""
    async with served() as (feed, provider, _):
        told: list[Bad] = []
        feed._on_bad = told.append
        games = await feed.events(("nfl",))
        provider.move(provider.games[0].game_id, "FanDuel", "1.90", "100000")
        quotes = await feed.snapshot([game.event_id for game in games])

    assert [bad.reason for bad in told] == ["odds are longer than any book offers"]
    assert len(quotes) == 3


async def test_changes_of_every_sport_come_as_one_stream(autojump_clock: object) -> None:
    """Six books make two streams a sport, and all are one."""
    async with served() as (feed, provider, _):
        games = await feed.events(("nfl", "mlb"))
        await feed.snapshot([game.event_id for game in games])
        feed.subscribe(("nfl", "mlb"))
        async with feed.connect() as updates:
            assert len(provider.server.others[0].sessions) == 4  # type: ignore[attr-defined]
            for game in provider.games:
                provider.move(game.game_id, "FanDuel", "1.50", "2.70")
            provider.desk.step(0.0)
            found: list[Quote] = []
            while len(found) < 2:
                found += feed.parse(await updates.receive(), 5).quotes
    assert {quote.event_id for quote in found} == {game.event_id for game in games}
    assert {quote.home for quote in found} == {1.5}


async def test_silence_and_a_lost_connection_end_the_stream(autojump_clock: object) -> None:
    """The server's pings keep a quiet stream; without them it is over, as when it is cut."""
    async with served() as (feed, provider, network):
        feed.subscribe(("mlb",))
        async with feed.connect() as updates:
            for _ in range(20):
                feed.parse(await updates.receive(), 0)
            assert trio.current_time() > 30
            provider.conditions.silent = True
            with pytest.raises(SocketClosed, match="nothing heard for 15 s"):
                await until_closed(updates)
        provider.conditions.silent = False
        async with feed.connect() as updates:
            network.cut()
            with pytest.raises(SocketClosed, match=r"lost|broke off|ended"):
                await until_closed(updates)


async def test_refusals_are_one_line_without_the_key(autojump_clock: object) -> None:
    """A wrong key, a full provider and an unknown sport are each said."""
    async with served("wrong-key") as (feed, _, network):
        feed.subscribe(("mlb",))
        with pytest.raises(ConnectFailed, match="HTTP 401"):
            async with feed.connect():
                pytest.fail("connected")
        with pytest.raises(FeedError, match="HTTP 401") as caught:
            await feed.events(("mlb",))
        assert "wrong-key" not in str(caught.value)
        with pytest.raises(FeedError, match="unknown sport 'chess'"):
            feed.subscribe(("chess",))
        network.deafen("optic", 80)
        with pytest.raises(ConnectFailed, match="nobody listens"):
            async with feed.connect():
                pytest.fail("connected")
