"""What becomes of messages: room, purges, crashes, and sums that add up."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    Actor,
    ActorSpec,
    AskTimeout,
    Intensity,
    MailboxFull,
    MailboxSpec,
    Policy,
    SupervisorSpec,
    System,
    block,
    conflate,
    drop_oldest,
    fail,
    open_system,
)
from actors.inbox import DRAIN_BUDGET
from actors.testing import (
    Crash,
    Notes,
    OverSeeds,
    Probe,
    check_sums,
    probe,
    with_tree,
)


async def test_a_message_that_nobody_understands_is_a_dead_letter() -> None:
    """An actor without a receive of its own counts what it is sent."""
    async with open_system(SupervisorSpec("root", [ActorSpec("a", Actor)]), rng=Random(0)) as s:
        s.address("a").tell("what?")
        await wait_all_tasks_blocked()

        assert [(d.reason, d.last.message) for d in s.snapshot().dead_letters] == [
            ("not understood", "what?")
        ]


def test_a_sender_that_can_wait_waits_for_room(over_seeds: OverSeeds) -> None:
    """A mailbox that blocks holds back its senders, each in its order, until there is room."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        sent: list[tuple[str, int]] = []

        async def send_all(system: System, sender: str) -> None:
            for n in range(4):
                await system.address("a").send((sender, n))
                sent.append((sender, n))

        async def body(system: System) -> None:
            await system.quarantine("a")
            async with trio.open_nursery() as nursery:
                for sender in "xy":
                    nursery.start_soon(send_all, system, sender)
                await wait_all_tasks_blocked()
                assert len(sent) == 2
                await system.release("a")
            await wait_all_tasks_blocked()
            got = [what for _, what in notes.of("received")]
            assert sorted(map(str, got)) == sorted(map(str, sent))
            for sender in "xy":
                mine = [n for who, n in got if who == sender]  # type: ignore[misc, has-type]
                assert mine == [0, 1, 2, 3]

        await with_tree(seed, SupervisorSpec("root", [probe("a", notes, mailbox=block(2))]), body)


Message = tuple[int, int]
POLICIES: tuple[Callable[[int], MailboxSpec], ...] = (
    fail,
    block,
    drop_oldest,
    lambda capacity: conflate(first, capacity),
)


def first(message: Message) -> int:
    """Key a pair by its first half."""
    return message[0]


def left_of(sent: list[Message], policy: Policy, capacity: int) -> list[Message]:
    """Return what a mailbox holds that has been sent all this."""
    if policy in (Policy.FAIL, Policy.BLOCK):
        return sent[:capacity]
    if policy is Policy.DROP_OLDEST:
        return sent[-capacity:]
    latest: dict[int, Message] = {}
    for message in sent:
        if first(message) not in latest and len(latest) == capacity:
            del latest[next(iter(latest))]
        latest[first(message)] = message
    return list(latest.values())


