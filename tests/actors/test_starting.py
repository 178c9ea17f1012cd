"""Ordered start: readiness, boot failures, start timeouts."""

# flake8: noqa: ASYNC124 - the kit awaits what it is given, whether that waits or not

from __future__ import annotations

from itertools import product
from random import Random

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    Backoff,
    Intensity,
    Restart,
    RestartIntensityExceeded,
    StartTimeout,
    State,
    Strategy,
    SupervisorSpec,
    System,
    open_system,
)
from actors.testing import (
    Crash,
    Hook,
    Notes,
    OverSeeds,
    Probe,
    probe,
    wait_for_state,
    with_tree,
)

NAMES = ("a", "b", "c", "d")
STRATEGIES = tuple(Strategy)
# A rule that holds for each of these goes through all of them as the seeds go on.
BOOTS = tuple(product(Strategy, range(len(NAMES)), (1, 2)))


def nap(rng: Random, longest_s: float = 1.0) -> Hook:
    """Make a hook that takes a while."""

    async def hook(_: Probe) -> None:
        await trio.sleep(rng.random() * longest_s)

    return hook


def boot_fails(times: int) -> Hook:
    """Make a hook that fails so many times and then works."""
    left = times

    async def hook(_: Probe) -> None:
        nonlocal left
        await trio.lowlevel.checkpoint()
        if left:
            left -= 1
            raise Crash("boot")

    return hook


def test_children_start_in_order_each_when_the_one_before_is_ready(
    over_seeds: OverSeeds,
) -> None:
    """Whatever each takes, none begins before the one before it is ready."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)

        async def body(system: System) -> None:
            assert {node.state for node in system.snapshot()} == {State.RUNNING}

        await with_tree(
            seed,
            SupervisorSpec(
                "root",
                [probe(name, notes, hooks={"start": nap(rng)}) for name in NAMES],
                strategy=STRATEGIES[seed % 3],
            ),
            body,
        )

        events = [(what, path) for what, path, _ in notes.entries if what.startswith("start")]
        assert events == [(what, name) for name in NAMES for what in ("starting", "started")]


def test_a_nested_supervisor_is_ready_when_its_children_are(over_seeds: OverSeeds) -> None:
    """What comes after a branch starts after all of it."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)

        async def body(_: System) -> None:
            assert notes.paths("started") == ["inner/a", "inner/b", "c"]

        inner = SupervisorSpec(
            "inner", [probe(name, notes, hooks={"start": nap(rng)}) for name in "ab"]
        )
        await with_tree(seed, SupervisorSpec("root", [inner, probe("c", notes)]), body)


