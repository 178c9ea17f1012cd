"""OpticOdds' messages to quotes: each row is one side of one book's price in American odds.

A row names its side by the team's full name, so what is told of a fixture must be known first. A
change of one side comes alone; the other side stands as it was. Events come twice and out of
order, so a row older than what is known is passed over. Moves between a main and an alternate
line send no lock: only what is locked is taken away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import orjson

from arb.core.events import Quote, QuoteOrigin
from arb.core.games import OddsEvent
from arb.core.odds import BadOdds, OddsFault, american_to_decimal
from arb.feeds.base import FORGOTTEN_AFTER_MS, NO_ODDS, UNKNOWN_TYPE, Bad, Notice, Parsed

PROVIDER = "opticodds"

# As the stream and as REST spell it.
MONEYLINES = frozenset({"Moneyline", "moneyline"})

MS_PER_S = 1000

ODDS, LOCKED, FIXTURE = "odds", "locked-odds", "fixture-status"
_WITHOUT_ODDS = frozenset({"connected", "ping", FIXTURE})

_ENTRY_MS = re.compile(r"[0-9]{13}")

# As many lines as thirty leagues of fifty games at forty books have.
PRICES_MAX = 60_000

# A fixture and a book.
_Key = tuple[str, str]


@attrs.define
class _Price:
    """One book's two sides of one fixture as last told; None is a side that is not offered.

    ``sides`` is shared by all books of the fixture: which team is at home.
    """

    sides: Mapping[str, int]
    odds: list[float | None]
    stamps_s: list[float]
    live: bool = False


class OpticOddsReader:
    """Reads one account's messages, and keeps the side that a message leaves out."""

    def __init__(self) -> None:
        self._fixtures: dict[str, dict[str, int]] = {}
        self._offered_ms: dict[str, int] = {}
        self._prices: dict[_Key, _Price] = {}
        self._decimal: dict[object, float] = {}

    def learn(self, events: Iterable[OddsEvent], now_ms: int) -> None:
        """Take in who is at home in each fixture that is offered now.

        What has not been offered for long is let go of, and its prices with it.
        """
        for event in events:
            self._fixtures[event.event_id] = {event.home: 0, event.away: 1}
            self._offered_ms[event.event_id] = now_ms
        self._forget(now_ms - FORGOTTEN_AFTER_MS)

    def _forget(self, before_ms: int) -> None:
        over = {each for each, at_ms in self._offered_ms.items() if at_ms < before_ms}
        for fixture in over:
            del self._offered_ms[fixture]
            del self._fixtures[fixture]
        if over:
            self._prices = {key: each for key, each in self._prices.items() if key[0] not in over}

    def forget_prices(self) -> None:
        """Forget every price: a stream that starts anew has not said what went before it."""
        self._prices.clear()

    def memory(self) -> list[Any]:
        """Return every price with whose it is, as JSON."""
        return [
            (*key, *sorted(price.sides, key=price.sides.__getitem__), price.odds, price.stamps_s)
            for key, price in self._prices.items()
        ]

    def restore(self, memory: Any) -> None:
        """Know what another reader did, and nothing else; raises `ValueError`."""
        try:
            self._prices = {
                (fixture, book): _Price({home: 0, away: 1}, list(odds), list(stamps_s))
                for fixture, book, home, away, odds, stamps_s in memory
            }
        except TypeError as error:
            raise ValueError(f"no memory of prices: {error}") from None
        for (fixture, _), price in self._prices.items():
            self._fixtures[fixture] = dict(price.sides)

    def event(self, raw: str, received_ms: int) -> Parsed:
        """Read one event of the stream as it was sent; never raises."""
        kind, data = _fields(raw)
        if kind in _WITHOUT_ODDS:
            return Parsed(notices=(Notice(kind, data),))
        if kind not in {ODDS, LOCKED}:
            return Parsed(notices=(Notice(UNKNOWN_TYPE, raw),))
        try:
            message = orjson.loads(data)
        except orjson.JSONDecodeError:
            return Parsed(bad=(Bad("not JSON", raw),))
        if type(message) is not dict or type(message.get("data")) is not list:
            return Parsed(bad=(Bad("no list of odds", raw),))
        gateway_ms = _gateway_ms(message.get("entry_id"))
        rows = message["data"]
        return self.rows(rows, received_ms, gateway_ms, locked=kind == LOCKED)

    def rows(
        self,
        rows: list[Any],
        received_ms: int,
        gateway_ms: int | None = None,
        *,
        locked: bool = False,
        origin: QuoteOrigin = QuoteOrigin.STREAM,
    ) -> Parsed:
        """Read rows of odds; each price of which a side has come is one quote."""
        touched: dict[_Key, _Price] = {}
        bad: list[Bad] = []
        others = 0
        latest_s = received_ms / MS_PER_S
        polled, known_odds = origin is QuoteOrigin.POLL, self._decimal
        for row in rows:
            try:
                if row["market"] not in MONEYLINES or row["is_main"] is False:
                    others += 1
                    continue
                key = row["fixture_id"], row["sportsbook"]
                price = self._prices.get(key) or self._opened(key)
                if price is None:
                    others += 1
                    continue
                side, stamp_s = price.sides[row["name"]], row["timestamp"]
                # A stamp in the future is a wrong clock: it must not make later rows look old.
                if not 0.0 <= stamp_s <= latest_s:
                    stamp_s = min(max(stamp_s, 0.0), latest_s)
                odds = None
                try:
                    if not locked:
                        odds = known_odds.get(row["price"]) or self._odds(row["price"])
                except BadOdds as wrong:
                    # A null or a 0 is a side taken away: what stood before is no price.
                    bad.append(Bad(str(wrong.reason), row))
            except (KeyError, TypeError, ValueError, AttributeError) as wrong:
                bad.append(Bad(f"a row cannot be read: {type(wrong).__name__}", row))
            else:
                known_s = price.stamps_s[side]
                if stamp_s > known_s or (
                    stamp_s == known_s and (polled or odds != price.odds[side])
                ):
                    price.odds[side], price.stamps_s[side] = odds, stamp_s
                    price.live = row.get("is_live") is True
                    touched[key] = price
        quotes = [
            _quote(key, price, received_ms, gateway_ms, origin) for key, price in touched.items()
        ]
        notices = (Notice("rows of other kinds", str(others)),) if others else ()
        return Parsed(tuple(quotes), tuple(bad), notices)

    def _opened(self, key: _Key) -> _Price | None:
        """Return the place of a price that is heard of first; None where it is none of ours."""
        fixture, book = key
        if type(book) is not str:
            raise TypeError("a book is no text")
        sides = self._fixtures.get(fixture)
        if sides is None:
            return None
        if len(self._prices) >= PRICES_MAX:
            raise ValueError("too many prices")
        # Older than any row, so that the first of each side is taken.
        price = self._prices[key] = _Price(sides, [None, None], [-1.0, -1.0])
        return price

    def _odds(self, american: object) -> float:
        if type(american) not in {int, float}:
            raise BadOdds(OddsFault.NOT_A_NUMBER, american)
        found = self._decimal.get(american)
        if found is None:
            # A thousand whole numbers are all that books write.
            found = american_to_decimal(_whole(american))
            if len(self._decimal) < PRICES_MAX:
                self._decimal[american] = found
        return found

    def __repr__(self) -> str:
        return f"<OpticOddsReader {len(self._fixtures)} fixtures, {len(self._prices)} prices>"


