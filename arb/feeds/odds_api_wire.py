"""odds-api.io's messages to quotes. Pure: bytes in, values out, every piece judged by itself.

One frame holds several JSON objects, one a line. It sends only changes, one book a message,
decimal odds as texts or numbers, ids as texts or numbers, and no team names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import attrs
import orjson

from arb.core.events import Quote, QuoteOrigin
from arb.core.odds import BadOdds, decimal_from_text
from arb.feeds.base import NO_ODDS, RESYNC, UNKNOWN_TYPE, Bad, Notice, Parsed
from arb.io.iso import iso_ms

PROVIDER = "odds-api-io"

MONEYLINE = "ML"

# A frame of all books of all games of a busy Saturday has some thousand lines.
LINES_PER_FRAME_MAX = 100_000

# The texts of a day's odds and stamps: reading each once makes a quote 2 µs cheaper.
_ODDS_TEXTS_MAX = 8_192
_STAMPS_MAX = 1_024

_odds_of_text = lru_cache(maxsize=_ODDS_TEXTS_MAX)(decimal_from_text)
_ms_of_text = lru_cache(maxsize=_STAMPS_MAX)(iso_ms)

Fields = Mapping[str, Any]


@attrs.frozen
class _Withdrawn:
    """A price that cannot be read, and the word that the one before it stands no more."""

    bad: Bad
    quote: Quote


Piece = Quote | Bad | Notice | _Withdrawn


class _Wrong(ValueError):
    """A piece that cannot be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _NoPrice(_Wrong):
    """A book's price of a game that cannot be used; ``quote`` takes the one before it away."""

    def __init__(self, reason: str, quote: Quote) -> None:
        super().__init__(reason)
        self.quote = quote


def parse_frame(raw: str | bytes, received_ms: int) -> Parsed:
    """Read one frame of the socket; what is wrong in it is in ``bad``; never raises."""
    quotes: list[Quote] = []
    bad: list[Bad] = []
    notices: list[Notice] = []
    lines = raw.split(b"\n") if isinstance(raw, bytes) else raw.split("\n")
    if len(lines) > LINES_PER_FRAME_MAX:
        return Parsed(bad=(Bad("too many lines in a frame", raw),))
    for line in lines:
        if not line or line.isspace():
            continue
        piece = _piece(line, received_ms)
        if type(piece) is Quote:
            quotes.append(piece)
        elif isinstance(piece, Bad):
            bad.append(piece)
        elif isinstance(piece, Notice):
            notices.append(piece)
        elif isinstance(piece, _Withdrawn):
            quotes.append(piece.quote)
            bad.append(piece.bad)
    return Parsed(tuple(quotes), tuple(bad), tuple(notices))


def _piece(line: str | bytes, received_ms: int) -> Piece:
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Bad("not JSON", line)
    if type(message) is not dict:
        return Bad("not an object", line)
    kind = message.get("type")
    read = _READERS.get(kind) if type(kind) is str else None
    if read is None:
        return Notice(UNKNOWN_TYPE, line) if type(kind) is str else Bad("no type", line)
    try:
        return read(message, received_ms)
    except _NoPrice as wrong:
        return _Withdrawn(Bad(wrong.reason, line), wrong.quote)
    except _Wrong as wrong:
        return Bad(wrong.reason, line)
    except RecursionError:
        return Bad("nested too deeply", line)


def _updated(message: Fields, received_ms: int) -> Piece:
    event_id, book = event_id_of(message.get("id")), _book(message)
    markets = message.get("markets")
    if type(markets) is not list:
        raise _Wrong("markets are no list")
    gateway_ms = _optional_ms(message.get("timestamp"))
    for market in markets:
        if type(market) is not dict:
            raise _Wrong("a market is no object")
        if market.get("name") == MONEYLINE:
            return _quote(event_id, book, market, received_ms, gateway_ms, QuoteOrigin.STREAM)
    # Other markets of the game came; its moneyline is as it was.
    return Notice("no moneyline", book)


def _taken_away(message: Fields, received_ms: int) -> Piece:
    event_id, book = event_id_of(message.get("id")), _book(message)
    source_ms = _optional_ms(message.get("timestamp"))
    return _suspended(event_id, book, source_ms, received_ms, QuoteOrigin.STREAM)


def _notice(message: Fields, _received_ms: int) -> Piece:
    words = (message.get(name) for name in ("message", "reason", "warning"))
    return Notice(message["type"], ", ".join(str(word) for word in words if word))


