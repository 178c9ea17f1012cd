"""A person's kill, restart, quarantine and release, and children that come and go."""

# flake8: noqa: ASYNC124 - the kit awaits what it is given, whether that waits or not

from __future__ import annotations

from random import Random

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    Actor,
    ActorSpec,
    Backoff,
    Intensity,
    Restart,
    SpecError,
    State,
    SteeringRefused,
    Strategy,
    SupervisorSpec,
    System,
    UnknownActor,
    open_system,
)
from actors.testing import (
    Crash,
    Notes,
    OverSeeds,
    Probe,
    probe,
    wait_for_state,
    with_tree,
)

NAMES = ("a", "b", "c", "d")
STRICT = Intensity(0, per_s=1e9)


def test_a_persons_acts_never_count(over_seeds: OverSeeds) -> None:
    """Under a limit of no restart at all, a person may kill and restart at will."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        spec = SupervisorSpec(
            "root", [probe("a", notes, living=bool(seed % 2)), probe("b", notes)], intensity=STRICT
        )

        async def body(system: System) -> None:
            for n in range(5):
                assert await (system.kill("a") if n % 2 else system.restart("a")) is State.RUNNING
            await system.quarantine("a")
            await system.release("a")
            node = system.snapshot()["a"]
            assert (node.generation, node.restarts, node.restarts_in_window) == (7, 6, 0)
            assert node.last_error is None
            assert system.snapshot()["b"].generation == 1
            assert trio.current_time() == 0

        await with_tree(seed, spec, body)
        assert [reason for _, reason in notes.of("stopped", "a")] == [
            "restart", "restart", "restart", "quarantined", "shutdown"
        ]  # fmt: skip


def test_a_kill_takes_along_whom_the_strategy_names(over_seeds: OverSeeds) -> None:
    """Who depends on the killed one is restarted with it."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        strategy = tuple(Strategy)[seed % 3]
        spec = SupervisorSpec(
            "root",
            [probe(name, notes, living=True) for name in NAMES],
            strategy=strategy,
            intensity=STRICT,
        )

        async def body(system: System) -> None:
            await system.kill("b")
            await wait_all_tasks_blocked()
            generations = [system.snapshot()[name].generation for name in NAMES]
            assert (
                generations
                == {
                    Strategy.ONE_FOR_ONE: [1, 2, 1, 1],
                    Strategy.REST_FOR_ONE: [1, 2, 2, 2],
                    Strategy.ONE_FOR_ALL: [2, 2, 2, 2],
                }[strategy]
            )

        await with_tree(seed, spec, body)


async def test_a_restart_in_a_group_stops_in_reverse(notes: Notes) -> None:
    """The one that is meant stops when its turn comes."""
    spec = SupervisorSpec(
        "root", [probe(name, notes) for name in NAMES], strategy=Strategy.ONE_FOR_ALL
    )
    async with open_system(spec, rng=Random(0)) as system:
        await system.restart("b")
        await wait_all_tasks_blocked()
        assert notes.paths("stopped") == ["d", "c", "b", "a"]


@pytest.mark.parametrize("restart", list(Restart))
async def test_a_person_brings_back_whatever_the_restart_type(
    notes: Notes, restart: Restart
) -> None:
    """A kill or a restart is a wish to have the actor, also a temporary one."""
    spec = SupervisorSpec("root", [probe("a", notes, restart=restart)], intensity=STRICT)
    async with open_system(spec, rng=Random(0)) as system:
        assert await system.kill("a") is State.RUNNING
        assert await system.restart("a") is State.RUNNING
        assert system.snapshot()["a"].generation == 3


