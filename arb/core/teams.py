"""Teams, and which of them a name means.

A name means a team only where it means no other team of its league: a place that two teams
share, and a name that nobody listed, come back as `NoTeam` with what they might have been.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import attrs

# The longest listed name has 29 characters; a text beyond this is no name, and searching it for
# resemblances would cost time that grows with it.
NAME_LENGTH_MAX = 80

# What a person takes in at a glance, as suggestions after a name that means nothing.
CANDIDATES_MAX = 5

# Below three quarters of their letters in common two names are only both names.
RESEMBLANCE_MIN = 0.75

_SAINT = re.compile(r"\b(?:saint|st)\b\.?")
_DROPPED = re.compile(r"[.'`´‘’ʼ]")
_SEPARATORS = re.compile(r"[\s_‐‑–—-]+")


_Places = dict[str, tuple["Team", ...]]


class TeamFault(StrEnum):
    """Why a name means no team; counted under these words."""

    UNKNOWN_LEAGUE = "unknown league"
    UNKNOWN_NAME = "unknown name"
    AMBIGUOUS_NAME = "name of several teams"


class TeamsConflict(ValueError):
    """Team data in which one name belongs to two teams; the message names all three."""


@attrs.frozen(cache_hash=True)
class Team:
    """One team of one league, under its official name.

    ``code`` is what Kalshi writes into tickers today; ``codes`` holds former ones as well.
    """

    league: str
    name: str
    place: str
    mascot: str
    codes: tuple[str, ...]
    label: str
    abbreviations: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """Return the code that Kalshi writes into tickers today."""
        return self.codes[0]

    def names(self) -> Iterator[str]:
        """Give every name that means this team alone, as listed or derived; not the bare place."""
        yield self.name
        yield self.mascot
        if self.label != self.place:
            yield self.label
        yield from self.aliases
        for short in (*self.codes, *self.abbreviations):
            yield short
            yield f"{short} {self.mascot}"


@attrs.frozen
class League:
    """One league: its name, Kalshi's series of its games, and its teams."""

    name: str
    series: str
    teams: tuple[Team, ...]


@attrs.frozen
class NoTeam:
    """A name that means no team: why, in a word to count and a line to read, and what it may be."""

    fault: TeamFault
    reason: str
    candidates: tuple[str, ...]


class TeamTable:
    """Every league's teams by every name; built once from data, then only read.

    ``places`` maps how a shared place is shortened to its name: ``{"la": "los angeles"}``.
    Raises `TeamsConflict` where a name that should mean one team would mean two.
    """

    def __init__(self, leagues: Iterable[League], places: Mapping[str, str]) -> None:
        self._leagues = {league.name: league for league in leagues}
        self._series = {league.series: league for league in self._leagues.values()}
        self._places = {normalise(short): normalise(long) for short, long in places.items()}
        self._names = {name: _by_name(league) for name, league in self._leagues.items()}
        self._shared = {name: _by_place(league) for name, league in self._leagues.items()}
        self._codes = {name: _by_code(league) for name, league in self._leagues.items()}
        self._spellings = {name: _spellings(league) for name, league in self._leagues.items()}
        for name, league in self._leagues.items():
            _check_places(league, self._names[name], self._shared[name])

    def __repr__(self) -> str:
        sizes = ", ".join(f"{league.name} {len(league.teams)}" for league in self.leagues)
        return f"<TeamTable {sizes}>"

    @property
    def leagues(self) -> tuple[League, ...]:
        """Return the leagues in the order of the data."""
        return tuple(self._leagues.values())

    def league_of_series(self, series: str) -> League | None:
        """Return the league whose games Kalshi lists under a series."""
        return self._series.get(series)

    def by_code(self, league: str, code: str) -> Team | None:
        """Return the team that a code in a ticker means, in capitals as tickers have it."""
        return self._codes[league].get(code)

    def find(self, league: str, name: str) -> Team | NoTeam:
        """Return the one team of a league that a name means, or why there is none."""
        league = league.strip().upper()
        names = self._names.get(league)
        if names is None:
            return _unknown_league(league, tuple(self._leagues))
        if len(name) > NAME_LENGTH_MAX:
            return NoTeam(TeamFault.UNKNOWN_NAME, f"{name[:20]!r}… is too long for a name", ())
        key = normalise(name)
        team = names.get(key)
        if team is not None:
            return team
        key = self._written_out(key)
        team = names.get(key)
        return team if team is not None else self._by_place_alone(league, name, key)

    def _written_out(self, key: str) -> str:
        # "ny giants" and "new york giants" are one name; what follows the place decides.
        first, _, rest = key.partition(" ")
        return f"{self._places.get(first, first)} {rest}".rstrip()

    def _by_place_alone(self, league: str, name: str, key: str) -> Team | NoTeam:
        teams = self._shared[league].get(key, ())
        if len(teams) == 1:
            return teams[0]
        if teams:
            found = tuple(team.name for team in teams)
            reason = f"{name!r} is {' or '.join(found)}: say which"
            return NoTeam(TeamFault.AMBIGUOUS_NAME, reason, found)
        candidates = _resembling(key, self._spellings[league])
        return NoTeam(TeamFault.UNKNOWN_NAME, f"no {league} team is called {name!r}", candidates)


