"""The book feed: one market-data connection to Kalshi, the books on it, and their tops.

The same connection tells of the markets' lives, so that a book and its market's pause come in the
order in which they happened; what is said of lives goes on to the discovery actor.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

import trio

from actors import Actor, Address, Context, UnknownActor
from arb.core.book import BookTop
from arb.core.events import Top
from arb.core.sequence import SequenceGuard
from arb.engine.link import LOOK_UP_EVERY_S, Link, text_of
from arb.engine.messages import (
    BookFeedReady,
    ConnectionChanged,
    Frame,
    Hello,
    OwnResting,
    ReadListings,
    Relisted,
)
from arb.engine.names import DISCOVERY, RISK, market_name
from arb.engine.parts import Parts
from arb.engine.subscribed_books import SOURCE, SubscribedBooks
from arb.io.websocket import Socket, SocketClosed
from arb.kalshi.wire import (
    LIFECYCLE,
    ORDER_BOOK,
    BookDelta,
    EventFee,
    EventListed,
    Ignored,
    Malformed,
    MarketLifecycle,
    Ok,
    Subscribed,
    Unsubscribed,
    WireError,
    add_markets_command,
    delete_markets_command,
    get_snapshot_command,
    in_commands,
    parse_frame,
    subscribe_command,
)
from arb.kalshi.wire import Frame as WireFrame
from arb.tape.format import Feed, Record

# A snapshot that was asked for and has not come is asked for again after this long.
SNAPSHOT_RETRY_S = 1.0

# A book that has not come by then does not keep the others waiting: it alone is not usable.
BOOKS_AWAITED_S = 2.0

# Ours begin above it.
NO_COMMAND = 0


class BookFeed(Actor):
    """Keeps the books and tells each market its own top and its sibling's when they change."""

    def __init__(self, ctx: Context, parts: Parts, watchers: tuple[str, ...] = ()) -> None:
        super().__init__(ctx)
        self._parts = parts
        self._books = SubscribedBooks(parts.catalogue.listings, parts.board.note_bad)
        self._told: dict[str, Top] = {}
        self._sid: int | None = None
        self._lifecycle_sid: int | None = None
        # The command without whose success a connection is of no use.
        self._books_asked_id = NO_COMMAND
        self._lives = SequenceGuard()
        self._subscription_lost: str | None = None
        self._stirred = trio.Event()
        self._watchers = watchers
        self._discovery = _if_there(ctx, DISCOVERY)
        self._find_routes()

    def _find_routes(self) -> None:
        listings = self._parts.catalogue.listings
        self._routes = {
            listing.ticker: tuple(
                self.ctx.find(name)
                for name in (
                    *self._watchers,
                    market_name(listing.ticker),
                    market_name(listing.sibling),
                )
            )
            for listing in listings
        }
        self._siblings = {each.ticker: each.sibling for each in listings}

    def receive(self, message: object) -> None:
        """Take a frame, our own resting orders, a market that has come up, or other markets."""
        if isinstance(message, Frame):
            self.take(message)
        elif isinstance(message, OwnResting):
            if self._books.own(message):
                self._tell_if_changed(message.ticker, self._parts.clock.monotonic_ns())
        elif isinstance(message, Hello):
            self._greet(message.ticker)
        elif isinstance(message, Relisted):
            self._relist()
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
        broken, off_grid = self._books.broken_count, self._books.off_grid
        if type(parsed) is BookDelta or not self._take_other(parsed, frame):
            for ticker in self._books.take(parsed):
                self._tell_if_changed(ticker, frame.received_ns)
        if self._books.broken_count != broken:
            self._stirred.set()
        if self._books.off_grid != off_grid:
            self._want_listings("a price off the grid")

    def _take_other(self, parsed: WireFrame, frame: Frame) -> bool:
        """Take what is no book's delta; True where it was not of the books' subscription."""
        if isinstance(parsed, WireError):
            self._parts.board.note_bad(SOURCE, f"error {parsed.code}", frame.raw)
            if parsed.ends_subscription or parsed.id == self._books_asked_id:
                self._subscription_lost = f"error {parsed.code}: {parsed.text}"
        elif isinstance(parsed, Subscribed):
            self._subscribed(parsed)
        elif isinstance(parsed, (MarketLifecycle, EventListed, EventFee)):
            self._lived(parsed.seq)
            if self._discovery is not None and not isinstance(parsed, EventListed):
                self._discovery.tell(parsed)
            return True
        elif isinstance(parsed, Ignored):
            self._parts.board.note_bad(SOURCE, f"unknown type {parsed.type}", frame.raw)
        if not isinstance(parsed, (Ok, Unsubscribed, Ignored)) or parsed.sid is None:
            return False
        if parsed.sid != self._lifecycle_sid:
            return False
        self._lived(parsed.seq)
        return True

    def _subscribed(self, subscribed: Subscribed) -> None:
        if subscribed.channel == ORDER_BOOK:
            self._sid = subscribed.sid
        elif subscribed.channel == LIFECYCLE:
            self._lifecycle_sid = subscribed.sid
            self._lives.reset()
            # What happened while nobody listened is in the lists.
            self._want_listings("listening to the markets' lives")
        self._stirred.set()

    def _lived(self, seq: int | None) -> None:
        if seq is None or self._lives.next(seq):
            return
        self._parts.board.note_bad(SOURCE, "gap in the markets' lives", repr(self._lives))
        self._lives.reset(seq + 1)
        self._want_listings("a message of a market's life is missing")

    def _want_listings(self, why: str) -> None:
        if self._discovery is not None:
            self._discovery.tell(ReadListings(why))

    def _relist(self) -> None:
        """Keep the books of the markets that are listed now, and of no others."""
        changed = self._books.take_up(self._parts.catalogue.listings)
        self._find_routes()
        for ticker in self._told.keys() - self._routes.keys():
            del self._told[ticker]
        for ticker in changed:
            self._tell_if_changed(ticker, self._parts.clock.monotonic_ns())
        self._stirred.set()

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
        self._reported = (False, "")
        self._since_s = 0.0
        self._subscribed_to: set[str] = set()
        # When each book that is still broken was asked for.
        self._asked_s: dict[str, float] = {}
        self._command_id = NO_COMMAND

    async def start(self) -> None:
        """Say that nothing is connected yet, so that nothing is traded before it is."""
        self._report(connected=False, detail="connecting")
        self._risk.tell(BookFeedReady())

    async def run(self) -> None:
        """Keep the connection up; a market's book is usable only while it is."""
        await self._link.run(self._serve)

    async def _serve(self, socket: Socket) -> None:
        self.lost()
        self._sid = self._lifecycle_sid = self._subscription_lost = None
        self._since_s = trio.current_time()
        self._subscribed_to = set()
        self._asked_s = {}
        await socket.send(subscribe_command(self._next_id(), (LIFECYCLE,)))
        await self._subscribe(socket)
        closed: SocketClosed | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tend, socket)
            try:
                await self._listen(socket)
            except SocketClosed as error:
                # Raised again outside the nursery, which would wrap it in a group.
                closed = error
            nursery.cancel_scope.cancel()
        if closed is not None:
            raise closed

    async def _listen(self, socket: Socket) -> None:
        # No deadline around each message: what is due in silence is another task's.
        while True:
            self._pass_on(text_of(await socket.receive()))
            if self._subscription_lost is not None:
                raise SocketClosed(self._subscription_lost)

    def _pass_on(self, raw: str) -> None:
        clock = self._parts.clock
        frame = Frame(raw, clock.wall_ms(), clock.monotonic_ns())
        # Through our own mailbox: a market's order may come back here as our own resting order
        # in this very turn, and a handler must not be entered twice.
        self.ctx.address.tell(frame)
        if self._tape is not None:
            self._tape.tell(Record(frame.received_ms, Feed.BOOKS, "kalshi", raw))

    async def _tend(self, socket: Socket) -> None:
        """Follow the catalogue and mend books, when something has changed and each second."""
        # An end of the connection is told by the next receive as well.
        with suppress(SocketClosed):
            while True:
                with trio.move_on_after(LOOK_UP_EVERY_S):
                    await self._stirred.wait()
                self._stirred = trio.Event()
                if self._sid is not None:
                    await self._follow(socket, self._sid)
                    await self._mend(socket, self._sid)
                    self._report_books()
                elif not self._subscribed_to:
                    await self._subscribe(socket)

    async def _subscribe(self, socket: Socket) -> None:
        """Ask for the first books; the others follow once the subscription has an id."""
        for tickers in islice(in_commands(self._books.tickers), 1):
            self._note_asked(tickers)
            self._books_asked_id = self._next_id()
            await socket.send(subscribe_command(self._books_asked_id, (ORDER_BOOK,), tickers))

    async def _follow(self, socket: Socket, sid: int) -> None:
        """Add markets that came into the catalogue, and take out those that went."""
        wanted = self._books.tickers
        for tickers in in_commands(sorted(self._subscribed_to.difference(wanted))):
            self._subscribed_to.difference_update(tickers)
            await socket.send(delete_markets_command(self._next_id(), sid, tickers))
        for tickers in in_commands([each for each in wanted if each not in self._subscribed_to]):
            self._note_asked(tickers)
            await socket.send(add_markets_command(self._next_id(), sid, tickers))

    async def _mend(self, socket: Socket, sid: int) -> None:
        """Ask for each broken book anew, and again after a while until it has come."""
        if not self._books.broken_count:
            self._asked_s.clear()
            return
        due_s = trio.current_time() - SNAPSHOT_RETRY_S
        broken = [each for each in self._books.broken() if self._asked_s.get(each, due_s) <= due_s]
        for tickers in in_commands(broken):
            self._note_asked(tickers)
            await socket.send(get_snapshot_command(self._next_id(), sid, tickers))

    def _note_asked(self, tickers: Sequence[str]) -> None:
        self._subscribed_to.update(tickers)
        self._asked_s.update(dict.fromkeys(tickers, trio.current_time()))

    def _report_books(self) -> None:
        books, broken = len(self._books.tickers), self._books.broken_count
        late = trio.current_time() - self._since_s >= BOOKS_AWAITED_S
        if broken and not late and not self._reported[0]:
            return
        self._report(connected=True, detail=f"{books - broken} of {books} books")

    def _report(self, connected: bool, detail: str) -> None:  # noqa: FBT001 - Link's signature
        if not connected:
            self.lost()
        if (connected, detail) != self._reported:
            self._reported = (connected, detail)
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


def _if_there(ctx: Context, name: str) -> Address | None:
    """Return an actor's address, None in a tree without it: a replay of books alone, a bench."""
    try:
        return ctx.find(name)
    except UnknownActor:
        return None