def test_a_kill_ends_a_backoff(over_seeds: OverSeeds) -> None:
    """The person need not wait for what the supervisor would have waited."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [probe("a", notes), probe("b", notes)],
            backoff=Backoff(100.0, 100.0),
            strategy=list(Strategy)[seed % 3],
        )

        async def body(system: System) -> None:
            system.address("a").tell(Crash("x"))
            await wait_for_state(system, "a", State.BACKOFF)
            assert await (system.kill("a") if seed % 2 else system.restart("a")) is State.RUNNING
            assert trio.current_time() == 0
            assert system.find("a").failures_in_row == 0

        await with_tree(seed, spec, body)


async def test_a_boot_that_hangs_is_quarantined_at_once(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """What has not started has nothing to stop in order."""

    async def hang(probe: Probe) -> None:
        if probe.ctx.generation > 1:
            await trio.sleep_forever()

    spec = probe("a", notes, hooks={"start": hang}, grace_s=30, start_timeout_s=99)
    async with open_system(SupervisorSpec("root", [spec]), rng=Random(0)) as system:
        system.kill("a")
        await wait_all_tasks_blocked()
        assert system.snapshot()["a"].state is State.STARTING
        assert await system.quarantine("a") is State.QUARANTINED
        assert trio.current_time() == 0


def test_a_kill_that_fails_to_boot_ends_in_a_backoff(over_seeds: OverSeeds) -> None:
    """The person learns the state; the boot failure counts as any."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def boot(probe: Probe) -> None:
            if probe.ctx.generation == 2:
                raise Crash("boot")

        spec = SupervisorSpec(
            "root", [probe("a", notes, hooks={"start": boot})], backoff=Backoff(5.0, 5.0)
        )

        async def body(system: System) -> None:
            assert await system.kill("a") is State.BACKOFF
            await wait_for_state(system, "a", State.RUNNING)
            assert system.snapshot()["a"].restarts_in_window == 1

        await with_tree(seed, spec, body)


def test_a_quarantined_actor_stays_down_and_keeps_its_mail(over_seeds: OverSeeds) -> None:
    """Neither time, nor a sibling's restart, nor its branch's restart brings it back."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        inner = SupervisorSpec(
            "inner",
            [probe("a", notes, direct=True), probe("b", notes)],
            strategy=Strategy.ONE_FOR_ALL,
            backoff=NO_BACKOFF,
        )

        async def body(system: System) -> None:
            assert await system.quarantine("a") is State.QUARANTINED
            assert await system.quarantine("a") is State.QUARANTINED
            system.address("a").tell("waits")
            system.address("b").tell(Crash("x"))
            await trio.sleep(100)
            await system.restart("inner")
            await wait_all_tasks_blocked()
            assert system.snapshot()["inner/a"].state is State.QUARANTINED
            assert system.snapshot()["inner/b"].generation == 3

            assert await system.release("a") is State.RUNNING
            await wait_all_tasks_blocked()
            assert notes.of("received", "inner/a") == [("inner/a", "waits")]

        notes.entries.clear()
        await with_tree(seed, SupervisorSpec("root", [inner]), body)


def test_a_release_while_the_stop_is_under_way_starts_again(over_seeds: OverSeeds) -> None:
    """A person may change their mind."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            quarantined = system.quarantine("a")
            released = system.release("a")
            assert await quarantined is State.RUNNING
            assert await released is State.RUNNING
            assert system.snapshot()["a"].generation == 2

        spec = SupervisorSpec(
            "root", [probe("a", notes)], strategy=list(Strategy)[seed % 3], intensity=STRICT
        )
        await with_tree(seed, spec, body)


