"""The odds-api.io client against small servers over memory streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import trio
import trio_websocket

from arb.core.events import QuoteOrigin
from arb.core.games import OddsEvent
from arb.feeds.base import NOT_ASKED_FOR, Bad, FeedError, Notice, OddsFeed, Parsed, Updates
from arb.feeds.odds_api_io import OddsApiIo
from arb.io.clock import VirtualClock
from arb.io.connection import Connection
from arb.io.http import Http
from arb.io.memory import MemoryNetwork
from arb.io.websocket import ConnectFailed, SocketClosed
from tests.io.http_server import URL, Asked, HttpServer, Reply, http_served

EPOCH_MS = 1_786_000_000_000
KEY = "hush-hush-key"

GAME = {
    "id": 88001,
    "home": "New York Knicks",
    "away": "Oklahoma City Thunder",
    "date": "2026-06-04T00:30:00Z",
    "status": "pending",
}
KNICKS = OddsEvent(
    "odds-api-io", "88001", "nba", "New York Knicks", "Oklahoma City Thunder", 1_780_533_000_000
)
LEAGUES = [{"name": "NBA", "slug": "usa-nba"}, {"name": "WNBA", "slug": "usa-wnba"}]


def feed_on(http: Http, network: MemoryNetwork, **options: Any) -> OddsApiIo:
    """Return a client of the small servers."""
    ws_url = "ws://sim:81/v3/ws"
    clock = VirtualClock(EPOCH_MS)
    return OddsApiIo(http, network, clock, f"{URL}/v3/", ws_url, KEY, **options)


async def parsed(feed: OddsFeed, updates: Updates) -> Parsed:
    """Return what the next message held."""
    return feed.parse(await updates.receive(), EPOCH_MS)


@asynccontextmanager
async def polled(
    pages: dict[str, object] | Callable[[str, dict[str, str]], object], **options: Any
) -> AsyncIterator[tuple[OddsApiIo, HttpServer]]:
    """Serve JSON by path; a `Reply` is sent as it is."""

    def answer(asked: Asked) -> Reply:
        parts = urlsplit(asked.target)
        path = parts.path.removeprefix("/v3/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        content = pages(path, query) if callable(pages) else pages[path]
        return content if isinstance(content, Reply) else Reply(body=orjson.dumps(content))

    async with http_served(answer) as (network, server), Http(network) as http:
        yield feed_on(http, network, **options), server


def asked_for(server: HttpServer) -> list[tuple[str, dict[str, list[str]]]]:
    """Return path and query of what was asked, without the key."""
    found = []
    for asked in server.asked:
        parts = urlsplit(asked.target)
        query = parse_qs(parts.query)
        assert query.pop("apiKey") == [KEY]
        found.append((parts.path, query))
    return found


async def test_games_are_listed_by_league(autojump_clock: object) -> None:
    """Each of our leagues is asked for by the provider's words."""
    async with polled({"leagues": LEAGUES, "events": [GAME]}) as (feed, server):
        assert await feed.events(["NBA"]) == [KNICKS]

    assert asked_for(server) == [
        ("/v3/leagues", {"sport": ["basketball"]}),
        (
            "/v3/events",
            {"sport": ["basketball"], "league": ["usa-nba"], "status": ["pending,live"]},
        ),
    ]


@pytest.mark.parametrize(
    "leagues, slug",
    [
        ([{"name": "NFL", "slug": "united-states-nfl"}], "united-states-nfl"),
        ([{"name": "NFL", "slug": "other-nfl"}, {"name": "Pro", "slug": "usa-nfl"}], "usa-nfl"),
        ([{"name": "NFL"}, {"slug": 5}, 7], "usa-nfl"),
        ([], "usa-nfl"),
    ],
)
async def test_slugs_are_looked_up(
    autojump_clock: object, leagues: list[object], slug: str
) -> None:
    """The provider's list decides; without a fitting entry the usual pattern is tried."""
    async with polled({"leagues": leagues, "events": []}) as (feed, server):
        await feed.events(["nfl"])

    assert asked_for(server)[1][1]["league"] == [slug]


