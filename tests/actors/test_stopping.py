"""Reverse-order stop: graces, force, and those that are stuck."""

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
    ChildSpec,
    Restart,
    State,
    Strategy,
    SupervisorSpec,
    System,
    TreeEvent,
    fail,
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


def takes(seconds: float) -> Hook:
    """Make a hook that takes so long."""

    async def hook(_: Probe) -> None:
        await trio.sleep(seconds)

    return hook


def test_children_stop_in_reverse_each_when_the_one_before_has_gone(over_seeds: OverSeeds) -> None:
    """Whatever each takes within its grace, none begins before the one before it is down."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        inner = SupervisorSpec(
            "inner",
            [probe(n, notes, hooks={"stop": takes(rng.random())}, living=True) for n in "xy"],
            strategy=rng.choice(list(Strategy)),
        )
        children: list[ChildSpec] = [
            probe("a", notes, hooks={"stop": takes(rng.random()), "end": takes(rng.random())}),
            inner,
            probe("b", notes, hooks={"stop": takes(rng.random())}),
        ]

        async def body(_: System) -> None:
            await trio.sleep(1)

        await with_tree(seed, SupervisorSpec("root", children), body)

        events = [(what, path) for what, path, _ in notes.entries if what.startswith("stop")]
        order = ["b", "inner/y", "inner/x", "a"]
        assert events == [(what, path) for path in order for what in ("stopping", "stopped")]
        assert notes.alive == {}


def test_a_stop_past_its_grace_is_cancelled(over_seeds: OverSeeds) -> None:
    """Each child has its own grace; the next one still has all of its own."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        children = [
            probe("a", notes, hooks={"stop": takes(0.4)}, grace_s=0.5),
            probe("b", notes, hooks={"stop": takes(99)}, grace_s=2.0),
        ]
        async with open_system(SupervisorSpec("root", children), rng=rng):
            pass
        assert trio.current_time() == pytest.approx(2.4)
        assert notes.paths("stopping") == ["b", "a"]
        assert notes.paths("stopped") == ["a"]


def test_one_that_ignores_its_cancellation_is_reported_as_stuck(over_seeds: OverSeeds) -> None:
    """The rest of the tree stops all the same; the tree itself ends when the stuck one does."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        events: list[TreeEvent] = []
        rng = Random(seed)
        stuck = probe("b", notes, living=True, hooks={"end": takes(30)}, grace_s=1.0)
        inner = SupervisorSpec("inner", [stuck])
        spec = SupervisorSpec("root", [probe("a", notes), inner, probe("c", notes)])
        async with open_system(spec, rng=rng, on_event=events.append) as system:
            pass
        assert trio.current_time() == pytest.approx(30)
        assert {node.state for node in system.snapshot()} == {State.STOPPED}

        assert notes.paths("stopped") == ["c", "inner/b", "a"]
        assert [(event.kind, event.path, event.at_s) for event in events] == [
            ("stuck", "inner/b", 2.0)
        ]
        assert notes.alive == {}


def test_a_stuck_child_is_not_replaced_until_it_is_gone(over_seeds: OverSeeds) -> None:
    """Never two live generations, whatever the supervisor would like."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            restarting = system.restart("a")
            assert await restarting is State.STUCK
            assert trio.current_time() == pytest.approx(2.0)
            with pytest.raises(Exception, match="a is stuck: it ignores its cancellation"):
                system.kill("a")
            await wait_for_state(system, "b", State.RUNNING)
            assert trio.current_time() == pytest.approx(2.0)
            system.address("a").tell("waits")

            await wait_for_state(system, "a", State.RUNNING)
            assert trio.current_time() == pytest.approx(10.0)
            assert system.snapshot()["a"].generation == 2

        async def end_once(probe: Probe) -> None:
            if probe.ctx.generation == 1:
                await trio.sleep(10)

        spec = SupervisorSpec(
            "root",
            [probe("a", notes, living=True, hooks={"end": end_once}), probe("b", notes)],
            strategy=list(Strategy)[seed % 3],
        )
        await with_tree(seed, spec, body)
        assert notes.of("received") == [("a", "waits")]


