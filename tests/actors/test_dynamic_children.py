"""Children that come and go: spawned, removed, spawned again."""

from __future__ import annotations

from random import Random

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    Backoff,
    Intensity,
    Restart,
    State,
    SteeringRefused,
    Strategy,
    SupervisorSpec,
    System,
    UnknownActor,
    open_system,
)
from actors.testing import Crash, Notes, OverSeeds, probe, wait_for_state, with_tree


def test_children_come_and_go_while_others_work(over_seeds: OverSeeds) -> None:
    """Spawned ones start beside the others; removed ones stop in order and are forgotten."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [SupervisorSpec("trading", [SupervisorSpec("markets")]), probe("z", notes)],
        )

        async def body(system: System) -> None:
            for n in range(4):
                address = system.spawn(
                    "trading/markets", probe(f"m{n}", notes, living=True, direct=True)
                )
                address.tell("first")
            await wait_all_tasks_blocked()
            assert len(notes.alive) == 4
            assert len(notes.of("received")) == 4

            await system.kill("m1")
            await system.remove("m2")
            assert sorted(notes.alive.items()) == [
                ("trading/markets/m0", 1),
                ("trading/markets/m1", 2),
                ("trading/markets/m3", 1),
            ]
            with pytest.raises(UnknownActor, match="no actor is named m2; nearest: "):
                system.address("m2")
            assert "trading/markets/m2" not in [node.path for node in system.snapshot()]

        await with_tree(seed, spec, body)
        assert notes.paths("stopped")[-4:] == [
            "z", *(f"trading/markets/m{n}" for n in (3, 1, 0))
        ]  # fmt: skip


def test_an_address_outlives_the_removal(over_seeds: OverSeeds) -> None:
    """Sent to a removed actor is a dead letter; spawned again, it answers at the old address."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            old = system.spawn("root", probe("m", notes))
            await wait_for_state(system, "m", State.RUNNING)
            await system.remove("m")
            old.tell("lost")
            assert old.alive is False
            new = system.spawn("root", probe("m", notes, direct=True))
            old.tell("found")
            await wait_for_state(system, "m", State.RUNNING)
            await wait_all_tasks_blocked()

            assert notes.of("received", "m") == [("m", "found")]
            assert (old, hash(old)) == (new, hash(new))
            assert await old.ask(1, timeout_s=1) == 1
            assert system.snapshot()["m"].generation == 2

        await with_tree(seed, SupervisorSpec("root"), body)


def test_dynamic_children_come_back_with_their_branch(over_seeds: OverSeeds) -> None:
    """A restart of the supervisor keeps them, except the temporary and the removed."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [SupervisorSpec("markets", strategy=list(Strategy)[seed % 3])],
        )

        async def body(system: System) -> None:
            for name in ("a", "b"):
                system.spawn("markets", probe(name, notes))
            system.spawn("markets", probe("t", notes, restart=Restart.TEMPORARY))
            await wait_all_tasks_blocked()
            await system.remove("b")
            await system.kill("markets")
            await wait_all_tasks_blocked()
            states = {node.name: node.state for node in system.snapshot()}
            assert states == {
                "root": State.RUNNING,
                "markets": State.RUNNING,
                "a": State.RUNNING,
                "t": State.STOPPED,
            }

        await with_tree(seed, spec, body)
        assert notes.of("stopping", "markets/a") == [("markets/a", "shutdown")]


async def test_a_whole_branch_can_be_added_and_removed(notes: Notes) -> None:
    """Dynamic children may be supervisors."""
    async with open_system(SupervisorSpec("root"), rng=Random(0)) as system:
        system.spawn("root", SupervisorSpec("branch", [probe("a", notes), probe("b", notes)]))
        await wait_for_state(system, "branch", State.RUNNING)
        assert notes.paths("started") == ["branch/a", "branch/b"]

        await system.remove("branch")
        assert notes.paths("stopped") == ["branch/b", "branch/a"]
        assert [node.path for node in system.snapshot()] == ["root"]
        with pytest.raises(UnknownActor):
            system.address("branch/a")


async def test_what_is_down_is_removed_at_once(notes: Notes) -> None:
    """There is nothing to stop."""
    async with open_system(SupervisorSpec("root", [probe("a", notes)]), rng=Random(0)) as system:
        await system.quarantine("a")
        assert await system.remove("a") is State.STOPPED
        assert [node.path for node in system.snapshot()] == ["root"]


async def test_children_added_to_a_branch_that_is_down_start_with_it(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """Their addresses take messages meanwhile."""
    branch = SupervisorSpec("branch", [probe("a", notes)], intensity=Intensity(0, per_s=1))
    spec = SupervisorSpec("root", [branch], backoff=Backoff(9.0, 9.0))
    async with open_system(spec, rng=Random(0)) as system:
        system.address("a").tell(Crash("x"))
        await wait_for_state(system, "branch", State.BACKOFF)
        system.spawn("branch", probe("b", notes)).tell("early")
        await wait_for_state(system, "b", State.RUNNING)
        await wait_all_tasks_blocked()
        assert notes.of("received", "branch/b") == [("branch/b", "early")]


async def test_nothing_waits_under_a_branch_that_has_ended(notes: Notes) -> None:
    """Who is released there has ended too, and nobody can be added."""
    branch = SupervisorSpec("branch", [probe("a", notes)], restart=Restart.TEMPORARY)
    spec = SupervisorSpec("root", [branch])
    async with open_system(spec, rng=Random(0)) as system:
        await system.quarantine("a")
        system.find("branch").request_stop("done", State.STOPPED)
        await wait_for_state(system, "branch", State.STOPPED)

        with pytest.raises(SteeringRefused, match="branch is stopped: restart it first"):
            system.spawn("branch", probe("b", notes))
        assert await system.release("a") is State.STOPPED
        assert await system.restart("branch") is State.RUNNING
        assert notes.paths("started") == ["branch/a", "branch/a"]
