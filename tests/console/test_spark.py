"""Courses and bars of one line, and what the console remembers to draw them from."""

from __future__ import annotations

from arb.console.history import POINTS_KEPT, History, Point
from arb.console.snapshot import read_snapshot
from arb.console.spark import bar, sparkline
from tests.console.fake_engine import START_MS, actor, market, picture


def test_a_course_has_eight_heights() -> None:
    """The least is the lowest bar, the greatest the highest, and the newest is at the right."""
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([9, 0, 1], 2) == "▁█"
    assert sparkline([5, 20], 5, low=0, high=10) == "▅█"


def test_a_course_says_what_is_not_known() -> None:
    """A gap is a blank; what stands still is neither high nor low; no room shows nothing."""
    assert sparkline([None, 1, None, 2], 9) == " ▁ █"
    assert sparkline([None], 9) == " "
    assert sparkline([3, 3], 9) == "▄▄"
    assert sparkline([1, 2], 0) == ""


def test_a_bar_is_seen_however_small() -> None:
    """Anything above nothing has a block, nothing has none, and no bar is longer than its room."""
    assert bar(1, 1_000, 10) == "█"
    assert bar(0, 10, 10) == ""
    assert bar(1, 0, 10) == ""
    assert bar(10, 10, 4) == bar(20, 10, 4) == "████"


def test_a_second_is_one_point_and_what_is_gone_is_forgotten() -> None:
    """Pictures within a second add nothing; memory is bounded by what the engine has."""
    history = History()

    def show(at_ms: int, *tickers: str) -> None:
        markets = [market(each, fair=None) for each in tickers]
        document = picture(2, at_ms=at_ms, markets=markets, actors=[actor("root", 0)])
        history.observe(read_snapshot(document), {"root": 2.0})

    show(START_MS, "A", "B")
    show(START_MS + 900, "A", "B")
    assert history.points("A") == (Point(None, 5_800, 6_000),)
    for second in range(1, 2 * POINTS_KEPT):
        show(START_MS + 1_000 * second, "A")
    assert len(history.points("A")) == POINTS_KEPT
    assert history.points("B") == ()
    assert history.rates("root", 3) == (2.0, 2.0, 2.0)
    assert "1 markets and 1 actors" in repr(history)
