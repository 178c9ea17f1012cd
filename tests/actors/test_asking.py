"""Ask: answers, deadlines, late replies, and targets that die."""

from __future__ import annotations

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
    AskTimeout,
    Backoff,
    MailboxFull,
    Restart,
    State,
    SupervisorSpec,
    System,
    conflate,
    drop_oldest,
    fail,
    open_system,
)
from actors.testing import Notes, OverSeeds, probe, wait_for_state, with_tree


def tree(*children: ActorSpec, **options: Any) -> SupervisorSpec:
    """Describe a root that restarts its children at once."""
    return SupervisorSpec("root", children, **{"backoff": NO_BACKOFF, **options})


class Slow(Actor):
    """Takes as long for each message as the message says, and returns it."""

    async def receive(self, message: float) -> float:
        await trio.sleep(message)
        return message


async def test_an_answer_is_what_the_handler_returns(notes: Notes) -> None:
    """Queued and awaited, the reply comes back to the asker."""
    async with open_system(tree(probe("a", notes)), rng=Random(0)) as system:
        assert await system.address("a").ask({"x": 1}, timeout_s=1) == {"x": 1}
        assert await system.address("a").ask(lambda _: None, timeout_s=1) is None


async def test_an_ask_ends_at_its_deadline(autojump_clock: trio.testing.MockClock) -> None:
    """The asker waits as long as it said, and learns what the actor is doing."""
    async with open_system(tree(ActorSpec("a", Slow)), rng=Random(0)) as system:
        began_s = trio.current_time()
        with pytest.raises(AskTimeout, match=r"a \(running\) did not answer within 1.5 s"):
            await system.address("a").ask(10.0, timeout_s=1.5)

        assert trio.current_time() - began_s == pytest.approx(1.5)


async def test_a_late_reply_is_dropped_and_counted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Nobody is answered who has gone, and the reply can be seen among the dead letters."""
    async with open_system(tree(ActorSpec("a", Slow)), rng=Random(0)) as system:
        with pytest.raises(AskTimeout):
            await system.address("a").ask(3.0, timeout_s=1.0)
        await trio.sleep(5)

        snapshot = system.snapshot()
        assert (snapshot["a"].late_replies, snapshot["a"].handled) == (1, 1)
        assert [(d.reason, d.count, d.last.message) for d in snapshot.dead_letters] == [
            ("late reply", 1, 3.0)
        ]


async def test_a_deadline_travels_with_the_message(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A question that has expired in the mailbox is not put to the handler."""
    async with open_system(tree(ActorSpec("a", Slow)), rng=Random(0)) as system:
        a = system.address("a")
        a.tell(3.0)
        with pytest.raises(AskTimeout):
            await a.ask(1.0, timeout_s=1.0)
        await trio.sleep(5)

        node = system.snapshot()["a"]
        assert node.mailbox is not None
        assert (node.handled, node.mailbox.dropped, node.late_replies) == (1, 1, 0)
        reasons = [each.reason for each in system.snapshot().dead_letters]
        assert reasons == ["ask expired before it was handled"]


