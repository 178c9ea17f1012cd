"""Reads the teams of each league from the data file that comes with the package."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from arb.core.teams import League, Team, TeamsConflict, TeamTable

_REQUIRED = {"name": str, "place": str, "mascot": str, "codes": list}
_OPTIONAL = {"label": str, "abbreviations": list, "aliases": list}
_TEXTS = {"codes", "abbreviations", "aliases"}


class TeamsFileError(Exception):
    """A file of teams that cannot be used; the message is one line: file, place, what is wrong."""


@cache
def packaged_teams() -> TeamTable:
    """Return the teams that come with the package, read once."""
    resource = files("arb.core").joinpath("data", "teams.toml")
    return _table("teams.toml", resource.read_text(encoding="utf-8"))


def read_teams(path: Path) -> TeamTable:
    """Return the teams of another file of the same form; raises `TeamsFileError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TeamsFileError(f"{path}: cannot be read: {error}") from None
    return _table(str(path), text)


def _table(source: str, text: str) -> TeamTable:
    try:
        data = tomllib.loads(text)
        leagues = _value(data, "leagues", dict, "the file")
        places = _value(data, "places", dict, "the file")
        return TeamTable([_league(name, value) for name, value in leagues.items()], places)
    except (tomllib.TOMLDecodeError, TeamsConflict, _Wrong) as error:
        raise TeamsFileError(f"{source}: {error}") from None


class _Wrong(Exception):
    """What is wrong with one value."""


def _league(name: str, data: dict[str, Any]) -> League:
    where = f"league {name}"
    series = _value(data, "series", str, where)
    teams = tuple(_team(name, entry) for entry in _value(data, "teams", list, where))
    codes = [code for team in teams for code in team.codes]
    for code in codes:
        if codes.count(code) > 1:
            raise _Wrong(f"{where}: two teams have the code {code!r}")
    return League(name=name, series=series, teams=teams)


def _team(league: str, entry: dict[str, Any]) -> Team:
    where = f"league {league}, team {entry.get('name', '?')}"
    unknown = set(entry) - set(_REQUIRED) - set(_OPTIONAL)
    if unknown:
        raise _Wrong(f"{where}: unknown key {min(unknown)!r}")
    values = {key: _value(entry, key, kind, where) for key, kind in _REQUIRED.items()}
    values |= {
        key: _value(entry, key, _OPTIONAL[key], where) for key in set(entry) & set(_OPTIONAL)
    }
    if not values["codes"]:
        raise _Wrong(f"{where}: 'codes' is empty")
    place = values["place"]
    return Team(
        league=league,
        name=values["name"],
        place=place,
        mascot=values["mascot"],
        codes=tuple(values["codes"]),
        label=values.get("label", place),
        abbreviations=tuple(values.get("abbreviations", ())),
        aliases=tuple(values.get("aliases", ())),
    )


def _value(data: dict[str, Any], key: str, kind: type, where: str) -> Any:
    value: Any = data.get(key)
    if not isinstance(value, kind):
        raise _Wrong(f"{where}: {key!r} is missing or not a {kind.__name__}")
    if key in _TEXTS and not all(isinstance(one, str) and one for one in data[key]):
        raise _Wrong(f"{where}: {key!r} holds what is no text")
    return value
