"""The odds provider's stream of changes."""

from __future__ import annotations

import random

import orjson
import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed

from arb.sim.conditions import OddsConditions
from arb.sim.odds.desk import OddsDesk
from arb.sim.odds.server import OddsServer
from arb.sim.world.leagues import MLB, NFL
from arb.sim.world.sportsbooks import BOOKMAKERS, Follower
from tests.sim.odds_provider import KEY, Provider
from tests.sim.sim_client import (
    HandClock,
    Json,
    connect,
    game_of,
    rejection,
)


@pytest.fixture
def provider(nursery: trio.Nursery) -> Provider:
    return Provider(nursery)


def objects(text: str) -> list[Json]:
    """Split a frame into the JSON objects in it."""
    return [orjson.loads(line) for line in text.split("\n")]


def moneyline(message: Json) -> tuple[float, float]:
    (market,) = [one for one in message["markets"] if one["name"] == "ML"]
    odds = market["odds"][0]
    return float(odds["home"]), float(odds["away"])


async def test_the_stream_sends_changes_only(provider: Provider) -> None:
    """No first snapshot, no team names, one book a message, several objects in a frame."""
    async with provider.stream() as socket:
        provider.move(11, "FanDuel", "1.80", "2.00")
        provider.move(12, "Pinnacle", "1.700", "2.200")
        provider.tell()
        first, second = objects(await socket.text())
        assert (first["type"], str(first["id"]), first["bookie"]) == ("updated", "11", "FanDuel")
        assert moneyline(first) == (1.8, 2.0)
        assert not {"home", "away"} & set(first)
        assert second["seq"] == first["seq"] + 1
        provider.tell()
        provider.move(11, "FanDuel", "1.81", "1.99")
        provider.tell()
        assert moneyline(objects(await socket.text())[0]) == (1.81, 1.99)


async def test_a_burst_is_split_over_frames(provider: Provider) -> None:
    """At most eight objects share a frame."""
    provider.games += [game_of(NFL, game_id) for game_id in range(13, 21)]
    for game in provider.games[2:]:
        follower = provider.followers[11, "FanDuel"]
        provider.followers[game.game_id, "FanDuel"] = follower
        provider.desk.opened(game, follower)
    async with provider.stream() as socket:
        for game in provider.games:
            provider.move(game.game_id, "FanDuel", "1.70", "2.20")
        provider.tell()
        assert [len(objects(await socket.text())) for _ in range(2)] == [8, 2]


async def test_ids_and_odds_are_now_and_then_numbers(provider: Provider) -> None:
    """Both spellings occur of either, and other markets come along now and then."""
    kinds: set[tuple[str, str, int]] = set()
    async with provider.stream("markets=ML,Totals") as socket:
        for step in range(200):
            provider.move(11, "FanDuel", f"1.{500 + step}", "2.00")
            provider.tell()
            (message,) = objects(await socket.text())
            odds = message["markets"][0]["odds"][0]
            kinds.add(
                (type(message["id"]).__name__, type(odds["home"]).__name__, len(message["markets"]))
            )
    assert {kind[0] for kind in kinds} == {"int", "str"}
    assert {kind[1] for kind in kinds} == {"float", "str"}
    assert {kind[2] for kind in kinds} == {1, 2}


@pytest.mark.parametrize(
    ("query", "games"),
    [
        ("markets=ML&sport=baseball", ["12"]),
        ("markets=ML&leagues=usa-nfl", ["11"]),
        ("markets=ML&eventIds=12", ["12"]),
        ("markets=ML&status=prematch", ["11", "12"]),
    ],
)
async def test_filters_narrow_the_stream(provider: Provider, query: str, games: list[str]) -> None:
    """By sport, league, event and state."""
    async with provider.stream(query) as socket:
        provider.move(11, "FanDuel", "1.80", "2.00")
        provider.move(12, "FanDuel", "1.80", "2.00")
        provider.tell()
        assert [str(one["id"]) for one in objects(await socket.text())] == games


async def test_a_live_filter_waits_for_the_start(provider: Provider) -> None:
    """Before the start nothing passes, then everything does."""
    async with provider.stream("markets=ML&status=live") as socket:
        provider.move(11, "FanDuel", "1.80", "2.00")
        provider.tell()
        provider.clock.now_ms = provider.games[0].start_ms
        provider.move(11, "FanDuel", "1.70", "2.20")
        provider.tell()
        assert moneyline(objects(await socket.text())[0]) == (1.7, 2.2)


