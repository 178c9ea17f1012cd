"""Who is restarted when a child ends, and when a supervisor gives up."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    ActorSpec,
    AutoShutdown,
    Backoff,
    ChildSpec,
    Exceeded,
    Intensity,
    Restart,
    RestartIntensityExceeded,
    State,
    Strategy,
    SupervisorSpec,
    System,
    TreeEvent,
    open_system,
)
from actors.testing import Crash, Hook, Notes, Probe, probe, run_seeded, run_tree, wait_for_state

NAMES = ("a", "b", "c", "d")


def end(probe: Probe) -> None:
    """Let an actor end normally."""
    probe.ctx.end("done")


def others(strategy: Strategy, position: int) -> list[str]:
    """Name those that are restarted together with the one at ``position``."""
    if strategy is Strategy.ONE_FOR_ONE:
        return []
    later = list(NAMES[position + 1 :])
    return later if strategy is Strategy.REST_FOR_ONE else [*NAMES[:position], *later]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_each_strategy_restarts_its_group(seeds: range, strategy: Strategy) -> None:
    """The failed child, and those its strategy names: stopped in reverse, started in order."""
    for seed in seeds:
        notes = Notes()
        position, crash = seed % 4, seed // 4 % 2 == 0

        async def body(
            system: System, notes: Notes = notes, position: int = position, crash: bool = crash
        ) -> None:
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
        run_tree(
            seed, SupervisorSpec("root", children, strategy=strategy, backoff=NO_BACKOFF), body
        )
        assert notes.alive == {}


@pytest.mark.parametrize("crash", [True, False], ids=["crash", "normal"])
@pytest.mark.parametrize("restart", list(Restart))
def test_the_restart_type_says_whether_a_child_comes_back(
    seeds: range, restart: Restart, crash: bool
) -> None:
    """Permanent always, transient after a failure, temporary never."""
    comes_back = restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and crash)
    for seed in seeds:
        notes = Notes()

        async def body(system: System) -> None:
            system.address("a").tell(Crash("x") if crash else end)
            await wait_all_tasks_blocked()
            node = system.snapshot()["a"]
            assert node.state is (State.RUNNING if comes_back else State.STOPPED)
            assert node.generation == (2 if comes_back else 1)
            assert (node.last_error is None) is not crash

        spec = probe("a", notes, restart=restart, living=bool(seed % 2))
        run_tree(seed, SupervisorSpec("root", [spec], backoff=NO_BACKOFF), body)


@pytest.mark.parametrize("restart", list(Restart))
def test_a_sibling_taken_down_comes_back_unless_it_is_temporary(
    seeds: range, restart: Restart
) -> None:
    """Temporary means never, not even when it was another's death; the ended stay ended."""
    for seed in seeds:
        notes = Notes()

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
        run_tree(seed, spec, body)


@pytest.mark.parametrize(
    ("gaps_s", "gives_up"),
    [
        ([0, 0, 0], False),  # exactly the limit
        ([0, 0, 0, 0], True),  # one more
        ([4, 4, 4, 4, 4, 4], False),  # never more than three in ten seconds
        ([0, 0, 10, 0], True),  # the first is exactly as old as the window: it counts
        ([0, 0, 10.001, 0, 0], False),  # a moment later it does not
    ],
)
def test_the_limit_of_restarts_is_exact(seeds: range, gaps_s: list[float], gives_up: bool) -> None:
    """``limit`` failures within the window are borne; one more is escalated."""
    for seed in seeds[: len(seeds) // 2]:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [probe("a", notes), probe("b", notes)],
            backoff=NO_BACKOFF,
            intensity=Intensity(3, per_s=10, same_kind=None),
        )

        async def body(system: System) -> None:
            for gap_s in gaps_s:
                await trio.sleep(gap_s)
                system.address("a").tell(Crash("x"))
                await wait_all_tasks_blocked()

        if gives_up:
            with pytest.raises(RestartIntensityExceeded, match="past the limit of 3 restarts"):
                run_tree(seed, spec, body)
        else:
            run_tree(seed, spec, body)


def test_the_children_of_a_supervisor_share_its_limit(seeds: range) -> None:
    """As in OTP: failures of different children add up."""
    for seed in seeds:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [probe(name, notes) for name in NAMES],
            backoff=NO_BACKOFF,
            intensity=Intensity(3, per_s=10),
        )

        async def body(system: System) -> None:
            for name in NAMES:
                system.address(name).tell(Crash("x"))
            await trio.sleep_forever()

        with pytest.raises(RestartIntensityExceeded):
            run_tree(seed, spec, body)


