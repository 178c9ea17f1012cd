"""Direct delivery: a handler run in the sender's turn, with every guarantee of the queued way."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    Actor,
    ActorDied,
    ActorSpec,
    Address,
    SpecError,
    State,
    SupervisorSpec,
    System,
    block,
    open_system,
)
from actors.inbox import DIRECT_BUDGET
from actors.testing import Notes, OverSeeds, Probe, probe, with_tree


def tree(*children: ActorSpec) -> SupervisorSpec:
    """Describe a root that restarts its children at once."""
    return SupervisorSpec("root", children, backoff=NO_BACKOFF)


def is_direct(system: System, path: str) -> bool:
    """Return whether the last message that was handled was handled directly."""
    node = system.snapshot()[path]
    return node.handled_directly > 0


async def test_an_idle_direct_actor_handles_in_the_senders_turn(notes: Notes) -> None:
    """The handler has run when tell returns."""
    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        system.address("a").tell("now")

        assert notes.of("received") == [("a", "now")]
        assert is_direct(system, "a")


async def test_an_actor_that_did_not_ask_for_it_is_never_handled_directly(notes: Notes) -> None:
    """Without ``direct`` a message waits for the actor's own task."""
    async with open_system(tree(probe("a", notes)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        system.address("a").tell("later")
        assert notes.of("received") == []

        await wait_all_tasks_blocked()
        assert notes.of("received") == [("a", "later")]
        assert not is_direct(system, "a")


async def test_an_async_receive_is_never_entered_directly() -> None:
    """A handler that awaits has only its own task to await in."""
    seen: list[object] = []

    class Slow(Actor):
        async def receive(self, message: Any) -> None:
            await trio.lowlevel.checkpoint()
            seen.append(message)

    async with open_system(tree(ActorSpec("a", Slow, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        system.address("a").tell(1)
        assert seen == []

        await wait_all_tasks_blocked()
        assert seen == [1]


async def test_a_message_queued_while_a_direct_handler_runs_wakes_the_task(notes: Notes) -> None:
    """A self-send during a direct handler is handled after it, by the actor's own task."""

    def tell_itself(probe: Probe) -> None:
        probe.ctx.address.tell("from myself")
        assert notes.of("received", "a") == [("a", tell_itself)]

    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        a = system.address("a")
        a.tell(tell_itself)
        a.tell("after")
        assert len(notes.of("received")) == 1

        await wait_all_tasks_blocked()
        assert [what for _, what in notes.of("received")][1:] == ["from myself", "after"]
        assert system.snapshot()["a"].handled_directly == 1


async def test_many_self_sends_ring_the_bell_once(notes: Notes) -> None:
    """A task that is already on its way is not rescheduled a second time."""

    def tell_itself(probe: Probe) -> None:
        for n in range(5):
            probe.ctx.address.tell(n)

    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        system.address("a").tell(tell_itself)
        system.address("a").tell(5)
        await wait_all_tasks_blocked()

        assert [what for _, what in notes.of("received")][1:] == [0, 1, 2, 3, 4, 5]


async def test_a_cycle_queues(notes: Notes) -> None:
    """A → B → A: the second message for A waits, because A's handler is at work."""
    async with open_system(
        tree(probe("a", notes, direct=True), probe("b", notes, direct=True)), rng=Random(0)
    ) as system:
        await wait_all_tasks_blocked()
        a, b = system.address("a"), system.address("b")
        depth: list[str] = []

        def back(_: Probe) -> None:
            depth.append("b in")
            a.tell("end")
            depth.append("b out")

        def there(_: Probe) -> None:
            depth.append("a in")
            b.tell(back)
            depth.append("a out")

        a.tell(there)
        assert depth == ["a in", "b in", "b out", "a out"]
        assert "end" not in [what for _, what in notes.of("received")]

        await wait_all_tasks_blocked()
        assert notes.of("received")[-1] == ("a", "end")


async def test_a_budget_ends_long_chains(notes: Notes) -> None:
    """Past the budget of one turn a chain goes on in the actors' own tasks, and ends well."""
    length = 3 * DIRECT_BUDGET
    names = [f"a{n}" for n in range(length)]
    async with open_system(
        tree(*(probe(name, notes, direct=True) for name in names)), rng=Random(0)
    ) as system:
        await wait_all_tasks_blocked()
        addresses = [system.address(name) for name in names]

        def pass_on(n: int) -> Callable[[Probe], None]:
            return lambda _: addresses[n].tell(pass_on(n + 1)) if n < length else None

        addresses[0].tell(pass_on(1))
        assert len(notes.of("received")) == DIRECT_BUDGET

        await wait_all_tasks_blocked()
        assert len(notes.of("received")) == length
        # The next turn has a full budget again.
        addresses[0].tell("once more")
        assert notes.of("received")[-1] == ("a0", "once more")


async def test_a_turn_that_spreads_wide_is_bounded_too(notes: Notes) -> None:
    """The budget counts all direct deliveries of a turn, not only the nested ones."""
    async with open_system(
        tree(probe("a", notes, direct=True), probe("b", notes, direct=True)), rng=Random(0)
    ) as system:
        await wait_all_tasks_blocked()
        b = system.address("b")

        def spread(_: Probe) -> None:
            for n in range(2 * DIRECT_BUDGET):
                b.tell(n)

        system.address("a").tell(spread)
        assert system.snapshot()["b"].handled_directly == DIRECT_BUDGET - 1

        await wait_all_tasks_blocked()
        assert [n for _, n in notes.of("received", "b")] == list(range(2 * DIRECT_BUDGET))


async def test_a_kill_between_two_messages_makes_the_second_wait(notes: Notes) -> None:
    """A direct actor that has been killed only queues, and its successor handles the message."""
    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        a = system.address("a")
        a.tell(1)
        killed = system.kill("a")
        a.tell(2)
        assert notes.of("received") == [("a", 1)]

        assert await killed is State.RUNNING
        await wait_all_tasks_blocked()
        assert notes.of("received") == [("a", 1), ("a", 2)]
        assert notes.of("started") == [("a", 1), ("a", 2)]
        assert notes.of("stopping") == []


async def test_a_restart_between_two_messages_makes_the_second_wait(notes: Notes) -> None:
    """An orderly restart keeps what comes while it is under way."""
    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        a = system.address("a")
        a.tell(1)
        restarted = system.restart("a")
        await wait_all_tasks_blocked()
        a.tell(2)
        await restarted

        assert notes.of("received") == [("a", 1), ("a", 2)]
        assert notes.of("stopped") == [("a", "restart")]


async def test_an_actor_may_steer_itself_in_its_handler(notes: Notes) -> None:
    """A direct handler that kills its own actor ends as handled; the rest waits."""
    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        a = system.address("a")
        a.tell(lambda probe: probe.ctx.system.kill("a") and None)
        a.tell("after")
        await wait_all_tasks_blocked()

        node = system.snapshot()["a"]
        assert (node.generation, node.handled, node.failed) == (2, 2, 0)


async def test_an_actor_may_end_itself_in_a_direct_handler(notes: Notes) -> None:
    """What it was told after its end is a dead letter, not a direct delivery."""
    async with open_system(
        tree(probe("a", notes, direct=True, restart="transient")), rng=Random(0)
    ) as system:
        await wait_all_tasks_blocked()
        a = system.address("a")
        a.tell(lambda probe: probe.ctx.end())
        a.tell("after")
        await wait_all_tasks_blocked()

        assert len(notes.of("received")) == 1
        assert system.snapshot()["a"].state is State.STOPPED
        assert [each.reason for each in system.snapshot().dead_letters] == [
            "waiting when the actor ended"
        ]


async def test_a_direct_ask_is_answered_in_the_same_turn(notes: Notes) -> None:
    """The reply of an idle direct actor needs no other task."""
    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        assert await system.address("a").ask("question", timeout_s=1) == "question"

        with pytest.raises(ActorDied, match="a died before it answered: ValueError: bad") as info:
            await system.address("a").ask(ValueError("bad"), timeout_s=1)
        assert isinstance(info.value.__cause__, ValueError)


async def test_signal_is_direct_too(notes: Notes) -> None:
    """A control message for an idle direct actor is handled at once."""
    async with open_system(tree(probe("a", notes, direct=True)), rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        system.address("a").signal("pause")

        assert notes.of("received") == [("a", "pause")]


async def test_a_spec_that_blocks_on_a_direct_way_is_refused(notes: Notes) -> None:
    """Such a tree is not built, and such a child is not added."""
    spec = probe("a", notes, direct=True, mailbox=block(4))
    with pytest.raises(SpecError, match="a is direct, so its senders cannot wait"):
        async with open_system(tree(spec), rng=Random(0)):
            pass
    async with open_system(tree(), rng=Random(0)) as system:
        with pytest.raises(SpecError, match="a is direct"):
            system.spawn("root", spec)


def test_a_seed_explores_both_ways_and_each_keeps_the_order(over_seeds: OverSeeds) -> None:
    """Whatever mix of direct and queued a seed chooses, order per sender holds and all arrive."""
    ways: set[int] = set()

    async def tell_all(target: Address, sender: int) -> None:
        for n in range(10):
            target.tell((sender, n))
            if n % 3 == sender:
                await trio.lowlevel.checkpoint()

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            target = system.address("a")
            async with trio.open_nursery() as nursery:
                for sender in range(3):
                    nursery.start_soon(tell_all, target, sender)
            await wait_all_tasks_blocked()
            got = [what for _, what in notes.of("received")]
            for sender in range(3):
                mine = [n for who, n in got if who == sender]  # type: ignore[misc, has-type]
                assert mine == list(range(10))
            ways.add(system.snapshot()["a"].handled_directly)

        await with_tree(seed, tree(probe("a", notes, direct=True)), body)

    assert len(ways) > 3
