"""Direct delivery keeps sender and target apart: failures, interrupts, contexts."""

# flake8: noqa: ASYNC124 - the kit awaits what it is given, whether that waits or not

from __future__ import annotations

import traceback
from contextvars import ContextVar
from random import Random
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    Actor,
    ActorSpec,
    Context,
    State,
    StrayCancelled,
    SupervisorSpec,
    open_system,
)
from actors.testing import Notes, Probe, probe, run_seeded
from tests.actors.strays import stray_cancelled

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


def tree(*children: ActorSpec) -> SupervisorSpec:
    """Describe a root that restarts its children at once."""
    return SupervisorSpec("root", children, backoff=NO_BACKOFF)


async def test_a_failure_in_a_direct_handler_is_the_targets_alone(notes: Notes) -> None:
    """The sender goes on; the target's supervisor restarts it; what came meanwhile waits."""
    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        a = system.address("a")
        a.tell(ValueError("bad"))
        a.tell("while it is down")
        assert len(notes.of("received")) == 1

        await wait_all_tasks_blocked()
        assert notes.of("received")[-1] == ("a", "while it is down")
        node = system.snapshot()["a"]
        assert (node.generation, node.failed, node.handled) == (2, 1, 1)
        assert str(node.last_error) == "ValueError: bad"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_direct_handler_passes_through_the_sender(
    notes: Notes, error: type[BaseException]
) -> None:
    """Ctrl-C and SystemExit leave tell, stop the tree in order and are nobody's failure."""
    left_tell: list[bool] = []

    async def main(rng: Random) -> None:
        async with open_system(
            tree(probe("a", notes, direct=True), probe("b", notes)), rng=rng
        ) as system:
            await wait_all_tasks_blocked()
            try:
                system.address("a").tell(error())
            except error:
                left_tell.append(True)
                node = system.snapshot()["a"]
                assert (node.generation, node.last_error, node.state) == (1, None, State.RUNNING)
                raise

    with pytest.raises(error):
        run_seeded(0, main)

    assert left_tell == [True]
    assert notes.paths("stopped") == ["b", "a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_queued_handler_ends_the_tree_in_order(
    notes: Notes, error: type[BaseException]
) -> None:
    """The program's interrupt comes out bare, after every actor has stopped."""

    async def main(rng: Random) -> None:
        async with open_system(tree(probe("a", notes), probe("b", notes)), rng=rng) as system:
            system.address("a").tell(error())
            await system.wait()

    with pytest.raises(error):
        run_seeded(0, main)

    assert notes.paths("stopped") == ["b"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_run_ends_the_tree_in_order(
    notes: Notes, error: type[BaseException]
) -> None:
    """Work beside the mailbox passes an interrupt on as well."""

    async def interrupt(_: Probe) -> None:
        await trio.sleep(1)
        raise error

    async def main(rng: Random) -> None:
        a = probe("a", notes, living=True, hooks={"run": interrupt})
        async with open_system(tree(a, probe("b", notes)), rng=rng) as system:
            await system.wait()

    with pytest.raises(error):
        run_seeded(0, main)

    assert notes.paths("stopped") == ["b"]
    assert notes.alive == {}


async def test_a_targets_exception_knows_nothing_of_the_sender(notes: Notes) -> None:
    """Its traceback, cause and context hold neither the sender's exception nor its frames."""
    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        down = ValueError("target's")
        try:
            raise KeyError("sender's")
        except KeyError:
            system.address("a").tell(down)

    text = "".join(traceback.format_exception(down))
    assert "sender's" not in text
    assert "test_a_targets_exception" not in text
    assert down.__context__ is None
    assert down.__cause__ is None
    assert "receive" in text


async def test_a_chain_of_the_targets_own_is_kept(notes: Notes) -> None:
    """Only the sender's link is cut: the handler's own causes stay."""
    found: list[BaseException] = []

    def fail_in_a_chain(_: Probe) -> None:
        try:
            try:
                raise OSError("first")
            except OSError as first:
                raise ValueError("second") from first
        except ValueError as second:
            found.append(second)
            raise ExceptionGroup("third", [second]) from second

    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        try:
            raise KeyError("sender's")
        except KeyError:
            system.address("a").tell(fail_in_a_chain)

        text = system.snapshot()["a"].last_error
        await wait_all_tasks_blocked()
        text = system.snapshot()["a"].last_error

    assert text is not None
    assert "first" in text.traceback
    assert "sender's" not in text.traceback
    assert isinstance(found[0].__cause__, OSError)


async def test_a_cause_taken_from_the_sender_is_cut(notes: Notes) -> None:
    """Not even an explicit ``raise from`` may carry the sender's exception away."""
    down = ValueError("target's")

    def blame_the_sender(_: Probe) -> None:
        import sys  # noqa: PLC0415 - what a handler might do

        raise down from sys.exception()

    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        try:
            raise KeyError("sender's")
        except KeyError:
            system.address("a").tell(blame_the_sender)

    assert down.__cause__ is None


async def test_a_bare_raise_does_not_find_the_senders_exception(notes: Notes) -> None:
    """It fails as it would in the target's own task."""

    def raise_bare(_: Probe) -> None:
        raise  # noqa: PLE0704 - the mistake under test

    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        try:
            raise KeyError("sender's")
        except KeyError:
            system.address("a").tell(raise_bare)
        await wait_all_tasks_blocked()

        assert str(system.snapshot()["a"].last_error) == (
            "RuntimeError: No active exception to reraise"
        )


async def test_a_direct_handler_runs_in_the_targets_context() -> None:
    """Context variables are the target's, set in its start and kept between messages."""
    seen: list[str] = []

    class Named(Actor):
        async def start(self) -> None:
            WHO.set("target")

        def receive(self, message: Any) -> None:
            seen.append(WHO.get())
            WHO.set(f"{WHO.get()}+")

    async with open_system(tree(ActorSpec("a", Named, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        WHO.set("sender")
        system.address("a").tell(1)
        system.address("a").tell(2)

        assert seen == ["target", "target+"]
        assert WHO.get() == "sender"


async def test_a_cancelled_raised_in_a_direct_handler_is_contained(notes: Notes) -> None:
    """It cancels neither the sender nor the target's nursery: it is the target's failure."""
    with trio.move_on_after(0) as scope:
        await trio.sleep(1)
    assert scope.cancelled_caught

    async with open_system(
        tree(probe("a", notes, direct=True), probe("b", notes)), rng=Random(0)
    ) as system:
        await wait_all_tasks_blocked()
        stolen = await stray_cancelled()
        system.address("a").tell(stolen)
        await wait_all_tasks_blocked()

        node = system.snapshot()["a"]
        assert node.last_error is not None
        assert node.last_error.kind == StrayCancelled.__name__
        assert node.generation == 2
        assert system.snapshot()["b"].generation == 1


@pytest.mark.parametrize("direct", [True, False])
async def test_a_stop_iteration_is_a_failure_like_any_other(notes: Notes, direct: bool) -> None:
    """It does not end a coroutine on its way."""
    async with open_system(tree(probe("a", notes, direct=direct)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        system.address("a").tell(StopIteration("odd"))
        await wait_all_tasks_blocked()

        assert str(system.snapshot()["a"].last_error) == "StopIteration: odd"
        assert system.snapshot()["a"].state is State.RUNNING


async def test_a_nursery_task_started_in_a_direct_handler_belongs_to_the_target() -> None:
    """Tasks that a handler starts inherit the target's context, not the sender's."""
    seen: list[str] = []

    class Spawner(Actor):
        def __init__(self, ctx: Context) -> None:
            super().__init__(ctx)
            self.nursery: trio.Nursery | None = None

        async def run(self) -> None:
            WHO.set("target's run")
            async with trio.open_nursery() as self.nursery:
                await trio.sleep_forever()

        async def start(self) -> None:
            WHO.set("target")

        def receive(self, message: Any) -> None:
            async def work() -> None:
                seen.append(WHO.get())

            assert self.nursery is not None
            self.nursery.start_soon(work)

    async with open_system(tree(ActorSpec("a", Spawner, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        WHO.set("sender")
        system.address("a").tell("go")
        await wait_all_tasks_blocked()

    assert seen == ["target"]