def test_a_child_may_be_set_apart_instead(seeds: range) -> None:
    """With Exceeded.QUARANTINE each child has the limit to itself, and its siblings go on."""
    for seed in seeds:
        notes = Notes()
        events: list[TreeEvent] = []
        spec = SupervisorSpec(
            "root",
            [probe(name, notes) for name in NAMES],
            backoff=NO_BACKOFF,
            intensity=Intensity(2, per_s=10),
            exceeded=Exceeded.QUARANTINE,
        )

        async def body(system: System) -> None:
            for _ in range(2):
                for name in NAMES:
                    system.address(name).tell(Crash("x"))
                await wait_all_tasks_blocked()
            assert {node.state for node in system.snapshot()} == {State.RUNNING}

            system.address("b").tell(Crash("x"))
            await wait_all_tasks_blocked()
            system.address("b").tell("waits")
            states = [node.state for node in system.snapshot()]
            assert states == [State.RUNNING, State.RUNNING, State.QUARANTINED, *[State.RUNNING] * 2]

            await trio.sleep(60)
            await system.release("b")
            await wait_all_tasks_blocked()
            assert system.snapshot()["b"].state is State.RUNNING

        run_tree(seed, spec, body, on_event=events.append)
        assert notes.of("received", "b")[-1] == ("b", "waits")
        assert [event.text for event in events if event.kind == "quarantined"] == [
            "failed past the limit of 2 restarts in 10 s, last of Crash: x"
        ]


def test_one_kind_of_message_that_kills_again_and_again_escalates_early(seeds: range) -> None:
    """A poisoned stream of messages is not restarted into until the last attempt."""

    class Poison:
        """A message that kills."""

    class Other:
        """A message that kills as well."""

    def killing(message: object) -> None:
        raise Crash(type(message).__name__)

    class Fragile(Probe):
        """Fails at every message."""

        def receive(self, message: object) -> None:
            killing(message)

    for seed in seeds:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [ActorSpec("a", partial(Fragile, notes=notes, hooks={}), direct=bool(seed % 2))],
            backoff=NO_BACKOFF,
            intensity=Intensity(9, per_s=10, same_kind=2),
        )

        async def body(system: System) -> None:
            for message in (Poison(), Other(), Poison(), Other()):
                system.address("a").tell(message)
                await wait_all_tasks_blocked()
            assert system.snapshot()["a"].restarts_in_window == 4
            system.address("a").tell(Poison())
            await trio.sleep_forever()

        with pytest.raises(
            RestartIntensityExceeded, match=r"a failed 3 times in 10 s over .*Poison"
        ):
            run_tree(seed, spec, body)


def test_waits_grow_and_begin_again_after_healthy_time(seeds: range) -> None:
    """Each wait lies under its doubling ceiling; a child that was well starts from the base."""
    backoff = Backoff(base_s=1.0, cap_s=5.0, healthy_after_s=60.0)
    spread: set[float] = set()
    for seed in seeds:
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

        run_tree(seed, spec, body)
    assert max(spread) <= 1.0
    assert min(spread) < 0.1


def test_one_childs_backoff_delays_no_other(seeds: range) -> None:
    """One for one, every child comes back by itself."""
    for seed in seeds:
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

        run_tree(seed, spec, body)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_failure_during_a_recovery_joins_it(seeds: range, strategy: Strategy) -> None:
    """Whatever fails while a group is on its way down or up, all of it runs in the end."""
    for seed in seeds:
        notes = Notes()
        rng = Random(seed)

        async def body(system: System, notes: Notes = notes, rng: Random = rng) -> None:
            for _ in range(4):
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
        run_tree(seed, spec, body)


def test_an_escalation_restarts_the_branch_and_keeps_its_mail(seeds: range) -> None:
    """The parent applies its own policy; the branch's children come back with what waited."""
    for seed in seeds:
        notes = Notes()
        inner = SupervisorSpec(
            "inner",
            [probe(name, notes) for name in "ab"],
            intensity=Intensity(1, per_s=5),
            backoff=NO_BACKOFF,
        )
        spec = SupervisorSpec("root", [inner, probe("c", notes)], backoff=NO_BACKOFF)

        async def body(system: System, notes: Notes = notes) -> None:
            system.address("inner/a").tell(Crash("one"))
            await wait_all_tasks_blocked()
            system.address("inner/a").tell(Crash("two"))
            system.address("inner/a").tell("kept")
            await wait_all_tasks_blocked()
            nodes = {node.path: node for node in system.snapshot()}
            assert {node.state for node in nodes.values()} == {State.RUNNING}
            assert [nodes[path].generation for path in ("inner", "inner/a", "inner/b", "c")] == [
                2, 3, 2, 1
            ]  # fmt: skip
            assert nodes["inner"].restarts_in_window == 1
            assert nodes["inner"].last_error is not None
            assert nodes["inner"].last_error.kind == "RestartIntensityExceeded"
            assert notes.of("received", "inner/a")[-1] == ("inner/a", "kept")

        run_tree(seed, spec, body)