def test_a_stuck_child_of_a_restarted_branch_joins_it_when_it_is_gone(
    over_seeds: OverSeeds,
) -> None:
    """The branch comes back without it at first."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def end_once(probe: Probe) -> None:
            if probe.ctx.generation == 1:
                await trio.sleep(10)

        async def body(system: System) -> None:
            assert await system.restart("inner") is State.RUNNING
            assert system.snapshot()["inner/a"].state is State.STUCK
            assert system.snapshot()["inner/b"].generation == 2
            await trio.sleep(10)
            assert system.snapshot()["inner/a"].generation == 2
            assert system.snapshot()["inner/a"].state is State.RUNNING

        inner = SupervisorSpec(
            "inner", [probe("a", notes, living=True, hooks={"end": end_once}), probe("b", notes)]
        )
        await with_tree(seed, SupervisorSpec("root", [inner]), body)


async def test_a_kill_that_is_ignored_leaves_a_stuck_actor(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """It may still be quarantined, so that it stays down once it is gone."""
    spec = probe("a", notes, living=True, hooks={"end": takes(10)}, grace_s=1.5)
    async with open_system(SupervisorSpec("root", [spec]), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        assert await system.kill("a") is State.STUCK
        assert trio.current_time() == pytest.approx(1.5)
        assert await system.quarantine("a") is State.STUCK
        await trio.sleep(10)

        assert system.snapshot()["a"].state is State.QUARANTINED
        assert notes.alive == {}


async def test_a_removed_child_that_is_stuck_goes_with_its_branch(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """Its late end finds nothing left to take it out of."""
    stuck = probe("a", notes, living=True, hooks={"end": takes(10)})
    spec = SupervisorSpec("root", [SupervisorSpec("inner", [stuck])])
    async with open_system(spec, rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        await system.remove("a")
        await system.remove("inner")
        assert [node.path for node in system.snapshot()] == ["root"]
        await trio.sleep(20)
        assert notes.alive == {}


async def test_a_stuck_child_of_an_ended_branch_just_ends(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """Nobody is there any more who could restart it."""
    inner = SupervisorSpec(
        "inner", [probe("a", notes, living=True, hooks={"end": takes(10)}), probe("b", notes)]
    )
    spec = SupervisorSpec("root", [inner, probe("c", notes)])
    async with open_system(spec, rng=Random(0)) as system:
        system.remove("inner")
        await trio.sleep(5)
        assert sorted(node.path for node in system.snapshot()) == ["c", "root"]
        await trio.sleep(6)
        assert notes.alive == {}


def test_a_cancellation_from_outside_stops_the_tree_in_order(over_seeds: OverSeeds) -> None:
    """And one more during the stop changes nothing: every child keeps its grace."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        children = [
            probe(name, notes, living=True, hooks={"stop": takes(0.5), "end": takes(0.2)})
            for name in NAMES
        ]
        with trio.move_on_after(1.0 + rng.random()), trio.move_on_after(rng.random()):
            async with open_system(SupervisorSpec("root", children), rng=rng):
                await trio.sleep_forever()
        assert notes.paths("stopped") == list(reversed(NAMES))
        assert notes.alive == {}


def test_an_exception_in_the_body_comes_out_as_it_is_after_an_orderly_stop(
    over_seeds: OverSeeds,
) -> None:
    """Not in a group, and not before the tree is down."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(_: System) -> None:
            raise KeyError("the body's own")

        with pytest.raises(KeyError, match="the body's own"):
            await with_tree(seed, SupervisorSpec("root", [probe(n, notes) for n in NAMES]), body)
        assert notes.paths("stopped") == list(reversed(NAMES))


def test_a_failure_while_stopping_is_noted_and_stops_nobody_else(over_seeds: OverSeeds) -> None:
    """It neither counts nor keeps the next child from its stop."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def fails(_: Probe) -> None:
            await trio.lowlevel.checkpoint()
            raise Crash("while stopping")

        async def main(rng: Random) -> None:
            async with open_system(SupervisorSpec("root", children), rng=rng) as system:
                pass
            nodes = {node.path: node for node in system.snapshot()}
            assert [str(nodes[name].last_error) for name in "ab"] == ["Crash: while stopping"] * 2
            assert [nodes[name].restarts_in_window for name in "ab"] == [0, 0]

        children = [
            probe("a", notes, hooks={"stop": fails}, living=bool(seed % 2)),
            probe("b", notes, hooks={"end": fails}, living=True),
            probe("c", notes),
        ]
        await main(Random(seed))
        assert notes.paths("stopping") == ["c", "b", "a"]


