"""What the engine knew when it sent an order: books and odds, read off the wire once more.

Both are rebuilt here from the bytes that were handed to the engine, by code that the engine does
not have, so that an order can be held against what its sender was entitled to believe.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import attrs
import orjson

from arb.faults.clock import true_s
from arb.faults.frames import FrameSplitter
from arb.faults.judge_subscription import SeenSubscription
from arb.faults.wire_connection import WiredConnection

_BOOK_TYPES = ("orderbook_snapshot", "orderbook_delta")

# The errors with which the exchange ends a subscription: channel error, buffer overflow.
_LAST_WORDS = frozenset({10, 25})

# Above and below every price there is.
NO_ASK_E4 = 10_000
NO_BID_E4 = 0


@attrs.define
class SeenBook:
    """One market's book as its messages say; ``broken_s`` is since when a message is missing.

    Bytes that hold several messages are handed over at once and handled one by one, so an order
    may be due to any state of the moment: ``lowest_ask_e4`` and ``highest_bid_e4`` are the best
    prices of that moment, ``cheapest_ask_e4`` and ``dearest_bid_e4`` of all that was ever seen.
    """

    bids: dict[int, int] = attrs.field(factory=dict)
    asks: dict[int, int] = attrs.field(factory=dict)
    broken_s: float | None = 0.0
    lowest_ask_e4: int = NO_ASK_E4
    highest_bid_e4: int = NO_BID_E4
    dearest_bid_e4: int = NO_BID_E4
    cheapest_ask_e4: int = NO_ASK_E4
    _moment_s: float = -1.0

    @property
    def trusted(self) -> bool:
        """Tell whether no message is missing."""
        return self.broken_s is None

    def distrust(self) -> None:
        """Note that a message is missing from now on."""
        if self.broken_s is None:
            self.broken_s = true_s()

    def was_broken_before(self, now_s: float) -> bool:
        """Tell whether a message has been missing since before this moment."""
        return self.broken_s is not None and self.broken_s < now_s

    def changing(self) -> None:
        """Keep the best prices of this moment; called before and after each change."""
        now_s = true_s()
        ask_e4 = min((price for price, count in self.asks.items() if count > 0), default=NO_ASK_E4)
        bid_e4 = max((price for price, count in self.bids.items() if count > 0), default=NO_BID_E4)
        same = now_s == self._moment_s
        self.lowest_ask_e4 = min(self.lowest_ask_e4, ask_e4) if same else ask_e4
        self.highest_bid_e4 = max(self.highest_bid_e4, bid_e4) if same else bid_e4
        self._moment_s = now_s
        self.cheapest_ask_e4 = min(self.cheapest_ask_e4, ask_e4)
        self.dearest_bid_e4 = max(self.dearest_bid_e4, bid_e4)

    def best_now_e4(self, *, buying: bool) -> int:
        """Return the best price that was offered to a buyer or a seller in this moment."""
        self.changing()
        return self.lowest_ask_e4 if buying else self.highest_bid_e4


@attrs.define
class SeenBooks:
    """All books of one connection, and when its last byte came."""

    books: dict[str, SeenBook] = attrs.field(factory=lambda: defaultdict(SeenBook))
    standing: WiredConnection | None = None
    standing_since_s: float = -1.0
    last_byte_s: float = -1.0
    messages: int = 0
    gaps: int = 0
    mended: int = 0
    subscription: SeenSubscription = attrs.field(factory=SeenSubscription)
    _splitter: FrameSplitter = attrs.field(factory=FrameSplitter)
    _expected: dict[int, int] = attrs.field(factory=dict)
    _book_sid: int | None = None

    def received(self, connection: WiredConnection, data: bytes) -> None:
        """Take bytes as the engine gets them."""
        if connection is not self.standing:
            self._begin(connection)
        self.last_byte_s = true_s()
        for piece in self._splitter.feed(data):
            if piece.is_text:
                self.messages += 1
                self._message(piece.payload)

    def ended(self, connection: WiredConnection) -> None:
        """Trust nothing any more."""
        if connection is self.standing:
            self._begin(None)

    def _begin(self, connection: WiredConnection | None) -> None:
        self.standing = connection
        self.standing_since_s = true_s()
        self._splitter, self._expected, self._book_sid = FrameSplitter(), {}, None
        self.subscription.begins()
        for book in self.books.values():
            book.distrust()

    def _message(self, payload: bytes) -> None:
        try:
            message = orjson.loads(payload)
            body = message["msg"]
            seq = message.get("seq")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return
        self.subscription.message(message)
        sid = message.get("sid")
        if message.get("type") == "error":
            self._error(sid, body)
        if type(seq) is not int or type(sid) is not int:
            return
        in_order = seq == self._expected.get(sid, 1)
        self._expected[sid] = seq + 1
        if message["type"] in _BOOK_TYPES:
            self._book_sid = sid
        # Other subscriptions of the same connection have numbers of their own.
        if not in_order and sid == self._book_sid:
            self.gaps += 1
            for book in self.books.values():
                book.distrust()
        if message["type"] == "orderbook_snapshot":
            # A whole book needs nothing of what was lost before it.
            self._snapshot(body)
        elif message["type"] == "orderbook_delta" and in_order:
            self._delta(body)

    def _error(self, sid: Any, body: Any) -> None:
        """Trust no book any more once their subscription has had its last word."""
        code = body.get("code") if isinstance(body, dict) else None
        if sid is not None and sid == self._book_sid and code in _LAST_WORDS:
            for book in self.books.values():
                book.distrust()

    def _snapshot(self, body: Any) -> None:
        try:
            bids = _levels(body.get("yes_dollars_fp"))
            asks = _levels(body.get("no_dollars_fp"))
            book = self.books[body["market_ticker"]]
        except (AttributeError, KeyError, TypeError, ValueError):
            return
        self.mended += not book.trusted and self.gaps > 0
        book.changing()
        book.bids, book.asks, book.broken_s = bids, asks, None
        book.changing()

    def _delta(self, body: Any) -> None:
        ticker = body.get("market_ticker") if isinstance(body, dict) else None
        if not isinstance(ticker, str):
            return
        book = self.books[ticker]
        try:
            side = book.bids if body["side"] == "yes" else book.asks
            price_e4, delta_e2 = _e4(body["price_dollars"]), _e2(body["delta_fp"])
        except (AttributeError, KeyError, TypeError, ValueError):
            book.distrust()
            return
        book.changing()
        side[price_e4] = side.get(price_e4, 0) + delta_e2
        book.changing()
        if side[price_e4] < 0:
            book.distrust()


# More than any provider has: said of a reading, of which no judge takes the books apart.
ALL_BOOKS = 1_000

_ANSWER, _GOOD_ANSWER = b"HTTP/1.1 ", b"HTTP/1.1 200"


@attrs.define
class SeenOdds:
    """When each game's price last changed, as the stream and the readings said.

    By the engine's own wall clock: that somebody sets it back by seconds, an engine cannot know.
    """

    standing: WiredConnection | None = None
    standing_since_s: float = -1.0
    frames: int = 0
    _changed_ms: dict[str, int] = attrs.field(factory=dict)
    _read_ms: int = 0
    _splitter: FrameSplitter = attrs.field(factory=FrameSplitter)
    _last: dict[tuple[str, str], Any] = attrs.field(factory=dict)
    _heard_ms: dict[str, dict[str, int]] = attrs.field(factory=lambda: defaultdict(dict))
    _reads_well: dict[WiredConnection, bool] = attrs.field(factory=dict)

    def received(self, connection: WiredConnection, data: bytes, engine_wall_ms: int) -> None:
        """Take bytes of the stream as the engine gets them."""
        if connection is not self.standing:
            self._begin(connection)
        for piece in self._splitter.feed(data):
            if piece.is_text:
                self.frames += 1
                for line in piece.payload.splitlines():
                    self._message(line, engine_wall_ms)

    def ended(self, connection: WiredConnection) -> None:
        """Note that the stream is gone."""
        if connection is self.standing:
            self._begin(None)

    def read(self, connection: WiredConnection, data: bytes, engine_wall_ms: int) -> None:
        """Note bytes of a reading over HTTP: those of a good answer may be news of any game."""
        if data.startswith(_ANSWER):
            self._reads_well[connection] = data.startswith(_GOOD_ANSWER)
        if self._reads_well.get(connection, True):
            # What the stream said before is not what is known now: to say it again is news.
            self._changed_ms.clear()
            self._last.clear()
            self._read_ms = engine_wall_ms

    def books_heard(self, game: str, since_ms: int) -> int:
        """Count the books of a game that were heard since; a reading may have brought them all."""
        if self._read_ms >= since_ms:
            return ALL_BOOKS
        return sum(heard_ms >= since_ms for heard_ms in self._heard_ms.get(game, {}).values())

    def newest_ms(self, game: str) -> int:
        """Return when a game's price last can have changed for the engine."""
        return self._changed_ms.get(game, self._read_ms)

    def _begin(self, connection: WiredConnection | None) -> None:
        self.standing, self._splitter = connection, FrameSplitter()
        self.standing_since_s = true_s()

    def _message(self, line: bytes, engine_wall_ms: int) -> None:
        try:
            message = orjson.loads(line)
            key = str(message["id"]), str(message["bookie"])
            markets = message.get("markets")
            odds = markets[0]["odds"][0] if markets else {}
            # A line that is taken down and put up again is news as well.
            said = [message.get("type"), str(odds.get("home")), str(odds.get("away"))]
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, IndexError):
            return
        self._heard_ms[key[0]][key[1]] = engine_wall_ms
        if self._last.get(key) != said:
            self._last[key] = said
            self._changed_ms[key[0]] = engine_wall_ms


def _levels(rows: Any) -> dict[int, int]:
    return {_e4(price): _e2(count) for price, count in rows or ()}


def _e4(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 10_000 + int(part.ljust(4, "0")[:4] or 0)


def _e2(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    whole, _, part = text.removeprefix("-").partition(".")
    return sign * (int(whole) * 100 + int(part.ljust(2, "0")[:2] or 0))
