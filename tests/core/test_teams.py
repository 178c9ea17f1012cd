"""Which team a name means, and that a shared one means none."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from arb.core.teams import (
    NAME_LENGTH_MAX,
    League,
    NoTeam,
    Team,
    TeamFault,
    TeamsConflict,
    TeamTable,
    normalise,
)
from arb.io.teams_file import packaged_teams

TABLE = packaged_teams()


def team(name: str, place: str, mascot: str, code: str, *aliases: str) -> Team:
    return Team("XL", name, place, mascot, (code,), place, aliases=aliases)


def found(league: str, name: str) -> str:
    result = TABLE.find(league, name)
    assert isinstance(result, Team), result
    return result.name


def missed(league: str, name: str) -> NoTeam:
    result = TABLE.find(league, name)
    assert isinstance(result, NoTeam), result
    return result


def test_there_are_124_teams_and_every_name_of_each_means_it() -> None:
    """Name, mascot, code, label, abbreviation and alias of every team lead to it and no other."""
    teams = [team for league in TABLE.leagues for team in league.teams]
    assert len(teams) == 124
    for one in teams:
        for name in one.names():
            for spelling in (name, name.upper(), name.lower(), f"  {name} "):
                assert TABLE.find(one.league, spelling) is one, spelling


def test_every_alias_of_the_published_table_resolves(shared_data: Path) -> None:
    """Every name, abbreviation and alias of the reference list means the team it stands beside."""
    with (shared_data / "odds" / "teams.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 124
    for row in rows:
        aliases = [name for name in row["aliases"].split(";") if name]
        for name in (row["full_name"], row["mascot"], row["common_abbreviation"], *aliases):
            assert found(row["league"], name) == row["full_name"]


def test_every_kalshi_code_and_label_of_the_published_table_resolves(shared_data: Path) -> None:
    """Kalshi's codes, titles and older labels mean the team they were seen with."""
    leagues = json.loads((shared_data / "kalshi" / "teams.json").read_text("utf-8"))
    for league in ("NFL", "NBA", "MLB", "NHL"):
        for code, facts in leagues[league]["teams"].items():
            by_code = TABLE.by_code(league, code)
            assert by_code is not None
            assert by_code.code == code
            assert normalise(by_code.name) == normalise(facts["name"])
            for label in (facts["yes_sub_title"], facts.get("alt_label", code)):
                assert TABLE.find(league, label) is by_code, label


def test_every_published_collision_stays_ambiguous(shared_data: Path) -> None:
    """A place with two teams in one league names neither, and both are offered."""
    path = shared_data / "odds" / "team_collisions.json"
    collisions = json.loads(path.read_text("utf-8"))["location_within_league"]
    assert len(collisions) == 7
    for key, teams in collisions.items():
        league, place = key.split(":")
        missing = missed(league, place)
        assert missing.fault is TeamFault.AMBIGUOUS_NAME
        assert sorted(missing.candidates) == sorted(teams)


@pytest.mark.parametrize(
    "league, name",
    [
        *[("NFL", "Los Angeles"), ("NFL", "New York"), ("NFL", "NY"), ("NFL", "N.Y.")],
        *[("NBA", "Los Angeles"), ("NBA", "LA"), ("NBA", "L.A."), ("MLB", "Chicago")],
        *[("MLB", "New York"), ("MLB", "Los Angeles"), ("MLB", "LA"), ("MLB", "Chi")],
        *[("NHL", "New York"), ("NHL", "NY")],
    ],
)
def test_a_shared_place_is_never_guessed(league: str, name: str) -> None:
    """However it is shortened, a place with two teams is ambiguous, with both as candidates."""
    missing = missed(league, name)
    assert missing.fault is TeamFault.AMBIGUOUS_NAME
    assert len(missing.candidates) == 2
    assert all(candidate in missing.reason for candidate in missing.candidates)


