"""Monitors tell once of an end; timers die with the instance; control overtakes data."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    Backoff,
    Down,
    Monitor,
    Restart,
    State,
    SupervisorSpec,
    System,
    Timer,
    open_system,
)
from actors.inbox import CONTROL_CAPACITY
from actors.testing import (
    Crash,
    Notes,
    OverSeeds,
    Probe,
    probe,
    wait_for_state,
    with_tree,
)
from actors.timers import CANCELLED_MAX


def downs(notes: Notes) -> list[tuple[str, str, str]]:
    """Return every Down that came: who was told, of whom, and why."""
    return [
        (path, what.address.path, what.reason)
        for path, what in notes.of("received")
        if isinstance(what, Down)
    ]


def watch(name: str) -> object:
    """Make a message by which a probe monitors another."""
    return lambda probe: probe.ctx.monitor(probe.ctx.find(name))


def pair(notes: Notes, *, direct: bool = False, **options: Any) -> SupervisorSpec:
    """Describe a watcher and the one it watches."""
    return SupervisorSpec(
        "root",
        [probe("watcher", notes, direct=direct), probe("target", notes, **options)],
        backoff=NO_BACKOFF,
    )


def test_a_monitor_tells_once_whatever_ended_the_target(over_seeds: OverSeeds) -> None:
    """A failure, a normal end, a kill, an orderly stop: one Down with the reason."""
    ends: list[tuple[object, str]] = [
        (Crash("x"), "Crash: x"),
        (lambda probe: probe.ctx.end("done"), "done"),
        ("kill", "killed"),
        ("restart", "restart"),
        ("quarantine", "quarantined"),
        ("remove", "removed"),
    ]

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        message, reason = ends[seed % len(ends)]

        async def body(system: System, reason: str = reason) -> None:
            target = system.address("target")
            system.address("watcher").tell(watch("target"))
            await wait_all_tasks_blocked()
            assert downs(notes) == []
            if isinstance(message, str):
                await getattr(system, message)("target")
            else:
                target.tell(message)
            await wait_all_tasks_blocked()
            assert downs(notes) == [("watcher", "target", reason)]
            if target.alive:
                target.tell(Crash("again"))
                await wait_all_tasks_blocked()
            assert len(downs(notes)) == 1

        await with_tree(seed, pair(notes, direct=bool(seed // 6 % 2)), body)


async def test_a_down_carries_the_failure(notes: Notes) -> None:
    """Who watches may look at what happened."""
    async with open_system(pair(notes), rng=Random(0)) as system:
        system.address("watcher").tell(watch("target"))
        failure = Crash("x")
        await wait_all_tasks_blocked()
        system.address("target").tell(failure)
        await wait_all_tasks_blocked()
        down = notes.of("received", "watcher")[-1][1]

        assert down == Down(system.address("target"), "Crash: x", failure)


def test_a_monitor_of_one_that_is_down_tells_at_once(over_seeds: OverSeeds) -> None:
    """Ended, waiting to be restarted, or in quarantine: there is no instance to watch."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [
                probe("watcher", notes),
                probe("ended", notes, restart=Restart.TEMPORARY),
                probe("restarting", notes),
                probe("held", notes),
            ],
            backoff=Backoff(50.0, 50.0),
        )

        async def body(system: System) -> None:
            for name in ("ended", "restarting"):
                system.address(name).tell(Crash("x"))
            await system.quarantine("held")
            await wait_for_state(system, "restarting", State.BACKOFF)
            for name in ("ended", "restarting", "held"):
                system.address("watcher").tell(watch(name))
            await wait_all_tasks_blocked()
            assert downs(notes) == [
                ("watcher", "ended", "not running (stopped)"),
                ("watcher", "restarting", "not running (backoff)"),
                ("watcher", "held", "not running (quarantined)"),
            ]

        await with_tree(seed, spec, body)


def test_a_monitor_ends_with_the_instance_that_made_it(over_seeds: OverSeeds) -> None:
    """The watcher's next generation is not told what it did not ask for."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            system.address("watcher").tell(watch("target"))
            await wait_all_tasks_blocked()
            await system.kill("watcher")
            await system.kill("target")
            await wait_all_tasks_blocked()
            assert downs(notes) == []
            system.address("watcher").tell(watch("target"))
            await wait_all_tasks_blocked()
            await system.kill("target")
            await wait_all_tasks_blocked()
            assert downs(notes) == [("watcher", "target", "killed")]

        await with_tree(seed, pair(notes), body)


async def test_a_monitor_can_be_cancelled(notes: Notes) -> None:
    """Then it tells nothing."""
    monitors: list[Monitor] = []
    async with open_system(pair(notes), rng=Random(0)) as system:
        system.address("watcher").tell(
            lambda probe: monitors.append(probe.ctx.monitor(probe.ctx.find("target")))
        )
        await wait_all_tasks_blocked()
        assert repr(monitors[0]) == "Monitor(watcher=watcher, generation=1, cancelled=False)"
        monitors[0].cancel()
        await system.kill("target")
        await wait_all_tasks_blocked()

        assert downs(notes) == []


async def test_monitors_of_dead_watchers_do_not_pile_up(notes: Notes) -> None:
    """A watcher that restarts again and again leaves one monitor, not many."""
    async with open_system(pair(notes), rng=Random(0)) as system:
        for _ in range(20):
            system.address("watcher").tell(watch("target"))
            await wait_all_tasks_blocked()
            await system.kill("watcher")
        system.address("watcher").tell(watch("target"))
        await wait_all_tasks_blocked()

        assert len(system.find("target")._watchers) == 1  # type: ignore[attr-defined]


def test_timers_fire_in_order_and_on_time(over_seeds: OverSeeds) -> None:
    """Each after its own delay, to the actor that set them, whatever the order they were set in."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        delays_s = [rng.random() * 10 for _ in range(12)]

        async def body(system: System, delays_s: list[float] = delays_s) -> None:
            fired: list[tuple[float, float]] = []

            def set_all(probe: Probe) -> None:
                for delay_s in delays_s:
                    probe.ctx.after(
                        delay_s, lambda _, d=delay_s: fired.append((d, trio.current_time()))
                    )

            system.address("a").tell(set_all)
            await trio.sleep(11)
            assert [delay_s for delay_s, _ in fired] == sorted(delays_s)
            assert all(delay_s == pytest.approx(at_s) for delay_s, at_s in fired)
            assert repr(system.timers) == "<Timers 0 pending>"

        await with_tree(seed, SupervisorSpec("root", [probe("a", notes)]), body)


