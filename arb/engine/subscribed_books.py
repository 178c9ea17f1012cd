"""The books of one subscription: messages in, tops out, nothing trusted across a gap.

No I/O: what must be sent to the exchange to mend a book is returned, not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from arb.core.book import Book, BookBroken, BookFault, BookTop
from arb.core.events import Side
from arb.core.listing import Listing
from arb.core.sequence import SequenceGuard
from arb.engine.messages import OwnResting
from arb.kalshi.wire import BookDelta, BookSnapshot, Frame, Ignored, Ok, Unsubscribed

# Called with where bad input came from, the reason, and an example.
NoteBad = Callable[[str, str, str], None]

SOURCE = "Kalshi books"

NOT_ASKED_FOR = "the book of a market that was not asked for"
NOT_FOLLOWED = "its changes are not subscribed to"

# More levels than a tall terminal has rows for; the rest is far from the price.
LEVELS_SHOWN = 40


class SubscribedBooks:
    """All books of one connection, kept from snapshots and deltas in sequence.

    Whoever knows which markets are subscribed to says so (`follow`), and no other book is usable
    then. What has been recorded is taken as it is.
    """

    def __init__(self, listings: Iterable[Listing], note_bad: NoteBad) -> None:
        self._books = {each.ticker: Book(each.ticker, each.grid) for each in listings}
        # Asked for after every message, so it is kept and not looked for.
        self._broken = set(self._books)
        self._followed: Collection[str] | None = None
        self._unfollowed: set[str] = set()
        self.off_grid = 0
        self._own: dict[str, OwnResting] = {}
        self._guard = SequenceGuard()
        self._begins_anew = False
        self._sid: int | None = None
        self._note_bad = note_bad

    @property
    def tickers(self) -> tuple[str, ...]:
        """Return the markets whose books are kept."""
        return tuple(self._books)

    @property
    def broken_count(self) -> int:
        """Return how many books must be asked for anew."""
        return len(self._broken)

    @property
    def usable_count(self) -> int:
        """Return how many books may be traded on."""
        return len(self._books) - len(self._broken | self._unfollowed)

    def take_up(self, listings: Iterable[Listing]) -> tuple[str, ...]:
        """Keep the books of these markets and of no others; return those that cannot be trusted.

        A book whose grid has changed may have missed levels that its old grid did not have.
        """
        before, self._books = self._books, {}
        changed = []
        for each in listings:
            book = before.get(each.ticker)
            if book is None:
                book = Book(each.ticker, each.grid)
                self._broken.add(each.ticker)
                if self._followed is not None and each.ticker not in self._followed:
                    self._unfollowed.add(each.ticker)
            elif book.grid != each.grid:
                book.grid = each.grid
                book.distrust(BookFault.NEW_GRID)
                self._broken.add(each.ticker)
                changed.append(each.ticker)
            self._books[each.ticker] = book
        for gone in before.keys() - self._books.keys():
            self._broken.discard(gone)
            self._unfollowed.discard(gone)
            self._own.pop(gone, None)
        return tuple(changed)

    def follow(self, tickers: Collection[str], left_out: Collection[str] = ()) -> tuple[str, ...]:
        """Believe the books of these markets alone; return those that come or go by that.

        What comes keeps the snapshot that was quicker than the exchange's word. What goes, or was
        ``left_out``, misses changes from here on, and must be read anew once it is followed.
        """
        before = self._unfollowed
        self._followed = tickers
        self._unfollowed = {ticker for ticker in self._books if ticker not in tickers}
        for ticker in (self._unfollowed - before).union(left_out).intersection(self._books):
            self._books[ticker].distrust(BookFault.NO_SNAPSHOT)
            self._broken.add(ticker)
        return tuple(sorted(before ^ self._unfollowed))

    def distrust_all(self) -> None:
        """Break every book, because the connection that kept it is gone."""
        self._guard.reset()
        self._begins_anew = False
        self._distrust(BookFault.NO_SNAPSHOT)

    def take(self, frame: Frame) -> tuple[str, ...]:
        """Apply one message and return the markets whose book it may have changed."""
        if isinstance(frame, BookDelta):
            return self._sequenced(frame.seq) or self._delta(frame)
        if isinstance(frame, BookSnapshot):
            self._sid = frame.sid
            return self._sequenced(frame.seq) or self._snapshot(frame)
        if isinstance(frame, (Ok, Unsubscribed)) and frame.seq is not None:
            return self._sequenced(frame.seq)
        if isinstance(frame, Ignored) and frame.seq is not None and frame.sid == self._sid:
            return self.unreadable()
        return ()

    def unreadable(self) -> tuple[str, ...]:
        """Trust no book after a message that may have been of any: return all markets.

        It may or may not have used up a number, so the next message begins the sequence anew.
        """
        self._begins_anew = True
        self._distrust(BookFault.GAP)
        return self.tickers

    def broken(self) -> tuple[str, ...]:
        """Return the markets whose book must be asked for anew."""
        if not self._broken:
            return ()
        return tuple(ticker for ticker in self._books if ticker in self._broken)

    def own(self, own: OwnResting) -> bool:
        """Note our own resting orders; True if the market's book is one of these."""
        self._own[own.ticker] = own
        return own.ticker in self._books

    def top(self, ticker: str) -> tuple[BookTop, bool]:
        """Return a market's best prices without our own orders, and whether they are usable."""
        book = self._books[ticker]
        own = self._own.get(ticker)
        top = book.top(own.bids, own.asks) if own is not None else book.top()
        return top, book.fault is None and ticker not in self._unfollowed

    def shown(self, ticker: str) -> dict[str, Any] | None:
        """Return a book's best levels with our own part of each, as people are shown it.

        None for a market whose book is not kept.
        """
        book = self._books.get(ticker)
        if book is None:
            return None
        own = self._own.get(ticker)
        sides = {
            "bids": (Side.BID, own.bids if own is not None else {}),
            "asks": (Side.ASK, own.asks if own is not None else {}),
        }
        levels = {
            name: [
                {"price_e4": price_e4, "size_e2": size_e2, "own_e2": ours.get(price_e4, 0)}
                for price_e4, size_e2 in book.levels(side)[:LEVELS_SHOWN]
            ]
            for name, (side, ours) in sides.items()
        }
        fault = str(book.fault) if book.fault is not None else None
        return {**levels, "fault": NOT_FOLLOWED if ticker in self._unfollowed else fault}

    def _sequenced(self, seq: int) -> tuple[str, ...]:
        """Return every market if this message does not follow the last one, else none."""
        if self._begins_anew:
            self._begins_anew = False
            self._guard.reset(seq)
        if self._guard.next(seq):
            return ()
        if self._guard.gap is not None and self._guard.gap[1] == seq:
            self._note_bad(SOURCE, "gap in the sequence", repr(self._guard))
        # The books are suspect from here on; their snapshots restart the count.
        self._guard.reset(seq + 1)
        self._distrust(BookFault.GAP)
        return self.tickers

    def _distrust(self, fault: BookFault) -> None:
        self._broken = set(self._books)
        for book in self._books.values():
            book.distrust(fault)

    def _delta(self, frame: BookDelta) -> tuple[str, ...]:
        book = self._books.get(frame.ticker)
        if book is None:
            self._note_bad(SOURCE, NOT_ASKED_FOR, frame.ticker)
            return ()
        if book.fault is not None:
            return ()
        try:
            if not book.apply_delta(frame.side, frame.price_e4, frame.delta_e2):
                self.off_grid += 1
                self._note_bad(SOURCE, "price off the grid", repr(frame))
        except BookBroken as error:
            self._broken.add(frame.ticker)
            self._note_bad(SOURCE, error.fault, str(error))
        return (frame.ticker,)

    def _snapshot(self, frame: BookSnapshot) -> tuple[str, ...]:
        book = self._books.get(frame.ticker)
        if book is None:
            self._note_bad(SOURCE, NOT_ASKED_FOR, frame.ticker)
            return ()
        if frame.reply_to is not None and frame.ticker in self._unfollowed:
            # It was asked for before the market went out of the subscription.
            return ()
        try:
            for price_e4 in book.apply_snapshot(frame.bids, frame.asks):
                self.off_grid += 1
                self._note_bad(SOURCE, "price off the grid", f"{frame.ticker} {price_e4}")
            self._broken.discard(frame.ticker)
        except BookBroken as error:
            self._broken.add(frame.ticker)
            self._note_bad(SOURCE, error.fault, str(error))
        return (frame.ticker,)

    def __repr__(self) -> str:
        return f"<SubscribedBooks {len(self._books)} books, {len(self.broken())} broken>"
