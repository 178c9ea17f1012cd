"""The odds provider's REST interface."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from arb.sim.odds.rest import REQUESTS_PER_HOUR
from tests.sim.odds_provider import Provider
from tests.sim.sim_client import (
    EPOCH_MS,
)


@pytest.fixture
def provider(nursery: trio.Nursery) -> Provider:
    return Provider(nursery)


async def test_sports_leagues_and_books_are_listed(provider: Provider) -> None:
    """The slugs that a client discovers are the ones that filters take."""
    assert {"name": "Baseball", "slug": "baseball"} in await provider.json("/sports")
    assert await provider.json("/leagues?sport=baseball") == [
        {"name": "MLB", "slug": "usa-mlb", "eventsCount": 1}
    ]
    books = [one["name"] for one in await provider.json("/bookmakers")]
    assert books == ["Pinnacle", "FanDuel", "DraftKings"]
    assert await provider.json("/bookmakers/selected") == {"bookmakers": books}


async def test_events_have_full_names(provider: Provider) -> None:
    """Only here do the teams have names; the id is a number."""
    (event,) = await provider.json("/events?sport=baseball&league=usa-mlb&status=pending,live")
    assert event == {
        "id": 12,
        "home": "Los Angeles Dodgers",
        "away": "Los Angeles Angels",
        "date": "2026-11-18T12:06:40Z",
        "league": {"name": "MLB", "slug": "usa-mlb"},
        "sport": {"name": "Baseball", "slug": "baseball"},
        "status": "pending",
    }
    assert await provider.json("/events/12") == event


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("league=usa-nba", 0),
        ("status=live", 0),
        ("from=2026-11-18T12:06:40Z", 1),
        ("from=2026-11-18T12:06:41Z", 0),
        ("to=2026-11-18T12:06:40Z", 1),
        ("to=2026-11-18T12:06:39Z", 0),
        ("skip=1", 0),
        ("limit=0", 0),
    ],
)
async def test_events_are_filtered_by_query(provider: Provider, query: str, count: int) -> None:
    """Each filter narrows the list."""
    assert len(await provider.json(f"/events?sport=baseball&{query}")) == count


async def test_an_event_goes_live_and_is_settled(provider: Provider) -> None:
    """The status follows the clock."""
    seen = []
    for hours in (0, 1, 4):
        provider.clock.now_ms = EPOCH_MS + hours * 3_600_000
        seen.append((await provider.json("/events/11"))["status"])
    assert seen == ["pending", "live", "settled"]


async def test_odds_are_decimal_texts_by_book(provider: Provider) -> None:
    """Of the books asked for, or of all."""
    body = await provider.json("/odds?eventId=11&bookmakers=FanDuel,Nobody")
    assert list(body["bookmakers"]) == ["FanDuel"]
    market = body["bookmakers"]["FanDuel"][0]
    assert (market["name"], market["odds"]) == (
        "ML",
        [{"home": "1.90", "away": "1.90", "max": 500}],
    )
    assert len((await provider.json("/odds?eventId=11"))["bookmakers"]) == 3


async def test_ten_events_are_one_call(provider: Provider) -> None:
    """With the cursor of the stream in a header when asked for."""
    answer = await provider.get("/odds/multi?eventIds=11,12,13&includeSeq=true")
    assert [one["id"] for one in answer.json] == [11, 12]
    assert answer.headers["x-oddsapi-seq"] == str(provider.desk.seq)
    assert answer.headers["x-ratelimit-remaining"] == str(REQUESTS_PER_HOUR - 1)
    plain = await provider.get("/odds/multi?eventIds=11")
    assert "x-oddsapi-seq" not in plain.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/events", 400),
        ("/events?sport=baseball&limit=many", 400),
        ("/events?sport=baseball&from=soon", 400),
        ("/leagues", 400),
        ("/events/99", 404),
        ("/events/x", 404),
        ("/odds", 400),
        ("/odds?eventId=11&bookmakers=" + ",".join("b" * 31), 400),
        ("/odds/multi?eventIds=" + ",".join("1" * 11), 400),
        ("/nothing", 404),
    ],
)
async def test_bad_requests_say_what_was_wrong(provider: Provider, path: str, status: int) -> None:
    """Each answer has its status and a text."""
    answer = await provider.get(path)
    assert (answer.status, list(answer.json)) == (status, ["error"])


async def test_only_the_key_opens(provider: Provider) -> None:
    """A wrong key is 401, and 5,000 requests an hour are enough for anybody."""
    assert (await provider.get("/sports", key="wrong")).status == 401
    rest = provider.server.rest
    rest._allowance.used = REQUESTS_PER_HOUR
    rest._allowance.until_ms = provider.clock.now_ms + 1
    assert (await provider.get("/sports")).status == 429
    provider.clock.now_ms += 1
    assert (await provider.get("/sports")).status == 200
    assert "used=1" in repr(rest)