async def test_lists_may_be_wrapped_and_events_may_name_kalshis(autojump_clock: object) -> None:
    """Both forms of list are read, and the provider's own link to Kalshi is kept."""
    linked = {**GAME, "bookmakerIds": {"Kalshi": "KXNBAGAME-26JUN03OKCNYK"}}
    async with polled({"leagues": {"data": LEAGUES}, "events": {"events": [linked]}}) as (feed, _):
        (event,) = await feed.events(["nba"])

    assert event.kalshi_event_ticker == "KXNBAGAME-26JUN03OKCNYK"


async def test_a_bad_event_costs_itself_alone(autojump_clock: object) -> None:
    """Each damaged row is counted and told; the others are used."""
    told: list[Bad] = []
    rows = [{**GAME, "id": None}, {**GAME, "home": 5}, {**GAME, "date": "soon"}, {}, 7, GAME]
    async with polled({"leagues": [], "events": rows}, on_bad=told.append) as (feed, _):
        assert len(await feed.events(["nba"])) == 1
        assert sum(feed.bad.values()) == len(told) == 5


async def test_an_unknown_sport_is_refused(autojump_clock: object) -> None:
    """The refusal names those that are known."""
    async with polled({}) as (feed, _):
        with pytest.raises(FeedError, match="unknown sport 'curling'; known are mlb, nba"):
            await feed.events(["curling"])
        with pytest.raises(FeedError, match="unknown sport"):
            feed.subscribe(["curling"])


async def test_prices_are_read_ten_games_a_call(autojump_clock: object) -> None:
    """All games are covered, and the quotes are marked as polled."""

    def pages(path: str, query: dict[str, str]) -> object:
        odds = [{"name": "ML", "odds": [{"home": "1.9", "away": "2.0"}]}]
        ids = query["eventIds"].split(",")
        assert len(ids) <= 10
        return [{"id": int(each), "bookmakers": {"Bet365": odds, "X": 5}} for each in ids]

    async with polled(pages, books=["Bet365", "X"]) as (feed, server):
        quotes = await feed.snapshot([str(number) for number in range(25)])
        assert feed.bad["markets are no list"] == 25

    assert [quote.event_id for quote in quotes] == [str(number) for number in range(25)]
    assert {quote.origin for quote in quotes} == {QuoteOrigin.POLL}
    assert {quote.source_ms for quote in quotes} == {EPOCH_MS}
    calls = asked_for(server)
    assert [path for path, _ in calls] == ["/v3/odds/multi"] * 3
    assert calls[2][1] == {"eventIds": ["20,21,22,23,24"], "bookmakers": ["Bet365,X"]}


@pytest.mark.parametrize(
    "reply, why",
    [
        (Reply(401, f'{{"error":"no key {KEY}"}}'.encode()), r"HTTP 401: .*no key \*\*\*"),
        (Reply(429, b""), "HTTP 429"),
        (Reply(200, b"<html>"), "no JSON: <html>"),
        (Reply(200, b'{"message":"x"}'), "no list of events"),
        (Reply(0), "RemoteProtocolError"),
    ],
)
async def test_failures_are_one_line_without_the_key(
    autojump_clock: object, reply: Reply, why: str
) -> None:
    """The key travels in the URL and may be echoed; it is shown nowhere."""
    async with polled(lambda path, query: reply) as (feed, _):
        with pytest.raises(FeedError, match=why) as caught:
            await feed.snapshot(["1"])
        assert KEY not in str(caught.value) + repr(feed)
        assert "\n" not in str(caught.value)


@asynccontextmanager
async def streamed(*frames: str) -> AsyncIterator[tuple[OddsFeed, list[str]]]:
    """Serve frames over a WebSocket."""
    paths: list[str] = []

    async def handler(connection: Connection) -> None:
        async with trio.open_nursery() as nursery:
            request = await trio_websocket.wrap_server_stream(nursery, connection)
            paths.append(request.path)
            if "lastSeq=400" in request.path:
                await request.reject(400, body=f"bad {KEY}".encode())
            else:
                socket = await request.accept()
                for frame in frames:
                    await socket.send_message(frame)
                await socket.aclose(1013, "try again later")
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("sim", 81, handler)
        async with Http(network) as http:
            yield feed_on(http, network), paths
        nursery.cancel_scope.cancel()


UPDATE = (
    '{"type":"updated","seq":17,"id":1,"bookie":"Bet365",'
    '"markets":[{"name":"ML","odds":[{"home":"1.9","away":"2.0"}]}]}'
)