async def test_an_actor_may_be_ready_before_its_start_returns(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """ctx.started() lets the next child start; messages wait until the boot is done."""

    async def ready_early(probe: Probe) -> None:
        probe.ctx.started()
        probe.ctx.started()
        await trio.sleep(100)

    spec = probe("a", notes, hooks={"start": ready_early}, start_timeout_s=1.0, direct=True)
    async with open_system(SupervisorSpec("root", [spec, probe("b", notes)]), rng=Random(0)) as s:
        assert trio.current_time() < 1
        assert notes.paths("started") == ["b"]
        s.address("a").tell(1)
        await trio.sleep(50)
        assert notes.of("received") == []
        await trio.sleep(51)
        assert notes.of("received") == [("a", 1)]
        assert s.snapshot()["a"].generation == 1


async def test_messages_sent_before_the_start_wait(notes: Notes) -> None:
    """An address is usable before its actor has ever run."""

    async def tell_the_later_one(probe: Probe) -> None:
        probe.ctx.find("b").tell("early")

    async with open_system(
        SupervisorSpec(
            "root",
            [
                probe("a", notes, hooks={"start": tell_the_later_one}),
                probe("b", notes, direct=True),
            ],
        ),
        rng=Random(0),
    ):
        await wait_all_tasks_blocked()
        assert notes.of("received") == [("b", "early")]


def test_a_boot_failure_is_retried_and_those_after_it_wait(
    over_seeds: OverSeeds,
) -> None:
    """A child that cannot boot counts as a failure, and the order of the start holds."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        strategy, position, times = BOOTS[seed % len(BOOTS)]

        async def body(system: System) -> None:
            assert {node.state for node in system.snapshot()} == {State.RUNNING}
            assert system.snapshot()[NAMES[position]].generation == times + 1

        children = [
            probe(name, notes, hooks={"start": boot_fails(times)} if n == position else {})
            for n, name in enumerate(NAMES)
        ]
        await with_tree(seed, SupervisorSpec("root", children, strategy=strategy), body)

        last_starts = {
            path: n for n, (what, path, _) in enumerate(notes.entries) if what == "started"
        }
        assert sorted(last_starts, key=lambda path: last_starts[path]) == list(NAMES)
        later = NAMES[position + 1 :]
        assert all(len(notes.of("starting", name)) == 1 for name in later)


def test_a_child_that_never_boots_fails_the_tree_and_stops_those_before_it(
    over_seeds: OverSeeds,
) -> None:
    """The start of the tree raises the chain of causes; nobody after the child was started."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        position = seed % 4
        children = [
            probe(name, notes, hooks={"start": boot_fails(99)} if n == position else {})
            for n, name in enumerate(NAMES)
        ]

        async def body(_: System) -> None:
            raise AssertionError("the tree must not open")

        with pytest.raises(RestartIntensityExceeded, match="root gave up") as info:
            await with_tree(
                seed, SupervisorSpec("root", children, intensity=Intensity(2, 5.0)), body
            )

        assert isinstance(info.value.__cause__, Crash)
        assert notes.paths("stopped") == list(reversed(NAMES[:position]))
        assert len(notes.of("starting", NAMES[position])) == 3
        assert set(notes.paths("starting")) == set(NAMES[: position + 1])


def test_a_temporary_child_that_cannot_boot_is_given_up(over_seeds: OverSeeds) -> None:
    """The others start all the same."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            assert system.snapshot()["a"].state is State.STOPPED
            assert system.snapshot()["b"].state is State.RUNNING

        hooks = {"start": boot_fails(1)}
        a = probe("a", notes, hooks=hooks, restart=Restart.TEMPORARY)
        await with_tree(seed, SupervisorSpec("root", [a, probe("b", notes)]), body)


def test_a_start_that_takes_too_long_is_a_failure(over_seeds: OverSeeds) -> None:
    """It is cancelled at its timeout, counted, and tried again."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        slow = [True]

        async def start(_: Probe) -> None:
            if slow.pop() if slow else False:
                await trio.sleep_forever()

        async def body(system: System) -> None:
            node = system.snapshot()["a"]
            assert node.last_error is not None
            assert (node.last_error.kind, node.last_error.at_s) == (StartTimeout.__name__, 2.0)
            assert node.last_error.text == "a was not ready within 2 s"
            assert (node.generation, node.restarts_in_window) == (2, 1)

        spec = probe("a", notes, hooks={"start": start}, start_timeout_s=2.0)
        await with_tree(seed, SupervisorSpec("root", [spec], backoff=Backoff(0.1, 0.1)), body)


def test_a_failure_of_an_earlier_child_during_the_start_is_dealt_with(
    over_seeds: OverSeeds,
) -> None:
    """One for one it comes back beside the start; in a group the start begins again from it."""

    @over_seeds
    async def _rule(seed: int) -> None:
        strategy = STRATEGIES[seed % 3]
        notes = Notes()

        async def fail_once(probe: Probe) -> None:
            await trio.sleep(0.5)
            if probe.ctx.generation == 1:
                raise Crash("early")
            await trio.sleep_forever()

        async def slowly(_: Probe) -> None:
            await trio.sleep(1)

        async def body(system: System) -> None:
            await wait_all_tasks_blocked()
            assert {node.state for node in system.snapshot()} == {State.RUNNING}

        await with_tree(
            seed,
            SupervisorSpec(
                "root",
                [
                    probe("a", notes, living=True, hooks={"run": fail_once}),
                    probe("b", notes, hooks={"start": slowly}),
                    probe("c", notes),
                ],
                strategy=strategy,
            ),
            body,
        )

        assert len(notes.of("started", "a")) == 2
        again = 1 if strategy is Strategy.ONE_FOR_ONE else 2
        assert len(notes.of("starting", "b")) == again
        assert len(notes.of("started", "c")) == 1
        assert notes.alive == {}


def test_a_cancellation_from_outside_during_the_start_stops_what_is_up(
    over_seeds: OverSeeds,
) -> None:
    """In reverse order, at any moment of the start; nothing is left."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        children = [probe(name, notes, living=True, hooks={"start": nap(rng)}) for name in NAMES]
        with trio.move_on_after(rng.random() * 2) as scope:
            async with open_system(SupervisorSpec("root", children), rng=rng):
                await trio.sleep_forever()
        assert scope.cancelled_caught

        up = notes.paths("started")
        assert notes.paths("stopped") == list(reversed(up))
        assert notes.alive == {}


def test_a_cancellation_from_outside_during_a_backoff_stops_the_tree(over_seeds: OverSeeds) -> None:
    """The child that waits is not started any more; the others stop in reverse."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        children = [probe(name, notes, living=True) for name in NAMES]
        spec = SupervisorSpec(
            "root", children, strategy=rng.choice(list(Strategy)), backoff=Backoff(50.0, 50.0)
        )
        with trio.CancelScope() as scope:
            async with open_system(spec, rng=rng) as system:
                system.address("c").tell(Crash("now"))
                await wait_for_state(system, "c", State.BACKOFF)
                scope.cancel()
                await trio.sleep_forever()

        assert notes.alive == {}
        assert len(notes.of("started", "c")) == 1
        assert notes.paths("stopped")[-2:] == ["b", "a"]


def test_a_child_killed_in_its_start_starts_again(over_seeds: OverSeeds) -> None:
    """A person may lose patience with a boot; it is cancelled at once, and not counted."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        opened: list[System] = []

        async def hang_once(probe: Probe) -> None:
            opened.append(probe.ctx.system)
            if probe.ctx.generation == 1:
                await trio.sleep_forever()

        async def kill_it() -> None:
            await wait_all_tasks_blocked()
            await opened[0].kill("a")

        rng = Random(seed)
        spec = probe("a", notes, hooks={"start": hang_once}, start_timeout_s=99)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kill_it)
            async with open_system(SupervisorSpec("root", [spec]), rng=rng) as system:
                node = system.snapshot()["a"]
                assert (node.generation, node.restarts_in_window) == (2, 0)
                assert trio.current_time() == 0
