"""Two sources of odds side by side: two providers as they speak, or what tapes hold of them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import attrs
import trio

from arb.core.events import Quote
from arb.core.feed_comparison import BookRow, Common, FeedComparison, common_games
from arb.core.games import OddsEvent
from arb.core.teams import TeamTable
from arb.engine.board import Board
from arb.engine.link import Link, text_of
from arb.feeds.base import FeedError, OddsFeed, Updates
from arb.feeds.providers import Seams, make_feed, tape_parser
from arb.io.clock import Clock
from arb.io.http import Http
from arb.io.net import Network
from arb.io.websocket import SocketClosed
from arb.settings import OddsPlace, Settings
from arb.tape.format import Feed, TapeError
from arb.tape.polled import parse_reading
from arb.tape.reader import TapeReader

MS_PER_S = 1000


class CompareFailed(Exception):
    """Two sources cannot be compared; says why in one line."""


@attrs.frozen
class Compared:
    """What came of a comparison: the sources' names, how many games each has and both have."""

    names: tuple[str, str]
    games: tuple[int, int]
    common: int
    seconds: float
    rows: tuple[BookRow, ...]


@attrs.frozen
class _Source:
    """One provider on one tape."""

    path: Path
    provider: str
    events: tuple[OddsEvent, ...]


def compare_tapes(paths: Sequence[Path], table: TeamTable) -> Compared:
    """Compare two tapes, or the two providers of one; raises `TapeError`, `CompareFailed`."""
    sources = [source for path in paths for source in _sources(path)]
    if len(paths) > 1:
        sources = [_only(path) for path in paths]
    if len(sources) != 2:  # noqa: PLR2004 - two sides
        raise CompareFailed(
            f"{len(sources)} providers on tape: give a tape of two of them, or two tapes"
        )
    one, other = sources
    games = common_games(table, one.events, other.events)
    comparison = FeedComparison()
    quotes = [
        (quote.received_ms, side, quote)
        for side, source in enumerate(sources)
        for quote in _quotes(source)
        if quote.event_id in games[side]
    ]
    quotes.sort(key=lambda each: each[0])
    for _, side, quote in quotes:
        comparison.take(side, games[side][quote.event_id], quote)
    begins_ms, ends_ms = (quotes[0][0], quotes[-1][0]) if quotes else (0, 0)
    names = (one.provider, other.provider)
    if one.provider == other.provider:
        names = (one.path.name, other.path.name)
    return Compared(
        names,
        (len(one.events), len(other.events)),
        len(games[0]),
        (ends_ms - begins_ms) / MS_PER_S,
        comparison.rows(ends_ms),
    )


def _sources(path: Path) -> list[_Source]:
    with TapeReader(path) as reader:
        events = reader.header.odds_events
    return [
        _Source(path, provider, tuple(each for each in events if each.provider == provider))
        for provider in dict.fromkeys(each.provider for each in events)
    ]


def _only(path: Path) -> _Source:
    sources = _sources(path)
    if len(sources) != 1:
        raise CompareFailed(f"{path} holds {len(sources)} providers: of two tapes each needs one")
    return sources[0]


def _quotes(source: _Source) -> list[Quote]:
    parser = tape_parser(source.provider, source.events)
    quotes: list[Quote] = []
    with TapeReader(source.path) as reader:
        for record in reader:
            if record.source != source.provider:
                continue
            if record.feed is Feed.ODDS:
                quotes += parser.parse(record.raw, record.at_ms).quotes
            elif record.feed is Feed.POLLED:
                try:
                    reading = parse_reading(record.raw, record.source)
                    if reading.memory is not None:
                        parser.restore(reading.memory)
                except ValueError as error:
                    raise TapeError(f"{source.path}: {error}") from None
                quotes += reading.quotes
    return quotes


@attrs.define
class LiveComparison:
    """Listens to two providers at once, each on a connection of its own."""

    network: Network
    clock: Clock
    settings: Settings
    places: tuple[OddsPlace, OddsPlace]
    table: TeamTable
    _comparison: FeedComparison = attrs.field(factory=FeedComparison, init=False)

    async def run(self, seconds: float) -> Compared:
        """Compare for so long; raises `FeedError` where a provider's games cannot be read."""
        sports = self.settings.odds_feed.sports
        # Each has a client of its own: one that is slow does not make the other look late.
        async with Http(self.network) as one_http, Http(self.network) as other_http:
            feeds = tuple(
                make_feed(Seams(http, self.network, self.clock), place, self.settings)
                for http, place in zip((one_http, other_http), self.places, strict=True)
            )
            events = [await feed.events(sports) for feed in feeds]
            games = common_games(self.table, events[0], events[1])
            if not games[0]:
                raise CompareFailed("the two providers have no game in common now")
            async with trio.open_nursery() as nursery:
                for side, feed in enumerate(feeds):
                    nursery.start_soon(self._listen, side, feed, games[side])
                await trio.sleep(seconds)
                nursery.cancel_scope.cancel()
        names = self.places[0].provider, self.places[1].provider
        rows = self._comparison.rows(self.clock.wall_ms())
        counts = len(events[0]), len(events[1])
        return Compared(names, counts, len(games[0]), seconds, rows)

    async def _listen(self, side: int, feed: OddsFeed, games: Mapping[str, Common]) -> None:
        feed.subscribe(self.settings.odds_feed.sports)
        board = Board(self.clock)
        link = Link(
            feed.provider,
            feed.connect,
            board,
            random.Random(side),
            secret=self.places[side].key,
            yields=True,
        )

        async def serve(updates: Updates) -> None:
            closed: SocketClosed | None = None
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._poll, side, feed, games)
                try:
                    await self._take_updates(side, feed, games, updates)
                except SocketClosed as error:
                    # Raised again outside the nursery, which would wrap it in a group.
                    closed = error
                nursery.cancel_scope.cancel()
            if closed is not None:
                raise closed

        await link.run(serve)

    async def _take_updates(
        self, side: int, feed: OddsFeed, games: Mapping[str, Common], updates: Updates
    ) -> None:
        while True:
            raw = text_of(await updates.receive())
            self._take(side, feed.parse(raw, self.clock.wall_ms()).quotes, games)

    async def _poll(self, side: int, feed: OddsFeed, games: Mapping[str, Common]) -> None:
        while True:
            # The next reading may do; what is missing shows in the coverage.
            with suppress(FeedError):
                self._take(side, await feed.snapshot(list(games)), games)
            await trio.sleep(self.settings.odds_feed.poll_interval_ms / MS_PER_S)

    def _take(self, side: int, quotes: Sequence[Quote], games: Mapping[str, Common]) -> None:
        for quote in quotes:
            game = games.get(quote.event_id)
            if game is not None:
                self._comparison.take(side, game, quote)

    def __repr__(self) -> str:
        return f"<LiveComparison {' / '.join(each.provider for each in self.places)}>"
