"""odds-api.io: its REST service for games and whole prices, its WebSocket for changes.

The key travels in every URL, so no text from here shows a query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import attrs
import trio

from arb.core.events import Quote
from arb.core.games import OddsEvent
from arb.feeds.asking import ask, content_of
from arb.feeds.base import NOT_ASKED_FOR, Bad, FeedError, NoteBad, Notice, Parsed, unheard
from arb.feeds.odds_api_wire import (
    MONEYLINE,
    PROVIDER,
    event_id_of,
    parse_frame,
    sequence_of,
    snapshot_quotes,
)
from arb.io.clock import Clock
from arb.io.http import Http
from arb.io.iso import iso_ms
from arb.io.net import Network
from arb.io.text import one_line
from arb.io.url import without_secret
from arb.io.websocket import ConnectFailed, Socket, open_socket


@attrs.frozen
class League:
    """One of our leagues in the provider's words; ``slug`` is a guess until /leagues is read."""

    name: str
    sport: str
    slug: str


# The slugs of NBA and MLB were seen; the others follow their pattern and are looked up.
LEAGUES = {
    league.name: league
    for league in (
        League("nfl", "american-football", "usa-nfl"),
        League("nba", "basketball", "usa-nba"),
        League("mlb", "baseball", "usa-mlb"),
        League("nhl", "ice-hockey", "usa-nhl"),
        League("wnba", "basketball", "usa-wnba"),
    )
}

# The provider's own limit for one odds/multi call, which counts as one request.
EVENTS_PER_CALL = 10

# The provider's own limit for the bookmakers of one call.
BOOKS_PER_CALL = 30

# Games that have ended are of no use; both of these can be traded.
EVENT_STATUS = "pending,live"