def many(name: str, count: int) -> str:
    return f"{name}=" + ",".join(str(number) for number in range(count))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("sport=baseball", "Missing required parameter: markets"),
        ("markets=ML&" + many("sport", 11), "Too many sports. Maximum 10 allowed."),
        (many("markets", 21), "Too many markets. Maximum 20 allowed."),
        ("markets=ML&" + many("leagues", 21), "Too many leagues. Maximum 20 allowed."),
        ("markets=ML&" + many("eventIds", 51), "Too many event IDs. Maximum 50 allowed."),
        (
            "markets=ML&leagues=a&eventIds=1",
            "Cannot use both 'leagues' and 'eventIds' filters together.",
        ),
        ("markets=ML&status=soon", "Invalid status filter. Use 'prematch' or 'live'"),
    ],
)
async def test_bad_filters_are_refused_at_the_upgrade(
    provider: Provider, query: str, text: str
) -> None:
    """HTTP 400 with the provider's own words."""
    stream = connect(provider.nursery, provider.server.serve_stream)
    status, body = await rejection(stream, f"/v3/ws?apiKey={KEY}&{query}", [])
    assert (status, orjson.loads(body)) == (400, {"error": text})


@pytest.mark.parametrize(
    ("path", "status"), [("/v3/ws?markets=ML", 401), (f"/v3/wss?apiKey={KEY}", 404)]
)
async def test_the_stream_has_one_door(provider: Provider, path: str, status: int) -> None:
    """The key is needed, and the path is the path."""
    stream = connect(provider.nursery, provider.server.serve_stream)
    assert (await rejection(stream, path, []))[0] == status


async def test_a_new_connection_closes_the_older(provider: Provider) -> None:
    """One a key: the older ends with code 1000 and no reason."""
    async with provider.stream() as older, provider.stream() as newer:
        with pytest.raises(ConnectionClosed) as caught:
            await older.text()
        assert caught.value.reason is not None
        assert (caught.value.reason.code, caught.value.reason.reason) == (1000, None)
        provider.move(11, "FanDuel", "1.80", "2.00")
        provider.tell()
        assert objects(await newer.text())
    await trio.testing.wait_all_tasks_blocked()
    assert (provider.server.sessions, provider.desk.listeners) == ([], [])


async def test_a_client_can_resume(provider: Provider) -> None:
    """With lastSeq it gets the newest state of what changed since, then the changes."""
    provider.move(11, "FanDuel", "1.80", "2.00")
    provider.tell()
    cursor = provider.desk.seq
    provider.move(11, "FanDuel", "1.70", "2.20")
    provider.move(12, "Pinnacle", "1.500", "2.700")
    provider.tell()
    async with provider.stream(f"markets=ML&lastSeq={cursor}") as socket:
        missed = objects(await socket.text())
        assert [moneyline(one) for one in missed] == [(1.7, 2.2), (1.5, 2.7)]


async def test_sequence_numbers_can_be_missing(provider: Provider) -> None:
    """As one user of the provider found."""
    provider.server = OddsServer(provider.desk, KEY, with_seq=False)
    async with provider.stream() as socket:
        provider.move(11, "FanDuel", "1.80", "2.00")
        provider.tell()
        assert "seq" not in objects(await socket.text())[0]


async def test_a_suspended_game_has_no_markets_until_it_is_back(provider: Provider) -> None:
    """Gone from REST too; what moved meanwhile comes with created."""
    async with provider.stream() as socket:
        provider.desk.suspend(11, "FanDuel", back_at_ms=5_000)
        provider.tell(0)
        (gone,) = objects(await socket.text())
        assert (gone["type"], gone["markets"]) == ("no_markets", [])
        assert "FanDuel" not in (await provider.json("/odds?eventId=11"))["bookmakers"]
        provider.move(11, "FanDuel", "1.60", "2.40")
        provider.tell(4_999)
        provider.tell(5_000)
        (back,) = objects(await socket.text())
        assert (back["type"], moneyline(back)) == ("created", (1.6, 2.4))