def normalise(name: str) -> str:
    """Return what a name has in common with its other spellings, for comparing only.

    Lower case without accents, periods and apostrophes; hyphens are spaces, ``Saint`` is ``st``.
    """
    plain = unicodedata.normalize("NFKD", _DROPPED.sub("", _SAINT.sub("st ", name.casefold())))
    bare = plain if plain.isascii() else "".join(c for c in plain if not unicodedata.combining(c))
    return _SEPARATORS.sub(" ", bare).strip()


def _by_name(league: League) -> dict[str, Team]:
    names: dict[str, Team] = {}
    for team in league.teams:
        for name in team.names():
            other = names.setdefault(normalise(name), team)
            if other is not team:
                raise _conflict(league, name, other, team)
    return names


def _by_place(league: League) -> _Places:
    places: _Places = {}
    for team in league.teams:
        if team.place:
            key = normalise(team.place)
            places[key] = (*places.get(key, ()), team)
    return places


def _check_places(league: League, names: Mapping[str, Team], places: _Places) -> None:
    # A name is looked up first, so one that is a place as well would take it from the others.
    for key, teams in places.items():
        for team in teams:
            if names.get(key, team) is not team:
                raise _conflict(league, team.place, names[key], team)


def _conflict(league: League, name: str, one: Team, other: Team) -> TeamsConflict:
    return TeamsConflict(f"{league.name}: {name!r} would mean {one.name} and {other.name}")


def _by_code(league: League) -> dict[str, Team]:
    return {code: team for team in league.teams for code in team.codes}


def _unknown_league(league: str, known: tuple[str, ...]) -> NoTeam:
    reason = f"no league is called {league[:NAME_LENGTH_MAX]!r}"
    return NoTeam(TeamFault.UNKNOWN_LEAGUE, reason, known)


def _spellings(league: League) -> dict[str, str]:
    texts = ((text, team.name) for team in league.teams for text in (team.name, team.mascot))
    return {normalise(text): name for text, name in texts}


def _resembling(key: str, spellings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names that share most words with a text, or else most letters."""
    words = set(key.split())
    shared = [(len(words.intersection(text.split())), name) for text, name in spellings.items()]
    close = sorted((pair for pair in shared if pair[0]), key=lambda pair: -pair[0])
    names = [name for _, name in close]
    if not names:
        texts = difflib.get_close_matches(key, spellings, CANDIDATES_MAX, RESEMBLANCE_MIN)
        names = [spellings[text] for text in texts]
    return tuple(dict.fromkeys(names))[:CANDIDATES_MAX]
