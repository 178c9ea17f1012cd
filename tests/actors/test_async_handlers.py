"""Handlers that await: limits, failures, stops, batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from actors import (
    NO_BACKOFF,
    Actor,
    ActorSpec,
    SupervisorSpec,
    System,
    open_system,
)
from actors.testing import Crash, OverSeeds, with_tree
from tests.actors.strays import leak_a_cancelled

# Messages that an actor handles before it lets others go on.
BATCH = 64


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


def test_a_flood_of_async_messages_lets_others_go_on(over_seeds: OverSeeds) -> None:
    """After a batch the actor's task gives way, even if no handler awaits anything."""

    @over_seeds
    async def _rule(seed: int) -> None:
        seen: list[int] = []
        turns = [0]

        class Eager(Actor):
            async def receive(self, message: int) -> None:
                seen.append(message)

        async def body(system: System) -> None:
            for n in range(150):
                system.address("a").tell(n)
            while len(seen) < 150:
                await trio.lowlevel.checkpoint()
                turns.append(len(seen))

        await with_tree(seed, SupervisorSpec("root", [ActorSpec("a", Eager)]), body)

        assert seen == list(range(150))
        # Whoever comes first in a pass of the scheduler, between two turns of another task lie two
        # turns of the actor at most: the end of one pass and the beginning of the next.
        assert max(late - early for early, late in pairwise(turns)) <= 2 * BATCH


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