class OddsApiIo:
    """One account's feed; satisfies `OddsFeed`.

    The provider allows one connection a key: a new one silently closes the older.
    """

    provider = PROVIDER

    def __init__(
        self,
        http: Http,
        network: Network,
        clock: Clock,
        rest_url: str,
        ws_url: str,
        api_key: str,
        *,
        books: Sequence[str] = (),
        on_bad: NoteBad = unheard,
    ) -> None:
        self._http = http
        self.network: Network = network
        self._clock = clock
        self._rest_url = rest_url.rstrip("/")
        self._ws_url = ws_url
        self._api_key = api_key
        self._books = tuple(books[:BOOKS_PER_CALL])
        self._wanted = frozenset(book.casefold() for book in self._books)
        self._on_bad = on_bad
        self._sports: tuple[str, ...] = ()
        self._slugs: dict[str, str] = {}
        self._open = False
        self.last_sequence: int | None = None
        self.bad: Counter[str] = Counter()

    # What is polled.

    async def events(self, sports: Sequence[str]) -> list[OddsEvent]:
        """Return the games of some leagues that are to come or live; raises `FeedError`."""
        await trio.lowlevel.checkpoint()
        found: list[OddsEvent] = []
        for league in [_league(sport) for sport in sports]:
            slug = await self._slug(league)
            params = [("sport", league.sport), ("league", slug), ("status", EVENT_STATUS)]
            for row in _rows(await self._get("events", params), "events"):
                try:
                    found.append(_event(row, league.name))
                except (KeyError, TypeError, ValueError) as wrong:
                    self._note(Bad(f"an event cannot be read: {type(wrong).__name__}", row))
        return found

    async def _slug(self, league: League) -> str:
        rows = _rows(await self._get("leagues", [("sport", league.sport)]), "leagues")
        slugs = [row["slug"] for row in rows if isinstance(row, dict) and _is(row, league)]
        if slugs:
            # Another country's league may have the same name: the expected slug goes before it.
            self._slugs[league.name] = league.slug if league.slug in slugs else slugs[0]
        return self._slugs.get(league.name, league.slug)

    async def snapshot(self, event_ids: Sequence[str]) -> list[Quote]:
        """Return every book's price of some games as they stand; raises `FeedError`."""
        await trio.lowlevel.checkpoint()
        quotes: list[Quote] = []
        for start in range(0, len(event_ids), EVENTS_PER_CALL):
            params = [("eventIds", ",".join(event_ids[start : start + EVENTS_PER_CALL]))]
            params += [("bookmakers", ",".join(self._books))] if self._books else []
            rows = _rows(await self._get("odds/multi", params), "events")
            received_ms = self._clock.wall_ms()
            for row in rows:
                parsed = snapshot_quotes(row, received_ms)
                quotes += parsed.quotes
                self._note(*parsed.bad)
        return quotes

    async def _get(self, path: str, params: list[tuple[str, str]]) -> Any:
        place = f"odds-api.io {path}"
        params = [("apiKey", self._api_key), *params]
        answer = await ask(
            self._http, place, f"{self._rest_url}/{path}", key=self._api_key, params=params
        )
        return content_of(answer, place, self._api_key)

    # What is streamed.

    def subscribe(self, sports: Sequence[str]) -> None:
        """Ask for the changes of some leagues, from the next `connect` on."""
        self._sports = tuple(_league(sport).name for sport in sports)

    @property
    def stream_url(self) -> str:
        """Return the address of the stream with its filters and the key: not to be shown."""
        sports = dict.fromkeys(LEAGUES[name].sport for name in self._sports)
        params = [("apiKey", self._api_key), ("markets", MONEYLINE)]
        params += [("sport", ",".join(sports))] if sports else []
        if sports and all(name in self._slugs for name in self._sports):
            # A sport's other leagues, college games above all, are many times ours. The filter
            # is used once the provider's own words are known: a wrong one would stream nothing.
            params.append(("leagues", ",".join(self._slugs[name] for name in self._sports)))
        if self.last_sequence is not None:
            # The provider replays what was missed, where it keeps sequence numbers at all.
            params.append(("lastSeq", str(self.last_sequence)))
        return f"{self._ws_url}?{urlencode(params, safe=',')}"

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Socket]:
        """Open the stream for the length of a block; raises `ConnectFailed`."""
        try:
            async with open_socket(self.network, self.stream_url) as socket:
                self._open = True
                yield socket
        except ConnectFailed as failed:
            text = self._masked(failed.text)
            raise ConnectFailed(failed.status, text, throttled=failed.throttled) from None
        finally:
            self._open = False

    def parse(self, raw: str | bytes, received_ms: int) -> Parsed:
        """Read one message of the stream; never raises."""
        parsed = parse_frame(raw, received_ms)
        if b'"seq"' in raw if isinstance(raw, bytes) else '"seq"' in raw:
            self.last_sequence = sequence_of(raw) or self.last_sequence
        if parsed.needs_snapshot:
            self.last_sequence = None
        return self._of_wanted(parsed) if self._wanted else parsed

    def _of_wanted(self, parsed: Parsed) -> Parsed:
        # The stream has whichever books the account selects, the readings those that are asked
        # for: another's would come with each of its moves and vanish with each reading.
        wanted = self._wanted
        others = [each for each in parsed.quotes if each.book.casefold() not in wanted]
        if not others:
            return parsed
        quotes = tuple(each for each in parsed.quotes if each.book.casefold() in wanted)
        notices = tuple(Notice(NOT_ASKED_FOR, each.book) for each in others)
        return Parsed(quotes, parsed.bad, (*parsed.notices, *notices))

    def memory(self) -> None:
        """Return nothing: a message says all that there is to know."""

    def _note(self, *bad: Bad) -> None:
        for each in bad:
            self.bad[each.reason] += 1
            self._on_bad(each)

    def _masked(self, text: str) -> str:
        return one_line(without_secret(text, self._api_key))

    def __repr__(self) -> str:
        state = "open" if self._open else "closed"
        return f"<OddsApiIo {self._rest_url} {state}>"


def _league(name: str) -> League:
    league = LEAGUES.get(name.casefold())
    if league is None:
        raise FeedError(f"unknown sport {name!r}; known are {', '.join(sorted(LEAGUES))}")
    return league


def _is(row: dict[str, Any], league: League) -> bool:
    slug, name = row.get("slug"), row.get("name")
    if not isinstance(slug, str) or not slug:
        return False
    return slug == league.slug or (isinstance(name, str) and name.casefold() == league.name)


def _rows(content: Any, name: str) -> list[Any]:
    # The documentation shows bare lists, some consumers read them out of an object.
    rows = content.get(name, content.get("data")) if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise FeedError(f"odds-api.io: no list of {name}: {one_line(content, 80)}")
    return rows


def _event(row: Any, league: str) -> OddsEvent:
    home, away = row["home"], row["away"]
    if not (isinstance(home, str) and home and isinstance(away, str) and away):
        raise TypeError("home and away are no names")
    native = row.get("bookmakerIds")
    ticker = native.get("Kalshi") if isinstance(native, dict) else None
    return OddsEvent(
        PROVIDER,
        event_id_of(row["id"]),
        league,
        home,
        away,
        iso_ms(row["date"]),
        ticker if isinstance(ticker, str) and ticker else None,
    )