def test_an_escalation_through_every_level_keeps_the_chain_of_causes(seeds: range) -> None:
    """The root's failure names each level down to the exception that began it."""
    for seed in seeds:
        notes = Notes()
        limit = Intensity(0, per_s=5)
        level: ChildSpec = probe("leaf", notes)
        for name in ("three", "two", "one"):
            level = SupervisorSpec(name, [level, probe(f"beside_{name}", notes)], intensity=limit)
        spec = SupervisorSpec("root", [level], intensity=limit)

        async def body(system: System) -> None:
            system.address("leaf").tell(Crash("the beginning"))
            await trio.sleep_forever()

        with pytest.raises(RestartIntensityExceeded) as info:
            run_tree(seed, spec, body)

        chain: list[str] = []
        error: BaseException | None = info.value
        while error is not None:
            chain.append(str(error))
            error = error.__cause__
        limit_text = "failed past the limit of 0 restarts in 5 s"
        assert chain == [
            f"root gave up: one {limit_text}",
            f"one gave up: one/two {limit_text}",
            f"one/two gave up: one/two/three {limit_text}",
            f"one/two/three gave up: one/two/three/leaf {limit_text}",
            "the beginning",
        ]


def test_wait_raises_what_the_root_failed_of(seeds: range) -> None:
    """Who waits for the system gets the failure; who does something else is cancelled."""
    for seed in seeds:
        notes = Notes()

        async def main(rng: Random, notes: Notes = notes) -> None:
            spec = SupervisorSpec("root", [probe("a", notes)], intensity=Intensity(0, per_s=5))
            async with open_system(spec, rng=rng) as system:
                system.address("a").tell(Crash("x"))
                with pytest.raises(RestartIntensityExceeded):
                    await system.wait()
                with pytest.raises(trio.Cancelled):
                    await trio.lowlevel.checkpoint()
                await trio.sleep_forever()

        with pytest.raises(RestartIntensityExceeded):
            run_seeded(seed, main)


@pytest.mark.parametrize("auto", list(AutoShutdown))
@pytest.mark.parametrize("crash", [True, False], ids=["crash", "normal"])
def test_a_supervisor_ends_with_its_significant_children(
    seeds: range, auto: AutoShutdown, crash: bool
) -> None:
    """Never, with the first of them, or with the last; its end is a normal one."""
    for seed in seeds[: len(seeds) // 2]:
        notes = Notes()
        job = SupervisorSpec(
            "job",
            [
                probe("helper", notes),
                probe("one", notes, significant=True, restart=Restart.TEMPORARY),
                probe("two", notes, significant=True, restart=Restart.TEMPORARY),
            ],
            auto_shutdown=auto,
            restart=Restart.TRANSIENT,
        )

        async def body(system: System) -> None:
            ending = Crash("x") if crash else end
            system.address("one").tell(ending)
            await wait_all_tasks_blocked()
            is_over = auto is AutoShutdown.ANY_SIGNIFICANT
            assert system.snapshot()["job"].state is (State.STOPPED if is_over else State.RUNNING)

            system.address("two").tell(ending)
            await wait_all_tasks_blocked()
            is_over = auto is not AutoShutdown.NEVER
            down = State.STOPPED if is_over else State.RUNNING
            assert system.snapshot()["job"].state is down
            assert system.snapshot()["job/helper"].state is down
            assert system.snapshot()["job"].last_error is None

        run_tree(seed, SupervisorSpec("root", [job, probe("beside", notes)]), body)


async def test_a_root_that_ends_normally_ends_the_wait(notes: Notes) -> None:
    """A whole tree may be a unit of work."""
    spec = SupervisorSpec(
        "root",
        [probe("a", notes, significant=True, restart=Restart.TRANSIENT)],
        auto_shutdown=AutoShutdown.ANY_SIGNIFICANT,
    )
    async with open_system(spec, rng=Random(0)) as system:
        system.address("a").tell(end)
        await system.wait()
        assert system.root.state is State.STOPPED


def test_a_branch_restarted_by_its_parent_forgets_its_failures(seeds: range) -> None:
    """Each generation of a supervisor has the whole limit again."""
    for seed in seeds:
        notes = Notes()
        inner = SupervisorSpec(
            "inner", [probe("a", notes)], intensity=Intensity(1, per_s=50), backoff=NO_BACKOFF
        )
        outer = SupervisorSpec(
            "root", [inner], intensity=Intensity(9, per_s=50), backoff=NO_BACKOFF
        )

        async def body(system: System) -> None:
            for _ in range(6):
                system.address("a").tell(Crash("x"))
                await wait_all_tasks_blocked()
            assert system.snapshot()["inner"].generation == 4
            assert system.snapshot()["inner/a"].generation == 7

        run_tree(seed, outer, body)
