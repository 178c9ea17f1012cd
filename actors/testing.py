"""A test kit: whole trees in virtual time, in an order that a seed decides.

`run_seeded` runs an async function as a program of its own: Trio's clock jumps to the next
deadline whenever everything waits, and a seed decides the order in which tasks run. `run_tree`
opens a tree in it as well, and lets the seed choose for each delivery whether it is direct. The
same seed gives the same run. `run_seeds` tries one rule under many seeds, with `with_tree` for the
trees in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

import attrs
import trio
from trio.testing import MockClock

from actors.actor import Actor, Context
from actors.node import State
from actors.snapshot import TreeSnapshot
from actors.spec import ActorSpec, SupervisorSpec
from actors.system import System, TreeEvent, open_system

T = TypeVar("T")

Rule = Callable[[int], Awaitable[None]]
OverSeeds = Callable[[Rule], None]

# Virtual seconds that a test waits for a state before it fails: longer than any backoff.
PATIENCE_S = 600.0

# Virtual seconds after which a rule that is still at it is taken to hang: longer than any rule's.
RULE_MAX_S = 1e6


class Crash(Exception):
    """The failure that the kit's own crashes are made of."""


@contextmanager
def seeded_schedule(seed: int) -> Iterator[None]:
    """Let ``seed`` decide in which order Trio runs its tasks, for runs started inside.

    This turns a private switch of Trio; `tests/actors/test_actors_kit.py` notices if it is gone.
    """
    run: Any = trio._core._run  # noqa: SLF001 - see above
    allowed, state = run._ALLOW_DETERMINISTIC_SCHEDULING, run._r.getstate()  # noqa: SLF001
    run._ALLOW_DETERMINISTIC_SCHEDULING = True  # noqa: SLF001
    run._r.seed(seed)  # noqa: SLF001
    try:
        yield
    finally:
        run._ALLOW_DETERMINISTIC_SCHEDULING = allowed  # noqa: SLF001
        run._r.setstate(state)  # noqa: SLF001


def run_seeded(seed: int, main: Callable[[Random], Awaitable[T]]) -> T:
    """Run ``main(rng)`` in virtual time under ``seed``, which also seeds ``rng``."""
    with seeded_schedule(seed):
        return trio.run(main, Random(seed), clock=MockClock(autojump_threshold=0))


def run_seeds(seeds: Iterable[int], rule: Rule) -> None:
    """Run ``rule(seed)`` for one seed after the other, each as if it were alone.

    They share one run of Trio, which takes a quarter of a millisecond to make: before each the
    clock is put back to zero and the order is seeded. A failure carries a note of its seed. A rule
    that hangs, or leaves a task behind, has failed.
    """
    clock: Any = MockClock(autojump_threshold=0)
    order: Any = trio._core._run._r  # noqa: SLF001 - see seeded_schedule

    async def main() -> None:
        tasks = trio.lowlevel.current_statistics().tasks_living
        for seed in seeds:
            clock._virtual_base = 0.0  # noqa: SLF001 - a canary notices if it is gone
            order.seed(seed)
            try:
                with trio.fail_after(RULE_MAX_S):
                    await rule(seed)
                left = trio.lowlevel.current_statistics().tasks_living - tasks
                if left:
                    raise AssertionError(f"{left} tasks are left")
            except BaseException as error:
                error.add_note(f"under seed {seed}")
                raise

    with seeded_schedule(0):
        trio.run(main, clock=clock)


def run_tree(
    seed: int,
    spec: SupervisorSpec,
    body: Callable[[System], Awaitable[T]],
    *,
    on_event: Callable[[TreeEvent], None] | None = None,
) -> T:
    """Open a tree under ``seed`` as a program of its own, as `with_tree` does."""
    return run_seeded(seed, lambda _: with_tree(seed, spec, body, on_event=on_event))


async def with_tree(
    seed: int,
    spec: SupervisorSpec,
    body: Callable[[System], Awaitable[T]],
    *,
    on_event: Callable[[TreeEvent], None] | None = None,
) -> T:
    """Open a tree, with its chances drawn from ``seed``, and run ``body(system)`` in it.

    Afterwards it checks that the counters of every actor add up.
    """
    rng = Random(seed)
    choice = Random(rng.random())
    async with open_system(
        spec, rng=rng, on_event=on_event, choose_direct=lambda: bool(choice.getrandbits(1))
    ) as system:
        result = await body(system)
        check_sums(system.snapshot())
    check_sums(system.snapshot())
    return result


def check_sums(snapshot: TreeSnapshot) -> None:
    """Raise `AssertionError` for the first actor that has lost or invented a message.

    received = handled + in hand + queued + dropped + conflated + failed: what failed is
    quarantined, which is to say buried with its traceback and never handled again. What was
    refused was never received.
    """
    for node in snapshot:
        box = node.mailbox
        if box is None:
            continue
        waiting = box.length + box.control_length
        gone = node.handled + box.dropped + box.conflated + node.failed
        if node.received != gone + node.in_hand + waiting or not node.adds_up:
            raise AssertionError(f"the counters of {node.path} do not add up: {node}")


