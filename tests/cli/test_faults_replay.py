"""``arb faults replay``: the events of a run, and the console's picture wherever one stops."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from arb.cli.app import run

# A seed as it is, and an engine that trades, is killed and comes back.
TYPED = ["faults", "replay", "--seed", "3"]
KILLED = ["faults", "replay", "--seed", "1", "--faults", "kill-9@engine:3.0:2.0:1"]

Answer = Callable[[str], None]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return what answers the questions of a replay, in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return lambda lines: monkeypatch.setattr("sys.stdin", io.StringIO(lines))


def drawn(text: str) -> list[list[str]]:
    """Return the lines of each picture in an output."""
    pictures: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if "Kalshi Arb Engine" in line:
            pictures.append([])
            inside = True
        if inside:
            pictures[-1].append(line)
        inside = inside and "at event" not in line
    return pictures


def test_a_replay_goes_step_by_step(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    """Enter shows the next event, a number goes there, and q ends it."""
    answer("\n10\nq\n")
    assert run(TYPED) == 0
    out = capsys.readouterr().out
    assert out.count("> ") == 3
    assert "\n   10 " in out
    assert "\n   11 " not in out
    assert out.endswith("every rule held\n")
    assert len(drawn(out)) == 3


def test_without_anybody_to_answer_it_runs_to_the_end(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first event and its picture are all that is shown."""
    answer("")
    assert run(TYPED) == 0
    assert len(drawn(capsys.readouterr().out)) == 1


def test_each_stop_shows_the_console_of_that_moment(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """No engine yet; later its header, its markets and the newest lines of its log."""
    answer("\n36\nq\n")
    run(KILLED)
    waiting, _, trading = drawn(capsys.readouterr().out)

    assert "WAITING FOR THE ENGINE" in waiting[1]
    assert "RUNNING" in trading[0]
    assert "Kalshi account connected" in trading[-2]
    text = "\n".join(trading)
    for shown in ("Balance $", "Live Markets", "Fair", "Engine Log", "at event 36, 3.000 s"):
        assert shown in text
    assert {len(line) for line in trading} == {80}


def test_a_killed_engine_is_shown_as_lost(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the last picture of it, as a console that was open would show it."""
    answer("q\n")
    run(["faults", "run", *KILLED[2:], "--trace"])
    killed = next(
        line for line in capsys.readouterr().out.splitlines() if "process   1 is killed" in line
    )
    answer(f"{int(killed.split()[0]) + 1}\nq\n")
    run(KILLED)
    text = "\n".join(drawn(capsys.readouterr().out)[-1])

    assert "ENGINE LOST" in text
    assert "Live Markets" in text


def test_the_market_that_an_event_names_is_the_one_that_is_explained(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its reason is written out below the table, there and until another one is named."""
    run(["faults", "run", *KILLED[2:], "--trace"])
    lines = capsys.readouterr().out.splitlines()
    intent = next(line for line in lines if " intent " in line and "ticker=" in line)
    ticker = intent.partition("ticker=")[2].split()[0]
    answer(f"{intent.split()[0]}\n\nq\n")
    run(KILLED)

    for picture in drawn(capsys.readouterr().out)[1:]:
        assert [line for line in picture if f"  {ticker} " in line]
