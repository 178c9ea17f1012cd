"""Snapshots, names, events, deadlocks: what a person sees of a tree."""

# flake8: noqa: ASYNC124 - a clock needs a running loop, whether anything waits or not

from __future__ import annotations

from random import Random
from typing import Any

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    Actor,
    ActorSpec,
    AskTimeout,
    Backoff,
    Context,
    Intensity,
    Restart,
    SpecError,
    State,
    Strategy,
    SupervisorSpec,
    TreeEvent,
    UnknownActor,
    conflate,
    open_system,
)
from actors.dead_letters import OTHER_REASON, REASONS_MAX, DeadLetters
from actors.inbox import NOTHING
from actors.mailbox import Ask
from actors.registry import Registry
from actors.supervisor import Recovery
from actors.testing import Crash, Notes, Probe, probe, wait_for_state


def tree(notes: Notes) -> SupervisorSpec:
    """Describe a tree of two levels."""
    inner = SupervisorSpec(
        "inner", [probe("a", notes), probe("b", notes)], strategy=Strategy.REST_FOR_ONE
    )
    return SupervisorSpec(
        "root",
        [inner, probe("c", notes, mailbox=conflate(lambda m: m, 7), restart=Restart.TRANSIENT)],
        intensity=Intensity(2, per_s=30),
        backoff=Backoff(9.0, 9.0),
    )


