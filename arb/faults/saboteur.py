"""Faults inside the process: actors that crash, block the loop, or hang, at a chosen message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from enum import StrEnum

import attrs
import trio

from actors import Actor, ActorSpec, Context, SupervisorSpec

ANY_MARKET = "market"


class Sabotage(Exception):
    """The failure that a planned crash is made of."""


class DeepSabotage(BaseException):
    """A failure that is no `Exception`, as libraries raise when they are interrupted."""


class Prank(StrEnum):
    """What can be done to an actor."""

    CRASH = "crash"
    DEEP_CRASH = "deep crash"
    BLOCK = "block"
    SLEEP = "sleep"
    START_FAILS = "start fails"
    START_HANGS = "start hangs"
    STOP_HANGS = "stop hangs"
    RUN_FAILS = "run fails"
    RUN_HANGS = "run hangs"


# What befalls an actor before it takes a message.
_AT_MESSAGE = frozenset({Prank.CRASH, Prank.DEEP_CRASH, Prank.BLOCK, Prank.SLEEP})

_HANGING = frozenset({Prank.START_HANGS, Prank.STOP_HANGS, Prank.RUN_HANGS})


def hit_of(prank: Prank, component: str) -> str:
    """Return by which name `Saboteur.hits` counts what was done to an actor, or to any market."""
    return f"{prank} {component}"


@attrs.define
class Planned:
    """One prank that waits for its moment: after so many more messages, or at the next start."""

    prank: Prank
    messages: int = 0
    seconds: float = 0.0


@attrs.define(eq=False)
class Saboteur:
    """Wraps every actor of a tree, and does to them what is planned; it outlives the engines.

    ``jump`` lets time pass while nothing else happens, which is what a blocked loop is; ``sleep``
    does so while the whole machine sleeps, which no timer sees.
    """

    jump: Callable[[float], None]
    sleep: Callable[[float], None]
    markets: frozenset[str]
    hits: Counter[str] = attrs.field(factory=Counter)
    instances: dict[str, Actor] = attrs.field(factory=dict)
    _planned: dict[str, list[Planned]] = attrs.field(factory=dict)
    _running: dict[str, trio.CancelScope] = attrs.field(factory=dict)

    def plan(self, name: str, planned: Planned) -> None:
        """Plan a prank for an actor, or for whichever market comes first."""
        self._planned.setdefault(name, []).append(planned)

    def forget(self) -> None:
        """Do nothing of what is still planned."""
        self._planned.clear()

    def break_run(self, name: str, prank: Prank) -> None:
        """Let the work that an actor does beside its mailbox fail now, or get no further."""
        scope = self._running.pop(name, None)
        if scope is not None:
            self.plan(name, Planned(prank))
            scope.cancel()

    def wrap(self, spec: SupervisorSpec) -> SupervisorSpec:
        """Return the same tree with every actor in reach."""
        children = tuple(
            self.wrap(child) if isinstance(child, SupervisorSpec) else self._wrapped(child)
            for child in spec.children
        )
        return attrs.evolve(spec, children=children)

    def _wrapped(self, spec: ActorSpec) -> ActorSpec:
        name = spec.name

        def build(ctx: Context) -> Actor:
            actor = spec.build(ctx)
            self._tamper(name, actor)
            self.instances[name] = actor
            return actor

        return attrs.evolve(spec, build=build)

    def _tamper(self, name: str, actor: Actor) -> None:
        handle, start, stop, run = actor.receive, actor.start, actor.stop, actor.run

        def receive(message: object) -> object:
            if self._planned:
                self._before_message(name)
            return handle(message)

        async def started() -> None:
            await self._at(name, (Prank.START_FAILS, Prank.START_HANGS))
            await start()

        async def stopped(reason: str) -> None:
            await self._at(name, (Prank.STOP_HANGS,))
            await stop(reason)

        actor.receive = receive  # type: ignore[method-assign]
        actor.start = started  # type: ignore[method-assign]
        actor.stop = stopped  # type: ignore[method-assign]
        if type(actor).run is not Actor.run:
            actor.run = lambda: self._run(name, run)  # type: ignore[method-assign]

    async def _run(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        with trio.CancelScope() as scope:
            self._running[name] = scope
            try:
                await run()
            finally:
                # Of an engine that has ended nothing can be broken: what was planned for it would
                # befall the next one, whenever its own work ends.
                if self._running.get(name) is scope:
                    del self._running[name]
        if scope.cancelled_caught:
            await self._at(name, (Prank.RUN_FAILS, Prank.RUN_HANGS))

    def _before_message(self, name: str) -> None:
        for key in self._keys(name):
            for planned in list(self._planned.get(key, ())):
                if planned.prank not in _AT_MESSAGE:
                    continue
                planned.messages -= 1
                if planned.messages < 0:
                    self._take(key, planned)
                    self._do(planned)

    def _do(self, planned: Planned) -> None:
        if planned.prank is Prank.CRASH:
            raise Sabotage("a planned crash")
        if planned.prank is Prank.DEEP_CRASH:
            raise DeepSabotage("a planned crash that is no Exception")
        pass_by = self.sleep if planned.prank is Prank.SLEEP else self.jump
        pass_by(planned.seconds)

    async def _at(self, name: str, pranks: tuple[Prank, ...]) -> None:
        await trio.lowlevel.checkpoint()
        for key in self._keys(name):
            for planned in list(self._planned.get(key, ())):
                if planned.prank in pranks:
                    self._take(key, planned)
                    if planned.prank in _HANGING:
                        await trio.sleep_forever()
                    raise Sabotage(f"planned: {planned.prank}")

    def _take(self, key: str, planned: Planned) -> None:
        self.hits[hit_of(planned.prank, ANY_MARKET if key in self.markets else key)] += 1
        self._planned[key].remove(planned)
        if not self._planned[key]:
            del self._planned[key]

    def _keys(self, name: str) -> tuple[str, ...]:
        return (name, ANY_MARKET) if name in self.markets else (name,)

    def __repr__(self) -> str:
        return f"<Saboteur {sum(map(len, self._planned.values()))} planned>"