def _fields(raw: str) -> tuple[str, str]:
    head, separator, data = raw.partition("\ndata: ")
    if separator and head.startswith("event: ") and "\n" not in data:
        return head[7:].partition("\n")[0], data  # as the provider writes them
    kind, data = "message", ""
    for line in raw.split("\n"):
        name, _, value = line.partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data":
            data = f"{data}\n{value[1:]}" if data else value.lstrip(" ")
    return kind, data


def _gateway_ms(entry_id: object) -> int | None:
    # Milliseconds of the moment at which the gateway took the entry, and a running number.
    head = entry_id.partition("-")[0] if type(entry_id) is str else ""
    return int(head) if _ENTRY_MS.fullmatch(head) else None


def _whole(american: Any) -> int:
    if american != int(american):
        raise BadOdds(OddsFault.NOT_A_NUMBER, american)
    return int(american)


def _quote(
    key: _Key,
    price: _Price,
    received_ms: int,
    gateway_ms: int | None,
    origin: QuoteOrigin,
) -> Quote:
    home, away = price.odds
    home_s, away_s = price.stamps_s
    source_ms = int((max(away_s, home_s)) * MS_PER_S)
    suspended = home is None or away is None
    return Quote(
        PROVIDER,
        key[0],
        key[1],
        NO_ODDS if home is None or suspended else home,
        NO_ODDS if away is None or suspended else away,
        source_ms,
        received_ms,
        origin,
        None,
        gateway_ms,
        price.live,
        suspended,
    )
