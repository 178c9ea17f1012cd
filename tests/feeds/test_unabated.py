"""The Unabated client against the simulated provider over memory streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from arb.core.events import Quote
from arb.feeds.base import Bad, FeedError, OddsFeed
from arb.feeds.unabated import Unabated
from arb.io.clock import VirtualClock
from arb.io.http import Http
from arb.io.memory import MemoryNetwork
from arb.io.websocket import ConnectFailed
from arb.sim.serving.http import Request
from tests.sim.odds_provider import KEY, Provider

WS_URL = "ws://unabated/graphql/realtime"


@asynccontextmanager
async def served(key: str = KEY) -> AsyncIterator[tuple[Unabated, Provider]]:
    """Serve two games and three books."""
    async with trio.open_nursery() as nursery:
        provider, network = Provider(nursery), MemoryNetwork(nursery)
        network.listen("unabated", 80, provider.server.serve_stream)
        async with Http(network) as http:
            feed = Unabated(
                http,
                network,
                VirtualClock(provider.clock.now_ms),
                "http://unabated/",
                WS_URL,
                key,
                books=(),
            )
            conforms: OddsFeed = feed
            assert conforms.provider == "unabated"
            yield feed, provider
        nursery.cancel_scope.cancel()


async def test_games_and_prices_are_read(autojump_clock: object) -> None:
    """Both games, each of three books' prices; only the games asked for."""
    async with served() as (feed, provider):
        feed.subscribe(("nfl", "mlb"))
        games = await feed.events(("nfl", "mlb"))
        quotes = await feed.snapshot([games[0].event_id])

    assert [(game.league, game.home) for game in games] == [
        ("nfl", provider.games[0].home.name),
        ("mlb", provider.games[1].home.name),
    ]
    assert len(quotes) == 3
    assert {round(quote.home, 2) for quote in quotes} == {1.90}


async def test_the_gap_is_filled_before_the_stream_goes_on(autojump_clock: object) -> None:
    """What changed between the snapshot and the subscription comes first, then what changes."""
    async with served() as (feed, provider):
        feed.subscribe(("nfl", "mlb"))
        await feed.events(("nfl", "mlb"))
        game_id = provider.games[0].game_id
        provider.move(game_id, "FanDuel", "1.50", "2.70")
        provider.desk.step(0.0)
        async with feed.connect() as updates:
            gap = feed.parse(await updates.receive(), 5).quotes
            provider.move(game_id, "FanDuel", "1.40", "3.00")
            provider.desk.step(0.0)
            later: list[Quote] = []
            while not later:
                later += feed.parse(await updates.receive(), 5).quotes

    assert [round(quote.home, 2) for quote in gap] == [1.5]
    assert [round(quote.home, 2) for quote in later] == [1.4]


async def test_what_was_polled_and_cannot_be_used_is_told(autojump_clock: object) -> None:
    """A price that no book writes costs itself alone, and somebody hears of it."""
    async with served() as (feed, provider):
        told: list[Bad] = []
        feed._on_bad = told.append
        feed.subscribe(("nfl",))
        provider.move(provider.games[0].game_id, "FanDuel", "1.90", "100000")
        (game,) = await feed.events(("nfl",))
        quotes = await feed.snapshot([game.event_id])

    assert [bad.reason for bad in told] == ["odds are longer than any book offers"] * 2
    assert len(quotes) == 3


async def test_without_a_snapshot_there_is_no_gap(autojump_clock: object) -> None:
    """A stream that nothing went before begins with what comes."""
    async with served() as (feed, provider):
        provider.server.others[2].answer(Request("GET", "/team/mlb", {}, {}))
        feed.subscribe(("mlb",))
        async with feed.connect() as updates:
            provider.move(provider.games[1].game_id, "FanDuel", "1.50", "2.70")
            provider.desk.step(0.0)
            notices = feed.parse(await updates.receive(), 0).notices
    assert [notice.kind for notice in notices] == ["lines of other kinds"]


async def test_refusals_are_one_line_without_the_key(autojump_clock: object) -> None:
    """A wrong key, throttling and an unknown sport are each said."""
    async with served("wrong-key") as (feed, provider):
        feed.subscribe(("mlb",))
        with pytest.raises(FeedError, match="HTTP 401"):
            await feed.events(("mlb",))
        with pytest.raises(ConnectFailed, match="the provider refuses") as caught:
            async with feed.connect():
                pytest.fail("connected")
        assert "wrong-key" not in str(caught.value)
        provider.conditions.refuse_upgrades = 429
        with pytest.raises(ConnectFailed, match="HTTP 429"):
            async with feed.connect():
                pytest.fail("connected")
        with pytest.raises(FeedError, match="unknown sport 'chess'"):
            feed.subscribe(("chess",))
