"""The file of teams, and what a broken one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from arb.core.teams import Team
from arb.io.teams_file import TeamsFileError, packaged_teams, read_teams

WHOLE = """
[places]
ny = "new york"
[leagues.XL]
series = "KXXLGAME"
[[leagues.XL.teams]]
name = "New York Cats"
place = "New York"
mascot = "Cats"
codes = ["NYC"]
[[leagues.XL.teams]]
name = "New York Dogs"
place = "New York"
mascot = "Dogs"
codes = ["NYD", "DOG"]
label = "New York D"
abbreviations = ["YD"]
aliases = ["Hounds"]
"""


def read(folder: Path, text: str) -> Path:
    path = folder / "teams.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_league_is_added_with_data_alone(tmp_path: Path) -> None:
    """A file of another league makes a table that knows its names, codes and series."""
    table = read_teams(read(tmp_path, WHOLE))
    dogs = table.find("XL", "ny d")
    assert isinstance(dogs, Team)
    assert dogs.codes == ("NYD", "DOG")
    assert [table.find("XL", name) for name in ("Hounds", "YD Dogs", "DOG")] == [dogs] * 3
    assert table.league_of_series("KXXLGAME") is not None


def test_the_packaged_teams_are_read_once() -> None:
    """Every user of the package's teams has the same table."""
    assert packaged_teams() is packaged_teams()


@pytest.mark.parametrize(
    "old, new, what",
    [
        ("[places]", "[places", "Expected"),
        ('[places]\nny = "new york"', "", "the file: 'places' is missing"),
        ('series = "KXXLGAME"', "", "league XL: 'series' is missing or not a str"),
        ('codes = ["NYC"]', "codes = []", "team New York Cats: 'codes' is empty"),
        ('codes = ["NYC"]', 'codes = "NYC"', "'codes' is missing or not a list"),
        ('codes = ["NYC"]', "codes = [1]", "'codes' holds what is no text"),
        ('aliases = ["Hounds"]', 'aliases = [""]', "'aliases' holds what is no text"),
        ('name = "New York Cats"', "", "team ?: 'name' is missing"),
        ('mascot = "Cats"', 'mascot = "Cats"\ncolour = "red"', "unknown key 'colour'"),
        ('codes = ["NYC"]', 'codes = ["NYD"]', "two teams have the code 'NYD'"),
        ('mascot = "Cats"', 'mascot = "Dogs"', "'Dogs' would mean"),
    ],
)
def test_a_broken_file_says_where_and_what(tmp_path: Path, old: str, new: str, what: str) -> None:
    """One line names the file, the place in it and what is wrong."""
    path = read(tmp_path, WHOLE.replace(old, new, 1))
    with pytest.raises(TeamsFileError) as caught:
        read_teams(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert what in str(caught.value)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """A missing file and one that is no text are one line each."""
    with pytest.raises(TeamsFileError, match="cannot be read"):
        read_teams(tmp_path / "none.toml")
    path = tmp_path / "teams.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TeamsFileError, match="cannot be read"):
        read_teams(path)