@pytest.mark.parametrize(
    "league, name, expected",
    [
        ("MLB", "Los Angeles D", "Los Angeles Dodgers"),
        ("MLB", "LA D", "Los Angeles Dodgers"),
        ("NFL", "New York G", "New York Giants"),
        ("MLB", "Chicago WS", "Chicago White Sox"),
        ("MLB", "A's", "Athletics"),
        ("MLB", "A’s", "Athletics"),
        ("MLB", "AZ", "Arizona Diamondbacks"),
        ("MLB", "ARI", "Arizona Diamondbacks"),
        ("NFL", "LA", "Los Angeles Rams"),
        ("NHL", "LA", "Los Angeles Kings"),
        ("NBA", "NY", "New York Knicks"),
        ("NBA", "New York", "New York Knicks"),
        ("NFL", "JAC", "Jacksonville Jaguars"),
        ("NFL", "JAX", "Jacksonville Jaguars"),
        ("NHL", "WSH", "Washington Capitals"),
        ("NHL", "WAS", "Washington Capitals"),
        ("NHL", "VGK Golden Knights", "Vegas Golden Knights"),
        ("NHL", "Montreal Canadiens", "Montréal Canadiens"),
        ("NHL", "MONTRÉAL CANADIENS", "Montréal Canadiens"),
        ("NHL", "St Louis Blues", "St. Louis Blues"),
        ("MLB", "Saint Louis", "St. Louis Cardinals"),
        ("MLB", "St.Louis Cardinals", "St. Louis Cardinals"),
        ("NBA", "Trail-Blazers", "Portland Trail Blazers"),
        ("NBA", "T-Wolves", "Minnesota Timberwolves"),
        ("MLB", "Red Sox", "Boston Red Sox"),
        ("MLB", "White Sox", "Chicago White Sox"),
        ("MLB", "Blue Jays", "Toronto Blue Jays"),
        ("NHL", "Red Wings", "Detroit Red Wings"),
        ("NHL", "Blue Jackets", "Columbus Blue Jackets"),
        ("NHL", "Maple Leafs", "Toronto Maple Leafs"),
        ("NHL", "Golden Knights", "Vegas Golden Knights"),
        ("nhl ", "N.Y. Rangers", "New York Rangers"),
        ("MLB", "Rangers", "Texas Rangers"),
        ("MLB", "Cardinals", "St. Louis Cardinals"),
        ("NFL", "Cardinals", "Arizona Cardinals"),
        ("NFL", "Giants", "New York Giants"),
        ("NHL", "Panthers", "Florida Panthers"),
    ],
)
def test_spellings_that_sportsbooks_and_kalshi_use(league: str, name: str, expected: str) -> None:
    """Each known way to write a team means that team in its league."""
    assert found(league, name) == expected


def test_part_of_a_name_is_no_name_but_says_what_it_may_be() -> None:
    """Half a mascot is unknown and lists the teams that have it."""
    missing = missed("MLB", "Sox")
    assert missing.fault is TeamFault.UNKNOWN_NAME
    assert set(missing.candidates) == {"Boston Red Sox", "Chicago White Sox"}


def test_a_misspelling_is_unknown_with_the_nearest_name() -> None:
    """A slip of the finger names no team, and the team meant is suggested."""
    missing = missed("MLB", "Yankeees")
    assert missing.fault is TeamFault.UNKNOWN_NAME
    assert missing.candidates == ("New York Yankees",)


def test_a_foreign_name_has_no_candidates() -> None:
    """A name that resembles nothing comes back without suggestions."""
    assert missed("NFL", "Xqzzy").candidates == ()


def test_a_team_of_another_league_is_unknown() -> None:
    """The league decides: the Lakers play no baseball."""
    assert missed("MLB", "Los Angeles Lakers").fault is TeamFault.UNKNOWN_NAME


def test_an_unknown_league_says_which_there_are() -> None:
    """A league that the data do not have comes back with those they have."""
    missing = missed("KBO", "Doosan Bears")
    assert missing.fault is TeamFault.UNKNOWN_LEAGUE
    assert missing.candidates == ("NFL", "NBA", "MLB", "NHL")


def test_a_text_too_long_to_be_a_name_is_not_searched() -> None:
    """A megabyte where a name belongs is refused without comparing it."""
    missing = missed("MLB", "x" * (NAME_LENGTH_MAX + 1))
    assert missing.fault is TeamFault.UNKNOWN_NAME
    assert "too long" in missing.reason


def test_one_alias_for_two_teams_is_refused_when_the_table_is_made() -> None:
    """Data in which a name would mean two teams never become a table."""
    teams = (team("A Cats", "A", "Cats", "AC"), team("B Dogs", "B", "Dogs", "BD", "cats"))
    with pytest.raises(TeamsConflict, match="'cats' would mean A Cats and B Dogs"):
        TeamTable([League("XL", "KXXL", teams)], {})


def test_an_alias_that_is_another_teams_place_is_refused() -> None:
    """An alias may not take a place away from the team that plays there."""
    teams = (team("A Cats", "A", "Cats", "AC"), team("B Dogs", "B", "Dogs", "BD", "a"))
    with pytest.raises(TeamsConflict, match="would mean B Dogs and A Cats"):
        TeamTable([League("XL", "KXXL", teams)], {})


def test_a_league_is_found_by_its_series_and_the_table_shows_its_size() -> None:
    """Kalshi's series leads to the league; its text form counts the teams."""
    league = TABLE.league_of_series("KXMLBGAME")
    assert league is not None
    assert league.name == "MLB"
    assert TABLE.league_of_series("KXWNBAGAME") is None
    assert repr(TABLE) == "<TeamTable NFL 32, NBA 30, MLB 30, NHL 32>"
