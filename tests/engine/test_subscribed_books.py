"""One subscription's books when messages come that cannot be read, or are of no book of ours."""

from __future__ import annotations

import random

import attrs

from arb.core.events import Side
from arb.core.money import CountE2, PriceE4
from arb.engine.subscribed_books import NOT_ASKED_FOR, NOT_FOLLOWED, SubscribedBooks
from arb.kalshi.wire import BookDelta, BookSnapshot, Ignored
from tests.core.order_factory import BOS, NYY, listing
from tools.fuzzing.books import TICKERS, Exchange, Session
from tools.fuzzing.findings import Tally


def test_an_unknown_message_of_the_sequence_may_have_changed_any_book() -> None:
    """Books are broken by it until their next snapshot; of another sequence, it says nothing."""
    bad: list[str] = []
    books = SubscribedBooks([listing()], lambda *what: bad.append(what[1]))
    snapshot = BookSnapshot(1, 1, NYY, ((PriceE4(4_000), CountE2(500)),), ())
    books.take(snapshot)
    assert books.take(Ignored("new", None, None)) == ()
    assert books.take(Ignored("new", 7, 2)) == ()
    assert books.broken() == ()
    assert books.take(Ignored("orderbook_change", 1, 2)) == (NYY,)
    assert books.top(NYY)[1] is False
    books.take(attrs.evolve(snapshot, seq=3))
    assert books.broken() == ()
    assert bad == []


def test_after_a_message_that_cannot_be_read_the_sequence_begins_anew() -> None:
    """Whether it used up a number nobody knows: what comes next is no gap, what follows is."""
    bad: list[str] = []
    books = SubscribedBooks([listing()], lambda *what: bad.append(what[1]))
    snapshot = BookSnapshot(1, 1, NYY, (), ())
    books.take(snapshot)
    assert books.unreadable() == (NYY,)
    assert books.broken() == (NYY,)
    books.take(attrs.evolve(snapshot, seq=7))
    assert (books.broken(), bad) == ((), [])
    books.take(attrs.evolve(snapshot, seq=9))
    assert bad == ["gap in the sequence"]
    assert "1 broken" in repr(books)


def test_a_book_that_was_not_asked_for_is_counted() -> None:
    """Nothing is dropped silently: snapshot and change of another market are bad input."""
    bad: list[str] = []
    books = SubscribedBooks([listing()], lambda *what: bad.append(what[1]))
    assert books.take(BookSnapshot(1, 1, "OTHER", (), ())) == ()
    delta = BookDelta(1, 2, "OTHER", Side.BID, PriceE4(4_000), CountE2(1))
    assert books.take(delta) == ()
    assert bad == [NOT_ASKED_FOR, NOT_ASKED_FOR]


def test_no_book_passes_for_right_after_a_frame_that_cannot_be_read() -> None:
    """The feed says so to the markets at once, and not only with the next message's gap."""
    session = Session(Tally())
    exchange = Exchange(random.Random(1))
    for ticker in TICKERS:
        session.take(exchange.snapshot(ticker), mutated=False)
    assert not session.broken

    session.take(b'{"type":"orderbook_delta","sid":1,"seq":4,"msg":{}}', mutated=True)

    assert session.broken == TICKERS
    assert [top.usable for top in session.tops.values()] == [False] * len(TICKERS)
    assert session.bad() == 1


def two_books() -> SubscribedBooks:
    """Make the books of two markets of which none is subscribed to yet."""
    books = SubscribedBooks([listing(NYY), listing(BOS)], lambda *_: None)
    books.follow(())
    return books


def test_a_snapshot_makes_no_book_usable_that_is_not_subscribed_to() -> None:
    """It is kept, with every change since, until the exchange confirms that more will follow."""
    books = two_books()
    levels = ((PriceE4(4_000), CountE2(500)),)
    books.take(BookSnapshot(1, 1, NYY, levels, ()))
    books.take(BookDelta(1, 2, NYY, Side.BID, PriceE4(4_100), CountE2(100)))
    assert (books.top(NYY)[1], books.usable_count) == (False, 0)
    shown = books.shown(NYY)
    assert shown is not None
    assert shown["fault"] == NOT_FOLLOWED

    assert books.follow({NYY, BOS}) == (BOS, NYY)
    top, usable = books.top(NYY)
    assert (top.bid_e4, usable, books.usable_count) == (4_100, True, 1)
    assert books.follow({NYY, BOS}) == ()


def test_a_market_that_goes_out_of_the_subscription_is_read_anew() -> None:
    """What its book was is worth nothing, and a reply on its way says nothing of what follows."""
    books = two_books()
    books.follow({NYY, BOS})
    snapshot = BookSnapshot(1, 1, NYY, (), ())
    books.take(snapshot)
    books.take(attrs.evolve(snapshot, seq=2, ticker=BOS))
    assert books.usable_count == 2

    assert books.follow({BOS}) == (NYY,)
    assert (books.broken(), books.usable_count) == ((NYY,), 1)
    books.take(attrs.evolve(snapshot, seq=3, reply_to=9))
    assert books.broken() == (NYY,)
    books.take(attrs.evolve(snapshot, seq=4))
    assert (books.broken(), books.usable_count) == ((), 1)
    books.follow({BOS}, left_out=[NYY, "GONE"])
    assert books.broken() == (NYY,)


def test_a_market_that_is_taken_up_is_usable_once_it_is_subscribed_to() -> None:
    """One that went is counted no more."""
    books = two_books()
    books.follow({NYY})
    books.take_up([listing(NYY)])
    books.take(BookSnapshot(1, 1, NYY, (), ()))
    assert books.usable_count == 1
    books.take_up([listing(NYY), listing(BOS)])
    books.take(BookSnapshot(1, 2, BOS, (), ()))
    assert (books.broken(), books.usable_count) == ((), 1)
    assert books.follow({NYY, BOS}) == (BOS,)
    assert books.usable_count == 2
