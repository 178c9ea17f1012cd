"""Rows of recorded games from a CSV: one market at one moment, Kalshi's ask and the books' odds.

Columns: ``ts_utc, league, market_ticker, team, kalshi_yes_ask_dollars``, then American odds of
one book each; an empty cell is a book that has no price. A moment is all rows of one time.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import attrs

from arb.core.grid import PriceGrid
from arb.core.money import NotExact, PriceE4, price_from_text, price_text
from arb.core.odds import BadOdds, american_from_text
from arb.core.teams import NoTeam, Team, TeamTable
from arb.core.tickers import ParsedTicker, parse_ticker
from arb.io.iso import iso_ms
from arb.io.text import one_line
from arb.tape.format import TapeError

FIXED_COLUMNS = ("ts_utc", "league", "market_ticker", "team", "kalshi_yes_ask_dollars")

# The books by column, under the names that odds-api.io gives them.
BOOK_COLUMNS = {
    "fanduel": "FanDuel",
    "draftkings": "DraftKings",
    "betmgm": "BetMGM",
    "espnbet": "ESPN BET",
    "caesars": "Caesars",
}

# Whole cents, on which winner markets traded in 2025.
CENT_GRID = PriceGrid(((0, 10_000, 100),))

# A line of such a file has some hundred characters; what is longer is no line of it.
LINE_LENGTH_MAX = 4096


@attrs.frozen
class Row:
    """One market at one moment; ``odds`` are American, by book."""

    at_ms: int
    ticker: str
    parsed: ParsedTicker
    team: Team
    ask_e4: PriceE4
    odds: tuple[tuple[str, int], ...]


class CsvRows:
    """The rows of one file, in its order; times never go back.

    A broken line raises `TapeError` with file, line number and what is wrong; with ``skip_bad``
    it is counted in ``bad`` and the last one kept in ``last_bad``.
    """

    def __init__(self, path: Path, table: TeamTable, *, skip_bad: bool = False) -> None:
        self.path = path
        self.skip_bad = skip_bad
        self.bad = 0
        self.last_bad: str | None = None
        self._table = table
        self._tickers: dict[str, ParsedTicker] = {}
        self._books: tuple[str, ...] = ()
        self._last_ms = 0
        self._seen: set[str] = set()

    def __repr__(self) -> str:
        """Show which file, and what was broken in it."""
        return f"<CsvRows {self.path}, {self.bad} bad>"

    def __iter__(self) -> Iterator[Row]:
        try:
            # What is no UTF-8 becomes a sign that no name holds, so that its line is reported.
            with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
                for number, line in enumerate(file, start=1):
                    if number == 1:
                        self._books = self._header(line)
                    elif (row := self._row_or_none(number, line)) is not None:
                        yield row
        except OSError as error:
            raise TapeError(f"{self.path} cannot be read: {error.strerror}") from None

    def _header(self, line: str) -> tuple[str, ...]:
        columns = tuple(line.strip().split(","))
        books = columns[len(FIXED_COLUMNS) :]
        if columns[: len(FIXED_COLUMNS)] != FIXED_COLUMNS:
            raise self._fault(1, f"the columns are not {','.join(FIXED_COLUMNS)} and then books")
        unknown = [book for book in books if book not in BOOK_COLUMNS]
        if unknown or len(set(books)) != len(books):
            known = ", ".join(BOOK_COLUMNS)
            raise self._fault(1, f"the books are not each one of {known}: {','.join(books)}")
        return tuple(BOOK_COLUMNS[book] for book in books)

    def _row_or_none(self, number: int, line: str) -> Row | None:
        try:
            row = self._row(line)
        except ValueError as error:
            fault = self._fault(number, str(error))
            if not self.skip_bad:
                raise TapeError(f"{fault}; --skip-bad goes on without it") from None
            self.bad += 1
            self.last_bad = str(fault)
            return None
        if row.at_ms != self._last_ms:
            self._last_ms = row.at_ms
            self._seen.clear()
        self._seen.add(row.ticker)
        return row

    def _row(self, line: str) -> Row:
        stamp, league, ticker, name, ask, *odds = _cells(line, len(FIXED_COLUMNS), self._books)
        at_ms = iso_ms(stamp)
        if at_ms < self._last_ms:
            raise ValueError(f"{stamp} is before the line above")
        parsed = self._parsed(ticker)
        team = self._team(league, parsed, name)
        if at_ms == self._last_ms and ticker in self._seen:
            raise ValueError(f"a second row of {ticker} at {stamp}")
        prices = zip(self._books, odds, strict=True)
        american = tuple((book, _american(book, text)) for book, text in prices if text)
        return Row(at_ms, ticker, parsed, team, _ask(ask), american)

    def _parsed(self, ticker: str) -> ParsedTicker:
        parsed = self._tickers.get(ticker)
        if parsed is None:
            parsed = parse_ticker(self._table, ticker)
            self._tickers[ticker] = parsed
        return parsed

    def _team(self, league: str, parsed: ParsedTicker, name: str) -> Team:
        team = self._table.find(league, name)
        if isinstance(team, NoTeam):
            raise ValueError(team.reason)  # noqa: TRY004 - the line is wrong, not the call
        if parsed.yes_team is None or team is not parsed.yes_team:
            raise ValueError(f"{name!r} in {league!r} is not the team that the ticker pays for")
        return team

    def _fault(self, number: int, what: str) -> TapeError:
        return TapeError(f"{self.path}, line {number}: {one_line(what)}")


def _cells(line: str, fixed: int, books: tuple[str, ...]) -> list[str]:
    # Each line by itself, so that a stray quote spoils one line and not all that follow.
    if len(line) > LINE_LENGTH_MAX:
        raise ValueError("the line is too long")
    try:
        cells = next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise ValueError(f"not a line of CSV: {error}") from None
    if len(cells) != fixed + len(books):
        raise ValueError(f"{len(cells)} cells, the header has {fixed + len(books)}")
    return cells


def _ask(text: str) -> PriceE4:
    try:
        price_e4 = price_from_text(text)
    except NotExact as error:
        raise ValueError(f"kalshi_yes_ask_dollars: {error}") from None
    if not CENT_GRID.on_grid(price_e4):
        raise ValueError(
            f"kalshi_yes_ask_dollars: {price_text(price_e4)} is off the grid of a cent"
        )
    return price_e4


def _american(book: str, text: str) -> int:
    try:
        return american_from_text(text)
    except BadOdds as error:
        raise ValueError(f"{book}: {error}") from None
