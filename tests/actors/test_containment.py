"""Every way in which an actor can go wrong has one defined outcome."""

# flake8: noqa: ASYNC104 - a Cancelled is turned into a leaked group on purpose

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
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
    State,
    SupervisorSpec,
    System,
    open_system,
)
from actors.testing import Crash, Hook, Notes, OverSeeds, Probe, probe, run_seeded, with_tree
from tests.actors.strays import leak_a_cancelled, stray_cancelled


class Odd(BaseException):
    """Neither an Exception nor one of Trio's."""


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


LEAVING: list[tuple[Hook, str]] = [
    (raises(lambda: ValueError("bad")), "ValueError: bad"),
    (raises(lambda: Odd("odd")), "Odd: odd"),
    (raises(lambda: GeneratorExit("exit")), "GeneratorExit: exit"),
    (leaking, "StrayCancelled: a Cancelled that nobody asked for escaped"),
    (leaking_a_group, "StrayCancelled: a Cancelled that nobody asked for escaped"),
]


# A rule that holds for each of these goes through all of them as the seeds go on.
CASES = tuple(product(LEAVING, ("start", "run")))


def test_whatever_leaves_an_actor_is_its_failure_alone(over_seeds: OverSeeds) -> None:
    """Its supervisor restarts it; its siblings notice nothing."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()
        (hook, text), where = CASES[seed % len(CASES)]

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
        await with_tree(seed, SupervisorSpec("root", [b, a], backoff=NO_BACKOFF), body)
        assert notes.alive == {}


FAILURES: tuple[Callable[[], BaseException], ...] = (
    lambda: Odd("odd"),
    GeneratorExit,
    lambda: ValueError("bad"),
)


def test_whatever_leaves_a_handler_is_the_actors_failure(over_seeds: OverSeeds) -> None:
    """Base exceptions too; the message is buried with its traceback and not handled again."""

    @over_seeds
    async def _rule(seed: int) -> None:
        notes = Notes()

        async def body(system: System) -> None:
            error = FAILURES[seed % 4]() if seed % 4 < 3 else await stray_cancelled()
            await wait_all_tasks_blocked()
            system.address("a").tell(error)
            await wait_all_tasks_blocked()

            snapshot = system.snapshot()
            assert (snapshot["a"].generation, snapshot["a"].failed) == (2, 1)
            assert snapshot["b"].generation == 1
            assert len(notes.of("received")) == 1
            (letter,) = snapshot.dead_letters
            assert (letter.reason, letter.count) == ("handler failed", 1)
            assert letter.last.message is error
            assert letter.last.traceback is not None
            assert type(error).__name__ in letter.last.traceback
            assert letter.last.path == "a"

        children = [probe("a", notes, direct=bool(seed // 4 % 2)), probe("b", notes)]
        await with_tree(seed, SupervisorSpec("root", children, backoff=NO_BACKOFF), body)


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


async def test_nobody_handles_messages_between_two_instances(notes: Notes) -> None:
    """A cell without an instance refuses to, should anything ever try."""
    async with open_system(SupervisorSpec("root", [probe("a", notes)]), rng=Random(0)) as system:
        await system.quarantine("a")
        with pytest.raises(RuntimeError, match="while no instance was there"):
            system.find("a")._receive(1)  # type: ignore[attr-defined]


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


class Nursery(Probe):
    """A probe whose work has several tasks, each of which is cancelled at the end."""

    async def run(self) -> None:
        """Wait in two tasks, with clean-up in each that is cancelled as well."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep_forever)


def test_an_orderly_end_of_several_tasks_is_no_failure() -> None:
    """An actor whose tasks are all cancelled by its stop has not failed."""
    events: list[str] = []
    notes = Notes()
    spec = ActorSpec("busy", lambda ctx: Nursery(ctx, notes, {}))

    async def body(system: System) -> None:
        await system.restart("busy")
        await system.kill("busy")

    root = SupervisorSpec("root", children=(spec,))
    run_seeded(
        1, lambda _: with_tree(1, root, body, on_event=lambda event: events.append(event.text))
    )

    assert events == []
