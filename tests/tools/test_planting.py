"""Deliberate bugs: that they fit the code, and that it is told which of them nothing finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import planting
from tools.environment import ROOT
from tools.planting import TABLES, Bug, Table, TableError, main, plant, read_table, spoil

TABLE_PATHS = sorted(TABLES.glob("*.toml"))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of one file, which stands for the repository."""
    root = tmp_path / "repository"
    (root / "arb").mkdir(parents=True)
    (root / "arb" / "__init__.py").touch()
    (root / "arb" / "one.py").write_text("GAIN = +1\n")
    monkeypatch.setattr(planting, "ROOT", root)
    monkeypatch.setattr(planting, "COPIED", ("arb",))
    return root


GAIN = Bug("a gain is a loss", "arb/one.py", "+1", "-1")


@pytest.mark.parametrize("path", TABLE_PATHS, ids=lambda path: path.stem)
def test_every_bug_fits_the_code(path: Path, tmp_path: Path) -> None:
    """The text that a bug replaces stands there once, and what comes of it can be compiled."""
    table = read_table(path)

    assert len({bug.name for bug in table.bugs}) == len(table.bugs)
    for number, bug in enumerate(table.bugs):
        copy = tmp_path / str(number) / bug.file
        copy.parent.mkdir(parents=True)
        copy.write_text((ROOT / bug.file).read_text())
        spoil(tmp_path / str(number), bug)
        compile(copy.read_text(), bug.file, "exec")


def test_a_bug_is_found_by_what_fails(small: Path) -> None:
    """A finder that fails on the spoilt copy is named by what it printed; the code stays whole."""
    code = "from arb.one import GAIN; print('FAILED test_gain' if GAIN < 0 else ''); exit(GAIN < 0)"

    outcome = plant(Table("t", ("-c", code), 60, (GAIN,)), GAIN)

    assert outcome.found_by == "test_gain"
    assert (small / "arb" / "one.py").read_text() == "GAIN = +1\n"


def test_a_bug_that_nothing_finds_is_told(small: Path) -> None:
    """A finder that passes has found nothing."""
    assert plant(Table("t", ("-c", "import arb.one"), 60, (GAIN,)), GAIN).found_by is None


def test_the_last_line_tells_where_nothing_else_does(small: Path) -> None:
    """A finder that dies in an unknown way is shown by its last line."""
    table = Table("t", ("-c", "raise ValueError('too much')"), 60, (GAIN,))

    assert plant(table, GAIN).found_by == "ValueError: too much"


def test_a_bug_that_makes_the_finder_hang_is_found(small: Path) -> None:
    """It is ended after its time, and that it hung is what is told."""
    table = Table("t", ("-c", "import threading; threading.Event().wait()"), 0.5, (GAIN,))

    assert plant(table, GAIN).found_by == "it hung"


@pytest.mark.parametrize(
    ("bug", "complaint"),
    [
        (Bug("b", "arb/none.py", "x", "y"), "there is no arb/none.py"),
        (Bug("b", "arb/one.py", "x", "y"), "stands 0 times"),
        (Bug("b", "arb/one.py", "", "y"), "write it anew"),
    ],
)
def test_a_bug_that_does_not_fit_is_refused(small: Path, bug: Bug, complaint: str) -> None:
    """The code has moved on: the bug must be moved along."""
    with pytest.raises(TableError, match=complaint):
        spoil(small, bug)


@pytest.mark.parametrize("text", ["", "command = 1", 'command = []\n[[bug]]\nname = "x"', "[["])
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    """A broken table is said in one line."""
    path = tmp_path / "table.toml"
    path.write_text(text)

    with pytest.raises(TableError, match=r"table\.toml is no table of bugs"):
        read_table(path)


def test_the_program_tells_each_bug(
    small: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It ends with 1 where a bug was not found, and with 2 where there is none to plant."""
    lines = [
        'command = ["-c", "pass"]',
        "timeout_s = 60",
        "[[bug]]",
        'name = "loss"',
        'file = "arb/one.py"',
    ]
    (tmp_path / "here.toml").write_text("\n".join([*lines, 'find = "+1"', 'put = "-1"']))
    monkeypatch.setattr(planting, "TABLES", tmp_path)

    assert main(["here"]) == 1
    assert "loss: NOT FOUND" in capsys.readouterr().out
    assert main(["here", "--only", "gain"]) == 2
    assert "no bug named gain" in capsys.readouterr().err
