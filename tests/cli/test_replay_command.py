"""``arb replay`` as a person types it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from arb.cli.app import run

GAMES = """\
ts_utc,league,market_ticker,team,kalshi_yes_ask_dollars,fanduel,draftkings,betmgm,espnbet,caesars
2025-08-23T15:00:08.757Z,mlb,KXMLBGAME-25AUG23BOSNYY-BOS,Boston Red Sox,0.45,120,122,118,125,
2025-08-23T15:00:08.757Z,mlb,KXMLBGAME-25AUG23BOSNYY-NYY,New York Yankees,0.57,-140,-142,-138,-145,
2025-08-23T15:02:08.757Z,mlb,KXMLBGAME-25AUG23BOSNYY-BOS,Boston Red Sox,0.45,-110,-112,-108,-115,
2025-08-23T15:02:08.757Z,mlb,KXMLBGAME-25AUG23BOSNYY-NYY,New York Yankees,0.57,-110,-108,-112,-105,
"""


@pytest.fixture
def tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a tape of one game's two moments, after which Boston is cheap at 45 cents."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "games.csv").write_text(GAMES)
    assert run(["import-games", "games.csv", "-o", "day.tape"]) == 0
    return tmp_path / "day.tape"


def test_a_replay_ends_with_one_json_object(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last line has what was played, what was done, and a hash that is the same twice."""
    said = []
    for _ in range(2):
        capsys.readouterr()
        assert run(["replay", str(tape), "--json"]) == 0
        said.append(orjson.loads(capsys.readouterr().out.splitlines()[-1]))

    first, second = said
    assert first == second
    assert first["markets"] == 2
    assert first["decisions"] == {"SKIP": 3, "TAKER": 1}
    assert first["orders"] >= 2
    assert first["fills"] >= 1
    assert first["invariant_violations"] == 0


def test_for_people_it_is_four_lines(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json the same is said in words."""
    capsys.readouterr()
    assert run(["replay", str(tape), "--speed", "100"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "quotes, 2 markets" in lines[0]
    assert "after fees" in lines[2]
    assert lines[3].startswith("state ")


def test_edges_alone_are_counted(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In words or as one object; nothing is traded for it."""
    capsys.readouterr()
    assert run(["replay", str(tape), "--edges"]) == 0
    assert "2 moments of 2 markets" in capsys.readouterr().out
    assert run(["replay", str(tape), "--edges", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["moments"] == 2
    assert run(["replay", "no.tape", "--edges"]) == 1


@pytest.mark.parametrize("speed", ["0", "-1", "101"])
def test_a_wrong_speed_is_one_line(
    tape: Path, capsys: pytest.CaptureFixture[str], speed: str
) -> None:
    """What is allowed is said, and the code is 2."""
    capsys.readouterr()
    assert run(["replay", str(tape), "--speed", speed]) == 2
    assert "at most 100" in capsys.readouterr().err


def test_a_broken_line_is_named_or_skipped(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File and line are said; with --skip-bad it is counted."""
    with tape.open("a") as file:
        file.write("garbage\n")
    capsys.readouterr()
    assert run(["replay", str(tape), "--json"]) == 1
    assert f"{tape}, line" in capsys.readouterr().err
    assert run(["replay", str(tape), "--json", "--skip-bad"]) == 0
    assert orjson.loads(capsys.readouterr().out)["bad_lines"] == 1
