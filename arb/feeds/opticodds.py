"""OpticOdds: server-sent events, one stream a sport and five books, and REST for whole prices.

Resuming is documented and was found not to work: every connection starts from nothing, and the
prices are read again. Keys travel in a header.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Any

import attrs

from arb.core.events import Quote, QuoteOrigin
from arb.core.games import OddsEvent
from arb.feeds.asking import ask, content_of
from arb.feeds.base import FeedError, NoteBad, Parsed, unheard
from arb.feeds.opticodds_wire import PROVIDER, OpticOddsReader
from arb.io.clock import Clock
from arb.io.event_stream import MergedStream, merged_events, open_events
from arb.io.http import Http
from arb.io.iso import iso_ms
from arb.io.net import Network
from arb.io.text import one_line

SPORTS = MappingProxyType(
    {"nfl": "football", "nba": "basketball", "mlb": "baseball", "nhl": "hockey"}
)

# The provider's limits: books of one stream, books of one request, fixtures of one request.
BOOKS_PER_STREAM = 5
BOOKS_PER_CALL = 4
FIXTURES_PER_CALL = 5

# A league has some hundred fixtures ahead; more pages than these are a server gone wrong.
PAGES_MAX = 20

MONEYLINE = ("market", "Moneyline")

# Kalshi is one of the provider's sportsbooks, whose prices name their market.
KALSHI = "Kalshi"

# A fixture that is over, or put off, is not offered.
OFFERED = frozenset({"unplayed", "live"})


class OpticOdds:
    """One account's feed; satisfies `OddsFeed`."""

    provider = PROVIDER

    def __init__(
        self,
        http: Http,
        network: Network,
        clock: Clock,
        rest_url: str,
        api_key: str,
        *,
        books: Sequence[str],
        on_bad: NoteBad = unheard,
    ) -> None:
        self._http = http
        self._network = network
        self._clock = clock
        self._rest_url = rest_url.rstrip("/")
        self._api_key = api_key
        self._books = tuple(books)
        self._on_bad = on_bad
        self._sports: tuple[str, ...] = ()
        self._reader = OpticOddsReader()

    async def events(self, sports: Sequence[str]) -> list[OddsEvent]:
        """Return the fixtures of some leagues that are to come or live; raises `FeedError`."""
        found: list[OddsEvent] = []
        for league in sports:
            params = [("sport", _sport(league)), ("league", league.upper())]
            async for row in self._pages("fixtures/active", params):
                event = _event(row, league)
                found += [event] if event is not None else []
        self._reader.learn(found, self._clock.wall_ms())
        tickers = await self._kalshi_tickers([event.event_id for event in found])
        return [
            attrs.evolve(event, kalshi_event_ticker=tickers.get(event.event_id)) for event in found
        ]

    async def _kalshi_tickers(self, fixtures: Sequence[str]) -> dict[str, str]:
        """Return by fixture which event Kalshi's own prices of it are of, as far as it is said.

        They are a help in matching and no more: without them names and times decide alone.
        """
        given: dict[str, set[str]] = {}
        try:
            for some in _parts(fixtures, FIXTURES_PER_CALL):
                params = [("fixture_id", each) for each in some]
                params += [("sportsbook", KALSHI), MONEYLINE]
                async for row in self._pages("fixtures/odds", params):
                    for odds in _odds_of(row):
                        fixture = odds["fixture_id"]
                        if isinstance(fixture, str):
                            given.setdefault(fixture, set()).update(_event_ticker(odds))
        except FeedError:
            return {}
        return {fixture: each.pop() for fixture, each in given.items() if len(each) == 1}

    async def snapshot(self, event_ids: Sequence[str]) -> list[Quote]:
        """Return every book's price of some fixtures as they stand; raises `FeedError`."""
        quotes: list[Quote] = []
        for fixtures in _parts(event_ids, FIXTURES_PER_CALL):
            for books in _parts(self._books, BOOKS_PER_CALL):
                params = [("fixture_id", each) for each in fixtures]
                params += [("sportsbook", each) for each in books]
                params += [MONEYLINE, ("is_main", "true")]
                rows = [row async for row in self._pages("fixtures/odds", params)]
                odds = [each for row in rows for each in _odds_of(row)]
                parsed = self._reader.rows(odds, self._clock.wall_ms(), origin=QuoteOrigin.POLL)
                quotes += parsed.quotes
                for bad in parsed.bad:
                    self._on_bad(bad)
        return quotes

    async def _pages(self, path: str, params: list[tuple[str, str]]) -> Any:
        place = f"OpticOdds {path}"
        for page in range(1, PAGES_MAX + 1):
            answer = await ask(
                self._http,
                place,
                f"{self._rest_url}/{path}",
                key=self._api_key,
                params=[*params, ("page", str(page))],
                headers=self._headers,
            )
            content = content_of(answer, place, self._api_key)
            rows = content.get("data") if isinstance(content, dict) else None
            if not isinstance(rows, list):
                raise FeedError(f"{place}: no list of data: {one_line(content, 80)}")
            for row in rows:
                yield row
            pages = content.get("total_pages")
            if type(pages) is not int or page >= pages:
                return

    @property
    def _headers(self) -> list[tuple[str, str]]:
        return [("X-Api-Key", self._api_key)]

    def subscribe(self, sports: Sequence[str]) -> None:
        """Ask for the changes of some leagues, from the next `connect` on."""
        for sport in sports:
            _sport(sport)
        self._sports = tuple(sports)

    def connect(self) -> AbstractAsyncContextManager[MergedStream]:
        """Open a stream for each sport and five books; raises `ConnectFailed`."""
        self._reader.forget_prices()
        return merged_events(
            [
                open_events(
                    self._network,
                    f"{self._rest_url}/stream/odds/{SPORTS[league]}",
                    params=[
                        ("league", league.upper()),
                        *(("sportsbook", book) for book in books),
                        MONEYLINE,
                        ("odds_format", "AMERICAN"),
                    ],
                    headers=self._headers,
                )
                for league in self._sports
                for books in _parts(self._books, BOOKS_PER_STREAM)
            ]
        )

    def parse(self, raw: str | bytes, received_ms: int) -> Parsed:
        """Read one event of a stream; never raises."""
        text = raw if isinstance(raw, str) else raw.decode(errors="replace")
        return self._reader.event(text, received_ms)

    def memory(self) -> list[Any]:
        """Return what the reader knows of prices."""
        return self._reader.memory()

    def __repr__(self) -> str:
        return f"<OpticOdds {self._rest_url} {self._reader!r}>"