async def test_a_timer_can_be_cancelled(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """Before it fires that keeps the message away; afterwards it is harmless."""
    timers: list[Timer] = []
    async with open_system(SupervisorSpec("root", [probe("a", notes)]), rng=Random(0)) as system:
        system.address("a").tell(
            lambda p: timers.extend([p.ctx.after(1, "one"), p.ctx.after(2, "two")])
        )
        await wait_all_tasks_blocked()
        timers[0].cancel()
        timers[0].cancel()
        assert repr(system.timers) == "<Timers 1 pending>"
        await trio.sleep(3)
        timers[1].cancel()

        assert [what for _, what in notes.of("received")][1:] == ["two"]
        assert repr(timers[1]).startswith("Timer(_cell=a, generation=1, message='two', due_s=2")


async def test_cancelled_timers_do_not_pile_up(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """A timer that is set anew for each message costs no memory until it is due."""

    def set_many(probe: Probe) -> None:
        for _ in range(10 * CANCELLED_MAX):
            probe.ctx.after(1000, "never").cancel()

    async with open_system(SupervisorSpec("root", [probe("a", notes)]), rng=Random(0)) as system:
        system.address("a").tell(set_many)
        await wait_all_tasks_blocked()

        assert len(system.timers._heap) <= CANCELLED_MAX + 1


def test_timers_die_with_their_instance(over_seeds: OverSeeds) -> None:
    """A new generation does not meet the timers of the old, fired or still to fire."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            def set_two(probe: Probe) -> None:
                probe.ctx.after(0, "fired while it fell")
                probe.ctx.after(5, "due later")
                raise Crash("x")

            system.address("a").tell(set_two)
            await trio.sleep(10)
            assert len(notes.of("received")) == 1
            assert system.snapshot()["a"].generation == 2

        spec = SupervisorSpec(
            "root", [probe("a", notes, direct=bool(seed % 2))], backoff=NO_BACKOFF
        )
        await with_tree(seed, spec, body)


async def test_a_timer_that_fired_into_a_dying_actor_is_counted(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """It waits in the control lane while the instance stops, and is dropped at the restart."""

    async def slow_stop(_: Probe) -> None:
        await trio.sleep(0.5)

    spec = SupervisorSpec("root", [probe("a", notes, hooks={"stop": slow_stop})])
    async with open_system(spec, rng=Random(0)) as system:
        system.address("a").tell(lambda probe: probe.ctx.after(0.2, "late") and None)
        await wait_all_tasks_blocked()
        restarting = system.restart("a")
        await trio.sleep(0.3)
        system.address("a").signal("kept")
        await restarting
        await wait_all_tasks_blocked()

        assert [what for _, what in notes.of("received")][1:] == ["kept"]
        assert [(d.reason, d.last.message) for d in system.snapshot().dead_letters] == [
            ("timer or monitor of an earlier instance", "late")
        ]
        assert system.snapshot()["a"].adds_up


def test_control_overtakes_data(over_seeds: OverSeeds) -> None:
    """A signal is handled before what waits in the mailbox; signals keep their own order."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            await system.quarantine("a")
            a = system.address("a")
            for n in range(3):
                a.tell(n)
                a.signal(f"signal {n}")
            await system.release("a")
            await wait_all_tasks_blocked()
            assert [what for _, what in notes.of("received")] == [
                "signal 0", "signal 1", "signal 2", 0, 1, 2
            ]  # fmt: skip

        spec = SupervisorSpec("root", [probe("a", notes, direct=bool(seed % 2))])
        await with_tree(seed, spec, body)


async def test_the_control_lane_has_a_limit(notes: Notes) -> None:
    """What does not fit is counted, and refused to nobody."""
    async with open_system(SupervisorSpec("root", [probe("a", notes)]), rng=Random(0)) as system:
        await system.quarantine("a")
        for n in range(CONTROL_CAPACITY + 3):
            system.address("a").signal(n)

        node = system.snapshot()["a"]
        assert node.mailbox is not None
        assert (node.mailbox.control_length, node.mailbox.dropped) == (CONTROL_CAPACITY, 3)
        assert node.adds_up
        assert [each.reason for each in system.snapshot().dead_letters] == ["control lane full"]


async def test_a_signal_to_one_that_has_ended_is_a_dead_letter(notes: Notes) -> None:
    """As any message is."""
    spec = SupervisorSpec("root", [probe("a", notes, restart=Restart.TEMPORARY)])
    async with open_system(spec, rng=Random(0)) as system:
        await system.restart("a")
        system.address("a").tell(Crash("x"))
        await wait_all_tasks_blocked()
        system.address("a").signal("too late")

        assert system.snapshot()["a"].adds_up
        assert "sent to an actor that has ended" in [
            each.reason for each in system.snapshot().dead_letters
        ]
