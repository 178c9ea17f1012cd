"""The engine's clock in a simulation."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

import trio

from arb.faults.clock import MachineClock, TrueClock, fall_asleep, true_s
from arb.io.clock import VirtualClock

EPOCH_MS = 1_000_000


async def test_no_timer_sees_a_sleep_but_every_clock_does(autojump_clock: object) -> None:
    """What waits goes on waiting, as on a machine whose lid was closed."""
    clock = MachineClock(TrueClock(EPOCH_MS))
    await trio.sleep(1)
    fall_asleep(40)
    await trio.sleep(2)

    assert trio.current_time() == 3
    assert true_s() == 43
    assert clock.wall_ms() == EPOCH_MS + 43_000
    assert clock.monotonic_ns() == 43_000_000_000


async def test_a_step_moves_the_wall_clock_alone(autojump_clock: object) -> None:
    """Setting the date changes what is stamped, and not what is measured."""
    clock = MachineClock(VirtualClock(EPOCH_MS))
    clock.step(-3.5)

    assert clock.wall_ms() == EPOCH_MS - 3_500
    assert clock.monotonic_ns() == 0


async def test_drift_grows_with_time_and_can_change(autojump_clock: object) -> None:
    """A clock that is a tenth too quick is a second ahead after ten, and keeps what it gained."""
    clock = MachineClock(VirtualClock(EPOCH_MS))
    clock.drift(0.1)
    await trio.sleep(10)
    assert clock.error_ms == 1_000

    clock.drift(-0.1)
    await trio.sleep(5)
    assert clock.error_ms == 500
    clock.correct()
    assert clock.wall_ms() == EPOCH_MS + 15_000
    assert repr(clock) == "<MachineClock +0 ms>"