def test_a_release_waits_for_the_branch(over_seeds: OverSeeds) -> None:
    """Released while its supervisor is down, an actor starts with it."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        inner = SupervisorSpec("inner", [probe("a", notes)], intensity=Intensity(0, per_s=1))
        spec = SupervisorSpec("root", [inner], backoff=Backoff(9.0, 9.0))

        async def body(system: System) -> None:
            system.address("a").tell(Crash("x"))
            await wait_for_state(system, "inner", State.BACKOFF)
            with pytest.raises(SteeringRefused, match="inner/a is under inner, which is"):
                system.kill("a")
            await system.quarantine("a")
            system.release("a")
            assert system.snapshot()["inner/a"].state is State.WAITING
            await wait_for_state(system, "a", State.RUNNING)

        await with_tree(seed, spec, body)


async def test_what_makes_no_sense_is_refused_in_one_line(notes: Notes) -> None:
    """Each refusal says what the state is and what to do instead."""
    spec = SupervisorSpec(
        "root", [probe("a", notes, restart=Restart.TRANSIENT), SupervisorSpec("branch")]
    )
    async with open_system(spec, rng=Random(0)) as system:
        with pytest.raises(SteeringRefused, match="root is the root: stop the whole system"):
            system.kill("root")
        with pytest.raises(SteeringRefused, match="a is running, not quarantined"):
            system.release("a")
        await system.quarantine("a")
        for act in (system.kill, system.restart):
            with pytest.raises(SteeringRefused, match="a is quarantined: release it first"):
                act("a")
        await system.release("a")
        system.address("a").tell(lambda probe: probe.ctx.end())
        await wait_for_state(system, "a", State.STOPPED)
        with pytest.raises(SteeringRefused, match="a is stopped: restart it instead"):
            system.kill("a")
        assert await system.restart("a") is State.RUNNING
        with pytest.raises(UnknownActor, match="a is an actor and has no children"):
            system.spawn("a", probe("x", notes))
        with pytest.raises(SpecError, match="root has a child named a: remove it first"):
            system.spawn("root", probe("a", notes))
        with pytest.raises(UnknownActor, match="branch is a supervisor and takes no messages"):
            system.address("branch")


async def test_a_kill_of_one_that_waits_for_its_turn_changes_nothing(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """It is not there yet, and its place in the order of the start is kept."""
    opened: list[System] = []

    async def slow(probe: Probe) -> None:
        opened.append(probe.ctx.system)
        await trio.sleep(1)

    spec = SupervisorSpec("root", [probe("a", notes, hooks={"start": slow}), probe("b", notes)])

    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def _kill() -> None:
            await wait_all_tasks_blocked()
            await opened[0].kill("b")

        async with open_system(spec, rng=Random(0)) as system:
            assert system.snapshot()["b"].generation == 1
            assert notes.paths("started") == ["a", "b"]


async def test_steering_while_the_tree_stops_is_harmless(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """Kills are refused; what takes down is taken down already."""

    class Stubborn(Actor):
        async def stop(self, reason: str) -> None:
            system = self.ctx.system
            for act in (system.kill, system.restart):
                with pytest.raises(SteeringRefused, match="root, which is stopping"):
                    act("b")
            system.quarantine("b")
            system.remove("c")
            notes.add("steered", "a")

    children = [probe("b", notes), probe("c", notes), ActorSpec("a", Stubborn)]
    async with open_system(SupervisorSpec("root", children), rng=Random(0)) as system:
        pass
    assert notes.paths("steered") == ["a"]
    assert system.find("b").state is State.QUARANTINED
    assert sorted(notes.paths("stopped")) == ["b", "c"]


def test_random_steering_leaves_a_whole_tree(over_seeds: OverSeeds) -> None:
    """Whatever a person does in whatever order, the tree ends up as the last wishes say."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        spec = SupervisorSpec(
            "root",
            [probe(name, notes, living=True) for name in NAMES],
            strategy=rng.choice(list(Strategy)),
            intensity=STRICT,
        )
        async with open_system(spec, rng=rng) as system:
            held: set[str] = set()
            for _ in range(12):
                name = rng.choice(NAMES)
                act = rng.choice([system.kill, system.restart, system.quarantine])
                if name in held:
                    held.discard(name)
                    act = system.release
                elif act == system.quarantine:
                    held.add(name)
                act(name)
                if rng.random() < 0.5:
                    await trio.sleep(rng.random() * 0.01)
            await wait_all_tasks_blocked()
            for name in NAMES:
                expected = State.QUARANTINED if name in held else State.RUNNING
                assert system.snapshot()[name].state is expected
                assert (name in notes.alive) is (name not in held)
        assert notes.alive == {}


class _Slow(Actor):
    """An actor that takes a second to stop."""

    def receive(self, message: object) -> None:
        raise ValueError(message)

    async def stop(self, reason: str) -> None:
        await trio.sleep(1.0)


async def test_a_child_removed_while_its_branch_restarts_is_let_go(autojump_clock: object) -> None:
    """New work for the restart, at the moment the child leaves the tree, does not miss it."""
    branch = SupervisorSpec(
        "branch",
        [ActorSpec(name, _Slow, grace_s=2.0) for name in NAMES],
        strategy=Strategy.ONE_FOR_ALL,
        intensity=Intensity(5, per_s=60.0),
    )
    # Which of the tasks that are due at that moment comes first is Trio's to choose.
    for seed in range(10):
        async with open_system(SupervisorSpec("root", [branch]), rng=Random(seed)) as system:
            system.address("a").tell("fail")
            await trio.sleep(0.5)
            system.remove("d")
            await trio.sleep(0.5)
            system.kill("b")
            system.kill("c")
            await trio.sleep(10.0)

            assert [node.name for node in system.snapshot()] == ["root", "branch", "a", "b", "c"]
            assert all(system.address(name).alive for name in "abc")
