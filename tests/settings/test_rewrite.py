"""One value written into a settings file that people have written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.settings import SettingsError, load, write_value
from arb.settings.render import defaults_text
from arb.settings.rewrite import with_value

KEY = "strategy.maker_edge_threshold"

OWN = """\
# my own
[strategy]   # what I trade
taker_edge_threshold = 6  # since May
  maker_edge_threshold=2 # was 3, too few fills

[risk]
max_concurrent_markets = 4
"""


def test_one_line_changes_and_comments_stay() -> None:
    """Blanks, comments and everything else are what they were."""
    assert with_value(OWN, KEY, 4) == OWN.replace("threshold=2 #", "threshold=4 #")


def test_a_key_that_is_not_there_is_added_to_its_section() -> None:
    """It is the first of its section, so that no other section gets it."""
    after = with_value(OWN, "risk.max_total_exposure_cents", 700)

    assert after == OWN.replace("[risk]\n", "[risk]\nmax_total_exposure_cents = 700\n")


@pytest.mark.parametrize(
    "text,start",
    [
        ("", ""),
        ("# mine\n", "# mine\n\n"),
        ("# mine", "# mine\n\n"),
        ("a = 1\r\n", "a = 1\r\n\r\n"),
    ],
)
def test_a_section_that_is_not_there_is_added(text: str, start: str) -> None:
    """At the end, apart from what stands before, with the file's own line ends."""
    end = "\r\n" if "\r" in text else "\n"

    assert with_value(text, KEY, 4) == f"{start}[strategy]{end}maker_edge_threshold = 4{end}"


def test_a_header_without_a_line_end_gets_one() -> None:
    """A file may end with it."""
    assert with_value("[strategy]", KEY, 4) == "[strategy]\nmaker_edge_threshold = 4\n"


@pytest.mark.parametrize(
    "text",
    [
        "strategy.maker_edge_threshold = 2\n",
        "strategy = {maker_edge_threshold = 2}\n",
        '[strategy]\n"maker_edge_threshold" = 2\n',
        'x = """\n[strategy]\nmaker_edge_threshold = 2\n"""\n',
        "strategy = 5\n",
        "no toml",
    ],
)
def test_other_ways_to_write_it_are_left_to_a_person(text: str) -> None:
    """Better no change than a damaged file, or one that says something else."""
    with pytest.raises(SettingsError, match="by hand"):
        with_value(text, KEY, 4)


@given(st.integers(min_value=1, max_value=99))
def test_the_shipped_file_can_be_rewritten(value: int) -> None:
    """Every line but one is as it was."""
    before = defaults_text()
    after = with_value(before, KEY, value)

    assert tomllib.loads(after)["strategy"]["maker_edge_threshold"] == value
    changed = [
        (one, other)
        for one, other in zip(before.splitlines(), after.splitlines(), strict=True)
        if one != other
    ]
    assert len(changed) == (0 if value == 2 else 1)


def test_the_file_keeps_its_rights_and_stays_a_link(tmp_path: Path) -> None:
    """Whoever keeps settings elsewhere and links to them finds them there."""
    kept = tmp_path / "kept.toml"
    kept.write_text(OWN)
    kept.chmod(0o640)
    link = tmp_path / "settings.toml"
    link.symlink_to(kept)
    write_value(link, KEY, 4)

    assert link.is_symlink()
    assert kept.stat().st_mode & 0o777 == 0o640
    assert load({}, file=link, folder=tmp_path).strategy.maker_edge_threshold == 4
    assert sorted(tmp_path.iterdir()) == [kept, link]


def test_a_file_that_could_not_start_an_engine_is_not_written(tmp_path: Path) -> None:
    """What is in force beside it by a person's hand alone is not in the file."""
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    with pytest.raises(SettingsError, match=r"own\.toml: .*must be at most") as caught:
        write_value(file, KEY, 9)

    assert file.read_text() == OWN
    assert list(tmp_path.iterdir()) == [file]
    assert ".own" not in str(caught.value)


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    """One line, and nothing is made in its place."""
    with pytest.raises(SettingsError, match="cannot be read"):
        write_value(tmp_path / "gone.toml", KEY, 4)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays as it was."""
    file = tmp_path / "own.toml"
    file.write_text(OWN)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(SettingsError, match=r"own\.toml cannot be written: Permission denied"):
        write_value(file, KEY, 4)
