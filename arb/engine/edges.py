"""How often a tape shows an edge, before and after the gates, and what prices did afterwards.

It reads the tape by itself, without actors and orders: an edge that was taken would not be there
any more a moment later. A moment is all that the tape has of one time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import attrs

from arb.core.consensus import BookChance
from arb.core.decide import Reason
from arb.core.edge import buy_edge_e4
from arb.core.evaluate import Evaluation, Evaluator, Gate, Inputs
from arb.core.events import Liquidity, Quote, Top
from arb.core.exits import Holding
from arb.core.listing import Catalogue, Listing
from arb.core.money import ONE_CONTRACT_E2, CountE2, PriceE4
from arb.core.teams import TeamTable
from arb.engine.discovery import found_on_tape, providers_on_tape
from arb.engine.game_odds import GameOdds
from arb.engine.listed import Found, keeping
from arb.engine.subscribed_books import SubscribedBooks
from arb.feeds.providers import TapeParser, tape_parser
from arb.kalshi.fields import Malformed
from arb.kalshi.wire import EventFee, MarketLifecycle, parse_frame
from arb.settings import Settings
from arb.tape.format import Feed, Record, TapeError, parse_header
from arb.tape.polled import parse_reading
from arb.tape.reader import TapeReader

AT_LEAST_CENTS = (1, 3)
BEFORE, AFTER = "before the gates", "after the gates"

# What prices did two minutes later; recorded moments are about two minutes apart.
LATER_MS = 120_000
LATER_EARLIEST_MS = 105_000
LATER_LATEST_MS = 180_000

E4_PER_CENT = 100
E6_PER_E4_OF_A_CONTRACT = 100
CENTS_PER_DOLLAR = 100

# A decision that stopped here had passed what the quotes and the book must pass.
_TOO_SMALL = frozenset({Reason.EDGE_TOO_THIN, Reason.NET_TOO_THIN, Reason.NO_BID})
_OURS = frozenset({Gate.SIGNAL_USED, Gate.ENTRY_AT_WORK, Gate.SIBLING_CHEAPER})


@attrs.frozen
class _Seen:
    """One market at one moment, and what it came to afterwards."""

    ticker: str
    at_ms: int
    ask_e4: int
    fair: float


@attrs.define
class Bucket:
    """The edges of one size on one side of the gates; those that begin are watched."""

    gates: str
    cents: int
    moments: int = 0
    begun: int = 0
    standing: set[str] = attrs.field(factory=set)
    waiting: deque[_Seen] = attrs.field(factory=deque)
    kalshi_cents: list[float] = attrs.field(factory=list)
    books_cents: list[float] = attrs.field(factory=list)

    def take(self, seen: _Seen, edge_e4: int) -> None:
        """Count one market at one moment."""
        if edge_e4 < self.cents * E4_PER_CENT:
            self.standing.discard(seen.ticker)
            return
        self.moments += 1
        if seen.ticker not in self.standing:
            self.begun += 1
            self.standing.add(seen.ticker)
            self.waiting.append(seen)

    def follow(self, seen: dict[str, _Seen], at_ms: int) -> None:
        """Note what became of those that began two minutes ago."""
        for _ in range(len(self.waiting)):
            then = self.waiting.popleft()
            now = seen.get(then.ticker)
            passed_ms = at_ms - then.at_ms
            if passed_ms < LATER_EARLIEST_MS or (now is None and passed_ms <= LATER_LATEST_MS):
                self.waiting.append(then)
            elif now is not None and passed_ms <= LATER_LATEST_MS:
                self.kalshi_cents.append((now.ask_e4 - then.ask_e4) / E4_PER_CENT)
                self.books_cents.append((now.fair - then.fair) * CENTS_PER_DOLLAR)

    def as_json(self) -> dict[str, Any]:
        """Return the figures; errors are standard errors of the mean, in cents."""
        return {
            "gates": self.gates,
            "at_least_cents": self.cents,
            "moments": self.moments,
            "begun": self.begun,
            "followed": len(self.kalshi_cents),
            "kalshi_cents": _mean(self.kalshi_cents),
            "kalshi_error": _error(self.kalshi_cents),
            "books_cents": _mean(self.books_cents),
            "books_error": _error(self.books_cents),
        }


class EdgeReport:
    """One tape under some settings; `run` reads it to its end."""

    def __init__(self, tape: Path, settings: Settings, teams: TeamTable) -> None:
        self._tape = tape
        self._settings = settings
        self._teams = teams
        self._evaluator = Evaluator(settings.strategy, settings.risk, settings.execution)
        self._odds: dict[str, GameOdds] = {}
        self._parsers: dict[str, TapeParser] = {}
        self._games: dict[tuple[str, str], tuple[str, bool]] = {}
        self._found: Found | None = None
        self._fees_due_ms: int | None = None
        self._catalogue = Catalogue(())
        self._listings: dict[str, Listing] = {}
        self._books = SubscribedBooks((), lambda *_: None)
        self.bad_listings = 0
        self.moments = 0
        self.observations = 0
        self.wished = 0
        self.buckets = [
            Bucket(gates, cents) for gates in (BEFORE, AFTER) for cents in AT_LEAST_CENTS
        ]

    def run(self) -> dict[str, Any]:
        """Read the tape and return the report; raises `TapeError`."""
        with TapeReader(self._tape) as reader:
            header = reader.header
            for provider in providers_on_tape(header):
                self._parsers[provider] = tape_parser(provider, header.odds_events)
            self._take_up(found_on_tape(self._teams, header), header.begins_ms)
            for at_ms, records in groupby(reader, key=lambda record: record.at_ms):
                self._follow_fees(at_ms)
                for record in records:
                    self._take(record)
                self._look(at_ms)
        return {
            "moments": self.moments,
            "markets": len(self._listings),
            "observations": self.observations,
            "wished": self.wished,
            "bad_listings": self.bad_listings,
            "edges": [bucket.as_json() for bucket in self.buckets],
        }

    def _take_up(self, found: Found, at_ms: int) -> None:
        """Follow what is listed from a moment on, as the discovery actor of a replay does."""
        self._found = found
        self._fees_due_ms = found.listed.next_fees_ms(at_ms)
        catalogue = keeping(self._catalogue, found.catalogue(at_ms), found.listed)
        self._catalogue, self._listings = catalogue, catalogue.by_ticker()
        self._books.take_up(catalogue.listings)
        self._games.clear()
        for game in catalogue.games:
            self._odds.setdefault(game.game_id, GameOdds.of(self._settings.strategy))
            for odds in game.odds:
                self._games[odds.provider, odds.event_id] = game.game_id, odds.swapped

    def _follow_fees(self, at_ms: int) -> None:
        """Take up fees that were announced and are in force by now."""
        found, due_ms = self._found, self._fees_due_ms
        if found is not None and due_ms is not None and at_ms >= due_ms:
            self._take_up(found, at_ms)

    def _take(self, record: Record) -> None:
        if record.feed is Feed.BOOKS:
            self._take_exchange(record)
        elif record.feed is Feed.LISTING:
            self._take_listing(record)
        else:
            self._take_quotes(record)

    def _take_exchange(self, record: Record) -> None:
        try:
            frame = parse_frame(record.raw)
        except Malformed:
            self._books.unreadable()
            return
        if isinstance(frame, (MarketLifecycle, EventFee)):
            found = self._found.after(frame) if self._found is not None else None
            if found is not None and found is not self._found:
                self._take_up(found, record.at_ms)
        else:
            self._books.take(frame)

    def _take_listing(self, record: Record) -> None:
        try:
            header = parse_header(record.raw.encode())
        except ValueError:
            # As in a replay it costs what it would have said.
            self.bad_listings += 1
            return
        self._take_up(found_on_tape(self._teams, header), record.at_ms)

    def _take_quotes(self, record: Record) -> None:
        for quote in self._quotes(record):
            game = self._games.get((quote.provider, quote.event_id))
            if game is not None:
                game_id, swapped = game
                turned = attrs.evolve(quote, home=quote.away, away=quote.home) if swapped else quote
                self._odds[game_id].quotes.apply(turned)

    def _quotes(self, record: Record) -> Sequence[Quote]:
        parser = self._parsers.get(record.source)
        if parser is None:
            return ()
        if record.feed is Feed.ODDS:
            return parser.parse(record.raw, record.at_ms).quotes
        try:
            reading = parse_reading(record.raw, record.source)
            if reading.memory is not None:
                parser.restore(reading.memory)
        except ValueError as error:
            raise TapeError(f"{self._tape}: {error}") from None
        return reading.quotes

    def _look(self, at_ms: int) -> None:
        """Evaluate every market as it stands at a moment."""
        self.moments += 1
        tops = {ticker: _top(self._books, ticker, at_ms) for ticker in self._listings}
        seen: dict[str, _Seen] = {}
        edges: list[tuple[_Seen, int, int | None]] = []
        for listing in self._listings.values():
            top, fair = tops[listing.ticker], self._fair(listing)
            evaluation = self._evaluate(listing, tops, at_ms)
            if fair is None or not top.usable or top.ask_e4 is None:
                continue
            self.observations += 1
            if evaluation.wished is not None and evaluation.signal is not None:
                self.wished += 1
                # What one of a game's markets has acted on, the other does not buy once more.
                self._odds[listing.game.game_id].used = evaluation.signal
            one = _Seen(listing.ticker, at_ms, top.ask_e4, fair)
            seen[listing.ticker] = one
            before_e4 = _after_fee_e4(fair, top.ask_e4, listing)
            passes = _passes(evaluation) and evaluation.low is not None
            after_e4 = _after_fee_e4(evaluation.low or 0.0, top.ask_e4, listing) if passes else None
            edges.append((one, before_e4, after_e4))
        for bucket in self.buckets:
            bucket.follow(seen, at_ms)
            for one, before_e4, after_e4 in edges:
                edge_e4 = before_e4 if bucket.gates == BEFORE else after_e4
                bucket.take(one, -CENTS_PER_DOLLAR * E4_PER_CENT if edge_e4 is None else edge_e4)

    def _fair(self, listing: Listing) -> float | None:
        """Return the median of whatever the books last said, as a naive reader would take it."""
        quotes = self._odds[listing.game.game_id].quotes.quotes()
        homes = [
            held.chance.home
            for held in quotes
            if isinstance(held.chance, BookChance) and not held.quote.suspended
        ]
        if not homes:
            return None
        return median(homes) if listing.is_home else 1.0 - median(homes)

    def _evaluate(self, listing: Listing, tops: dict[str, Top], at_ms: int) -> Evaluation:
        odds = self._odds[listing.game.game_id]
        inputs = Inputs(
            listing,
            tops[listing.ticker],
            tops.get(listing.sibling),
            Holding(listing.ticker, CountE2(0), PriceE4(0), ()),
            odds.used,
            at_ms,
            sibling=self._listings.get(listing.sibling),
        )
        return self._evaluator.evaluate(odds.quotes, inputs)

    def __repr__(self) -> str:
        return f"<EdgeReport {self._tape}: {self.moments} moments>"


def _top(books: SubscribedBooks, ticker: str, at_ms: int) -> Top:
    top, usable = books.top(ticker)
    return Top(ticker, top.bid_e4, top.bid_size_e2, top.ask_e4, top.ask_size_e2, usable, at_ms, 0)


def _after_fee_e4(fair: float, ask_e4: int, listing: Listing) -> int:
    """Return what one contract bought at the ask is worth more than it costs, fee included."""
    many = CountE2(ONE_CONTRACT_E2 * CENTS_PER_DOLLAR)
    fee_e6 = listing.fees.fee_e6(PriceE4(ask_e4), many, Liquidity.TAKER)
    return buy_edge_e4(fair, ask_e4) - math.ceil(fee_e6 / many)


def _passes(evaluation: Evaluation) -> bool:
    """Tell whether nothing but the edge's size stands between a market and a purchase."""
    if evaluation.gated_fair is None:
        return False
    return evaluation.wished is not None or evaluation.reason in _TOO_SMALL | _OURS


