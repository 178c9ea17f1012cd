"""The book feed: one market-data connection to Kalshi, the books on it, and their tops."""

from __future__ import annotations

import trio

from actors import Actor, Context
from arb.core.book import BookTop
from arb.core.events import Top
from arb.engine.link import Link, next_text
from arb.engine.messages import BookFeedReady, ConnectionChanged, Frame, Hello, OwnResting
from arb.engine.names import RISK, market_name
from arb.engine.parts import Parts
from arb.engine.subscribed_books import SOURCE, SubscribedBooks
from arb.io.websocket import Socket, SocketClosed
from arb.kalshi.wire import (
    Ignored,
    Malformed,
    Subscribed,
    WireError,
    get_snapshot_command,
    parse_frame,
    subscribe_command,
)
from arb.tape.format import Feed, Record

CHANNELS = ("orderbook_delta",)

# A subscription is confirmed within milliseconds. Without the confirmation, which may be lost or
# damaged, no broken book could ever be asked for again.
SUBSCRIBED_WITHIN_S = 5.0

# A snapshot that was asked for and has not come is asked for again after this long.
SNAPSHOT_RETRY_S = 1.0


class BookFeed(Actor):
    """Keeps the books and tells each market its own top and its sibling's when they change."""

    def __init__(self, ctx: Context, parts: Parts, watchers: tuple[str, ...] = ()) -> None:
        super().__init__(ctx)
        self._parts = parts
        self._books = SubscribedBooks(parts.catalogue.listings, parts.board.note_bad)
        self._told: dict[str, Top] = {}
        self._sid: int | None = None
        self._subscription_lost: str | None = None
        self._routes = {
            listing.ticker: tuple(
                ctx.find(name)
                for name in (*watchers, market_name(listing.ticker), market_name(listing.sibling))
            )
            for listing in parts.catalogue.listings
        }
        self._siblings = {each.ticker: each.sibling for each in parts.catalogue.listings}

    def receive(self, message: object) -> None:
        """Take a frame, our own resting orders, or a market that has come up."""
        if isinstance(message, Frame):
            self.take(message)
        elif isinstance(message, OwnResting):
            if self._books.own(message):
                self._tell_if_changed(message.ticker, self._parts.clock.monotonic_ns())
        elif isinstance(message, Hello):
            self._greet(message.ticker)
        else:
            self.ctx.dead_letter(message, "not for the book feed")

    def take(self, frame: Frame) -> None:
        """Apply one raw message and tell the markets whose top it changed."""
        try:
            parsed = parse_frame(frame.raw)
        except Malformed as error:
            self._parts.board.note_bad(SOURCE, error.reason, frame.raw)
            return
        self._parts.board.counts["book_frames"] += 1
        if isinstance(parsed, WireError):
            self._parts.board.note_bad(SOURCE, f"error {parsed.code}", frame.raw)
            if parsed.ends_subscription:
                self._subscription_lost = f"error {parsed.code}: {parsed.text}"
        elif isinstance(parsed, Ignored):
            self._parts.board.note_bad(SOURCE, f"unknown type {parsed.type}", frame.raw)
        elif isinstance(parsed, Subscribed):
            self._sid = parsed.sid
        for ticker in self._books.take(parsed):
            self._tell_if_changed(ticker, frame.received_ns)

    def lost(self) -> None:
        """Trust no book any more and say so to every market."""
        self._books.distrust_all()
        for ticker in self._books.tickers:
            self._tell_if_changed(ticker, self._parts.clock.monotonic_ns())

    def _greet(self, ticker: str) -> None:
        address = self.ctx.find(market_name(ticker))
        for name in (ticker, self._siblings.get(ticker)):
            told = self._told.get(name) if name is not None else None
            if told is not None:
                address.tell(told)

    def _tell_if_changed(self, ticker: str, received_ns: int) -> None:
        book_top, usable = self._books.top(ticker)
        before = self._told.get(ticker)
        if before is None and not usable:
            # A book that nobody has heard of yet is not lost.
            return
        if before is not None and _shows(before, book_top, usable):
            return
        top = Top(
            ticker,
            book_top.bid_e4,
            book_top.bid_size_e2,
            book_top.ask_e4,
            book_top.ask_size_e2,
            usable,
            self._parts.clock.wall_ms(),
            received_ns,
        )
        self._told[ticker] = top
        for address in self._routes[ticker]:
            address.tell(top)

    def __repr__(self) -> str:
        return f"<BookFeed {self._books!r}>"


class LiveBookFeed(BookFeed):
    """A book feed on a connection of its own."""

    def __init__(
        self,
        ctx: Context,
        parts: Parts,
        link: Link,
        *,
        watchers: tuple[str, ...] = (),
    ) -> None:
        super().__init__(ctx, parts, watchers)
        self._link = link
        self._link.report = self._report
        self._risk = ctx.find(RISK)
        self._tape = parts.tape_of(ctx)
        self._connected = False
        self._asked_s = 0.0
        self._command_id = 1

    async def start(self) -> None:
        """Say that nothing is connected yet, so that nothing is traded before it is."""
        self._report(connected=False, detail="connecting")
        self._risk.tell(BookFeedReady())

    async def run(self) -> None:
        """Keep the connection up; a market's book is usable only while it is."""
        await self._link.run(self._serve)

    async def _serve(self, socket: Socket) -> None:
        self.lost()
        self._sid = self._subscription_lost = None
        self._asked_s = trio.current_time()
        await socket.send(subscribe_command(self._next_id(), CHANNELS, self._books.tickers))
        while True:
            raw = await next_text(socket)
            if raw is not None:
                self._pass_on(raw)
            if self._subscription_lost is not None:
                raise SocketClosed(self._subscription_lost)
            await self._mend(socket)

    def _pass_on(self, raw: str) -> None:
        clock = self._parts.clock
        frame = Frame(raw, clock.wall_ms(), clock.monotonic_ns())
        # Through our own mailbox: a market's order may come back here as our own resting order
        # in this very turn, and a handler must not be entered twice.
        self.ctx.address.tell(frame)
        if self._tape is not None:
            self._tape.tell(Record(frame.received_ms, Feed.BOOKS, "kalshi", raw))

    async def _mend(self, socket: Socket) -> None:
        broken = self._books.broken()
        if not broken:
            if not self._connected:
                self._report(connected=True, detail=f"{len(self._books.tickers)} books")
            return
        now_s = trio.current_time()
        if self._sid is None and now_s - self._asked_s >= SUBSCRIBED_WITHIN_S:
            raise SocketClosed(f"not subscribed within {SUBSCRIBED_WITHIN_S:g} s")
        if self._sid is not None and now_s - self._asked_s >= SNAPSHOT_RETRY_S:
            self._asked_s = now_s
            await socket.send(get_snapshot_command(self._next_id(), self._sid, broken))

    def _report(self, connected: bool, detail: str) -> None:  # noqa: FBT001 - Link's signature
        if not connected:
            self.lost()
        self._connected = connected
        self._risk.tell(ConnectionChanged(SOURCE, connected, detail))

    def _next_id(self) -> int:
        self._command_id += 1
        return self._command_id


def _shows(told: Top, top: BookTop, usable: bool) -> bool:  # noqa: FBT001 - two facts of one top
    return (
        told.usable == usable
        and told.bid_e4 == top.bid_e4
        and told.ask_e4 == top.ask_e4
        and told.bid_size_e2 == top.bid_size_e2
        and told.ask_size_e2 == top.ask_size_e2
    )
