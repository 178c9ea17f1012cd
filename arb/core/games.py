"""A game as Kalshi lists it, as a sportsbook feed offers it, and as both together."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import attrs

from arb.core.teams import Team


@attrs.frozen(cache_hash=True)
class KalshiGame:
    """One game that Kalshi lists: its event and the markets in it.

    ``start_ms`` is the scheduled start, Unix milliseconds, from the event's milestone; no field
    of a market states it.
    """

    event_ticker: str
    market_tickers: tuple[str, ...]
    start_ms: int | None = None


@attrs.frozen(cache_hash=True)
class OddsEvent:
    """One game that a sportsbook feed offers, its teams named as the provider names them.

    ``start_ms`` is the scheduled start, Unix milliseconds. A provider that knows Kalshi's event
    gives its ticker, which is believed only where names and times agree with it.
    """

    provider: str
    event_id: str
    league: str
    home: str
    away: str
    start_ms: int
    kalshi_event_ticker: str | None = None


@attrs.frozen
class MatchedOdds:
    """One provider's event of a game: which market the chance of each of its sides prices.

    The provider may have home and away the other way round (a neutral ground, a moved game), so
    its own sides are what the tickers here belong to; ``swapped`` says that they differ.
    """

    provider: str
    event_id: str
    home_ticker: str
    away_ticker: str
    swapped: bool


@attrs.frozen(cache_hash=True)
class Game:
    """One game that Kalshi and at least one provider have in common, oriented as Kalshi has it.

    ``date`` is US Eastern, ``start_ms`` Unix milliseconds: the earliest start that Kalshi or any
    provider states. ``game_id`` is the same in every run.
    """

    game_id: str
    league: str
    date: date
    home: Team
    away: Team
    start_ms: int
    event_ticker: str
    home_ticker: str
    away_ticker: str
    odds: tuple[MatchedOdds, ...]

    @property
    def tickers(self) -> tuple[str, str]:
        """Return the two markets, away before home as in the event's ticker."""
        return self.away_ticker, self.home_ticker

    @property
    def odds_event_ids(self) -> tuple[tuple[str, str], ...]:
        """Return provider and event id of each provider that offers the game."""
        return tuple((odds.provider, odds.event_id) for odds in self.odds)

    def team_of(self, ticker: str) -> Team:
        """Return the team whose win a market of this game pays for."""
        return self.home if ticker == self.home_ticker else self.away

    def sibling_of(self, ticker: str) -> str:
        """Return the game's other market."""
        return self.away_ticker if ticker == self.home_ticker else self.home_ticker


class Source(StrEnum):
    """Which side an unmatched game was seen on."""

    KALSHI = "kalshi"
    ODDS = "odds"


class Reason(StrEnum):
    """Why a game was left unmatched; counted under these words."""

    BAD_TICKER = "ticker names no game"
    BAD_MARKETS = "not one market for each team"
    BAD_START = "start time is out of range"
    RE_DATED = "ticker and start time disagree"
    NO_TEAM = "unknown team or league"
    AMBIGUOUS_TEAM = "name of several teams"
    SAME_TEAM = "a team against itself"
    SEEN_TWICE = "one id for different games"
    NAMES_DISAGREE = "the provider's ticker is another game"
    TIMES_DISAGREE = "start times disagree"
    AMBIGUOUS_GAME = "several games fit"
    UNKNOWN_FEES = "fees of an unknown kind"
    NO_COUNTERPART = "no such game on the other side"


@attrs.frozen
class Unmatched:
    """A game that stays out: why, in a word to count and a line to read, and what it might be.

    ``id`` is the event's ticker, or ``provider:event id``.
    """

    what: Source
    id: str
    reason: Reason
    text: str
    candidates: tuple[str, ...] = ()


@attrs.frozen
class Matches:
    """Every game that is surely one, and all others with the reason."""

    games: tuple[Game, ...]
    unmatched: tuple[Unmatched, ...]