def test_a_crash_during_the_stop_of_others_is_not_restarted(over_seeds: OverSeeds) -> None:
    """A supervisor that is closing starts nobody."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def crash_soon(_: Probe) -> None:
            await trio.sleep(0.5)
            raise Crash("late")

        async def body(_: System) -> None:
            await trio.sleep(0.2)

        children = [
            probe("a", notes, living=True, hooks={"run": crash_soon}),
            probe("b", notes, hooks={"stop": takes(0.9)}),
        ]
        await with_tree(seed, SupervisorSpec("root", children, backoff=NO_BACKOFF), body)
        assert notes.paths("started") == ["a", "b"]
        assert notes.alive == {}


async def test_abort_stops_now(notes: Notes, autojump_clock: trio.testing.MockClock) -> None:
    """A person's second signal cancels every actor instead of waiting for graces."""
    children = [probe(n, notes, living=True, hooks={"stop": takes(9)}, grace_s=10) for n in NAMES]
    async with (
        trio.open_nursery() as nursery,
        open_system(SupervisorSpec("root", children), rng=Random(0)) as system,
    ):

        @nursery.start_soon
        async def _signal() -> None:
            await trio.sleep(1)
            system.abort()

    assert trio.current_time() == pytest.approx(1.0)
    assert notes.paths("stopping") == ["d"]
    system.abort()


async def test_what_waits_when_a_tree_ends_is_a_dead_letter(notes: Notes) -> None:
    """No message is lost without a count, and one sent later is counted too."""

    class Busy(Actor):
        async def run(self) -> None:
            self.ctx.address.tell("never handled")
            self.ctx.address.tell("nor this")
            self.ctx.end()

    spec = ActorSpec("a", Busy, restart=Restart.TRANSIENT, mailbox=fail(2))
    async with open_system(SupervisorSpec("root", [spec]), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        system.address("a").tell("too late")

        assert [(d.reason, d.count) for d in system.snapshot().dead_letters] == [
            ("waiting when the actor ended", 2),
            ("sent to an actor that has ended", 1),
        ]
        assert system.snapshot()["a"].adds_up


def test_a_stop_during_a_backoff_starts_nobody(over_seeds: OverSeeds) -> None:
    """Quarantine, removal and shutdown all end the wait."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            system.address("a").tell(Crash("x"))
            await wait_for_state(system, "a", State.BACKOFF)
            if seed % 3 == 0:
                assert await system.quarantine("a") is State.QUARANTINED
            elif seed % 3 == 1:
                await system.remove("a")
            await trio.sleep(100 if seed % 3 < 2 else 0.001)

        spec = SupervisorSpec(
            "root",
            [probe("a", notes), probe("b", notes)],
            backoff=Backoff(50.0, 50.0),
            strategy=list(Strategy)[seed // 3 % 3],
        )
        await with_tree(seed, spec, body)
        assert len(notes.of("started", "a")) == 1


async def test_work_beside_the_mailbox_can_tell_that_nobody_takes_messages(
    autojump_clock: object,
) -> None:
    """While a stop takes its time the instance's own work goes on, and what it sends waits."""
    seen: list[bool] = []

    class Worker(Actor):
        async def run(self) -> None:
            while True:
                seen.append(self.ctx.stopping)
                await trio.sleep(0.1)

        async def stop(self, reason: str) -> None:
            await trio.sleep(1)

    tree = SupervisorSpec("root", [ActorSpec("worker", Worker)])
    async with open_system(tree, rng=Random(1)) as system:
        await trio.sleep(0.05)
        assert seen == [False]
        await system.quarantine("worker")

    assert seen[1:10] == [True] * 9
