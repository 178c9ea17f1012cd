"""Unabated's messages to quotes: a snapshot that names each line, and changes of lines by their id.

A line is one side of one book's price in American odds, ordered by its own sequence number. The
snapshot's keys are for finding one's way and are never read for what they say. Lines of before the
start and those of a game that is played are different ones, and only the latter count once listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import attrs
import orjson

from arb.core.events import Quote, QuoteOrigin
from arb.core.games import OddsEvent
from arb.core.odds import BadOdds, OddsFault, american_to_decimal
from arb.feeds.base import FORGOTTEN_AFTER_MS, NO_ODDS, UNKNOWN_TYPE, Bad, Notice, Parsed
from arb.io.iso import iso_ms

PROVIDER = "unabated"

LEAGUES: Mapping[str, int] = {"nfl": 1, "nba": 3, "mlb": 5, "nhl": 6}

MONEYLINE = 1
AVAILABLE = 1
HOME_SIDE = 1

# Before the start and while it is played; all other states offer nothing.
OFFERED = frozenset({1, 2})

_SIGNS_OF_LIFE = frozenset({"connection_ack", "start_ack", "ka", "complete"})

# As many lines as thirty leagues of fifty games at forty books have.
LINES_MAX = 120_000
TOO_MANY_LINES = "more lines than are kept"

MS_PER_S = 1000

# A game, a book, and whether the game is played.
_Key = tuple[str, int, bool]

_american = lru_cache(maxsize=4_096)(american_to_decimal)
_ms_of = lru_cache(maxsize=4_096)(iso_ms)


@attrs.define
class _Price:
    """One book's two sides of one game as last told, home first; None is not offered.

    ``numbers`` are the lines that they come from.
    """

    event_id: str
    book: str
    odds: list[float | None]
    sequences: list[int]
    source_ms: int = 0
    live: bool = False
    numbers: list[int | None] = attrs.field(factory=lambda: [None, None])


@attrs.define
class _Line:
    """Which side of which price a line is, and when a snapshot last offered it."""

    price: _Price
    side: int
    offered_ms: int = 0


class UnabatedReader:
    """Reads one account's messages; ``books`` are the names that are wanted, none is all."""

    def __init__(self, books: Iterable[str] = ()) -> None:
        self._wanted = {book.casefold() for book in books}
        self._sources: dict[int, str] = {}
        self._teams: dict[int, str] = {}
        self._lines: dict[int, _Line] = {}
        self._prices: dict[_Key, _Price] = {}

    def learn(self, sources: Iterable[Any], teams: Iterable[Any]) -> None:
        """Take in the names of books and teams; a row that has none is left out."""
        for rows, names in ((sources, self._sources), (teams, self._teams)):
            for row in rows:
                if isinstance(row, dict) and type(row.get("id")) is int:
                    names[row["id"]] = str(row.get("name", ""))

    def snapshot(self, odds: Any, received_ms: int) -> tuple[list[OddsEvent], Parsed]:
        """Read a snapshot's odds: its games, and every price; never raises.

        What no snapshot has offered for long is let go of.
        """
        events: dict[str, OddsEvent] = {}
        bad: list[Bad] = []
        lines: list[Any] = []
        played = {event_id for event_id, _, live in self._prices if live}
        for league, market, live in _markets(odds):
            try:
                if market["betTypeId"] != MONEYLINE or market["statusId"] not in OFFERED:
                    continue
                event = self._event(league, market)
                events.setdefault(event.event_id, event)
                if not live and event.event_id in played:
                    continue
                found, left_out = self._register(event, market, received_ms, live=live)
                lines += found
                if live and found:
                    played.add(event.event_id)
                if left_out:
                    game = f"{event.away} at {event.home}"
                    bad.append(Bad(TOO_MANY_LINES, f"{left_out} lines of {game}"))
            except (KeyError, TypeError, ValueError, AttributeError) as wrong:
                bad.append(Bad(f"a market cannot be read: {type(wrong).__name__}", market))
        self._forget(received_ms - FORGOTTEN_AFTER_MS)
        gone = self._end_pregame(played)
        parsed = self.lines(lines, received_ms, None, QuoteOrigin.POLL)
        over = [_quote(each, received_ms, None, QuoteOrigin.POLL) for each in gone]
        return list(events.values()), Parsed(
            (*over, *parsed.quotes), (*bad, *parsed.bad), parsed.notices
        )

    def memory(self) -> list[Any]:
        """Return every price with its two lines, as JSON."""
        return [
            (
                each.event_id,
                source,
                each.book,
                each.odds,
                each.sequences,
                each.source_ms,
                each.live,
                each.numbers,
            )
            for (_, source, _), each in self._prices.items()
        ]

    def restore(self, memory: Any) -> None:
        """Know what another reader did, and nothing else; raises `ValueError`."""
        self._lines.clear()
        self._prices.clear()
        try:
            for event_id, source, book, odds, sequences, source_ms, live, numbers in memory:
                price = _Price(
                    event_id, book, list(odds), list(sequences), source_ms, live, list(numbers)
                )
                self._prices[event_id, source, live] = price
                for side, number in enumerate(numbers):
                    if number is not None:
                        self._lines[number] = _Line(price, side)
        except TypeError as error:
            raise ValueError(f"no memory of prices: {error}") from None

    def message(self, raw: str | bytes, received_ms: int) -> Parsed:
        """Read a frame of the socket, or what filled a gap; never raises."""
        try:
            message = orjson.loads(raw)
            kind = message.get("type")
            if kind in _SIGNS_OF_LIFE:
                return Parsed(notices=(Notice(kind),))
            if kind is None:
                updates = message["data"]["marketLineUpdates"]
            elif kind == "data":
                updates = (message["payload"]["data"]["marketLineUpdate"],)
            elif kind == "error":
                return Parsed(bad=(Bad("the provider's error", raw),))
            else:
                return Parsed(notices=(Notice(UNKNOWN_TYPE, raw),))
            rows = [row for update in updates for row in update["marketLines"]]
            gateway_ms = _gateway_ms(updates[-1].get("messageTimestamp")) if updates else None
        except orjson.JSONDecodeError:
            return Parsed(bad=(Bad("not JSON", raw),))
        except (KeyError, TypeError, AttributeError):
            return Parsed(bad=(Bad("no lines", raw),))
        return self.lines(rows, received_ms, gateway_ms, QuoteOrigin.STREAM)

    def lines(
        self, rows: list[Any], received_ms: int, gateway_ms: int | None, origin: QuoteOrigin
    ) -> Parsed:
        """Read lines; each price of which one has changed is one quote."""
        touched: dict[int, _Price] = {}
        bad: list[Bad] = []
        others = 0
        polled = origin is QuoteOrigin.POLL
        for row in rows:
            try:
                line = self._lines.get(row["marketLineId"])
                if line is None:
                    others += 1
                    continue
                price, side, sequence = line.price, line.side, row["sequenceNumber"]
                known = price.sequences[side]
                if sequence < known or (sequence == known and not polled):
                    continue
                offered = row["statusId"] == AVAILABLE and not row["disabled"]
                source_ms = min(_ms_of(row["modifiedOn"]), received_ms)
                try:
                    odds = _odds(row["price"]) if offered else None
                except BadOdds as wrong:
                    # A null or a 0 is a side taken away: what stood before is no price.
                    odds = None
                    bad.append(Bad(str(wrong.reason), row))
            except (KeyError, TypeError, ValueError, OverflowError) as wrong:
                bad.append(Bad(f"a line cannot be read: {type(wrong).__name__}", row))
            else:
                price.odds[side], price.sequences[side] = odds, sequence
                price.source_ms = max(price.source_ms, source_ms)
                touched[id(price)] = price
        quotes = [_quote(each, received_ms, gateway_ms, origin) for each in touched.values()]
        notices = (Notice("lines of other kinds", str(others)),) if others else ()
        return Parsed(tuple(quotes), tuple(bad), notices)

    def _event(self, league: str, market: Any) -> OddsEvent:
        home, away = (self._teams[market["eventTeams"][side]["teamId"]] for side in ("1", "0"))
        start_ms = iso_ms(market["eventStart"])
        return OddsEvent(PROVIDER, str(market["eventId"]), league, home, away, start_ms)

    def _register(
        self, event: OddsEvent, market: Any, now_ms: int, *, live: bool
    ) -> tuple[list[Any], int]:
        """Note whose line each of a market's is; returns ours, and how many found no room."""
        found, left_out = [], 0
        for side in market["sides"].values():
            index = 0 if side["sideIndex"] == HOME_SIDE else 1
            for row in side["marketSourceLines"].values():
                source = row["marketSourceId"]
                book = self._sources.get(source, "")
                if not self._wants(book):
                    continue
                number = row["marketLineId"]
                if number not in self._lines and len(self._lines) >= LINES_MAX:
                    left_out += 1
                    continue
                key = event.event_id, source, live
                price = self._prices.get(key)
                if price is None:
                    price = _Price(event.event_id, book, [None, None], [-1, -1], live=live)
                    self._prices[key] = price
                self._take_over(price, index, number)
                self._lines[number] = _Line(price, index, now_ms)
                found.append(row)
        return found, left_out

    def _take_over(self, price: _Price, side: int, number: int) -> None:
        """Let a side come from a line: another's numbers say nothing of this one's."""
        before = price.numbers[side]
        if before == number:
            return
        if before is not None:
            self._lines.pop(before, None)
        price.numbers[side], price.sequences[side] = number, -1

    def _end_pregame(self, played: set[str]) -> list[_Price]:
        """Let go of what was listed before the start of games that are played.

        Returns the prices of books that list nothing for them now, taken away.
        """
        over = [key for key in self._prices if not key[2] and key[0] in played]
        if not over:
            return []
        prices = {
            (event_id, source): self._prices.pop((event_id, source, live))
            for event_id, source, live in over
        }
        for number, line in list(self._lines.items()):
            if not line.price.live and line.price.event_id in played:
                del self._lines[number]
        return [
            attrs.evolve(price, odds=[None, None])
            for key, price in prices.items()
            if (*key, True) not in self._prices
        ]

    def _forget(self, before_ms: int) -> None:
        """Let go of the lines that were last offered before a moment, and of their prices."""
        over = [number for number, line in self._lines.items() if line.offered_ms < before_ms]
        if not over:
            return
        for number in over:
            line = self._lines.pop(number)
            line.price.numbers[line.side] = None
        kept = {id(line.price) for line in self._lines.values()}
        self._prices = {key: each for key, each in self._prices.items() if id(each) in kept}

    def _wants(self, book: str) -> bool:
        return bool(book) and (not self._wanted or book.casefold() in self._wanted)

    def __repr__(self) -> str:
        return f"<UnabatedReader {len(self._lines)} lines, {len(self._sources)} books>"