def test_a_full_mailbox_does_what_its_policy_says(over_seeds: OverSeeds) -> None:
    """Refused, dropped or conflated: what is handled in the end, and each of the counts."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        mailbox = POLICIES[seed % 4](1 + seed // 4 % 3)
        sent = [(rng.randrange(4), n) for n in range(8)]
        refused: list[Message] = []

        async def body(system: System) -> None:
            await system.quarantine("a")
            for message in sent:
                try:
                    system.address("a").tell(message)
                except MailboxFull:
                    refused.append(message)
            await system.release("a")
            await wait_all_tasks_blocked()
            left = left_of(sent, mailbox.policy, mailbox.capacity)
            assert [what for _, what in notes.of("received")] == left
            node = system.snapshot()["a"]
            assert node.mailbox is not None
            lost = node.mailbox.dropped + node.mailbox.conflated
            assert node.mailbox.refused == len(refused) == len(sent) - node.received
            assert (node.handled, lost) == (len(left), node.received - len(left))
            assert (lost == 0) is (mailbox.policy in (Policy.FAIL, Policy.BLOCK))

        await with_tree(seed, SupervisorSpec("root", [probe("a", notes, mailbox=mailbox)]), body)


def test_a_restart_keeps_mail_that_is_young_enough(over_seeds: OverSeeds) -> None:
    """All of it, none, or what came within so many seconds, in its order."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        keep_s = (math.inf, 0.0, 1.0)[seed % 3]

        async def body(system: System) -> None:
            await system.quarantine("a")
            sent_s: list[float] = []
            for _ in range(5):
                sent_s.append(trio.current_time())
                system.address("a").tell(sent_s[-1])
                await trio.sleep(rng.random())
            cut_s = trio.current_time() - keep_s
            await system.release("a")
            await wait_all_tasks_blocked()
            kept = [at_s for at_s in sent_s if at_s > cut_s]
            assert [what for _, what in notes.of("received")] == kept
            purged = sum(each.count for each in system.snapshot().dead_letters)
            assert purged == len(sent_s) - len(kept)

        a = probe("a", notes, mailbox=fail(9, keep_s=keep_s))
        await with_tree(seed, SupervisorSpec("root", [a]), body)


async def test_a_purge_makes_room(notes: Notes, autojump_clock: trio.testing.MockClock) -> None:
    """What a restart throws away lets senders in."""
    spec = SupervisorSpec("root", [probe("a", notes, mailbox=block(2, keep_s=0))])
    async with open_system(spec, rng=Random(0)) as system, trio.open_nursery() as nursery:
        await system.quarantine("a")
        system.address("a").tell("old")
        system.address("a").tell("old too")
        nursery.start_soon(system.address("a").send, "new")
        await wait_all_tasks_blocked()
        await system.release("a")
        await wait_all_tasks_blocked()

        assert notes.of("received") == [("a", "new")]


