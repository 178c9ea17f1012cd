"""What becomes of messages: room, purges, crashes, and sums that add up."""

from __future__ import annotations

from random import Random

import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    Actor,
    ActorSpec,
    Intensity,
    MailboxFull,
    SupervisorSpec,
    System,
    block,
    drop_oldest,
    fail,
    open_system,
)
from actors.testing import Crash, Notes, check_sums, probe, run_seeded, run_tree


async def test_a_message_that_nobody_understands_is_a_dead_letter() -> None:
    """An actor without a receive of its own counts what it is sent."""
    async with open_system(SupervisorSpec("root", [ActorSpec("a", Actor)]), rng=Random(0)) as s:
        s.address("a").tell("what?")
        await wait_all_tasks_blocked()

        assert [(d.reason, d.last.message) for d in s.snapshot().dead_letters] == [
            ("not understood", "what?")
        ]


async def test_a_sender_that_can_wait_waits_for_room(notes: Notes) -> None:
    """A mailbox that blocks holds back its senders, in order, until there is room."""
    spec = SupervisorSpec("root", [probe("a", notes, mailbox=block(2))])
    async with open_system(spec, rng=Random(0)) as system:
        await system.quarantine("a")
        sent: list[int] = []

        async def send_all() -> None:
            for n in range(6):
                await system.address("a").send(n)
                sent.append(n)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_all)
            await wait_all_tasks_blocked()
            assert sent == [0, 1]
            await system.release("a")

        await wait_all_tasks_blocked()
        assert [what for _, what in notes.of("received")] == list(range(6))


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


def test_mail_survives_a_crash_as_its_mailbox_says(seeds: range) -> None:
    """Kept by default, purged where asked; what was in hand is buried; all is accounted for."""
    for seed in seeds:
        notes = Notes()
        spec = SupervisorSpec(
            "root",
            [
                probe("keeps", notes, mailbox=fail(99)),
                probe("purges", notes, mailbox=fail(99, keep_s=0)),
            ],
            backoff=NO_BACKOFF,
        )

        async def body(system: System, notes: Notes = notes) -> None:
            for name in ("keeps", "purges"):
                for message in ("before", Crash("x"), "after"):
                    system.address(name).tell(message)
            await wait_all_tasks_blocked()
            assert [what for _, what in notes.of("received", "keeps")][-1] == "after"
            assert "after" not in [what for _, what in notes.of("received", "purges")]
            purges = system.snapshot()["purges"]
            assert purges.mailbox is not None
            assert (purges.handled, purges.failed, purges.mailbox.dropped) == (1, 1, 1)

        run_tree(seed, spec, body)


def test_counters_add_up_under_floods_and_crashes(seeds: range) -> None:
    """For every policy, at every moment between two turns."""
    for seed in seeds:
        notes = Notes()

        refused: list[str] = []

        async def main(rng: Random, notes: Notes = notes, refused: list[str] = refused) -> None:
            boxes = [fail(4), drop_oldest(3), block(4)]
            spec = SupervisorSpec(
                "root",
                [
                    probe(f"a{n}", notes, mailbox=box, direct=n < 2 and rng.random() < 0.5)
                    for n, box in enumerate(boxes)
                ],
                backoff=NO_BACKOFF,
                intensity=Intensity(10_000, per_s=1, same_kind=None),
            )
            async with open_system(spec, rng=rng, choose_direct=lambda: rng.random() < 0.5) as s:
                for _ in range(60):
                    address = s.address(f"a{rng.randrange(3)}")
                    message: object = Crash("x") if rng.random() < 0.1 else rng.random()
                    try:
                        address.tell(message)
                    except MailboxFull:
                        refused.append(address.path)
                    if rng.random() < 0.1:
                        s.kill(address.path)
                    if rng.random() < 0.3:
                        await trio.lowlevel.checkpoint()
                    check_sums(s.snapshot())
                counted = sum(n.mailbox.refused for n in s.snapshot() if n.mailbox)
                assert counted == len(refused)

        run_seeded(seed, main)
