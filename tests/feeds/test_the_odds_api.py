"""The Odds API's client against the simulated provider: the budget, and what a poll looks like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from arb.feeds.base import FeedError, OddsFeed, Updates
from arb.feeds.the_odds_api import Pace, TheOddsApi
from arb.io.http import Http
from arb.io.memory import MemoryNetwork
from arb.io.websocket import ConnectFailed, SocketClosed
from tests.sim.odds_provider import KEY, Provider


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[tuple[TheOddsApi, Any, Provider]]:
    """Serve two games and three books; gives the feed, the provider's own desk and the world's."""
    async with trio.open_nursery() as nursery:
        provider, network = Provider(nursery), MemoryNetwork(nursery)
        network.listen("odds", 80, provider.server.serve_stream)
        wanted: dict[str, Any] = {
            "books": (),
            "regions": ("us",),
            "poll_interval_s": 10.0,
            "credits_per_day": None,
        }
        async with Http(network) as http:
            feed = TheOddsApi(http, "http://odds/v4/", KEY, **{**wanted, **options})
            conforms: OddsFeed = feed
            assert conforms.provider == "the-odds-api"
            yield feed, provider.server.others[1], provider
        nursery.cancel_scope.cancel()


async def poll_for_ever(polls: Updates) -> None:
    """Take every update."""
    while True:
        await polls.receive()


async def poll_once_each(feed: TheOddsApi) -> None:
    """Connect anew for each update."""
    while True:
        async with feed.connect() as polls:
            await polls.receive()


async def test_listing_games_costs_one_poll_a_league(autojump_clock: object) -> None:
    """Games are those of the last answers; the first answers are updates as well."""
    async with served() as (feed, provider, _):
        feed.subscribe(("nfl", "mlb"))
        games = await feed.events(("nfl", "mlb"))
        assert await feed.events(("nfl", "mlb")) == games
        assert [game.league for game in games] == ["nfl", "mlb"]
        assert provider.credits_used == 2
        assert await feed.snapshot([game.event_id for game in games]) == []
        async with feed.connect() as polls:
            quotes = [q for _ in range(2) for q in feed.parse(await polls.receive(), 0).quotes]
            assert provider.credits_used == 2
            assert {quote.event_id for quote in quotes} == {game.event_id for game in games}
            await polls.receive()
            assert provider.credits_used == 3


async def test_polls_keep_to_the_interval(autojump_clock: object) -> None:
    """Each league once an interval."""
    async with served() as (feed, provider, _):
        feed.subscribe(("nfl", "mlb"))
        with trio.move_on_after(100):
            async with feed.connect() as polls:
                await poll_for_ever(polls)
        assert provider.credits_used == pytest.approx(20, abs=1)


async def test_polls_keep_to_the_budget(autojump_clock: object) -> None:
    """Evenly over the day, two regions at twice the price; connecting anew earns nothing."""
    async with served(credits_per_day=864, regions=("us", "eu")) as (feed, provider, _):
        feed.subscribe(("nfl", "mlb"))
        with trio.move_on_after(8_640):
            await poll_once_each(feed)
        assert provider.credits_used == pytest.approx(86, abs=4)


async def test_used_up_credits_are_waited_for(autojump_clock: object) -> None:
    """When the account has no more, an hour passes before it is asked again."""
    async with served() as (feed, provider, _):
        feed.subscribe(("nfl",))
        provider.credits_left = 1
        async with feed.connect() as polls:
            await polls.receive()
            provider.credits_left = 100
            before_s = trio.current_time()
            await polls.receive()
            assert trio.current_time() - before_s >= 3_590


async def test_troubles_end_the_stream_in_one_line(autojump_clock: object) -> None:
    """A throttled poll ends the stream, a throttled first one is no stream; no key is shown."""
    async with served() as (feed, _, provider):
        feed.subscribe(("nfl",))
        async with feed.connect() as polls:
            await polls.receive()
            provider.conditions.rest_status = 429
            with pytest.raises(SocketClosed, match="HTTP 429") as caught:
                await polls.receive()
            assert KEY not in str(caught.value)
        with pytest.raises(ConnectFailed, match="HTTP 429"):
            async with feed.connect():
                pytest.fail("connected")
        with pytest.raises(FeedError, match="unknown sport 'chess'"):
            feed.subscribe(("chess",))
        assert "every" in repr(feed)


async def test_an_answer_that_nobody_took_is_no_update(autojump_clock: object) -> None:
    """It would look as if it had been confirmed when it was taken."""
    async with served() as (feed, provider, _):
        feed.subscribe(("nfl",))
        await feed.events(("nfl",))
        with trio.move_on_after(60):
            await trio.sleep_forever()
        async with feed.connect() as polls:
            await polls.receive()
        assert provider.credits_used == 2


def test_a_pace_without_credits_is_the_interval() -> None:
    """What costs nothing is asked for as often as one likes."""
    pace = Pace(1, 2.0, None)
    pace.spend(100.0)
    pace.note_remaining("many", 0.0)
    pace.note_remaining(None, 0.0)

    assert (pace.spacing_s, pace.due_s) == (2.0, 102.0)