async def test_a_sender_that_waits_is_let_go_when_the_actor_ends(notes: Notes) -> None:
    """Its message is a dead letter, and it goes on."""
    spec = SupervisorSpec("root", [probe("a", notes, mailbox=block(1))])
    async with open_system(spec, rng=Random(0)) as system:
        await system.quarantine("a")
        a = system.address("a")
        a.tell(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(a.send, 2)
            await wait_all_tasks_blocked()
            await system.remove("a")

        assert [(d.reason, d.count) for d in system.snapshot().dead_letters] == [
            ("sent to an actor that has ended", 1),
            ("waiting when the actor ended", 1),
        ]


async def test_send_to_any_other_mailbox_is_tell(notes: Notes) -> None:
    """It only lets others go first."""
    spec = SupervisorSpec("root", [probe("a", notes, mailbox=drop_oldest(1))])
    async with open_system(spec, rng=Random(0)) as system:
        await system.address("a").send(1)
        await wait_all_tasks_blocked()
        assert notes.of("received") == [("a", 1)]


def test_mail_survives_a_crash_as_its_mailbox_says(over_seeds: OverSeeds) -> None:
    """Kept by default, purged where asked; what was in hand is buried; all is accounted for."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [
                probe("keeps", notes, mailbox=fail(99)),
                probe("purges", notes, mailbox=fail(99, keep_s=0)),
            ],
            backoff=NO_BACKOFF,
        )

        async def body(system: System) -> None:
            for name in ("keeps", "purges"):
                for message in ("before", Crash("x"), "after"):
                    system.address(name).tell(message)
            await wait_all_tasks_blocked()
            assert [what for _, what in notes.of("received", "keeps")][-1] == "after"
            assert "after" not in [what for _, what in notes.of("received", "purges")]
            for name in ("keeps", "purges"):
                got = [what for _, what in notes.of("received", name)]
                assert len([what for what in got if isinstance(what, Crash)]) == 1
            buried = {each.reason: each.count for each in system.snapshot().dead_letters}
            assert buried == {"handler failed": 2, "purged at restart": 1}
            purges = system.snapshot()["purges"]
            assert purges.mailbox is not None
            assert (purges.handled, purges.failed, purges.mailbox.dropped) == (1, 1, 1)

        await with_tree(seed, spec, body)


def test_counters_add_up_under_floods_and_crashes(over_seeds: OverSeeds) -> None:
    """For every policy and both lanes, at every moment between two turns."""
    boxes = [fail(4), drop_oldest(3), block(4), conflate(round, 2)]

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        rng = Random(seed)
        refused: list[str] = []
        spec = SupervisorSpec(
            "root",
            [
                probe(f"a{n}", notes, mailbox=box, direct=n != 2 and rng.random() < 0.5)
                for n, box in enumerate(boxes)
            ],
            backoff=NO_BACKOFF,
            intensity=Intensity(10_000, per_s=1, same_kind=None),
        )

        async def body(system: System) -> None:
            for _ in range(20):
                address = system.address(f"a{rng.randrange(4)}")
                message: Any = Crash("x") if rng.random() < 0.1 else rng.random() * 4
                try:
                    (address.signal if rng.random() < 0.1 else address.tell)(message)
                except MailboxFull:
                    refused.append(address.path)
                if rng.random() < 0.1:
                    system.kill(address.path)
                if rng.random() < 0.3:
                    await trio.lowlevel.checkpoint()
                check_sums(system.snapshot())
            counted = sum(n.mailbox.refused for n in system.snapshot() if n.mailbox)
            assert counted == len(refused)

        await with_tree(seed, spec, body)


def test_a_flood_of_plain_messages_lets_others_go_on(over_seeds: OverSeeds) -> None:
    """After a batch the actor's task gives way, even if it keeps itself busy for ever."""

    @over_seeds
    async def _rule(seed: int) -> None:
        handled = 0
        turns = [0]

        def again(busy: Probe) -> None:
            nonlocal handled
            handled += 1
            if handled < 500:
                busy.ctx.address.tell(again)

        async def body(system: System) -> None:
            system.address("a").tell(again)
            while handled < 500:
                await trio.lowlevel.checkpoint()
                turns.append(handled)

        await with_tree(seed, SupervisorSpec("root", [probe("a", Notes())]), body)

        assert max(late - early for early, late in pairwise(turns)) <= 2 * DRAIN_BUDGET


def test_a_question_that_comes_too_late_is_not_answered(over_seeds: OverSeeds) -> None:
    """Where a handler holds the loop up past a deadline, what waits behind it sees that."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        clock: Any = trio.lowlevel.current_clock()

        def hold_up(_busy: Probe) -> None:
            clock.jump(2.0)

        async def body(system: System) -> None:
            await system.quarantine("a")
            system.address("a").tell(hold_up)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, system)
                await wait_all_tasks_blocked()
                system.release("a")
            assert notes.of("received")[-1][1] is hold_up

        async def ask(system: System) -> None:
            with pytest.raises(AskTimeout):
                await system.address("a").ask("too late", timeout_s=1.0)

        await with_tree(seed, SupervisorSpec("root", [probe("a", notes)]), body)


def test_every_waiting_sender_is_let_go_at_the_end(over_seeds: OverSeeds) -> None:
    """However many wait for room in the mailbox of an actor that ends for good, none is stuck."""

    @over_seeds
    async def _rule(seed: int) -> None:
        async def body(system: System) -> None:
            await system.quarantine("a")
            system.address("a").tell(0)
            with trio.fail_after(60):
                async with trio.open_nursery() as nursery:
                    for n in range(1, 5):
                        nursery.start_soon(system.address("a").send, n)
                    await wait_all_tasks_blocked()
                    await system.remove("a")

        await with_tree(seed, SupervisorSpec("root", [probe("a", Notes(), mailbox=block(1))]), body)
