"""The clocks."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from arb.io.clock import SystemClock, VirtualClock, sleepless

LINUX = {"CLOCK_MONOTONIC": 1, "CLOCK_MONOTONIC_RAW": 4, "CLOCK_BOOTTIME": 7}
MACOS = {"CLOCK_MONOTONIC": 6, "CLOCK_MONOTONIC_RAW": 4, "CLOCK_UPTIME_RAW": 8}


def system(**clocks: int) -> Any:
    """Pretend to be a machine with these clocks, each of which shows its own number."""
    return SimpleNamespace(monotonic_ns=lambda: -1, clock_gettime_ns=lambda which: which, **clocks)


@pytest.mark.parametrize(
    "platform, clocks, shown", [("linux", LINUX, 7), ("darwin", MACOS, 4), ("win32", {}, -1)]
)
def test_the_clock_that_goes_on_while_a_machine_sleeps_is_read(
    platform: str, clocks: dict[str, int], shown: int
) -> None:
    """Time since boot on Linux, the raw clock on macOS, and Python's own where there is neither."""
    assert sleepless(system(**clocks), platform)() == shown


def test_the_system_clock_counts_sleep() -> None:
    """By it no wish, approval or connection from before a sleep is young."""
    before_ns = sleepless()()
    assert before_ns <= SystemClock().monotonic_ns() <= sleepless()()


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