def _sport(league: str) -> str:
    sport = SPORTS.get(league)
    if sport is None:
        raise FeedError(f"unknown sport {league!r}; known are {', '.join(sorted(SPORTS))}")
    return sport


def _parts(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _odds_of(row: Any) -> list[Any]:
    odds = row.get("odds") if isinstance(row, dict) else None
    return [{**each, "fixture_id": row.get("id")} for each in odds or () if isinstance(each, dict)]


def _event_ticker(odds: Any) -> tuple[str, ...]:
    """Return the event of the market that a price is of, nothing where that is not said."""
    source = odds.get("source_ids")
    market = source.get("market_id") if isinstance(source, dict) else None
    event = market.rpartition("-")[0] if isinstance(market, str) else ""
    return (event,) if event else ()


def _event(row: Any, league: str) -> OddsEvent | None:
    try:
        event = OddsEvent(
            PROVIDER,
            row["id"],
            league,
            row["home_team_display"],
            row["away_team_display"],
            iso_ms(row["start_date"]),
        )
        named = (event.event_id, event.home, event.away)
        fits = row["status"] in OFFERED and all(type(each) is str and each for each in named)
    except (KeyError, TypeError, ValueError):
        return None  # a fixture whose teams are not known yet, or a row that is none
    return event if fits else None
