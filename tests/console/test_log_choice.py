"""What a person wants to see of the engine's log, and how much of it the console keeps."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from arb.console.log_kept import LINES_KEPT, LogChoice, LogKept
from arb.console.log_view import log_table
from arb.console.snapshot import LogLine, Snapshot, read_snapshot
from tests.console.fake_engine import picture, tickers
from tests.console.fake_shell import Bench


def line(seq: int, level: str = "info", text: str = "") -> dict[str, Any]:
    """Return a line of a picture's log."""
    return {"seq": seq, "at_ms": seq * 10, "level": level, "tag": "RISK", "text": text or f"#{seq}"}


def seen(*lines: dict[str, Any]) -> Snapshot:
    """Return a picture with these lines."""
    return read_snapshot(picture(2, log=list(lines)))


def press(bench: Bench, *keys: str) -> None:
    """Press keys, and let the screen follow."""
    bench.press(*keys)
    bench.cockpit.refresh(bench.now_s)


def numbers(kept: LogKept) -> list[int]:
    """Return what is kept, by number."""
    return [each.seq for each in kept.lines]


def test_lines_that_left_the_picture_are_kept() -> None:
    """Each once, in order, up to a limit; a picture without news changes nothing."""
    kept = LogKept()
    kept.observe(seen(line(1), line(2)))
    kept.observe(seen(line(2), line(3)))
    before = kept.lines
    kept.observe(seen(line(2), line(3)))
    assert kept.lines is before
    kept.observe(seen(line(9)))
    assert numbers(kept) == [1, 2, 3, 9]
    kept.observe(seen(*(line(seq) for seq in range(10, 10 + 2 * LINES_KEPT))))
    assert len(kept.lines) == LINES_KEPT
    assert repr(kept) == f"<LogKept of {LINES_KEPT} lines>"


@pytest.mark.parametrize("log", [[line(1), line(2)], [line(4), line(5, text="other")], []])
def test_an_engine_that_is_new_begins_a_new_log(log: list[dict[str, Any]]) -> None:
    """Its numbers begin again, or the same number says something else."""
    kept = LogKept()
    kept.observe(seen(line(4), line(5)))
    kept.observe(seen(*log))

    assert numbers(kept) == [each["seq"] for each in log]


def test_levels_go_round() -> None:
    """All lines, warnings and errors, errors alone, all again."""
    lines = seen(line(1), line(2, "warning"), line(3, "error")).log
    choice, shown = LogChoice(), []
    for _ in range(4):
        shown.append([each.seq for each in choice.lines(lines)])
        choice = choice.next_level()

    assert shown == [[1, 2, 3], [2, 3], [3], [1, 2, 3]]


def test_a_market_twice_is_all_markets_again() -> None:
    """And another one is that one."""
    lines: tuple[LogLine, ...] = seen(line(1, text="bought KXA"), line(2, text="KXB away")).log
    choice = LogChoice().of_market("KXA")

    assert [each.seq for each in choice.lines(lines)] == [1]
    assert choice.of_market("KXB").ticker == "KXB"
    assert choice.of_market("KXA") == LogChoice()


def test_the_title_says_what_is_shown_of_how_much() -> None:
    """An empty panel says why it is empty, and what changes that."""
    shown = seen(line(1), line(2, "warning"))
    choice = LogChoice(1)
    assert log_table(shown, UTC, (), choice).note == "warnings and errors: 1 of last 2"
    nothing = log_table(shown, UTC, (), LogChoice(2, "KXMLBGAME-25AUG231905NYYBOS-NYY"))
    assert "errors · of MLB-NYYBOS-NYY" in nothing.empty
    assert "the last 2 lines (L and M choose)" in nothing.empty


def test_keys_choose_what_the_log_shows() -> None:
    """L for the level, M for the selected market, on every screen with a log."""
    bench = Bench()
    bench.show(picture(8))
    press(bench, "L")
    assert "the log shows warnings and errors" in bench.text(120, 60)
    assert "exposure is at 64 %" in bench.text(120, 60)
    assert "NYY -150 to -155" not in bench.text(120, 60)
    press(bench, "L", "L", "M")
    assert f"bought 5 at 60c of {tickers(8)[0]}" not in bench.text(120, 60)
    assert "of MLB-NYYBOS-NYY: 40 of last 100" in bench.text(120, 60)
    press(bench, "2", "M")
    assert "the log shows all lines" in bench.text(120, 60)


def test_without_a_market_there_is_nothing_to_choose() -> None:
    """The line says what to do first."""
    bench = Bench()
    bench.show(picture(0, positions=[], trades=[]))
    press(bench, "M")
    assert "no market is selected" in bench.text(120)
