"""Frames as the two feeds would have sent them, made from recorded prices.

Kalshi: ``use_yes_price``, so that an ask is a level of side ``no`` at the YES price; one
subscription, whose sequence numbers all markets share. odds-api.io: a game's books in one frame,
one JSON object a line, decimal odds as texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import attrs
import orjson

from arb.core.money import CountE2, PriceE4, count_text, price_text
from arb.core.odds import american_to_decimal
from arb.io.iso import ms_iso

# The ids of the only command and the only subscription on the connection.
COMMAND_ID = 1
SUBSCRIPTION_ID = 1

CHANNEL = "orderbook_delta"
MONEYLINE = "ML"

_YES = "yes"
_NO = "no"


@attrs.frozen
class BookPrices:
    """The two levels of a market whose sizes nobody recorded; None where a side is empty."""

    bid_e4: PriceE4 | None = None
    ask_e4: PriceE4 | None = None


@attrs.frozen
class BookOdds:
    """One book's American odds of both sides of a game."""

    book: str
    home: int
    away: int


class BookFrames:
    """Kalshi's market data connection: what it would have sent to bring each book up to date."""

    def __init__(self, level_size_e2: CountE2) -> None:
        self._size_e2 = level_size_e2
        self._sent: dict[str, BookPrices] = {}
        self._sequence = 0

    def __repr__(self) -> str:
        """Show how many books there are and the last sequence number."""
        return f"<BookFrames {len(self._sent)} markets, sequence {self._sequence}>"

    def subscribed(self) -> str:
        """Return the answer to the subscription, which has no sequence number."""
        msg = {"channel": CHANNEL, "sid": SUBSCRIPTION_ID}
        return _text({"id": COMMAND_ID, "type": "subscribed", "msg": msg})

    def snapshot(self, ticker: str, prices: BookPrices) -> str:
        """Return a market's first frame: its whole book; an empty side is absent from it."""
        self._sent[ticker] = prices
        sides = {"yes_dollars_fp": prices.bid_e4, "no_dollars_fp": prices.ask_e4}
        size = count_text(self._size_e2)
        levels = {
            key: [[price_text(price_e4), size]]
            for key, price_e4 in sides.items()
            if price_e4 is not None
        }
        return self._frame("orderbook_snapshot", _market(ticker) | levels)

    def changes(self, ticker: str, prices: BookPrices, at_ms: int) -> Iterator[str]:
        """Give the deltas that lead to these prices; none for a book that has not changed.

        What goes is sent before what comes, so that the book never crosses on the way.
        """
        sent = self._sent[ticker]
        self._sent[ticker] = prices
        sides = (
            (_YES, sent.bid_e4, prices.bid_e4),
            (_NO, sent.ask_e4, prices.ask_e4),
        )
        moved = [(side, old_e4, new_e4) for side, old_e4, new_e4 in sides if old_e4 != new_e4]
        for side, old_e4, _ in moved:
            if old_e4 is not None:
                yield self._delta(ticker, side, old_e4, -self._size_e2, at_ms)
        for side, _, new_e4 in moved:
            if new_e4 is not None:
                yield self._delta(ticker, side, new_e4, self._size_e2, at_ms)

    def _delta(self, ticker: str, side: str, price_e4: PriceE4, delta_e2: int, at_ms: int) -> str:
        change = {
            "price_dollars": price_text(price_e4),
            "delta_fp": count_text(delta_e2),
            "side": side,
            "ts_ms": at_ms,
        }
        return self._frame("orderbook_delta", _market(ticker) | change)

    def _frame(self, kind: str, msg: Mapping[str, Any]) -> str:
        self._sequence += 1
        return _text({"type": kind, "sid": SUBSCRIPTION_ID, "seq": self._sequence, "msg": msg})


class OddsFrames:
    """odds-api.io's socket: a welcome, then what each moment's prices would have come as."""

    def __init__(self) -> None:
        self._created: set[tuple[str, str]] = set()

    def __repr__(self) -> str:
        """Show how many prices there are."""
        return f"<OddsFrames {len(self._created)} prices>"

    def welcome(self, books: Iterable[str]) -> str:
        """Return the first frame, which names the books."""
        return _text(
            {
                "type": "welcome",
                "message": "Connected",
                "bookmakers": list(books),
                "sport_filter": [],
                "leagues_filter": [],
                "status_filter": None,
                "market_filter": [MONEYLINE],
                "warning": None,
            }
        )

    def prices(self, event_id: str, odds: Sequence[BookOdds], at_ms: int) -> str:
        """Return one frame with one message a book: changed or not, so that each is confirmed."""
        return "\n".join(self._message(event_id, each, at_ms) for each in odds)

    def _message(self, event_id: str, odds: BookOdds, at_ms: int) -> str:
        is_new = (event_id, odds.book) not in self._created
        self._created.add((event_id, odds.book))
        stamp = ms_iso(at_ms)
        line = {"home": _decimal_text(odds.home), "away": _decimal_text(odds.away)}
        return _text(
            {
                "type": "created" if is_new else "updated",
                "timestamp": f"{stamp[:-1]}.{at_ms % 1000:03d}Z",
                "id": event_id,
                "bookie": odds.book,
                "markets": [{"name": MONEYLINE, "updatedAt": stamp, "odds": [line]}],
            }
        )


def _decimal_text(american: int) -> str:
    # Every digit: at the two decimals that the feed shows, -1000 and -990 would be one price.
    return repr(american_to_decimal(american))


def _market(ticker: str) -> dict[str, Any]:
    # The exchange's own ids are not in the source; these are as fixed for each market.
    return {"market_ticker": ticker, "market_id": str(uuid5(NAMESPACE_URL, ticker))}


def _text(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
