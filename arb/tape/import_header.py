"""The header of an imported tape: its games and markets, and what was assumed about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from arb.core.eastern import utc_ms_from_eastern
from arb.core.matching import OddsEvent
from arb.core.money import CountE2, contracts
from arb.core.tickers import ParsedTicker
from arb.tape.csv_rows import CENT_GRID, Row
from arb.tape.format import TapeEvent, TapeHeader, TapeMarket, TapeSeries

ODDS_PROVIDER = "odds-api-io"

# Ten times what one market may hold by default, so that size decides nothing; the median touch of
# such a market has some 1,500 contracts, so that this many were surely there.
LEVEL_SIZE_E2 = CountE2(100_00)

# What Kalshi's winner series charge; baseball half of it since 2026-08-07, 04:59 UTC.
FEE_TYPE = "quadratic_with_maker_fees"
FEE_MULTIPLIER_E4 = 10_000
HALF_FEE_SERIES = "KXMLBGAME"
HALF_FEE_MULTIPLIER_E4 = 5_000
HALF_FEE_SINCE_MS = 1_786_078_740_000

# When evening games start, and the first of two games on one day: for tickers without an hour.
ASSUMED_START = (19, 10)
ASSUMED_FIRST_START = (13, 10)


@attrs.frozen
class ImportedGame:
    """One event of the source, with its markets as far as there are rows of them."""

    event_id: str
    parsed: ParsedTicker
    away_ticker: str | None
    home_ticker: str | None

    @property
    def tickers(self) -> tuple[str, ...]:
        """Return the markets that there are, away before home."""
        return tuple(one for one in (self.away_ticker, self.home_ticker) if one is not None)


def games_of(rows: Iterable[Row]) -> dict[str, ImportedGame]:
    """Return the games of all rows by event ticker, in the order of their first rows."""
    tickers: dict[str, dict[str, str]] = {}
    parsed: dict[str, ParsedTicker] = {}
    for row in rows:
        parsed[row.parsed.event_ticker] = row.parsed
        tickers.setdefault(row.parsed.event_ticker, {})[row.team.name] = row.ticker
    return {
        event: ImportedGame(
            event_id=str(number),
            parsed=parsed[event],
            away_ticker=found.get(parsed[event].away.name),
            home_ticker=found.get(parsed[event].home.name),
        )
        for number, (event, found) in enumerate(tickers.items(), start=1)
    }


def header_of(source: str, begins_ms: int, games: Sequence[ImportedGame]) -> TapeHeader:
    """Return the header: the lists as both sides' REST would have given them, and assumptions."""
    series = tuple(_series(name, begins_ms) for name in dict.fromkeys(map(_series_name, games)))
    return TapeHeader(
        source=f"imported from {source}",
        begins_ms=begins_ms,
        series=series,
        events=tuple(map(_event, games)),
        odds_events=tuple(map(_odds_event, games)),
        assumptions=_assumptions(series),
        level_size_e2=LEVEL_SIZE_E2,
    )


def _assumptions(series: Sequence[TapeSeries]) -> tuple[str, ...]:
    evening, afternoon = (
        f"{hour}:{minute}" for hour, minute in (ASSUMED_START, ASSUMED_FIRST_START)
    )
    starts = (
        f"A game starts at {evening} US Eastern, the first of two at {afternoon}, unless its "
        "ticker has the hour: the source has no start times."
    )
    fees = (
        f"{one.ticker} charges {one.fee_type} times {one.fee_multiplier_e4 / 10_000:g}."
        for one in series
    )
    return (
        f"Every level has {contracts(LEVEL_SIZE_E2)} contracts: the source has no sizes.",
        "A team's bid is a dollar less the other team's ask: the source has asks only.",
        starts,
        "All prices of a moment came at its time, books before odds, all books at every moment.",
        *fees,
    )


def _event(game: ImportedGame) -> TapeEvent:
    # No milestone is known, so the listing has no start and is matched by its day.
    return TapeEvent(
        event_ticker=game.parsed.event_ticker,
        series_ticker=_series_name(game),
        markets=tuple(TapeMarket(ticker, CENT_GRID) for ticker in game.tickers),
    )


def _odds_event(game: ImportedGame) -> OddsEvent:
    return OddsEvent(
        provider=ODDS_PROVIDER,
        event_id=game.event_id,
        league=game.parsed.league,
        home=game.parsed.home.name,
        away=game.parsed.away.name,
        start_ms=_start_ms(game.parsed),
    )


def _start_ms(parsed: ParsedTicker) -> int:
    assumed = ASSUMED_FIRST_START if parsed.game_number == 1 else ASSUMED_START
    stated_ms = parsed.start_ms
    return utc_ms_from_eastern(parsed.date, *assumed) if stated_ms is None else stated_ms


def _series_name(game: ImportedGame) -> str:
    return game.parsed.event_ticker.partition("-")[0]


def _series(name: str, begins_ms: int) -> TapeSeries:
    halved = name == HALF_FEE_SERIES and begins_ms >= HALF_FEE_SINCE_MS
    multiplier_e4 = HALF_FEE_MULTIPLIER_E4 if halved else FEE_MULTIPLIER_E4
    return TapeSeries(ticker=name, fee_type=FEE_TYPE, fee_multiplier_e4=multiplier_e4)
