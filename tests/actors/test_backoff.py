"""When to restart: the sequence of waits, their bounds, and the window of failures."""

from __future__ import annotations

from random import Random

import pytest

from actors import NO_BACKOFF, Backoff
from actors.node import FailureWindow


def test_the_ceiling_doubles_up_to_its_cap() -> None:
    """Base, twice that, and so on, never more than the cap, however many failures."""
    backoff = Backoff(base_s=0.1, cap_s=1.0)

    assert [backoff.ceiling_s(n) for n in range(5)] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert backoff.ceiling_s(100_000) == 1.0


@pytest.mark.parametrize("failures", [0, 1, 3, 10])
def test_the_jitter_is_full(failures: int) -> None:
    """Waits spread over the whole of [0, ceiling], and never leave it."""
    backoff = Backoff(base_s=0.1, cap_s=5.0)
    rng = Random(1)
    ceiling_s = backoff.ceiling_s(failures)
    delays_s = [backoff.delay_s(failures, rng) for _ in range(2000)]

    assert all(0 <= delay_s <= ceiling_s for delay_s in delays_s)
    assert min(delays_s) < 0.01 * ceiling_s
    assert max(delays_s) > 0.99 * ceiling_s
    assert sum(delays_s) / 2000 == pytest.approx(ceiling_s / 2, rel=0.05)


def test_the_wait_is_the_injected_generators() -> None:
    """The same seed gives the same waits."""
    backoff = Backoff()

    assert [backoff.delay_s(n, Random(7)) for n in range(9)] == [
        backoff.delay_s(n, Random(7)) for n in range(9)
    ]


def test_no_backoff_waits_never() -> None:
    """It is zero after any number of failures."""
    assert {NO_BACKOFF.delay_s(n, Random(n)) for n in range(100)} == {0.0}


def test_a_window_slides() -> None:
    """A failure counts until it is older than the window; one exactly that old still counts."""
    window = FailureWindow()
    window.add(0.0)
    window.add(4.0)

    assert [window.count(now_s, 10.0) for now_s in (4.0, 10.0, 10.001, 14.0, 14.001)] == [
        2,
        2,
        1,
        1,
        0,
    ]


def test_a_window_counts_one_kind_of_message() -> None:
    """Failures over another kind, or over none, do not count for it."""
    window = FailureWindow()
    for kind in ("Quote", None, "Quote", "Top"):
        window.add(1.0, kind)

    assert window.count(1.0, 10.0, "Quote") == 2
    assert window.count(1.0, 10.0, "Book") == 0
    assert window.count(1.0, 10.0) == 4
    assert window.count(12.0, 10.0, "Quote") == 0


def test_a_window_forgets() -> None:
    """A new generation begins without the failures of the last."""
    window = FailureWindow()
    window.add(1.0)
    assert repr(window) == "FailureWindow(_failures=[(1.0, None)])"
    window.clear()

    assert window.count(1.0, 10.0) == 0