def _mean(samples: Sequence[float]) -> float | None:
    return round(fmean(samples), 2) if samples else None


def _error(samples: Sequence[float]) -> float | None:
    return round(stdev(samples) / math.sqrt(len(samples)), 2) if len(samples) > 1 else None


def lines_of(report: dict[str, Any]) -> Iterator[str]:
    """Return the report in words, one line each."""
    yield (
        f"{report['moments']} moments of {report['markets']} markets,"
        f" {report['observations']} with a price on both sides;"
        f" the engine would have bought at {report['wished']} of them"
    )
    if report["bad_listings"]:
        yield f"{report['bad_listings']} listings on the tape cannot be read and were passed over"
    for each in report["edges"]:
        yield (
            f"edge of {each['at_least_cents']} c and more after fees, {each['gates']}:"
            f" {each['moments']} moments, begun {each['begun']} times{_later(each)}"
        )


def _later(edge: dict[str, Any]) -> str:
    if not edge["followed"]:
        return ""
    kalshi, books = (_moved(edge, who) for who in ("kalshi", "books"))
    return (
        f"; two minutes after it began ({edge['followed']} seen) Kalshi's ask {kalshi},"
        f" books {books}"
    )


def _moved(edge: dict[str, Any], who: str) -> str:
    error = edge[f"{who}_error"]
    return f"{edge[f'{who}_cents']:+.2f} c" + (f" (error {error:.2f})" if error is not None else "")
