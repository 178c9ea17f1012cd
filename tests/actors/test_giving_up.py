"""When a supervisor gives up, what its parent makes of it, and when it just ends."""

from __future__ import annotations

from functools import partial
from itertools import product
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
    SupervisorSpec,
    System,
    TreeEvent,
    open_system,
)
from actors.testing import Crash, Notes, OverSeeds, Probe, probe, with_tree

NAMES = ("a", "b", "c", "d")
# A rule that holds for each of these goes through all of them as the seeds go on.
AUTOMATIC = tuple(product(AutoShutdown, (True, False)))


def end(probe: Probe) -> None:
    """Let an actor end normally."""
    probe.ctx.end("done")


GAPS_S: list[tuple[list[float], bool]] = [
    ([0, 0, 0], False),  # exactly the limit
    ([0, 0, 0, 0], True),  # one more
    ([4, 4, 4, 4, 4, 4], False),  # never more than three in ten seconds
    ([0, 0, 10, 0], True),  # the first is exactly as old as the window: it counts
    ([0, 0, 10.001, 0, 0], False),  # a moment later it does not
]


def test_the_limit_of_restarts_is_exact(over_seeds: OverSeeds) -> None:
    """``limit`` failures within the window are borne; one more is escalated."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        gaps_s, gives_up = GAPS_S[seed % len(GAPS_S)]
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
                await with_tree(seed, spec, body)
        else:
            await with_tree(seed, spec, body)


def test_the_children_of_a_supervisor_share_its_limit(over_seeds: OverSeeds) -> None:
    """As in OTP: failures of different children add up."""

    @over_seeds
    async def _rule(seed: int) -> None:
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
            await with_tree(seed, spec, body)


def test_a_child_may_be_set_apart_instead(over_seeds: OverSeeds) -> None:
    """With Exceeded.QUARANTINE each child has the limit to itself, and its siblings go on."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        events: list[TreeEvent] = []
        spec = SupervisorSpec(
            "root",
            [probe(name, notes) for name in "abc"],
            backoff=NO_BACKOFF,
            intensity=Intensity(2, per_s=10),
            exceeded=Exceeded.QUARANTINE,
        )

        async def body(system: System) -> None:
            for _ in range(2):
                for name in "abc":
                    system.address(name).tell(Crash("x"))
                await wait_all_tasks_blocked()
            assert {node.state for node in system.snapshot()} == {State.RUNNING}

            system.address("b").tell(Crash("x"))
            await wait_all_tasks_blocked()
            system.address("b").tell("waits")
            states = [node.state for node in system.snapshot()]
            assert states == [State.RUNNING, State.RUNNING, State.QUARANTINED, State.RUNNING]

            # Within the window: a released child has its whole limit again.
            await system.release("b")
            await wait_all_tasks_blocked()
            for _ in range(2):
                system.address("b").tell(Crash("y"))
                await wait_all_tasks_blocked()
            assert system.snapshot()["b"].state is State.RUNNING

        await with_tree(seed, spec, body, on_event=events.append)
        assert ("b", "waits") in notes.of("received", "b")
        assert [event.text for event in events if event.kind == "quarantined"] == [
            "failed past the limit of 2 restarts in 10 s, last of Crash: x"
        ]


def test_one_kind_of_message_that_kills_again_and_again_escalates_early(
    over_seeds: OverSeeds,
) -> None:
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

    @over_seeds
    async def _rule(seed: int) -> None:
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
            await with_tree(seed, spec, body)


def test_an_escalation_restarts_the_branch_and_keeps_its_mail(over_seeds: OverSeeds) -> None:
    """The parent applies its own policy; the branch's children come back with what waited."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        inner = SupervisorSpec(
            "inner",
            [probe(name, notes) for name in "ab"],
            intensity=Intensity(1, per_s=5),
            backoff=NO_BACKOFF,
        )
        spec = SupervisorSpec("root", [inner, probe("c", notes)], backoff=NO_BACKOFF)

        async def body(system: System) -> None:
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

        await with_tree(seed, spec, body)


def test_an_escalation_through_every_level_keeps_the_chain_of_causes(over_seeds: OverSeeds) -> None:
    """The root's failure names each level down to the exception that began it."""

    @over_seeds
    async def _rule(seed: int) -> None:
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
            await with_tree(seed, spec, body)

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


def test_wait_raises_what_the_root_failed_of(over_seeds: OverSeeds) -> None:
    """Who waits for the system gets the failure; who does something else is cancelled."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def main(rng: Random) -> None:
            spec = SupervisorSpec("root", [probe("a", notes)], intensity=Intensity(0, per_s=5))
            async with open_system(spec, rng=rng) as system:
                system.address("a").tell(Crash("x"))
                with pytest.raises(RestartIntensityExceeded):
                    await system.wait()
                with pytest.raises(trio.Cancelled):
                    await trio.lowlevel.checkpoint()
                await trio.sleep_forever()

        with pytest.raises(RestartIntensityExceeded):
            await main(Random(seed))


def test_a_supervisor_ends_with_its_significant_children(over_seeds: OverSeeds) -> None:
    """Never, with the first of them, or with the last; its end is a normal one."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        auto, crash = AUTOMATIC[seed % len(AUTOMATIC)]
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

        await with_tree(seed, SupervisorSpec("root", [job, probe("beside", notes)]), body)


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


def test_a_branch_restarted_by_its_parent_forgets_its_failures(over_seeds: OverSeeds) -> None:
    """Each generation of a supervisor has the whole limit again."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        inner = SupervisorSpec(
            "inner", [probe("a", notes)], intensity=Intensity(1, per_s=50), backoff=NO_BACKOFF
        )
        outer = SupervisorSpec(
            "root", [inner], intensity=Intensity(9, per_s=50), backoff=NO_BACKOFF
        )

        async def body(system: System) -> None:
            for _ in range(4):
                system.address("a").tell(Crash("x"))
                await wait_all_tasks_blocked()
            assert system.snapshot()["inner"].generation == 3
            assert system.snapshot()["inner/a"].generation == 5

        await with_tree(seed, outer, body)


def test_a_child_in_backoff_waits_when_its_branch_is_set_apart(over_seeds: OverSeeds) -> None:
    """Nobody will start it at the end of its backoff, so it does not say so."""

    @over_seeds
    async def _rule(seed: int) -> None:
        branch = SupervisorSpec(
            "branch", [probe("a", Notes())], backoff=Backoff(base_s=1000.0, cap_s=1000.0)
        )

        async def body(system: System) -> None:
            system.address("a").tell(Crash("x"))
            await wait_all_tasks_blocked()
            assert system.snapshot()["branch/a"].state is State.BACKOFF
            await system.quarantine("branch")
            assert system.snapshot()["branch/a"].state is State.WAITING
            await system.release("branch")
            assert system.snapshot()["branch/a"].state is State.RUNNING

        await with_tree(seed, SupervisorSpec("root", [branch]), body)