def _markets(odds: Any) -> Iterator[tuple[str, Any, bool]]:
    """Return each market with its league and whether its game is played; such come first."""
    for league, content in odds.items() if isinstance(odds, dict) else ():
        try:
            states = content["periodTypes"]["game"]
            listed = [(states.get("live", {}), True), (states.get("pregame", {}), False)]
        except (KeyError, TypeError, AttributeError):
            yield league, content, False
            continue
        for markets, live in listed:
            # What is no table of markets is one that cannot be read.
            for market in markets.values() if isinstance(markets, dict) else (markets,):
                yield league, market, live


def _odds(american: object) -> float:
    if type(american) is not int:
        raise BadOdds(OddsFault.NOT_A_NUMBER, american)
    return _american(american)


def _gateway_ms(stamp: object) -> int | None:
    # AppSync's stamps are whole seconds; a cut stamp makes a message look older, never younger.
    return stamp * MS_PER_S if type(stamp) is int and 0 < stamp < 10**11 else None


def _quote(price: _Price, received_ms: int, gateway_ms: int | None, origin: QuoteOrigin) -> Quote:
    home, away = price.odds
    suspended = home is None or away is None
    return Quote(
        PROVIDER,
        price.event_id,
        price.book,
        NO_ODDS if home is None or suspended else home,
        NO_ODDS if away is None or suspended else away,
        price.source_ms,
        received_ms,
        origin,
        None,
        gateway_ms,
        price.live,
        suspended,
    )