async def wait_until(is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait in small steps of virtual time until something is so."""
    with trio.move_on_after(patience_s):
        while not is_so():
            await trio.testing.wait_all_tasks_blocked()
            if not is_so():
                await trio.sleep(0.001)
        return
    raise AssertionError(f"still not so after {patience_s:g} s")


async def wait_for_state(system: System, name: str, state: State) -> None:
    """Wait until an actor or supervisor is in a state."""
    node = system.find(name)
    with trio.move_on_after(PATIENCE_S):
        await node.wait_for(lambda: node.state is state)
        return
    raise AssertionError(f"{node!r} did not become {state} within {PATIENCE_S:g} s")


def crash_at(spec: ActorSpec, n: int, error: Callable[[], BaseException] = Crash) -> ActorSpec:
    """Return ``spec`` with an actor that fails at its ``n``-th message, counted over restarts."""
    seen = 0

    def build(ctx: Context) -> Actor:
        actor = spec.build(ctx)
        handle = actor.receive

        def receive(message: object) -> object:
            nonlocal seen
            seen += 1
            if seen == n:
                raise error()
            return handle(message)

        actor.receive = receive  # type: ignore[method-assign]
        return actor

    return attrs.evolve(spec, build=build)


@attrs.define
class Notes:
    """What probes have done, in order, and who of them is alive."""

    entries: list[tuple[str, str, object]] = attrs.field(factory=list)
    alive: dict[str, int] = attrs.field(factory=dict)

    def add(self, what: str, path: str, detail: object = None) -> None:
        """Write one thing down."""
        self.entries.append((what, path, detail))

    def of(self, what: str, path: str | None = None) -> list[tuple[str, object]]:
        """Return who did this, with the details, in order."""
        return [(p, d) for w, p, d in self.entries if w == what and path in (None, p)]

    def paths(self, what: str) -> list[str]:
        """Return the paths of those who did this, in order."""
        return [path for path, _ in self.of(what)]

    def born(self, ctx: Context) -> None:
        """Note a new instance; two of one actor at a time are an error, and stay noted as alive."""
        path = ctx.address.path
        if path in self.alive:
            self.alive[f"{path} twice"] = ctx.generation
            raise AssertionError(f"{path} is alive twice: {self.alive[path]}, {ctx.generation}")
        self.alive[path] = ctx.generation

    def died(self, ctx: Context) -> None:
        """Note the end of an instance."""
        del self.alive[ctx.address.path]


Hook = Callable[["Probe"], Awaitable[None]]


class Probe(Actor):
    """An actor for tests: it notes what happens to it, and does what its messages are.

    A message that is an exception is raised, one that is callable is called with the probe, and
    any other is noted and returned.
    """

    def __init__(self, ctx: Context, notes: Notes, hooks: dict[str, Hook]) -> None:
        """Note nothing yet."""
        super().__init__(ctx)
        self.notes = notes
        self.hooks = hooks

    async def start(self) -> None:
        """Note it, and run the hook ``start``."""
        self._note("starting", self.ctx.generation)
        await self._run_hook("start")
        self._note("started", self.ctx.generation)

    def receive(self, message: Any) -> Any:
        """Do what the message is."""
        self._note("received", message)
        if isinstance(message, BaseException):
            raise message
        return message(self) if callable(message) else message

    async def stop(self, reason: str) -> None:
        """Note it, and run the hook ``stop``."""
        self._note("stopping", reason)
        await self._run_hook("stop")
        self._note("stopped", reason)

    async def _run_hook(self, name: str) -> None:
        if name in self.hooks:
            await self.hooks[name](self)

    def _note(self, what: str, detail: object) -> None:
        self.notes.add(what, self.ctx.address.path, detail)


class LivingProbe(Probe):
    """A probe with work beside its mailbox, by which it notes when it lives."""

    async def run(self) -> None:
        """Live until cancelled, or as long as the hook ``run`` runs.

        The hook ``end`` cleans up, and ignores cancellation, as bad clean-up does.
        """
        self.notes.born(self.ctx)
        try:
            if "run" in self.hooks:
                await self.hooks["run"](self)
            else:
                await trio.sleep_forever()
        finally:
            with trio.move_on_after(PATIENCE_S, shield=True):
                await self._run_hook("end")
            self.notes.died(self.ctx)


def probe(
    name: str,
    notes: Notes,
    *,
    living: bool = False,
    hooks: dict[str, Hook] | None = None,
    **options: Any,
) -> ActorSpec:
    """Describe a probe; ``options`` are those of `ActorSpec`."""
    kind = LivingProbe if living else Probe
    return ActorSpec(name, lambda ctx: kind(ctx, notes, hooks or {}), **options)
