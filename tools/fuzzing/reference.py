"""Books kept a second time, by other code: what the client shows must be what this holds.

It reads more than the client does: where it takes a message that the client refuses, the client
must have declared its books broken. The other way round is a wrong book.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

Levels = dict[Decimal, Decimal]

# Of the messages with a sequence number, those that change no book.
_REPLIES = frozenset({"ok", "unsubscribed"})

# What comes without a number of the books' sequence says nothing of the books.
_OTHERS = frozenset(
    {
        "subscribed",
        "error",
        "fill",
        "user_order",
        "market_position",
        "market_lifecycle_v2",
        "event_fee_update",
    }
)
_CENT = Decimal("0.01")


class Unreadable(Exception):
    """A message that may have been of any book."""


class ReferenceBooks:
    """The books of some markets, each with its two sides or None while it is not known."""

    def __init__(self, tickers: Iterable[str]) -> None:
        self.books: dict[str, tuple[Levels, Levels] | None] = dict.fromkeys(tickers)
        self._expected: int | None = 1
        # The subscription of the last snapshot: messages of others are not of this sequence.
        self._sid: int | None = None

    def __repr__(self) -> str:
        known = sum(book is not None for book in self.books.values())
        return f"<ReferenceBooks {known} of {len(self.books)} known>"

    def take(self, raw: str) -> None:
        """Apply one message, or forget every book where it cannot be known what it said."""
        try:
            message = orjson.loads(raw)
            kind = message["type"]
            if kind in _OTHERS:
                return
            seq = message.get("seq")
            if kind not in {"orderbook_delta", "orderbook_snapshot", *_REPLIES}:
                if seq is None or message.get("sid") != self._sid:
                    return
                raise Unreadable
            if seq is None and kind in _REPLIES:
                return
            if type(seq) is not int:
                raise Unreadable
            if kind == "orderbook_snapshot":
                self._sid = message["sid"]
            change = None if kind in _REPLIES else _read(kind, message["msg"])
        except (Unreadable, ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
            self._forget()
            self._expected = None
            return
        if self._expected is not None and seq != self._expected:
            self._forget()
        self._expected = seq + 1
        if change is not None:
            self._apply(*change)

    def _apply(self, ticker: str, sides: tuple[Levels, Levels] | None, delta: Any) -> None:
        if ticker not in self.books:
            return
        if sides is not None:
            self.books[ticker] = sides
        book = self.books[ticker]
        if book is None:
            return
        if delta is not None:
            side, price, count = delta
            if price % _CENT:
                return
            book[side][price] = book[side].get(price, Decimal(0)) + count
        bids, asks = book
        if not _is_book(bids, asks):
            self.books[ticker] = None
            return
        self.books[ticker] = (
            {price: count for price, count in bids.items() if count},
            {price: count for price, count in asks.items() if count},
        )

    def _forget(self) -> None:
        self.books = dict.fromkeys(self.books)


def _is_book(bids: Levels, asks: Levels) -> bool:
    if any(count < 0 for side in (bids, asks) for count in side.values()):
        return False
    best_bid = max((price for price, count in bids.items() if count), default=Decimal(0))
    best_ask = min((price for price, count in asks.items() if count), default=Decimal(1))
    return best_bid <= best_ask


def _read(kind: str, msg: Any) -> tuple[str, tuple[Levels, Levels] | None, Any]:
    ticker = msg["market_ticker"]
    if not isinstance(ticker, str):
        raise Unreadable
    if kind == "orderbook_snapshot":
        return ticker, (_side(msg.get("yes_dollars_fp")), _side(msg.get("no_dollars_fp"))), None
    side = {"yes": 0, "no": 1}[msg["side"]]
    return ticker, None, (side, _price(msg["price_dollars"]), _count(msg["delta_fp"]))


def _side(rows: Any) -> Levels:
    levels: Levels = {}
    for price_text, count_text in rows or ():
        price, count = _price(price_text), _count(count_text)
        if levels.get(price):
            # Which of the two is right nobody knows; that it is this book, everybody does.
            count = Decimal(-1)
        if not price % _CENT:
            levels[price] = count
    return levels


def _price(text: Any) -> Decimal:
    price = _decimal(text)
    if not 0 < price < 1:
        raise Unreadable
    return price


def _count(text: Any) -> Decimal:
    return _decimal(text)


def _decimal(text: Any) -> Decimal:
    if not isinstance(text, str):
        raise Unreadable
    value = Decimal(text)
    if not value.is_finite():
        raise Unreadable
    return value
