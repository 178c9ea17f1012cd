"""One picture as lines of text."""

from __future__ import annotations

import pytest

from arb.console.header_view import LinkView
from arb.console.snapshot import Snapshot, read_snapshot
from arb.console.still import LOG_ROWS, ROWS_MAX, still
from arb.console.widgets.paint import columns_of
from tests.console.fake_engine import picture, tickers

UP = LinkView(connected=True)


def snapshot(count: int) -> Snapshot:
    """Return a picture of so many markets."""
    return read_snapshot(picture(count))


@pytest.mark.parametrize("width", [20, 80, 200])
def test_every_line_is_as_wide_as_the_terminal(width: int) -> None:
    """From the frame's first line to its last, which says what it was told."""
    lines = still(snapshot(4), UP, width, foot="event 7")

    assert {columns_of(line) for line in lines} == {width}
    assert all(line.isprintable() for line in lines)
    assert "Kalshi" in lines[0]
    assert "event 7" in lines[-1]


def test_header_markets_positions_and_log_are_shown() -> None:
    """In the order of the console's first screen; of the log the newest lines."""
    shown = snapshot(4)
    text = "\n".join(still(shown, UP, 120))
    places = [text.index(title) for title in ("Balance", "Live Markets", "Open Positions", "Log")]

    assert places == sorted(places)
    assert "Enter" not in text
    last = text[text.index("Engine Log") :].splitlines()[1:-1]
    assert len(last) == LOG_ROWS
    newest = shown.log[-1].text
    assert newest[:20] in last[-1]


def test_the_reason_of_the_market_in_question_is_written_out() -> None:
    """Of the one that is named; of the first where none is, or none that is shown."""
    names = tickers(4)
    for asked, told in ((names[2], names[2]), ("", names[0]), ("KXNONE", names[0])):
        lines = still(snapshot(4), UP, 120, ticker=asked)
        assert [line for line in lines if f" {told} MAKER: " in line]


def test_what_is_empty_takes_no_room_and_what_is_long_is_cut() -> None:
    """No panel for no position; many markets are counted where they do not fit."""
    document = picture(0, positions=[], log=[])
    lines = still(read_snapshot(document), UP, 80)
    many = still(snapshot(30), UP, 80)

    assert not [line for line in lines if "Open Positions" in line]
    assert [line for line in lines if "nothing logged yet" in line]
    assert len(lines) < 10
    assert [line for line in many if f"1-{ROWS_MAX} of 30" in line]
    assert len(many) < 4 + 3 + 2 * ROWS_MAX + LOG_ROWS + 2


def test_an_engine_that_is_gone_is_shown_as_the_console_shows_it() -> None:
    """Its last picture under the banner; before there was any, the banner alone."""
    lost = LinkView(connected=False, lost_ms=700, attempts=1, why="none is up")
    text = "\n".join(still(snapshot(2), lost, 80))
    first = still(None, LinkView(connected=False, attempts=1, ever=False), 80)

    assert "ENGINE LOST: none is up" in text
    assert "0.7s old" in text
    assert "Live Markets" in text
    assert len(first) == 3
    assert "WAITING FOR THE ENGINE" in first[1]