_READERS: dict[str, Callable[[Fields, int], Piece]] = {
    "updated": _updated,
    "created": _updated,
    "deleted": _taken_away,
    "no_markets": _taken_away,
    "welcome": _notice,
    RESYNC: _notice,
    "score": _notice,
    "status": _notice,
}


def _quote(
    event_id: str,
    book: str,
    market: Fields,
    received_ms: int,
    gateway_ms: int | None,
    origin: QuoteOrigin,
) -> Quote:
    source_ms = _optional_ms(market.get("updatedAt")) or gateway_ms
    try:
        prices = _prices_of(market)
        if prices is None:
            return _suspended(event_id, book, source_ms, received_ms, origin)
        draw = prices.get("draw")
        return Quote(
            PROVIDER,
            event_id,
            book,
            _odds(prices.get("home")),
            _odds(prices.get("away")),
            source_ms or received_ms,
            received_ms,
            origin,
            None if draw is None else _odds(draw),
            gateway_ms,
        )
    except (_Wrong, BadOdds) as wrong:
        # A null, a 0 or a 1.00 is a price taken away: what stood before supports nothing.
        taken_away = _suspended(event_id, book, source_ms, received_ms, origin)
        raise _NoPrice(str(wrong.reason), taken_away) from None


def _prices_of(market: Fields) -> Fields | None:
    odds = market.get("odds")
    if type(odds) is not list:
        raise _Wrong("odds are no list")
    if not odds:
        return None
    prices: object = odds[0]
    if type(prices) is not dict:
        raise _Wrong("odds are no object")
    return prices


def _suspended(
    event_id: str, book: str, source_ms: int | None, received_ms: int, origin: QuoteOrigin
) -> Quote:
    return Quote(
        PROVIDER,
        event_id,
        book,
        NO_ODDS,
        NO_ODDS,
        source_ms or received_ms,
        received_ms,
        origin,
        suspended=True,
    )


def _odds(value: Any) -> float:
    # Only texts go through the cache: 1 and true and 1.0 would share one place in it.
    return _odds_of_text(value) if type(value) is str else decimal_from_text(value)


def event_id_of(value: object) -> str:
    """Return an event's id as a text: some messages have it as a number."""
    if type(value) is int or (type(value) is str and value):
        return str(value)
    raise _Wrong("the id is neither a text nor a whole number")


def _book(message: Fields) -> str:
    book = message.get("bookie")
    if type(book) is not str or not book:
        raise _Wrong("no bookie")
    return book


def _optional_ms(value: Any) -> int | None:
    if value is None:
        return None
    try:
        return _ms_of_text(value) if type(value) is str else iso_ms(value)
    except (ValueError, OverflowError):
        raise _Wrong("a time cannot be read") from None


def sequence_of(raw: str | bytes) -> int | None:
    """Return the last sequence number in a frame, None where it has none.

    The provider's contract has them; a user found them missing. They are used when present.
    """
    last = None
    for line in raw.splitlines():
        try:
            message = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        number = message.get("seq") if type(message) is dict else None
        last = number if type(number) is int else last
    return last


def snapshot_quotes(event: object, received_ms: int) -> Parsed:
    """Read one event with all its books as REST sends it; never raises."""
    if type(event) is not dict:
        return Parsed(bad=(Bad("not an object", event),))
    books = event.get("bookmakers")
    if type(books) is not dict:
        return Parsed(bad=(Bad("bookmakers are no object", event),))
    quotes: list[Quote] = []
    bad: list[Bad] = []
    for book, markets in books.items():
        try:
            quote = _polled(event_id_of(event.get("id")), book, markets, received_ms)
        except _NoPrice as wrong:
            bad.append(Bad(wrong.reason, f"{book}: {markets}"))
            quotes.append(wrong.quote)
        except _Wrong as wrong:
            bad.append(Bad(wrong.reason, f"{book}: {markets}"))
        except RecursionError:
            bad.append(Bad("nested too deeply", book))
        else:
            quotes += [quote] if quote is not None else []
    return Parsed(tuple(quotes), tuple(bad))


def _polled(event_id: str, book: str, markets: object, received_ms: int) -> Quote | None:
    if type(markets) is not list:
        raise _Wrong("markets are no list")
    for market in markets:
        if type(market) is not dict:
            raise _Wrong("a market is no object")
        if market.get("name") == MONEYLINE:
            return _quote(event_id, book, market, received_ms, None, QuoteOrigin.POLL)
    return None
