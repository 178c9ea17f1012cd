"""Every way in which an actor can go wrong has one defined outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Any

import pytest
import trio
import trio_websocket
from trio.testing import wait_all_tasks_blocked
from trio_websocket import WebSocketConnection
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Request

from actors import (
    NO_BACKOFF,
    Actor,
    ActorSpec,
    Context,
    Intensity,
    MailboxFull,
    State,
    SupervisorSpec,
    System,
    block,
    drop_oldest,
    fail,
    open_system,
)
from actors.testing import Crash, Hook, Notes, Probe, check_sums, probe, run_seeded, run_tree


class Odd(BaseException):
    """Neither an Exception nor one of Trio's."""


async def leak_a_cancelled() -> None:
    """Raise a Cancelled that belongs to nobody any more, as a broken library does."""
    caught: list[BaseException] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.sleep_forever()
        except trio.Cancelled as error:
            caught.append(error)
            raise
    raise caught[0]


def raises(error: Callable[[], BaseException]) -> Hook:
    """Make a hook that fails in its first generation only."""

    async def hook(probe: Probe) -> None:
        await trio.lowlevel.checkpoint()
        if probe.ctx.generation == 1:
            raise error()

    return hook


async def leaking(probe: Probe) -> None:
    """Leak a Cancelled in the first generation only."""
    if probe.ctx.generation == 1:
        await leak_a_cancelled()


async def leaking_a_group(probe: Probe) -> None:
    """Leak a group of nothing but Cancelled."""
    if probe.ctx.generation == 1:
        try:
            await leak_a_cancelled()
        except trio.Cancelled as error:
            raise BaseExceptionGroup("leak", [error]) from None


CASES: list[tuple[Hook, str]] = [
    (raises(lambda: ValueError("bad")), "ValueError: bad"),
    (raises(lambda: Odd("odd")), "Odd: odd"),
    (raises(lambda: GeneratorExit("exit")), "GeneratorExit: exit"),
    (leaking, "StrayCancelled: a Cancelled that nobody asked for escaped"),
    (leaking_a_group, "StrayCancelled: a Cancelled that nobody asked for escaped"),
]