async def test_the_stream_gives_updates_until_it_ends(autojump_clock: object) -> None:
    """Filters and key travel in the address; each frame is one update."""
    async with streamed(UPDATE, "nonsense") as (feed, paths):
        feed.subscribe(["nba", "nfl", "wnba"])
        async with feed.connect() as updates:
            assert "open" in repr(feed)
            update = await parsed(feed, updates)
            assert [quote.received_ms for quote in update.quotes] == [EPOCH_MS]
            assert [bad.reason for bad in (await parsed(feed, updates)).bad] == ["not JSON"]
            with pytest.raises(SocketClosed, match="1013"):
                await updates.receive()
        assert "closed" in repr(feed)

    assert paths == [f"/v3/ws?apiKey={KEY}&markets=ML&sport=basketball,american-football"]


async def test_books_that_nobody_asked_for_are_left_out_of_the_stream(
    autojump_clock: object,
) -> None:
    """The account's selection of books is not the setting's; capitals make no difference."""
    frame = "\n".join(UPDATE.replace("Bet365", book) for book in ("Bet365", "Unibet", "FanDuel"))
    async with polled({}, books=["bet365", "FanDuel"]) as (feed, _):
        found = feed.parse(frame, EPOCH_MS)
        as_it_is = feed.parse(UPDATE, EPOCH_MS)
    async with polled({}) as (unlimited, _):
        everything = unlimited.parse(frame, EPOCH_MS)

    assert [quote.book for quote in found.quotes] == ["Bet365", "FanDuel"]
    assert found.notices == (Notice(NOT_ASKED_FOR, "Unibet"),)
    assert (len(as_it_is.quotes), as_it_is.notices) == (1, ())
    assert [quote.book for quote in everything.quotes] == ["Bet365", "Unibet", "FanDuel"]


async def test_the_stream_is_narrowed_to_leagues_whose_names_are_known(
    autojump_clock: object,
) -> None:
    """Only when every league's slug was found is the stream filtered by them."""
    async with polled({"leagues": LEAGUES, "events": []}) as (feed, _):
        await feed.events(["nba", "nfl"])
        feed.subscribe(["nba"])
        assert feed.stream_url.endswith("&sport=basketball&leagues=usa-nba")
        feed.subscribe(["nba", "nfl"])
        assert feed.stream_url.endswith("&sport=basketball,american-football")


async def test_a_reconnect_asks_for_what_was_missed(autojump_clock: object) -> None:
    """The last sequence number is handed back until the provider has lost track."""
    resync = '{"type":"resync_required","reason":"replay_limit_exceeded"}'
    async with streamed(UPDATE, resync) as (feed, paths):
        async with feed.connect() as updates:
            await parsed(feed, updates)
        async with feed.connect() as updates:
            await parsed(feed, updates)
            assert (await parsed(feed, updates)).needs_snapshot
        async with feed.connect():
            pass

    assert [path.endswith("&lastSeq=17") for path in paths] == [False, True, False]
    assert paths[0] == f"/v3/ws?apiKey={KEY}&markets=ML"


async def test_a_refused_stream_is_told_without_the_key(autojump_clock: object) -> None:
    """An echoed key is masked in what a person sees."""
    async with streamed() as (feed, _):
        feed.parse('{"seq":400}', 0)
        with pytest.raises(ConnectFailed, match=r"HTTP 400: bad \*\*\*") as caught:
            async with feed.connect():
                pytest.fail("connected")

    assert KEY not in str(caught.value)


async def test_an_error_of_the_reader_passes_through(autojump_clock: object) -> None:
    """What the block raises comes out as it is, and the stream is closed."""
    async with streamed(UPDATE) as (feed, _):
        with pytest.raises(KeyError, match="mine"):
            async with feed.connect():
                raise KeyError("mine")
        assert "closed" in repr(feed)


def test_bytes_are_parsed_as_text_is() -> None:
    """A provider may send binary frames."""
    feed = OddsApiIo.__new__(OddsApiIo)
    feed.last_sequence, feed.bad, feed._on_bad = None, {}, None  # type: ignore[assignment]
    feed._wanted = frozenset()

    assert feed.parse(UPDATE.encode(), 5) == feed.parse(UPDATE, 5)
    assert feed.last_sequence == 17
