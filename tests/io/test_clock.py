"""The clocks."""

from __future__ import annotations

import time

import trio

from arb.io.clock import SystemClock, VirtualClock


def test_the_system_clock_reads_this_machines_time() -> None:
    """Wall time is Unix milliseconds, and the monotonic clock does not go back."""
    clock = SystemClock()
    before_ms = time.time_ns() // 1_000_000
    first_ns = clock.monotonic_ns()

    assert before_ms <= clock.wall_ms() <= before_ms + 60_000
    assert clock.monotonic_ns() >= first_ns
    assert "SystemClock" in repr(clock)


async def test_the_virtual_clock_follows_virtual_time(autojump_clock: object) -> None:
    """Three tenths of a virtual second are 300 ms, not 299, on both readings."""
    clock = VirtualClock(epoch_ms=1_700_000_000_000)
    start_ns = clock.monotonic_ns()
    for _ in range(3):
        await trio.sleep(0.1)

    assert clock.wall_ms() == 1_700_000_000_300
    assert clock.monotonic_ns() - start_ns == 300_000_000
    assert "1700000000000" in repr(clock)
