"""Who is restarted when a child ends, and when a supervisor gives up."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    Backoff,
    Intensity,
    Restart,
    State,
    Strategy,
    SupervisorSpec,
    System,
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
# A rule that holds for each of these goes through all of them as the seeds go on.
ENDS = tuple(product(Strategy, range(len(NAMES)), (True, False)))
TYPES = tuple(product(Restart, (True, False), (True, False)))


def end(probe: Probe) -> None:
    """Let an actor end normally."""
    probe.ctx.end("done")


def others(strategy: Strategy, position: int) -> list[str]:
    """Name those that are restarted together with the one at ``position``."""
    if strategy is Strategy.ONE_FOR_ONE:
        return []
    later = list(NAMES[position + 1 :])
    return later if strategy is Strategy.REST_FOR_ONE else [*NAMES[:position], *later]


def test_each_strategy_restarts_its_group(over_seeds: OverSeeds) -> None:
    """The failed child, and those its strategy names: stopped in reverse, started in order."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        strategy, position, crash = ENDS[seed % len(ENDS)]

        async def body(system: System) -> None:
            notes.entries.clear()
            system.address(NAMES[position]).tell(Crash("x") if crash else end)
            await wait_all_tasks_blocked()
            assert {node.state for node in system.snapshot()} == {State.RUNNING}
            group = others(strategy, position)
            ended = [] if crash else [NAMES[position]]
            assert notes.paths("stopped") == [*ended, *reversed(group)]
            started = sorted([*group, NAMES[position]])
            assert notes.paths("started") == started
            assert {path: notes.alive[path] for path in NAMES} == {
                name: 2 if name in started else 1 for name in NAMES
            }

        children = [probe(name, notes, living=True) for name in NAMES]
        await with_tree(
            seed, SupervisorSpec("root", children, strategy=strategy, backoff=NO_BACKOFF), body
        )
        assert notes.alive == {}


def test_the_restart_type_says_whether_a_child_comes_back(over_seeds: OverSeeds) -> None:
    """Permanent always, transient after a failure, temporary never."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        restart, crash, living = TYPES[seed % len(TYPES)]
        comes_back = restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and crash)

        async def body(system: System) -> None:
            system.address("a").tell(Crash("x") if crash else end)
            await wait_all_tasks_blocked()
            node = system.snapshot()["a"]
            assert node.state is (State.RUNNING if comes_back else State.STOPPED)
            assert node.generation == (2 if comes_back else 1)
            assert (node.last_error is None) is not crash

        spec = probe("a", notes, restart=restart, living=living)
        await with_tree(seed, SupervisorSpec("root", [spec], backoff=NO_BACKOFF), body)


def test_a_sibling_taken_down_comes_back_unless_it_is_temporary(
    over_seeds: OverSeeds,
) -> None:
    """Temporary means never, not even when it was another's death; the ended stay ended."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        restart = tuple(Restart)[seed % 3]

        async def body(system: System) -> None:
            if restart is Restart.TRANSIENT:
                system.address("ended").tell(end)
                await wait_for_state(system, "ended", State.STOPPED)
            system.address("a").tell(Crash("x"))
            await wait_all_tasks_blocked()
            states = {node.path: node.state for node in system.snapshot()}
            is_over = restart is Restart.TEMPORARY
            assert states["b"] is (State.STOPPED if is_over else State.RUNNING)
            is_over = restart is not Restart.PERMANENT
            assert states["ended"] is (State.STOPPED if is_over else State.RUNNING)

        children = [
            probe("a", notes),
            probe("b", notes, restart=restart),
            probe("ended", notes, restart=restart),
        ]
        spec = SupervisorSpec("root", children, strategy=Strategy.ONE_FOR_ALL, backoff=NO_BACKOFF)
        await with_tree(seed, spec, body)


def test_waits_grow_and_begin_again_after_healthy_time(over_seeds: OverSeeds) -> None:
    """Each wait lies under its doubling ceiling; a child that was well starts from the base."""
    backoff = Backoff(base_s=1.0, cap_s=5.0, healthy_after_s=60.0)
    spread: set[float] = set()

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [probe("a", notes)],
            backoff=backoff,
            intensity=Intensity(99, per_s=1, same_kind=None),
        )

        async def waits_s(system: System) -> float:
            began_s = trio.current_time()
            system.address("a").tell(Crash("x"))
            await wait_for_state(system, "a", State.BACKOFF)
            node = system.snapshot()["a"]
            assert node.next_restart_in_s is not None
            await wait_for_state(system, "a", State.RUNNING)
            assert trio.current_time() - began_s == pytest.approx(node.next_restart_in_s)
            return trio.current_time() - began_s

        async def body(system: System) -> None:
            for ceiling_s in (1.0, 2.0, 4.0, 5.0, 5.0):
                assert await waits_s(system) <= ceiling_s
            await trio.sleep(59.9)
            assert await waits_s(system) <= 5.0
            assert system.find("a").failures_in_row == 6
            await trio.sleep(60.001)
            spread.add(await waits_s(system))
            assert system.find("a").failures_in_row == 1

        await with_tree(seed, spec, body)

    assert max(spread) <= 1.0
    assert min(spread) < 0.1


def test_one_childs_backoff_delays_no_other(over_seeds: OverSeeds) -> None:
    """One for one, every child comes back by itself."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [probe("a", notes), probe("b", notes)],
            backoff=Backoff(60.0, 60.0),
            intensity=Intensity(99, 5, same_kind=None),
        )

        async def body(system: System) -> None:
            system.address("a").tell(Crash("x"))
            await wait_for_state(system, "a", State.BACKOFF)
            wait_s = system.snapshot()["a"].next_restart_in_s or 0
            await trio.sleep(wait_s / 2)
            await system.kill("b")
            assert trio.current_time() == pytest.approx(wait_s / 2)
            assert system.snapshot()["a"].state is State.BACKOFF
            assert system.snapshot()["b"].state is State.RUNNING

        await with_tree(seed, spec, body)


def test_a_failure_during_a_recovery_joins_it(over_seeds: OverSeeds) -> None:
    """Whatever fails while a group is on its way down or up, all of it runs in the end."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        strategy = tuple(Strategy)[seed % 3]

        async def body(system: System) -> None:
            for _ in range(3):
                system.address(rng.choice(NAMES)).tell(Crash("x"))
                await trio.sleep(rng.random() * 0.2)
            await trio.sleep(60)
            assert {node.state for node in system.snapshot()} == {State.RUNNING}
            assert sorted(notes.alive) == list(NAMES)
            last = {p: n for n, (what, p, _) in enumerate(notes.entries) if what == "started"}
            if strategy is Strategy.ONE_FOR_ALL:
                assert sorted(last, key=lambda path: last[path]) == list(NAMES)

        async def slowly(_: Probe) -> None:
            await trio.sleep(0.05)

        async def reluctantly(_: Probe) -> None:
            await trio.sleep(0.07)

        hooks: dict[str, Hook] = {"start": slowly, "stop": slowly, "end": reluctantly}
        spec = SupervisorSpec(
            "root",
            [probe(name, notes, living=True, hooks=hooks) for name in NAMES],
            strategy=strategy,
            backoff=Backoff(0.1, 1.0),
            intensity=Intensity(9, per_s=1, same_kind=None),
        )
        await with_tree(seed, spec, body)
