"""The watchdog: lag, the handler that blocks the loop, and the last action."""

from __future__ import annotations

import threading
from random import Random
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    Actor,
    ActorSpec,
    AskTimeout,
    Blocked,
    SupervisorSpec,
    WatchdogSpec,
    open_system,
)
from actors.watchdog import Heartbeat


class HandClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def pass_time(heartbeat: Heartbeat, clock: HandClock, seconds: float) -> None:
    """Let the watchdog look ten times a second."""
    for _ in range(round(seconds * 10)):
        clock.now_s += 0.1
        heartbeat.check()


class Blocking(Actor):
    """Does what its messages are."""

    def receive(self, message: Any) -> None:
        message()


class Silent(Actor):
    """Never answers."""

    async def receive(self, message: Any) -> None:
        await trio.sleep_forever()


class BlockingRun(Actor):
    """Does something beside its mailbox."""

    async def run(self) -> None:
        self.ctx.find("probe").tell("look")
        await trio.sleep_forever()


async def test_the_lag_of_the_loop_is_measured(autojump_clock: trio.testing.MockClock) -> None:
    """Median and 99th percentile of how late beats were are in the snapshot."""
    spec = SupervisorSpec("root")
    watchdog = WatchdogSpec(beat_s=0.02, thread=False)
    async with open_system(spec, rng=Random(0), watchdog=watchdog) as system:
        assert (system.snapshot().lag_p50_s, system.snapshot().lag_p99_s) == (None, None)
        assert system.worst_lag_s() is None
        await trio.sleep(1)
        assert (system.snapshot().lag_p50_s, system.snapshot().lag_p99_s) == (0, 0)
        assert system.worst_lag_s() == 0
        assert system._heartbeat is not None
        assert "lag p50, p99 (0.0, 0.0)" in repr(system._heartbeat)
    async with open_system(spec, rng=Random(0)) as system:
        assert system.snapshot().lag_p50_s is None
        assert system.worst_lag_s() is None


async def test_a_watched_tree_has_timers_too(autojump_clock: trio.testing.MockClock) -> None:
    """The pulse and the deadlines of questions are kept side by side."""
    spec = SupervisorSpec("root", [ActorSpec("a", Silent)])
    watchdog = WatchdogSpec(thread=False)
    async with open_system(spec, rng=Random(0), watchdog=watchdog) as system:
        with pytest.raises(AskTimeout):
            await system.address("a").ask("anybody?", timeout_s=1)
        assert system.snapshot().lag_p50_s == 0


@pytest.mark.parametrize("direct", [True, False])
async def test_the_handler_that_blocks_is_named(direct: bool) -> None:
    """By the actor whose handler is innermost, with the stack, once for each standstill."""
    clock = HandClock()
    blocked: list[Blocked] = []
    heartbeat = Heartbeat(
        WatchdogSpec(warn_after_s=0.25, on_blocked=blocked.append, monotonic_s=clock, thread=False)
    )

    def stand_still() -> None:
        clock.now_s += 0.2
        heartbeat.check()
        clock.now_s += 0.1
        heartbeat.check()
        clock.now_s += 0.1
        heartbeat.check()

    spec = SupervisorSpec("root", [ActorSpec("a", Blocking, direct=direct)])
    async with open_system(spec, rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        system.address("a").tell(stand_still)
        await wait_all_tasks_blocked()

    assert [(each.path, round(each.for_s, 3)) for each in blocked] == [("a", 0.3)]
    assert "stand_still" in blocked[0].stack
    assert heartbeat.blocked is not None
    assert heartbeat.blocked.for_s == pytest.approx(0.4)

    clock.now_s = 100.1
    heartbeat.check()
    assert heartbeat.blocked is None


async def test_work_beside_the_mailbox_is_named_too() -> None:
    """And so is an async handler; code of no actor has no name."""
    clock = HandClock()
    blocked: list[Blocked] = []
    heartbeat = Heartbeat(WatchdogSpec(on_blocked=blocked.append, monotonic_s=clock, thread=False))

    def stand_still() -> None:
        clock.now_s += 1
        heartbeat.check()
        heartbeat.blocked = None

    class Standing(Actor):
        async def start(self) -> None:
            stand_still()

        async def run(self) -> None:
            stand_still()
            await trio.sleep_forever()

        async def receive(self, message: Any) -> None:
            stand_still()

    async with open_system(
        SupervisorSpec("root", [ActorSpec("a", Standing)]), rng=Random(0)
    ) as system:
        system.address("a").tell(1)
        await wait_all_tasks_blocked()
    stand_still()

    assert [each.path for each in blocked] == ["a", "a", "a", None]


def test_past_the_last_limit_the_last_action_runs_and_the_process_ends() -> None:
    """In the watchdog's thread, and the end comes even if the action fails."""
    clock = HandClock()
    done: list[str] = []

    def act(blocked: Blocked) -> None:
        done.append(f"cancel orders after {blocked.for_s:.0f} s")
        raise OSError("no network")

    spec = WatchdogSpec(
        last_limit_s=3.0,
        last_action=act,
        end_process=lambda: done.append("exit"),
        monotonic_s=clock,
        thread=False,
    )
    heartbeat = Heartbeat(spec)
    pass_time(heartbeat, clock, 3.1)
    assert done == []

    with pytest.raises(OSError, match="no network"):
        pass_time(heartbeat, clock, 0.2)
    assert done == ["cancel orders after 3 s", "exit"]


def test_a_process_that_was_stopped_is_not_ended() -> None:
    """A machine that slept for an hour did not block: the loop gets its time anew."""
    clock = HandClock()
    done: list[str] = []
    spec = WatchdogSpec(
        last_limit_s=3.0, end_process=lambda: done.append("exit"), monotonic_s=clock, thread=False
    )
    heartbeat = Heartbeat(spec)
    clock.now_s += 3600
    heartbeat.check()
    assert heartbeat.blocked is not None
    heartbeat._beaten_s = clock.now_s
    pass_time(heartbeat, clock, 3.1)
    assert done == []


def test_the_end_of_the_process_needs_no_last_action() -> None:
    """It ends all the same; a loop whose thread has gone has no stack."""
    clock = HandClock()
    done: list[str] = []
    heartbeat = Heartbeat(
        WatchdogSpec(last_limit_s=1.0, end_process=lambda: done.append("exit"), monotonic_s=clock)
    )
    heartbeat._loop_thread = -1
    pass_time(heartbeat, clock, 1.3)

    assert done == ["exit"]
    assert heartbeat.blocked is not None
    assert (heartbeat.blocked.path, heartbeat.blocked.stack) == (None, "")


def test_a_thread_of_its_own_sees_the_loop_stand_still() -> None:
    """For real: a blocking handler is seen while it blocks; the thread ends with the tree."""
    seen = threading.Event()
    names: list[str | None] = []

    def on_blocked(blocked: Blocked) -> None:
        names.append(blocked.path)
        seen.set()

    async def main() -> None:
        spec = SupervisorSpec("root", [ActorSpec("a", Blocking, direct=True)])
        watchdog = WatchdogSpec(beat_s=0.001, warn_after_s=0.01, on_blocked=on_blocked)
        async with open_system(spec, rng=Random(0), watchdog=watchdog) as system:
            await wait_all_tasks_blocked()
            system.address("a").tell(lambda: seen.wait(5))

    trio.run(main)
    assert names == ["a"]
    for thread in threading.enumerate():
        if thread.name == "actors watchdog":
            thread.join(5)
            assert not thread.is_alive()