async def test_an_expired_question_is_not_put_to_a_plain_handler_either(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """Whoever asked has gone before the actor came back."""
    async with open_system(tree(probe("a", notes)), rng=Random(0)) as system:
        await system.quarantine("a")
        with pytest.raises(AskTimeout, match=r"a \(quarantined\) did not answer within 1 s"):
            await system.address("a").ask("too late", timeout_s=1)
        await system.release("a")
        await wait_all_tasks_blocked()

        assert notes.of("received") == []
        assert system.snapshot()["a"].adds_up


async def test_a_cancelled_asker_is_not_answered(autojump_clock: trio.testing.MockClock) -> None:
    """To give up by cancellation is as good as a deadline."""
    async with open_system(tree(ActorSpec("a", Slow)), rng=Random(0)) as system:
        with trio.move_on_after(0.5):
            await system.address("a").ask(1.0, timeout_s=9)
        await trio.sleep(5)

        assert system.snapshot()["a"].late_replies == 1


async def test_an_ask_in_a_cancelled_scope_sends_nothing(notes: Notes) -> None:
    """Cancelled before it began, it has had no effect."""
    async with open_system(tree(probe("a", notes)), rng=Random(0)) as system:
        with trio.CancelScope() as scope:
            scope.cancel()
            await system.address("a").ask(1, timeout_s=1)

        assert system.snapshot()["a"].received == 0


def test_an_ask_ends_with_its_answer_or_at_its_deadline(over_seeds: OverSeeds) -> None:
    """Whichever comes first, to the moment; the answer that comes later is counted."""

    @over_seeds
    async def _rule(seed: int) -> None:
        rng = Random(seed)
        takes_s, timeout_s = rng.random(), rng.random()

        async def body(system: System) -> None:
            is_late = takes_s > timeout_s
            try:
                assert await system.address("a").ask(takes_s, timeout_s=timeout_s) == takes_s
                assert not is_late
            except AskTimeout:
                assert is_late
            assert trio.current_time() == pytest.approx(min(takes_s, timeout_s))
            await trio.sleep(2)
            snapshot = system.snapshot()
            assert (snapshot["a"].handled, snapshot["a"].late_replies) == (1, is_late)
            assert [each.reason for each in snapshot.dead_letters] == ["late reply"] * is_late

        await with_tree(seed, tree(ActorSpec("a", Slow)), body)


def test_an_ask_of_one_that_has_ended_fails_at_once(over_seeds: OverSeeds) -> None:
    """By a failure, normally, or by a person's will: down for good is as good as dead."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            address = system.address("a")
            if seed % 3 == 2:
                await system.remove("a")
            else:
                address.tell(ValueError("bad") if seed % 3 else lambda probe: probe.ctx.end())
                await wait_for_state(system, "a", State.STOPPED)
            with pytest.raises(ActorDied, match="sent to an actor that has ended"):
                await address.ask(1, timeout_s=1)
            assert trio.current_time() == 0

        a = probe("a", notes, restart=Restart.TEMPORARY, direct=bool(seed // 3 % 2))
        await with_tree(seed, tree(a), body)


def test_who_asks_an_actor_that_dies_learns_it_at_once(over_seeds: OverSeeds) -> None:
    """In hand or in the mailbox, an ask ends with the instance, with its failure as the cause."""

    async def ask(address: Address, message: object, got: list[object]) -> None:
        try:
            got.append(await address.ask(message, timeout_s=50))
        except ActorDied as error:
            got.append((str(error), type(error.__cause__)))

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            got: list[object] = []
            began_s = trio.current_time()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, system.address("a"), 1.0, got)
                nursery.start_soon(ask, system.address("a"), ValueError("bad"), got)
                nursery.start_soon(ask, system.address("a"), 2.0, got)
            assert trio.current_time() == began_s
            assert len(got) == 3
            died = ("a died before it answered: ValueError: bad", ValueError)
            assert died in got
            assert all(each in (died, 1.0, 2.0) for each in got)

        await with_tree(seed, tree(probe("a", notes, direct=bool(seed % 2))), body)


async def test_an_ask_that_waits_behind_the_failing_message_ends_at_once(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """It is not left to an instance that may come much later."""
    backoff = Backoff(base_s=50.0, cap_s=50.0)
    async with open_system(tree(probe("a", notes), backoff=backoff), rng=Random(0)) as system:
        system.address("a").tell(ValueError("bad"))
        with pytest.raises(ActorDied, match="a died before it answered: ValueError: bad"):
            await system.address("a").ask("behind it", timeout_s=1000)

        assert trio.current_time() == 0
        node = system.snapshot()["a"]
        assert node.mailbox is not None
        assert (node.mailbox.dropped, node.queued, node.adds_up) == (1, 0, True)


def test_a_kill_ends_asks_at_once(over_seeds: OverSeeds) -> None:
    """In hand or behind it: a person's kill is a death like any other to those who wait."""

    @over_seeds
    async def _rule(seed: int) -> None:
        async def body(system: System) -> None:
            ended_s: list[float] = []

            async def ask() -> None:
                with pytest.raises(ActorDied, match="a died before it answered"):
                    await system.address("a").ask(100.0, timeout_s=1000)
                ended_s.append(trio.current_time())

            async with trio.open_nursery() as nursery:
                for _ in range(2):
                    nursery.start_soon(ask)
                await wait_all_tasks_blocked()
                await system.kill("a")

            assert ended_s == [0, 0]
            node = system.snapshot()["a"]
            assert (node.failed, node.generation, node.last_error) == (1, 2, None)

        await with_tree(seed, tree(ActorSpec("a", Slow)), body)


async def test_an_ask_while_the_actor_is_away_waits_for_its_return(
    notes: Notes, autojump_clock: trio.testing.MockClock
) -> None:
    """During a backoff the question waits in the mailbox."""
    backoff = Backoff(base_s=2.0, cap_s=2.0)
    async with open_system(tree(probe("a", notes), backoff=backoff), rng=Random(1)) as system:
        system.address("a").tell(ValueError("bad"))
        await wait_all_tasks_blocked()
        assert system.snapshot()["a"].state is State.BACKOFF

        assert await system.address("a").ask("still there?", timeout_s=5) == "still there?"


async def test_asks_are_never_conflated() -> None:
    """Each asker gets an answer of its own."""
    spec = ActorSpec("a", Slow, mailbox=conflate(lambda _: "one key"))
    async with open_system(tree(spec), rng=Random(0)) as system:
        got: list[float] = []

        async def ask(message: float) -> None:
            got.append(await system.address("a").ask(message, timeout_s=1))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask, 0.0)

        assert got == [0.0, 0.0, 0.0]