def test_suspensions_come_by_themselves() -> None:
    """Now and then a book takes a game down for some seconds and puts it up again."""
    rng = random.Random(3)
    games = [game_of(NFL, 11), game_of(MLB, 12)]
    desk = OddsDesk(games, HandClock(), rng, OddsConditions())
    for game in games:
        for bookmaker in BOOKMAKERS[:3]:
            desk.opened(game, Follower.opened(bookmaker, 0.5, rng, 0))
    standing = set()
    for moment_ms in range(0, 600_000, 500):
        desk.step(moment_ms)
        standing.add(sum(len(desk.lines(game.game_id)) for game in games))
    assert {5, 6} <= standing


async def test_a_finished_game_is_deleted(provider: Provider) -> None:
    """Every book takes it down for good."""
    async with provider.stream() as socket:
        provider.desk.game_over(provider.games[0])
        provider.tell()
        gone = objects(await socket.text())
        assert [(one["type"], one["bookie"]) for one in gone] == [
            ("deleted", book) for book in provider.desk.books
        ]
        assert all("markets" not in one for one in gone)
        provider.desk.game_over(provider.games[0])


async def test_a_frozen_stream_lives_and_says_nothing(provider: Provider) -> None:
    """What changed meanwhile is told in its newest state once it thaws."""
    async with provider.stream() as socket:
        provider.conditions.freeze = True
        provider.move(11, "FanDuel", "1.80", "2.00")
        provider.tell()
        provider.move(11, "FanDuel", "1.70", "2.20")
        provider.tell()
        provider.conditions.freeze = False
        provider.tell()
        (message,) = objects(await socket.text())
        assert moneyline(message) == (1.7, 2.2)


async def test_an_absent_book_is_silent_everywhere(provider: Provider) -> None:
    """Neither the stream nor REST knows it."""
    provider.conditions.absent_books.add("FanDuel")
    async with provider.stream() as socket:
        provider.move(11, "FanDuel", "1.80", "2.00")
        provider.move(11, "Pinnacle", "1.800", "2.100")
        provider.tell()
        assert [one["bookie"] for one in objects(await socket.text())] == ["Pinnacle"]
    assert "FanDuel" not in (await provider.json("/odds?eventId=11"))["bookmakers"]


async def test_odds_can_be_wrong(provider: Provider) -> None:
    """Sides swapped, chances shifted, updates doubled."""
    async with provider.stream() as socket:
        provider.conditions.swap_sides = provider.conditions.duplicate = True
        provider.move(11, "FanDuel", "1.60", "2.40")
        provider.tell()
        assert [moneyline(one) for one in objects(await socket.text())] == [(2.4, 1.6)] * 2
    provider.conditions.swap_sides = False
    provider.conditions.shift = 0.1
    body = await provider.json("/odds?eventId=12&bookmakers=FanDuel")
    odds = body["bookmakers"]["FanDuel"][0]["odds"][0]
    assert (odds["home"], odds["away"]) == ("1.60", "2.35")


async def test_the_provider_can_be_down(provider: Provider) -> None:
    """REST answers with a page, upgrades are refused."""
    provider.conditions.rest_status = 503
    provider.conditions.refuse_upgrades = 502
    assert (await provider.get("/sports")).status == 503
    stream = connect(provider.nursery, provider.server.serve_stream)
    assert (await rejection(stream, f"/v3/ws?apiKey={KEY}&markets=ML", []))[0] == 502


async def test_streams_can_be_cut_and_fed_garbage(provider: Provider) -> None:
    """A frame goes out as it is; a cut ends the connection without a farewell."""
    async with provider.stream() as socket:
        provider.server.inject_frame("{garbage")
        assert await socket.text() == "{garbage"
        await socket.connection.send_message("ignored")
        assert "1 streams" in repr(provider.server)
        assert "OddsSession" in repr(provider.server.sessions[0])
        provider.server.cut_connections()
        with pytest.raises(ConnectionClosed):
            await socket.text()


async def test_a_client_too_slow_is_told_to_come_later(provider: Provider) -> None:
    """Its stream ends with code 1013 once its outbox is full."""
    async with provider.stream() as socket:
        (session,) = provider.server.sessions
        session.outbox.limit = 3
        for step in range(5):
            provider.move(11, "FanDuel", f"1.{50 + step}", "2.00")
            provider.tell()
        for _ in range(3):
            await socket.text()
        with pytest.raises(ConnectionClosed) as caught:
            await socket.text()
        assert caught.value.reason is not None
        assert caught.value.reason.code == 1013
    assert "lines" in repr(provider.desk)
