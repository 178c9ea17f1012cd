"""The odds feed: one provider's connection, and its quotes told to the markets they price."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs
import trio

from actors import Actor, Address, Backoff, Context
from arb.core.events import GameQuotes, Quote
from arb.core.listing import Catalogue
from arb.engine.link import BEING_STOPPED, Link, text_of
from arb.engine.messages import ConnectionChanged, Frame, Hello, PolledQuotes, Relisted
from arb.engine.names import RISK, market_name
from arb.engine.parts import Parts
from arb.feeds.base import UNKNOWN_TYPE, FeedError, OddsFeed, Parsed, Updates
from arb.io.websocket import SocketClosed
from arb.tape.format import Feed, Record
from arb.tape.polled import Reading, reading_text

SOURCE = "Odds"

MS_PER_S = 1000

# Between a provider's word that it lost track and the reading that follows it.
RESYNC_PAUSE_S = 1.0

# After a reading that failed; doubled for each further one, up to the usual interval. Nothing is
# traded before a first reading, and prices that nobody confirms grow old.
READ_AGAIN_S = 2.0

Parse = Callable[[str, int], Parsed]
Restore = Callable[[Any], None]


@attrs.frozen
class Route:
    """Where one provider's quotes of one game go, and whether its sides are Kalshi's."""

    game_id: str
    markets: tuple[Address, ...]
    swapped: bool


class OddsFeedActor(Actor):
    """Turns one provider's frames into quotes and tells both markets of each game, once a frame.

    ``source`` is what a person is shown of it. ``restore`` takes over what a tape says that the
    reader remembered.
    """

    def __init__(
        self,
        ctx: Context,
        parts: Parts,
        provider: str,
        parse: Parse,
        source: str = SOURCE,
        restore: Restore | None = None,
    ) -> None:
        super().__init__(ctx)
        self._parts = parts
        self._provider = provider
        self._parse = parse
        self._source = source
        self._restore = restore
        self._routes = _routes(ctx, parts.catalogue, provider)
        self._events_of = _events_of(parts.catalogue, provider)
        self._last: dict[str, dict[str, Quote]] = {}
        self._resync = trio.Event()

    def receive(self, message: object) -> None:
        """Take a frame, polled quotes, a market that has come up, or other games."""
        if isinstance(message, Frame):
            self._take(message)
        elif isinstance(message, PolledQuotes):
            if self._restore is not None and message.remembered is not None:
                self._restore(message.remembered)
            self._tell(message.quotes, message.received_ns)
        elif isinstance(message, Hello):
            self._greet(message.ticker)
        elif isinstance(message, Relisted):
            self._relist()
        else:
            self.ctx.dead_letter(message, "not for the odds feed")

    def _take(self, frame: Frame) -> None:
        parsed = self._parse(frame.raw, frame.received_ms)
        board = self._parts.board
        board.counts["odds_frames"] += 1
        for bad in parsed.bad:
            board.note_bad(self._source, bad.reason, bad.example)
        for notice in parsed.notices:
            board.counts[f"odds notice: {notice.kind}"] += 1
            if notice.kind == UNKNOWN_TYPE:
                board.note_bad(self._source, notice.kind, notice.text)
        if parsed.needs_snapshot:
            self._resync.set()
        self._tell(parsed.quotes, frame.received_ns)

    def _tell(self, quotes: Iterable[Quote], received_ns: int) -> None:
        by_event: dict[str, list[Quote]] = {}
        for quote in quotes:
            self._parts.board.counts["quotes"] += 1
            by_event.setdefault(quote.event_id, []).append(quote)
        for event, some in by_event.items():
            route = self._routes.get(event)
            if route is None:
                self._parts.board.counts["quotes of other games"] += len(some)
                continue
            oriented = tuple(_swapped(quote) if route.swapped else quote for quote in some)
            self._last.setdefault(event, {}).update({quote.book: quote for quote in oriented})
            told = GameQuotes(route.game_id, oriented, received_ns)
            for market in route.markets:
                market.tell(told)

    def _relist(self) -> None:
        """Follow the catalogue; the first prices of a new game are read at once."""
        before = self._routes
        self._routes = _routes(self.ctx, self._parts.catalogue, self._provider)
        self._events_of = _events_of(self._parts.catalogue, self._provider)
        for gone in before.keys() - self._routes.keys():
            self._last.pop(gone, None)
        if self._routes.keys() - before.keys():
            self._resync.set()

    def _greet(self, ticker: str) -> None:
        address = self.ctx.find(market_name(ticker))
        now_ns = self._parts.clock.monotonic_ns()
        for event in self._events_of.get(ticker, ()):
            known = tuple(self._last.get(event, {}).values())
            if known:
                address.tell(GameQuotes(self._routes[event].game_id, known, now_ns))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self._routes)} games, {len(self._last)} with quotes>"


class LiveOddsFeed(OddsFeedActor):
    """An odds feed on a connection of its own, with polling that confirms what stands still."""

    def __init__(
        self,
        ctx: Context,
        parts: Parts,
        feed: OddsFeed,
        link: Link[Updates],
        poll_interval_ms: int,
    ) -> None:
        super().__init__(ctx, parts, feed.provider, feed.parse, link.name)
        self._feed = feed
        self._link = link
        self._poll_interval_s = poll_interval_ms / MS_PER_S
        self._risk = ctx.find(RISK)
        self._tape = parts.tape_of(ctx)
        link.report = self._report

    async def start(self) -> None:
        """Say that nothing is connected yet, so that nothing is traded before it is."""
        self._report(connected=False, detail="connecting")

    async def run(self) -> None:
        """Keep the connection up."""
        await self._link.run(self._serve)

    async def _serve(self, updates: Updates) -> None:
        closed: SocketClosed | None = None
        # A new connection may have forgotten what the one before knew.
        self._keep_reading(())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._poll)
            try:
                await self._listen(updates)
            except SocketClosed as error:
                # Raised again outside the nursery, which would wrap it in a group.
                closed = error
            nursery.cancel_scope.cancel()
        if closed is not None:
            raise closed

    async def _listen(self, updates: Updates) -> None:
        clock = self._parts.clock
        while True:
            # No deadline around each message: what is due in silence is the polling task's.
            text = text_of(await updates.receive())
            if self.ctx.stopping:
                # Nobody takes it any more: what the markets were told last grows old.
                raise SocketClosed(BEING_STOPPED)
            frame = Frame(text, clock.wall_ms(), clock.monotonic_ns())
            # Through our own mailbox, so that what a market answers in this very turn never
            # enters a handler twice.
            self.ctx.address.tell(frame)
            if self._tape is not None:
                record = Record(frame.received_ms, Feed.ODDS, self._feed.provider, text)
                self._tape.tell(record)

    async def _poll(self) -> None:
        """Read every price at once, then at intervals and whenever the provider lost track.

        The stream has no first snapshot and sends changes only: the feed counts as connected
        when the first reading is in, and each further one confirms what stood still.
        """
        failures = 0
        while True:
            event_ids = list(self._routes)
            try:
                quotes = await self._feed.snapshot(event_ids)
            except FeedError as error:
                failures = 0 if error.throttled else failures + 1
                self._parts.board.say("ODDS", f"prices not read: {error}", level="warning")
            else:
                failures = 0
                now_ns = self._parts.clock.monotonic_ns()
                self.ctx.address.tell(PolledQuotes(tuple(quotes), now_ns))
                self._keep_reading(tuple(quotes))
                if not self.ctx.stopping:
                    self._report(connected=True, detail=f"{len(event_ids)} games")
            await self._until_next_poll(failures)

    def _keep_reading(self, quotes: tuple[Quote, ...]) -> None:
        if self._tape is not None:
            raw = reading_text(Reading(quotes, self._feed.memory()))
            now_ms = self._parts.clock.wall_ms()
            self._tape.tell(Record(now_ms, Feed.POLLED, self._feed.provider, raw))

    async def _until_next_poll(self, failures: int) -> None:
        again = Backoff(READ_AGAIN_S, self._poll_interval_s)
        wait_s = again.ceiling_s(failures - 1) if failures else self._poll_interval_s
        with trio.move_on_after(wait_s):
            await self._resync.wait()
            # A provider that lost track keeps saying so until it is read: once is enough.
            await trio.sleep(RESYNC_PAUSE_S)
        self._resync = trio.Event()

    def _report(self, connected: bool, detail: str) -> None:  # noqa: FBT001 - Link's signature
        self._risk.tell(ConnectionChanged(self._source, connected, detail))


def _routes(ctx: Context, catalogue: Catalogue, provider: str) -> dict[str, Route]:
    routes = {}
    for game in catalogue.games:
        markets = tuple(ctx.find(market_name(ticker)) for ticker in game.tickers)
        for odds in game.odds:
            if odds.provider == provider:
                routes[odds.event_id] = Route(game.game_id, markets, odds.swapped)
    return routes


def _events_of(catalogue: Catalogue, provider: str) -> dict[str, tuple[str, ...]]:
    return {
        listing.ticker: tuple(
            odds.event_id for odds in listing.game.odds if odds.provider == provider
        )
        for listing in catalogue.listings
    }


def _swapped(quote: Quote) -> Quote:
    return attrs.evolve(quote, home=quote.away, away=quote.home)
