"""``arb import-games`` as typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cyclopts import App

from arb.cli.errors import CommandFailed
from arb.cli.import_games import import_games

LINES = """ts_utc,league,market_ticker,team,kalshi_yes_ask_dollars,fanduel,caesars
2025-08-23T15:00:08.757Z,mlb,KXMLBGAME-25AUG23WSHPHI-WSH,Washington Nationals,0.31,210,
2025-08-23T15:00:08.757Z,mlb,KXMLBGAME-25AUG23WSHPHI-PHI,Philadelphia Phillies,0.7,-255,-250
"""


def run(*tokens: str) -> None:
    app = App(name="arb")
    app.command(import_games, name="import-games")
    app(["import-games", *tokens], exit_on_error=False, result_action="return_value")


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """A CSV with one moment of one game."""
    path = tmp_path / "day.csv"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_a_summary_is_one_line(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tape is there, and one line says what is in it and what was left out."""
    tape = day.with_suffix(".tape")
    run(str(day), "-o", str(tape))
    assert capsys.readouterr().out == (
        f"{tape}: 1 moments, 2 markets of 1 games, 2 rows; 3 book frames, "
        "2 odds frames with 1 prices; 1 odds of one team only left out\n"
    )
    assert tape.exists()


def test_broken_lines_are_counted_when_asked(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken line ends the import; with --skip-bad a second line of output counts it."""
    day.write_text(LINES + "x\n", encoding="utf-8")
    tape = day.with_suffix(".tape")
    with pytest.raises(CommandFailed, match=r"line 4: 1 cells, .*; --skip-bad goes on"):
        run(str(day), "-o", str(tape))
    run(str(day), "-o", str(tape), "--skip-bad")
    assert "1 broken lines left out, the last: " in capsys.readouterr().out


def test_a_tape_that_is_there_is_kept(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --force an existing tape is a failure; with it, it is replaced."""
    tape = day.with_suffix(".tape.gz")
    run(str(day), "-o", str(tape))
    with pytest.raises(CommandFailed, match="--force replaces it"):
        run(str(day), "-o", str(tape))
    day.write_text(LINES.replace("0.31", "0.29"), encoding="utf-8")
    capsys.readouterr()
    run(str(day), "-o", str(tape), "--force")
    assert "1 times no bid, because both asks were below a dollar" in capsys.readouterr().out


def test_a_whole_day_has_no_remarks(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was left out the line says nothing of it."""
    day.write_text(LINES.replace("210,", "210,205"), encoding="utf-8")
    run(str(day), "-o", str(day.with_suffix(".tape")))
    assert capsys.readouterr().out.endswith("2 odds frames with 2 prices\n")
