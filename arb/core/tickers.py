"""Kalshi's tickers of games, taken apart: which league, day, teams, and whose win is paid for.

An event is ``SERIES-YYMONDD[HHMM]AWAYHOME[Gn]``, a market ``EVENT-TEAMCODE``. Date and time are
US Eastern; the two codes have two to four letters and nothing between them, so the league's own
codes decide where one ends. The number of a doubleheader's game is there only sometimes.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

import attrs

from arb.core.eastern import utc_ms_from_eastern
from arb.core.teams import Team, TeamTable

# The longest seen has 33 characters; a longer text is damage.
TICKER_LENGTH_MAX = 64

CODE_LENGTH_MIN = 2
CODE_LENGTH_MAX = 4

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_GAME = re.compile(
    r"(?P<year>[0-9]{2})(?P<month>[A-Z]{3})(?P<day>[0-9]{2})(?P<hhmm>[0-9]{4})?"
    r"(?P<codes>[A-Z]{4,8})(?:G(?P<number>[1-9]))?"
)


class TickerFault(StrEnum):
    """What is wrong with a ticker; counted under these words."""

    MALFORMED = "malformed ticker"
    UNKNOWN_SERIES = "ticker of an unknown series"
    BAD_DATE = "ticker with a date or time that does not exist"
    UNKNOWN_TEAMS = "ticker with teams that are not in the league"
    AMBIGUOUS_TEAMS = "ticker whose teams can be read in several ways"


class BadTicker(ValueError):
    """A ticker that names no game; ``fault`` is what to count it under."""

    def __init__(self, fault: TickerFault, ticker: str) -> None:
        super().__init__(f"{fault}: {ticker[:TICKER_LENGTH_MAX]!r}")
        self.fault = fault


def event_of(ticker: str) -> str:
    """Return the event of a market: all but the team that it pays for."""
    return ticker.rpartition("-")[0]


@attrs.frozen
class ParsedTicker:
    """What an event's or a market's ticker says; ``yes_team`` is None for an event."""

    event_ticker: str
    league: str
    date: date
    hhmm: str | None
    away: Team
    home: Team
    game_number: int | None
    yes_team: Team | None = None

    @property
    def start_ms(self) -> int | None:
        """Return the start that the ticker states, Unix milliseconds, if it states one."""
        if self.hhmm is None:
            return None
        return utc_ms_from_eastern(self.date, int(self.hhmm[:2]), int(self.hhmm[2:]))

    @property
    def game_id(self) -> str:
        """Return the game's own name: ``MLB-2026-08-17-STL-CIN-1340-G1``, away before home."""
        parts = [self.league, self.date.isoformat(), self.away.code, self.home.code]
        if self.hhmm is not None:
            parts.append(self.hhmm)
        if self.game_number is not None:
            parts.append(f"G{self.game_number}")
        return "-".join(parts)


def parse_ticker(table: TeamTable, ticker: str) -> ParsedTicker:
    """Return what the ticker of an event or of a market says; raises `BadTicker`."""
    series, *rest = ticker.split("-") if len(ticker) <= TICKER_LENGTH_MAX else ("",)
    if len(rest) not in {1, 2}:
        raise BadTicker(TickerFault.MALFORMED, ticker)
    league = table.league_of_series(series)
    if league is None:
        raise BadTicker(TickerFault.UNKNOWN_SERIES, ticker)
    parsed = _event(table, league.name, ticker, f"{series}-{rest[0]}", rest[0])
    return parsed if len(rest) == 1 else _market(table, ticker, parsed, rest[1])


def _event(table: TeamTable, league: str, ticker: str, event: str, segment: str) -> ParsedTicker:
    found = _GAME.fullmatch(segment)
    if found is None:
        raise BadTicker(TickerFault.MALFORMED, ticker)
    away, home = _teams(table, league, ticker, found["codes"])
    return ParsedTicker(
        event_ticker=event,
        league=league,
        date=_date(ticker, found["year"], found["month"], found["day"]),
        hhmm=_hhmm(ticker, found["hhmm"]),
        away=away,
        home=home,
        game_number=None if found["number"] is None else int(found["number"]),
    )


def _market(table: TeamTable, ticker: str, parsed: ParsedTicker, code: str) -> ParsedTicker:
    team = table.by_code(parsed.league, code)
    if team is None or team not in {parsed.away, parsed.home}:
        raise BadTicker(TickerFault.UNKNOWN_TEAMS, ticker)
    return attrs.evolve(parsed, yes_team=team)


def _teams(table: TeamTable, league: str, ticker: str, codes: str) -> tuple[Team, Team]:
    found = []
    for split in range(CODE_LENGTH_MIN, min(CODE_LENGTH_MAX, len(codes) - CODE_LENGTH_MIN) + 1):
        away, home = table.by_code(league, codes[:split]), table.by_code(league, codes[split:])
        if away is not None and home is not None and away is not home:
            found.append((away, home))
    if not found:
        raise BadTicker(TickerFault.UNKNOWN_TEAMS, ticker)
    if len(found) > 1:
        raise BadTicker(TickerFault.AMBIGUOUS_TEAMS, ticker)
    return found[0]


def _date(ticker: str, year: str, month: str, day: str) -> date:
    # A table of our own: strptime reads months by the machine's locale.
    try:
        return date(2000 + int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError:
        raise BadTicker(TickerFault.BAD_DATE, ticker) from None


def _hhmm(ticker: str, hhmm: str | None) -> str | None:
    if hhmm is not None and (hhmm[:2] > "23" or hhmm[2:] > "59"):
        raise BadTicker(TickerFault.BAD_DATE, ticker)
    return hhmm
