"""Makes a tape of recorded games from a CSV, with everything that the CSV lacks stated in it.

Within a moment books come before odds, so that odds are always judged against the ask recorded
with them; a game's books come in one frame, all of them at every moment, which confirms them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import attrs

from arb.core.money import ONE_DOLLAR_E4, PriceE4
from arb.core.teams import TeamTable
from arb.tape.csv_rows import CsvRows, Row
from arb.tape.format import Feed, Record, TapeError
from arb.tape.import_frames import BookFrames, BookOdds, BookPrices, OddsFrames
from arb.tape.import_header import (
    LEVEL_SIZE_E2,
    ODDS_PROVIDER,
    ImportedGame,
    games_of,
    header_of,
)
from arb.tape.writer import TapeWriter

BOOKS_SOURCE = "kalshi"

_Moment = dict[str, list[Row]]


@attrs.frozen
class Imported:
    """What an import made, and what it left out.

    ``crossed`` counts the times at which a game's two asks made less than a dollar, which leaves
    no bid; ``one_sided`` counts odds of a book that had none for the other team.
    """

    moments: int
    rows: int
    games: int
    markets: int
    book_frames: int
    odds_frames: int
    prices: int
    crossed: int
    one_sided: int
    bad: int
    last_bad: str | None


def import_games(
    source: Path, tape: Path, table: TeamTable, *, skip_bad: bool = False, force: bool = False
) -> Imported:
    """Make the tape of a CSV; raises `TapeError`, and then there is no new tape.

    The CSV is read whole before anything is written: the header in front names every market.
    """
    if tape.exists() and not force:
        raise TapeError(f"{tape} exists already; --force replaces it")
    reader = CsvRows(source, table, skip_bad=skip_bad)
    rows = list(reader)
    if not rows:
        bad = f", {reader.bad} broken ones, the last: {reader.last_bad}" if reader.bad else ""
        raise TapeError(f"{source} has no rows to import{bad}")
    made = _Import(rows)
    # Under another name until it is whole: half a tape would pass for a short day.
    part = tape.with_name(f"part-{tape.name}")
    try:
        header = header_of(source.name, rows[0].at_ms, tuple(made.games.values()))
        with TapeWriter(part, header, force=True) as writer:
            for record in made.records():
                writer.append(record)
        part.replace(tape)
    except OSError as error:
        raise TapeError(f"{tape} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return made.summary(reader)


class _Import:
    """All frames of a tape, from all rows of its source, and the count of them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.games = games_of(rows)
        self._rows = rows
        self._asks: dict[str, PriceE4] = {}
        self._books = BookFrames(LEVEL_SIZE_E2)
        self._odds = OddsFrames()
        self._frames = dict.fromkeys(Feed, 0)
        self._moments = 0
        self._crossed = 0
        self._one_sided = 0
        self._prices = 0

    def records(self) -> Iterator[Record]:
        """Give the frames in the order in which they are to be read."""
        for at_ms, rows in groupby(self._rows, key=lambda row: row.at_ms):
            moment = self._taken(rows)
            books = self._changes(moment, at_ms) if self._moments else self._beginning()
            yield from (self._record(at_ms, Feed.BOOKS, raw) for raw in books)
            odds = self._odds_frames(moment, at_ms)
            yield from (self._record(at_ms, Feed.ODDS, raw) for raw in odds)
            self._moments += 1

    def summary(self, reader: CsvRows) -> Imported:
        """Return what was made."""
        return Imported(
            moments=self._moments,
            rows=len(self._rows),
            games=len(self.games),
            markets=sum(len(game.tickers) for game in self.games.values()),
            book_frames=self._frames[Feed.BOOKS],
            odds_frames=self._frames[Feed.ODDS],
            prices=self._prices,
            crossed=self._crossed,
            one_sided=self._one_sided,
            bad=reader.bad,
            last_bad=reader.last_bad,
        )

    def _taken(self, rows: Iterator[Row]) -> _Moment:
        moment: _Moment = {}
        for row in rows:
            self._asks[row.ticker] = row.ask_e4
            moment.setdefault(row.parsed.event_ticker, []).append(row)
        return moment

    def _record(self, at_ms: int, feed: Feed, raw: str) -> Record:
        self._frames[feed] += 1
        return Record(at_ms, feed, BOOKS_SOURCE if feed is Feed.BOOKS else ODDS_PROVIDER, raw)

    def _beginning(self) -> Iterator[str]:
        yield self._books.subscribed()
        for game in self.games.values():
            for ticker, prices in self._book_prices(game):
                yield self._books.snapshot(ticker, prices)

    def _changes(self, moment: _Moment, at_ms: int) -> Iterator[str]:
        for event in moment:
            for ticker, prices in self._book_prices(self.games[event]):
                yield from self._books.changes(ticker, prices, at_ms)

    def _book_prices(self, game: ImportedGame) -> Iterator[tuple[str, BookPrices]]:
        away_e4 = self._ask(game.away_ticker)
        home_e4 = self._ask(game.home_ticker)
        # Such asks were not read at one instant: no book holds a bid above its ask.
        crossed = bool(away_e4 and home_e4 and away_e4 + home_e4 < ONE_DOLLAR_E4)
        self._crossed += crossed
        for ticker, ask_e4, other_e4 in (
            (game.away_ticker, away_e4, home_e4),
            (game.home_ticker, home_e4, away_e4),
        ):
            if ticker is not None:
                yield ticker, BookPrices(None if crossed else _bid(other_e4), ask_e4)

    def _ask(self, ticker: str | None) -> PriceE4 | None:
        return None if ticker is None else self._asks.get(ticker)

    def _odds_frames(self, moment: _Moment, at_ms: int) -> Iterator[str]:
        if not self._moments:
            names = (book for row in self._rows for book, _ in row.odds)
            yield self._odds.welcome(dict.fromkeys(names))
        for event, rows in moment.items():
            game = self.games[event]
            odds = {row.team.name: dict(row.odds) for row in rows}
            home = odds.get(game.parsed.home.name, {})
            away = odds.get(game.parsed.away.name, {})
            self._one_sided += len(home.keys() ^ away.keys())
            whole = [BookOdds(book, home[book], away[book]) for book in home if book in away]
            self._prices += len(whole)
            if whole:
                yield self._odds.prices(game.event_id, whole, at_ms)


def _bid(other_ask_e4: PriceE4 | None) -> PriceE4 | None:
    return None if other_ask_e4 is None else PriceE4(ONE_DOLLAR_E4 - other_ask_e4)
