"""The book feed: one market-data connection to Kalshi, the books on it, and their tops.

The same connection tells of the markets' lives, so that a book and its market's pause come in the
order in which they happened; what is said of lives goes on to the discovery actor.
"""

from __future__ import annotations

import trio

from actors import Actor, Context
from arb.core.book import BookTop
from arb.core.events import Top
from arb.core.sequence import SequenceGuard
from arb.engine.messages import (
    Frame,
    Hello,
    OwnResting,
    ReadListings,
    Relisted,
    ShowBook,
)
from arb.engine.names import DISCOVERY, if_there, market_name
from arb.engine.parts import Parts
from arb.engine.subscribed_books import SOURCE, SubscribedBooks
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
    parse_frame,
)
from arb.kalshi.wire import Frame as WireFrame

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
        self._discovery = if_there(ctx, DISCOVERY)
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

    def receive(self, message: object) -> object:
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
        elif isinstance(message, ShowBook):
            return self._books.shown(message.ticker)
        else:
            self.ctx.dead_letter(message, "not for the book feed")
        return None

    def take(self, frame: Frame) -> None:
        """Apply one raw message and tell the markets whose top it changed."""
        try:
            parsed = parse_frame(frame.raw)
        except Malformed as error:
            self._parts.board.note_bad(SOURCE, error.reason, frame.raw)
            self._tell_all(self._books.unreadable(), frame.received_ns)
            # It may have been of a market's life, whose next message may be hours away.
            self._want_listings("a message cannot be read")
            self._stirred.set()
            return
        self._parts.board.counts["book_frames"] += 1
        broken, off_grid = self._books.broken_count, self._books.off_grid
        is_delta = type(parsed) is BookDelta
        if is_delta or not self._take_other(parsed, frame):
            for ticker in self._books.take(parsed):
                self._tell_if_changed(ticker, frame.received_ns)
        if not is_delta:
            # Last: an answer that does not follow the message before it must make no book usable.
            self._heed(parsed, frame.received_ns)
        if self._books.broken_count != broken:
            self._stirred.set()
        if self._books.off_grid != off_grid:
            self._want_listings("a price off the grid", missed=False)

    def _take_other(self, parsed: WireFrame, frame: Frame) -> bool:
        """Take what is no book's delta; True where it was not of the books' subscription."""
        if isinstance(parsed, WireError):
            self._parts.board.note_bad(SOURCE, f"error {parsed.code}", frame.raw)
            if parsed.ends_subscription or parsed.id == self._books_asked_id:
                # Nothing may follow it: a book that is not told of stands as it was.
                self._subscription_lost = f"error {parsed.code}: {parsed.text}"
                self._stirred.set()
                self.lost()
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

    def _heed(self, parsed: WireFrame, received_ns: int) -> None:
        """Heed the answer to a command; whoever asks for nothing has none to heed."""

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

    def _want_listings(self, why: str, *, missed: bool = True) -> None:
        if self._discovery is not None:
            self._discovery.tell(ReadListings(why, missed=missed))

    def _relist(self) -> None:
        """Keep the books of the markets that are listed now, and of no others."""
        changed = self._books.take_up(self._parts.catalogue.listings)
        self._find_routes()
        for tops in (self._told, self._parts.board.tops):
            for ticker in tops.keys() - self._routes.keys():
                del tops[ticker]
        for ticker in changed:
            self._tell_if_changed(ticker, self._parts.clock.monotonic_ns())
        self._stirred.set()

    def lost(self) -> None:
        """Trust no book any more and say so to every market."""
        self._books.distrust_all()
        self._tell_all(self._books.tickers, self._parts.clock.monotonic_ns())

    def _greet(self, ticker: str) -> None:
        address = self.ctx.find(market_name(ticker))
        for name in (ticker, self._siblings.get(ticker)):
            told = self._told.get(name) if name is not None else None
            if told is not None:
                address.tell(told)

    def _tell_all(self, tickers: tuple[str, ...], received_ns: int) -> None:
        for ticker in tickers:
            self._tell_if_changed(ticker, received_ns)

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
        if usable:
            self._parts.board.tops[ticker] = top
        for address in self._routes[ticker]:
            address.tell(top)

    def __repr__(self) -> str:
        return f"<BookFeed {self._books!r}>"


def _shows(told: Top, top: BookTop, usable: bool) -> bool:  # noqa: FBT001 - two facts of one top
    return (
        told.usable == usable
        and told.bid_e4 == top.bid_e4
        and told.ask_e4 == top.ask_e4
        and told.bid_size_e2 == top.bid_size_e2
        and told.ask_size_e2 == top.ask_size_e2
    )
