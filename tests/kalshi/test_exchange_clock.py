"""How far our clock is from the exchange's."""

from __future__ import annotations

import random
from email.utils import format_datetime

import attrs
import pytest

from arb.kalshi.exchange_clock import BOUNDS_MAX, KEPT_NS, ExchangeClock
from arb.sim.timing import utc

NS_PER_MS = 1_000_000
EPOCH_MS = 1_795_000_000_000


@attrs.define
class TwoClocks:
    """Our machine's two clocks, and the exchange's, all moved by hand."""

    passed_ms: float = 0.0
    ours_off_ms: int = 0
    theirs_off_ms: int = 0

    def wall_ms(self) -> int:
        return EPOCH_MS + round(self.passed_ms) + self.ours_off_ms

    def monotonic_ns(self) -> int:
        return round(self.passed_ms * NS_PER_MS)

    def answer(self, clock: ExchangeClock, there_ms: float = 20, back_ms: float = 20) -> None:
        """Ask the exchange, and note what it dates its answer."""
        asked_ns = self.monotonic_ns()
        self.passed_ms += there_ms
        date = format_datetime(
            utc(EPOCH_MS + int(self.passed_ms) + self.theirs_off_ms), usegmt=True
        )
        self.passed_ms += back_ms
        clock.note_date(date, asked_ns, self.monotonic_ns())


def measured(clock: ExchangeClock) -> int:
    """Return what was measured, which must be something."""
    behind_ms = clock.behind_ms
    assert behind_ms is not None
    return behind_ms


def test_nothing_is_known_before_an_answer() -> None:
    """No answer, no difference."""
    clock = ExchangeClock(TwoClocks())

    assert clock.behind_ms is None
    assert repr(clock) == "<ExchangeClock behind_ms=None from 0 answers>"


@pytest.mark.parametrize("ours_off_ms", [0, 3_000, -3_000, 40_000])
@pytest.mark.parametrize("start_ms", [0, 1, 400, 999])
def test_one_answer_tells_to_half_a_second(ours_off_ms: int, start_ms: int) -> None:
    """The date is a whole second, so that half a second and the way are uncertain."""
    clocks = TwoClocks(passed_ms=start_ms, ours_off_ms=ours_off_ms)
    clock = ExchangeClock(clocks)
    clocks.answer(clock)

    assert abs(measured(clock) + ours_off_ms) <= 540


def test_many_answers_tell_to_the_way_of_one() -> None:
    """Falling on all parts of the second, they leave little room, slow answers among them."""
    rng = random.Random(1)
    clocks = TwoClocks(theirs_off_ms=1_234)
    clock = ExchangeClock(clocks)
    for _ in range(40):
        clocks.passed_ms += rng.uniform(500, 3_000)
        clocks.answer(clock, rng.uniform(2, 400), rng.uniform(2, 400))

    assert abs(measured(clock) - 1_234) <= 60


def test_a_wall_clock_that_is_set_shows_at_once() -> None:
    """Without another answer: what is known is the exchange's clock."""
    clocks = TwoClocks()
    clock = ExchangeClock(clocks)
    clocks.answer(clock)
    before_ms = measured(clock)
    clocks.ours_off_ms = -5_000

    assert measured(clock) - before_ms == 5_000


def test_an_exchange_that_sets_its_clock_is_followed() -> None:
    """Old answers that contradict the newest are dropped."""
    clocks = TwoClocks()
    clock = ExchangeClock(clocks)
    for _ in range(5):
        clocks.passed_ms += 300
        clocks.answer(clock)
    clocks.theirs_off_ms = 7_000
    clocks.answer(clock)

    assert abs(measured(clock) - 7_000) <= 540
    assert "from 1 answers" in repr(clock)


def test_old_answers_are_let_go() -> None:
    """Clocks drift, and memory is bounded."""
    clocks = TwoClocks()
    clock = ExchangeClock(clocks)
    for _ in range(BOUNDS_MAX + 10):
        clocks.answer(clock)
    assert f"from {BOUNDS_MAX} answers" in repr(clock)

    clocks.passed_ms += KEPT_NS / NS_PER_MS + 1
    clocks.answer(clock)
    assert "from 1 answers" in repr(clock)


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 2026 12:00:00 GMT"])
def test_a_date_that_is_none_is_counted(date: str) -> None:
    """It changes nothing."""
    clock = ExchangeClock(TwoClocks())
    clock.note_date(date, 0, 1)

    assert (clock.behind_ms, clock.unreadable) == (None, 1)


def test_a_moment_there_is_placed_here_never_too_late() -> None:
    """What is complete up to a moment of theirs is so up to the earliest that it can be here."""
    clocks = TwoClocks(passed_ms=12_345, theirs_off_ms=5_000)
    clock = ExchangeClock(clocks)
    assert clock.earliest_ns(EPOCH_MS) is None
    clocks.answer(clock)
    moment_ms, now_ns = EPOCH_MS + int(clocks.passed_ms) + 5_000, clocks.monotonic_ns()
    once_ns = clock.earliest_ns(moment_ms)
    assert once_ns is not None
    assert now_ns - 1_100 * NS_PER_MS <= once_ns <= now_ns
    for _ in range(40):
        clocks.passed_ms += 137
        clocks.answer(clock)
    often_ns = clock.earliest_ns(moment_ms)
    assert often_ns is not None
    assert now_ns - 80 * NS_PER_MS <= often_ns <= now_ns