async def test_a_snapshot_shows_the_tree_in_order(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """Every node with its place, kind, state and generation."""
    async with open_system(tree(notes), rng=Random(0)) as system:
        await trio.sleep(5)
        snapshot = system.snapshot()
        assert [(n.path, n.name, n.depth, n.parent, n.kind) for n in snapshot] == [
            ("root", "root", 0, None, "supervisor"),
            ("inner", "inner", 1, "root", "supervisor"),
            ("inner/a", "a", 2, "inner", "actor"),
            ("inner/b", "b", 2, "inner", "actor"),
            ("c", "c", 1, "root", "actor"),
        ]
        inner, c = snapshot["inner"], snapshot["c"]
        assert (inner.strategy, inner.children) == (Strategy.REST_FOR_ONE, ("inner/a", "inner/b"))
        assert (inner.mailbox, inner.queued, inner.adds_up) == (None, 0, True)
        assert (c.state, c.generation, c.uptime_s, c.state_for_s) == (State.RUNNING, 1, 5, 5)
        assert (c.restart, c.restart_limit, c.restarts_in_window) == (Restart.TRANSIENT, 2, 0)
        assert snapshot["root"].restart_limit is None
        assert (snapshot.seq, system.snapshot().seq, snapshot.at_s) == (1, 2, 5)
        with pytest.raises(KeyError):
            snapshot["nobody"]


async def test_a_snapshot_is_immutable(notes: Notes) -> None:
    """It stays what it was while the tree goes on."""
    async with open_system(tree(notes), rng=Random(0)) as system:
        snapshot = system.snapshot()
        await system.kill("c")

        assert snapshot["c"].generation == 1
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            snapshot["c"].generation = 7  # type: ignore[misc]


async def test_a_snapshot_shows_mailbox_and_counters(notes: Notes) -> None:
    """Length, limit, peak, conflated; received and handled; what is in hand while it is."""
    seen: list[Any] = []
    async with open_system(tree(notes), rng=Random(0)) as system:
        c = system.address("c")
        await system.quarantine("c")
        for key in ("x", "y", "x"):
            c.tell(key)
        box = system.snapshot()["c"].mailbox
        assert box is not None
        assert (box.policy, box.length, box.capacity, box.peak) == ("conflate", 2, 7, 2)
        assert (box.conflated, box.dropped, box.refused, box.control_length) == (1, 0, 0, 0)

        await system.release("c")
        c.tell(lambda probe: seen.append(probe.ctx.system.snapshot()["c"]))
        await wait_all_tasks_blocked()
        assert (seen[0].in_hand, seen[0].handling, seen[0].handling_for_s) == (1, "function", 0)
        assert seen[0].adds_up
        node = system.snapshot()["c"]
        assert (node.received, node.handled, node.in_hand, node.queued) == (4, 3, 0, 0)


async def test_a_snapshot_shows_the_last_error_and_the_next_restart(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """What it failed of, when, how often, and how long the wait is."""
    async with open_system(tree(notes), rng=Random(0)) as system:
        await trio.sleep(3)
        system.address("c").tell(Crash("bad"))
        await wait_for_state(system, "c", State.BACKOFF)
        node = system.snapshot()["c"]
        error = node.last_error
        assert error is not None
        assert (error.kind, error.text, error.at_s, error.count) == ("Crash", "bad", 3, 1)
        assert str(error) == "Crash: bad"
        assert str(attrs.evolve(error, text="")) == "Crash"
        assert "in receive" in error.traceback
        assert node.next_restart_in_s is not None
        assert 0 < node.next_restart_in_s < 9
        assert (node.restarts_in_window, node.restarts, node.uptime_s) == (1, 0, None)
        await wait_for_state(system, "c", State.RUNNING)
        assert system.snapshot()["c"].next_restart_in_s is None
        await trio.sleep(60)
        assert system.snapshot()["c"].restarts_in_window == 0


class Asker(Actor):
    """Puts each message, an address, a question that it cannot answer while it waits itself."""

    async def receive(self, message: Any) -> Any:
        if message == "who?":
            return self.ctx.address.path
        try:
            return await message.ask("who?", timeout_s=10)
        except AskTimeout as error:
            return str(error)


async def test_a_deadlock_is_found_while_it_happens(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Actors whose handlers wait for each other in a circle are named, and time out."""
    events: list[TreeEvent] = []
    spec = SupervisorSpec("root", [ActorSpec(name, Asker) for name in ("a", "b", "c", "d")])
    async with open_system(spec, rng=Random(0), on_event=events.append) as system:
        a, b, c, d = (system.address(name) for name in "abcd")
        d.tell(a)
        for asker, asked in ((a, b), (b, c), (c, a)):
            asker.tell(asked)
        await trio.sleep(1)
        snapshot = system.snapshot()
        assert snapshot.deadlocks == (("a", "b", "c"),)
        assert (snapshot["a"].waiting_on, snapshot["a"].waiting_for_s) == ("b", 1)
        assert snapshot["d"].waiting_on == "a"
        (event,) = [event for event in events if event.kind == "deadlock"]
        assert event.text.count(" waits for ") == 3

        await trio.sleep(30)
        assert system.snapshot().deadlocks == ()
        assert {node.failed for node in system.snapshot()} == {0}


async def test_to_ask_oneself_is_the_smallest_deadlock(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A circle of one."""
    async with open_system(
        SupervisorSpec("root", [ActorSpec("a", Asker)]), rng=Random(0)
    ) as system:
        system.address("a").tell(system.address("a"))
        await trio.sleep(1)
        assert system.snapshot().deadlocks == (("a",),)


async def test_work_beside_the_mailbox_may_ask_without_a_deadlock() -> None:
    """It does not keep its actor from answering."""

    class Both(Actor):
        async def run(self) -> None:
            other = self.ctx.find("b" if self.ctx.address.name == "a" else "a")
            answers.append(await other.ask("who?", timeout_s=1))
            await trio.sleep_forever()

        def receive(self, message: Any) -> Any:
            return self.ctx.address.path

    answers: list[Any] = []
    spec = SupervisorSpec("root", [ActorSpec("a", Both), ActorSpec("b", Both)])
    async with open_system(spec, rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        assert sorted(answers) == ["a", "b"]
        assert system.snapshot().deadlocks == ()


async def test_names_are_found_by_path_or_where_they_are_unique(notes: Notes) -> None:
    """What is ambiguous or unknown is refused with what is near."""
    spec = SupervisorSpec(
        "root",
        [
            SupervisorSpec("left", [probe("twin", notes), probe("gateway", notes)]),
            SupervisorSpec("right", [probe("twin", notes)]),
        ],
    )
    async with open_system(spec, rng=Random(0)) as system:
        assert system.address("left/twin").path == "left/twin"
        assert system.address("gateway") == system.address("left/gateway")
        assert system.address("gateway").name == "gateway"
        with pytest.raises(UnknownActor, match="twin is ambiguous: say which of left/twin, right"):
            system.address("twin")
        with pytest.raises(UnknownActor, match="no actor is named gatway; nearest: gateway, left"):
            system.address("gatway")
        with pytest.raises(UnknownActor, match=r"no actor is named 0000$"):
            system.address("0000")
        await system.remove("left/twin")
        assert system.address("twin").path == "right/twin"


@pytest.mark.parametrize(
    ("child", "text"),
    [
        (ActorSpec("", Actor), "'' is no name: give one without a slash"),
        (ActorSpec("a/b", Actor), "'a/b' is no name"),
        (ActorSpec("a", Actor, significant=True), "a is significant, so it must be transient"),
        (ActorSpec("a", Actor, mailbox=conflate(id, 0)), "a has a mailbox without room"),
        (ActorSpec("a", Actor, grace_s=-1), "a has a negative time"),
        (ActorSpec("a", Actor, handler_timeout_s=-1), "a has a negative time"),
        (SupervisorSpec("s", [ActorSpec("a", Actor)] * 2), "s has two children named a"),
        (SupervisorSpec("s", [SupervisorSpec("x/y")]), "'x/y' is no name"),
        (ActorSpec("root", Actor), "the root and its child are both named root: rename one"),
    ],
)
async def test_a_tree_that_contradicts_itself_is_refused(child: Any, text: str) -> None:
    """Before anything is started, in one line."""
    with pytest.raises(SpecError, match=text):
        async with open_system(SupervisorSpec("root", [child]), rng=Random(0)):
            raise AssertionError


def test_an_unknown_word_in_a_spec_is_refused() -> None:
    """Restart types and strategies may be given as words, but only as known ones."""
    assert ActorSpec("a", Actor, restart="transient").restart is Restart.TRANSIENT
    with pytest.raises(ValueError, match="sometimes"):
        ActorSpec("a", Actor, restart="sometimes")


async def test_a_listener_that_fails_is_kept_off_the_tree(notes: Notes) -> None:
    """Its failure is counted, and the tree goes on."""

    def listen(_: TreeEvent) -> None:
        raise Crash("listener")

    spec = SupervisorSpec("root", [probe("a", notes)], backoff=NO_BACKOFF)
    async with open_system(spec, rng=Random(0), on_event=listen) as system:
        system.address("a").tell(Crash("x"))
        await wait_all_tasks_blocked()

        assert system.snapshot()["a"].generation == 2
        reasons = {each.reason: each.count for each in system.snapshot().dead_letters}
        assert reasons == {"handler failed": 1, "event listener failed": 2}


async def test_a_dead_letter_of_an_actors_own(notes: Notes) -> None:
    """An actor may count what it will not handle."""
    async with open_system(SupervisorSpec("root", [probe("a", notes)]), rng=Random(0)) as system:
        system.address("a").tell(lambda p: p.ctx.dead_letter("quote", "unmatched"))
        await wait_all_tasks_blocked()

        (count,) = system.snapshot().dead_letters
        assert (count.reason, count.last.message, count.last.path) == ("unmatched", "quote", "a")


async def test_dead_letters_are_counted_by_reason_within_a_limit() -> None:
    """The most frequent first; past the limit reasons are counted together."""
    letters = DeadLetters()
    for n in range(REASONS_MAX + 5):
        letters.add("a", n, f"reason {n}")
    letters.add("a", "again", "reason 0")

    counts = letters.counts()
    assert len(counts) == REASONS_MAX + 1
    assert [(each.reason, each.count) for each in counts[:2]] == [
        (OTHER_REASON, 5),
        ("reason 0", 2),
    ]
    assert counts[1].last.message == "again"
    assert (letters.total, repr(letters)) == (
        REASONS_MAX + 6,
        f"<DeadLetters {REASONS_MAX + 6} for {REASONS_MAX + 1} reasons>",
    )


async def test_what_lives_says_what_it_is(notes: Notes) -> None:
    """Every live object has an honest repr."""
    seen: list[str] = []
    async with open_system(tree(notes), rng=Random(0)) as system:
        system.address("c").tell(lambda p: seen.extend([repr(p), repr(p.ctx)]))
        await wait_all_tasks_blocked()
        assert seen == ["<Probe c generation 1>", "<Context c generation 1>"]
        assert repr(system) == "<System root running>"
        assert repr(system.address("c")) == "<Address c running 0/7 waiting>"
        assert repr(system.find("c")) == "<Cell c running generation 1>"
        assert repr(system.root) == "<Supervisor root running generation 1>"
        assert repr(system.turn) == "<Turn depth 0, 64 left>"
        assert repr(system.dead_letters) == "<DeadLetters 0 for 0 reasons>"
        assert repr(system._registry) == "<Registry of 5>"
        assert repr(Recovery(system.root, "/")) == "<Recovery /: stop 0, start 0>"
        assert repr(NOTHING) == "<nothing>"
        assert repr(Registry()) == "<Registry of 0>"
        assert "Ask(message=1" in repr(Ask(1))


async def test_a_context_of_an_earlier_instance_steers_nothing(notes: Notes) -> None:
    """What an old instance's leftovers do is not done to the new one."""
    contexts: list[Context] = []

    def keep(probe: Probe) -> None:
        contexts.append(probe.ctx)

    async with open_system(tree(notes), rng=Random(0)) as system:
        system.address("c").tell(keep)
        await wait_all_tasks_blocked()
        await system.kill("c")
        old = contexts[0]
        old.end()
        old.started()
        old.after(0, "ghost")
        await wait_all_tasks_blocked()

        assert system.snapshot()["c"].generation == 2
        assert "ghost" not in [what for _, what in notes.of("received")]
        assert old.address == system.address("c")


async def test_nodes_are_seen_one_by_one_as_they_are_then(notes: Notes) -> None:
    """A tree can be looked at in parts: what has happened meanwhile is in what comes later."""
    async with open_system(tree(notes), rng=Random(0)) as system:
        nodes = system.nodes()
        first = next(nodes)
        await system.kill("c")
        await wait_all_tasks_blocked()
        rest = {each.name: each for each in nodes}

        assert first.path == system.snapshot().nodes[0].path
        assert rest["c"].generation == 2
        assert len(rest) + 1 == len(system.snapshot().nodes)
