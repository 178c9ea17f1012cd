"""The day before a start, which goes on where the start's clock was wrong."""

from __future__ import annotations

import pytest

from arb.core.day import Day
from tests.core.order_factory import NYY
from tests.engine.day_bench import DAY_MS, TODAY, TOMORROW, Bench, begun, marked, open_bench


@pytest.fixture
def bench() -> Bench:
    """Hold two contracts at fifty cents."""
    return open_bench()


def test_a_start_before_the_time_was_fetched_forgets_no_loss(bench: Bench) -> None:
    """An hour ahead over midnight: put right, its own day goes on with all that it has lost."""
    bench.clock.now_ms += DAY_MS
    book = bench.book(Day(TODAY, 70_000, {NYY: marked(5_000, None)}))
    book.look()
    assert (book.lost_e6, bench.written[-1]["date"]) == (0, TOMORROW)
    bench.clock.running_s = 30
    bench.clock.now_ms -= DAY_MS
    book.look()

    assert bench.written[1:] == [begun(TODAY, 70_000, marked(5_000, None))]
    assert book.lost_e6 == 70_000
    bench.clock.running_s = 120
    bench.clock.now_ms += DAY_MS
    book.look()
    assert book.lost_e6 == 70_000


def test_a_second_start_knows_the_day_before_the_first(bench: Bench) -> None:
    """It ended before its clock was put right; what a person cleared meanwhile stays cleared."""
    bench.clock.now_ms += DAY_MS
    bench.shows(5_000, 5_100)
    book = bench.book(Day(TODAY, 70_000, {NYY: marked(5_000, None)}))
    book.look()
    bench.shows(4_900, 5_000)
    book.look()
    book.begin_anew()
    assert (book.lost_e6, book.before_e6) == (0, -20_000)
    bench.restarted().look()
    bench.clock.now_ms -= DAY_MS
    book = bench.restarted()
    book.look()

    assert bench.written[-1] == begun(TODAY, 50_000, marked(4_900, 5_000))
    assert book.lost_e6 == 70_000


def test_a_new_day_that_stands_for_a_minute_is_one(bench: Bench) -> None:
    """From then on a clock that is set back brings no day back, as in an engine that runs."""
    bench.clock.now_ms += DAY_MS
    bench.shows(5_000, 5_100)
    book = bench.book(Day(TODAY, 70_000, {NYY: marked(5_000, None)}))
    book.look()
    bench.shows(4_900, 5_000)
    bench.clock.running_s = 60
    book.look()
    assert bench.written[-1] == begun(TOMORROW, 0, marked(4_900, 5_000))
    bench.clock.now_ms -= DAY_MS
    book.look()

    assert (book.lost_e6, len(bench.written)) == (20_000, 2)
