"""``arb match`` as typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from cyclopts import App

from arb.cli.errors import CommandFailed, UsageError
from arb.cli.match import match
from arb.core.grid import PriceGrid
from arb.tape.format import TapeEvent, TapeHeader, TapeMarket
from arb.tape.writer import TapeWriter


def run(*tokens: str) -> None:
    app = App(name="arb")
    app.command(match)
    app(["match", *tokens], exit_on_error=False, result_action="return_value")


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """A tape that lists a single game, a doubleheader and a ticker of no game."""
    events = [
        "KXMLBGAME-25AUG23WSHPHI",
        "KXMLBGAME-25AUG241305WSHPHIG1",
        "KXMLBGAME-25AUG241905WSHPHIG2",
        "KXMLBGAME-NONSENSE",
    ]
    grid = PriceGrid(((0, 10_000, 100),))
    listed = tuple(
        TapeEvent(event, "KXMLBGAME", (TapeMarket(f"{event}-PHI", grid),)) for event in events
    )
    path = tmp_path / "day.tape"
    with TapeWriter(path, TapeHeader("a test", 0, (), listed, ())):
        return path


def answer(capsys: pytest.CaptureFixture[str], *tokens: str) -> Any:
    run(*tokens, "--json")
    return orjson.loads(capsys.readouterr().out)


def test_both_names_mean_teams(capsys: pytest.CaptureFixture[str]) -> None:
    """Without listings the teams alone are the match, in the order given."""
    assert answer(capsys, "--league", "mlb", "Los Angeles D", "a's") == {
        "matched": True,
        "event": None,
        "reason": None,
        "league": "MLB",
        "date": None,
        "listed": False,
        "teams": [
            {"input": "Los Angeles D", "team": "Los Angeles Dodgers", "code": "LAD"},
            {"input": "a's", "team": "Athletics", "code": "ATH"},
        ],
    }


def test_a_shared_place_is_no_match_with_candidates(capsys: pytest.CaptureFixture[str]) -> None:
    """An ambiguous name comes back with the reason and both teams; the other one still resolves."""
    result = answer(capsys, "--league", "MLB", "New York", "Phillies")
    assert result["matched"] is False
    assert result["event"] is None
    ambiguous, resolved = result["teams"]
    assert ambiguous["candidates"] == ["New York Mets", "New York Yankees"]
    assert set(ambiguous) == {"input", "reason", "candidates"}
    assert resolved["code"] == "PHI"


def test_a_team_does_not_play_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Two names of one team are no game."""
    result = answer(capsys, "--league", "MLB", "Nats", "Washington")
    assert result["matched"] is False
    assert result["reason"] == "both names mean the Washington Nationals"


def test_a_listed_game_is_found_by_its_day(capsys: pytest.CaptureFixture[str], tape: Path) -> None:
    """With listings the game's event is named, whichever order the teams have."""
    options = ("--league", "MLB", "--tape", str(tape), "--date", "2025-08-23")
    for names in (("Phillies", "Nats"), ("Nats", "Phillies")):
        result = answer(capsys, *options, *names)
        assert result["matched"] is True
        assert result["event"] == "KXMLBGAME-25AUG23WSHPHI"
        assert result["date"] == "2025-08-23"


def test_a_doubleheader_is_not_guessed(capsys: pytest.CaptureFixture[str], tape: Path) -> None:
    """Two games of that day are no match, and both are named."""
    options = ("--league", "MLB", "--tape", str(tape), "--date", "2025-08-24")
    result = answer(capsys, *options, "Phillies", "Nats")
    assert result["matched"] is False
    assert result["event"] is None
    assert "2 such games are listed: KXMLBGAME-25AUG241305WSHPHIG1" in result["reason"]


def test_a_game_that_is_not_listed_is_no_match(
    capsys: pytest.CaptureFixture[str], tape: Path
) -> None:
    """Teams that resolve but do not meet are no match where listings were looked through."""
    result = answer(capsys, "--league", "MLB", "--tape", str(tape), "Phillies", "Mets")
    assert result["matched"] is False
    assert result["reason"] == "no such game is listed"
    assert [team["code"] for team in result["teams"]] == ["PHI", "NYM"]


def test_the_steps_are_shown_for_people(capsys: pytest.CaptureFixture[str], tape: Path) -> None:
    """Each name's comparison form and meaning, then the conclusion."""
    run("--league", "mlb", "Chi", "St. Louis")
    out = capsys.readouterr().out
    assert "'St. Louis' compared as 'st louis'" in out
    assert "means the St. Louis Cardinals, STL in tickers" in out
    assert "candidates: Chicago Cubs, Chicago White Sox" in out
    assert out.endswith("No match: not both names mean a team.\n")
    run("--league", "mlb", "Xqzzy", "Nats", "--date", "2025-08-23")
    assert "No match on 2025-08-23" in capsys.readouterr().out
    run("--league", "mlb", "PHI", "Nats")
    assert "--tape TAPE looks for their game." in capsys.readouterr().out
    run("--league", "mlb", "PHI", "Nats", "--date", "2025-08-23", "--tape", str(tape))
    assert capsys.readouterr().out.endswith("Match on 2025-08-23: KXMLBGAME-25AUG23WSHPHI\n")


def test_an_unknown_league_is_wrong_usage() -> None:
    """A league that the data do not have is said with those they have."""
    with pytest.raises(UsageError, match="no league 'kbo'; there are MLB, NBA, NFL, NHL"):
        run("--league", "kbo", "A", "B")


def test_a_tape_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    """A missing tape ends the command with one line."""
    with pytest.raises(CommandFailed, match=r"none\.tape cannot be read"):
        run("--league", "mlb", "Nats", "Phillies", "--tape", str(tmp_path / "none.tape"))