async def test_an_ask_that_falls_out_of_a_mailbox_fails_at_once(notes: Notes) -> None:
    """A mailbox that drops its oldest tells who asked."""
    spec = probe("a", notes, mailbox=drop_oldest(1))
    async with open_system(tree(spec), rng=Random(0)) as system, trio.open_nursery() as nursery:
        await system.quarantine("a")

        @nursery.start_soon
        async def _asker() -> None:
            with pytest.raises(ActorDied, match="mailbox overflow"):
                await system.address("a").ask(1, timeout_s=1)

        await wait_all_tasks_blocked()
        system.address("a").tell("newer")


async def test_an_ask_of_a_full_mailbox_is_refused(notes: Notes) -> None:
    """As tell is."""
    async with open_system(tree(probe("a", notes, mailbox=fail(1))), rng=Random(0)) as system:
        system.address("a").tell(1)
        with pytest.raises(MailboxFull):
            await system.address("a").ask(2, timeout_s=1)


async def test_asks_that_wait_at_the_shutdown_end_with_it(notes: Notes) -> None:
    """Also those to an actor in quarantine, which nobody will release any more."""
    async with (
        trio.open_nursery() as nursery,
        open_system(tree(probe("a", notes)), rng=Random(0)) as system,
    ):
        await system.quarantine("a")

        @nursery.start_soon
        async def _asker() -> None:
            with pytest.raises(ActorDied, match="shutdown"):
                await system.address("a").ask(1, timeout_s=1000)

        await wait_all_tasks_blocked()


async def test_many_answered_asks_leave_no_deadlines_behind(notes: Notes) -> None:
    """The entries of answered questions are cleared long before they are due."""
    async with open_system(tree(probe("a", notes)), rng=Random(0)) as system:
        for n in range(2000):
            assert await system.address("a").ask(n, timeout_s=100) == n

        assert len(system.timers._heap) < 600
        assert repr(system.timers) == "<Timers 0 pending>"