@pytest.mark.parametrize(("hook", "text"), CASES)
@pytest.mark.parametrize("where", ["start", "run"])
def test_whatever_leaves_an_actor_is_its_failure_alone(
    seeds: range, hook: Hook, text: str, where: str
) -> None:
    """Its supervisor restarts it; its siblings notice nothing."""
    for seed in seeds[: len(seeds) // 2]:
        notes = Notes()

        async def body(system: System) -> None:
            await wait_all_tasks_blocked()
            node = system.snapshot()["a"]
            assert (node.state, node.generation) == (State.RUNNING, 2)
            assert str(node.last_error).startswith(text)
            assert system.snapshot()["b"].generation == 1

        async def run(probe: Probe) -> None:
            await hook(probe)
            await trio.sleep_forever()

        hooks: dict[str, Hook] = {where: hook if where == "start" else run}
        a = probe("a", notes, living=True, hooks=hooks)
        b = probe("b", notes, living=True)
        run_tree(seed, SupervisorSpec("root", [b, a], backoff=NO_BACKOFF), body)
        assert notes.alive == {}


@pytest.mark.parametrize("error", [Odd("odd"), GeneratorExit(), ValueError("bad")])
@pytest.mark.parametrize("direct", [True, False])
async def test_whatever_leaves_a_handler_is_the_actors_failure(
    notes: Notes, error: BaseException, direct: bool
) -> None:
    """Base exceptions too; the message is buried with its traceback and not handled again."""
    spec = SupervisorSpec("root", [probe("a", notes, direct=direct)], backoff=NO_BACKOFF)
    async with open_system(spec, rng=Random(0)) as system:
        await wait_all_tasks_blocked()
        system.address("a").tell(error)
        await wait_all_tasks_blocked()

        snapshot = system.snapshot()
        assert snapshot["a"].generation == 2
        assert len(notes.of("received")) == 1
        (letter,) = snapshot.dead_letters
        assert (letter.reason, letter.count, letter.last.message) == ("handler failed", 1, error)
        assert letter.last.traceback is not None
        assert type(error).__name__ in letter.last.traceback
        assert letter.last.path == "a"


async def test_a_build_that_fails_is_a_start_that_fails(notes: Notes) -> None:
    """The actor's constructor is part of its boot."""
    built: list[Context] = []

    def build(ctx: Context) -> Actor:
        built.append(ctx)
        if len(built) == 1:
            raise Crash("in the constructor")
        return Probe(ctx, notes, {})

    spec = SupervisorSpec("root", [ActorSpec("a", build)], backoff=NO_BACKOFF)
    async with open_system(spec, rng=Random(0)) as system:
        assert str(system.snapshot()["a"].last_error) == "Crash: in the constructor"
        assert system.snapshot()["a"].generation == 2


async def test_a_run_that_returns_ends_the_actor_normally(notes: Notes) -> None:
    """Its stop is called, and its restart type decides."""

    async def run(_: Probe) -> None:
        await trio.lowlevel.checkpoint()

    spec = probe("a", notes, living=True, hooks={"run": run}, restart="transient")
    async with open_system(SupervisorSpec("root", [spec]), rng=Random(0)) as system:
        await wait_all_tasks_blocked()

        assert system.snapshot()["a"].state is State.STOPPED
        assert system.snapshot()["a"].last_error is None
        assert notes.of("stopped") == [("a", "run returned")]


class SlowMessages(Actor):
    """Awaits what its messages are."""

    async def receive(self, message: Callable[[], Awaitable[Any]]) -> Any:
        return await message()


async def sleep_long() -> None:
    """Outlast every patience."""
    await trio.sleep_forever()


async def test_a_handler_that_never_returns_is_cut_off(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """At its limit it is cancelled, and the actor fails of it."""
    spec = ActorSpec("a", SlowMessages, handler_timeout_s=2.0)
    async with open_system(
        SupervisorSpec("root", [spec], backoff=NO_BACKOFF), rng=Random(0)
    ) as system:
        system.address("a").tell(sleep_long)
        await trio.sleep(1.5)
        node = system.snapshot()["a"]
        assert (node.in_hand, node.handling, node.handling_for_s) == (1, "function", 1.5)
        assert node.adds_up

        await trio.sleep(1)
        node = system.snapshot()["a"]
        assert str(node.last_error) == "HandlerTimeout: a had one message in hand for 2 s"
        assert (node.generation, node.failed, node.in_hand) == (2, 1, 0)


async def test_a_handler_without_a_limit_shows_how_long_it_has_been_at_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A person sees it and may kill the actor; the message is accounted for."""
    async with open_system(
        SupervisorSpec("root", [ActorSpec("a", SlowMessages)]), rng=Random(0)
    ) as system:
        system.address("a").tell(sleep_long)
        system.address("a").tell(trio.lowlevel.checkpoint)
        await trio.sleep(1000)
        assert system.snapshot()["a"].handling_for_s == 1000
        await system.kill("a")
        await wait_all_tasks_blocked()

        node = system.snapshot()["a"]
        assert (node.handled, node.failed) == (1, 1)
        (letter,) = system.snapshot().dead_letters
        assert letter.reason == "cut off while it was handled"


async def test_an_async_handler_that_fails_or_leaks_is_contained() -> None:
    """As a plain one is."""

    async def fails() -> None:
        await trio.lowlevel.checkpoint()
        raise Crash("x")

    async with open_system(
        SupervisorSpec("root", [ActorSpec("a", SlowMessages)], backoff=NO_BACKOFF), rng=Random(0)
    ) as system:
        system.address("a").tell(fails)
        await wait_all_tasks_blocked()
        assert str(system.snapshot()["a"].last_error) == "Crash: x"
        system.address("a").tell(leak_a_cancelled)
        await wait_all_tasks_blocked()
        assert str(system.snapshot()["a"].last_error).startswith("StrayCancelled: ")
        assert system.snapshot()["a"].generation == 3


async def test_a_flood_of_async_messages_lets_others_go_on() -> None:
    """After a batch the actor's task gives way, even if no handler awaits anything."""
    seen: list[int] = []
    turns: list[int] = []

    class Eager(Actor):
        async def receive(self, message: int) -> None:
            seen.append(message)

    async with open_system(
        SupervisorSpec("root", [ActorSpec("a", Eager)]), rng=Random(0)
    ) as system:
        for n in range(200):
            system.address("a").tell(n)
        while len(seen) < 200:
            await trio.lowlevel.checkpoint()
            turns.append(len(seen))

    assert seen == list(range(200))
    assert len({length for length in turns if 0 < length < 200}) > 1


async def test_nobody_handles_messages_between_two_instances(notes: Notes) -> None:
    """A cell without an instance refuses to, should anything ever try."""
    async with open_system(SupervisorSpec("root", [probe("a", notes)]), rng=Random(0)) as system:
        await system.quarantine("a")
        with pytest.raises(RuntimeError, match="while no instance was there"):
            system.find("a")._receive(1)  # type: ignore[attr-defined]


async def test_an_async_handler_is_finished_before_an_orderly_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Within the grace; what waits behind it is left to the next instance."""
    done: list[str] = []

    async def work(name: str) -> None:
        await trio.sleep(0.5)
        done.append(name)

    async with open_system(
        SupervisorSpec("root", [ActorSpec("a", SlowMessages)]), rng=Random(0)
    ) as system:
        system.address("a").tell(partial(work, "first"))
        system.address("a").tell(partial(work, "second"))
        await wait_all_tasks_blocked()
        restarting = system.restart("a")
        await restarting
        assert done == ["first"]
        await trio.sleep(1)
        assert done == ["first", "second"]
        assert system.snapshot()["a"].generation == 2


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


async def ping_after_close(stream: trio.SocketStream) -> None:
    """Answer a WebSocket's close with a ping first, which trio-websocket 0.12.2 dies of."""
    connection = WSConnection(ConnectionType.SERVER)
    while True:
        connection.receive_data(await stream.receive_some())
        if any(isinstance(event, Request) for event in connection.events()):
            await stream.send_all(connection.send(AcceptConnection()))
            break
    close = await stream.receive_some()
    await stream.send_all(connection.send(Ping(payload=b"p")))
    await trio.sleep(0.01)
    connection.receive_data(close)
    for event in connection.events():
        if isinstance(event, CloseConnection):
            await stream.send_all(connection.send(event.response()))


class Feed(Actor):
    """Opens a connection and closes it at once; its library leaks a Cancelled over that."""

    def __init__(self, ctx: Context, port: int) -> None:
        super().__init__(ctx)
        self.port = port

    async def run(self) -> None:
        if self.ctx.generation == 1:
            opening: Any = trio_websocket.open_websocket(
                "127.0.0.1", self.port, "/", use_ssl=False, disconnect_timeout=1
            )
            async with opening as socket:
                assert isinstance(socket, WebSocketConnection)
        await trio.sleep_forever()


async def test_the_cancelled_that_trio_websocket_leaks_is_one_actors_failure(
    notes: Notes,
) -> None:
    """Without a guard it ends the nursery, and the program, without any error."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            partial(trio.serve_tcp, ping_after_close, 0, host="127.0.0.1")
        )
        port = listeners[0].socket.getsockname()[1]
        spec = SupervisorSpec(
            "root",
            [ActorSpec("feed", lambda ctx: Feed(ctx, port)), probe("b", notes, living=True)],
            backoff=NO_BACKOFF,
        )
        async with open_system(spec, rng=Random(0)) as system:
            with trio.fail_after(5):
                feed = system.find("feed")
                await feed.wait_for(lambda: feed.generation == 2)

            assert str(system.snapshot()["feed"].last_error).startswith("StrayCancelled: ")
            assert system.snapshot()["b"].generation == 1
        nursery.cancel_scope.cancel()
