"""Consoles that behave badly, in a simulation: they stall, send rubbish, and die.

Whatever they do, the engine must do the same as without them, to the last event of its trace. To
compare, their tasks get an order of their own: Trio shuffles what is to run, and a
guest in the shuffle would deal everybody else another hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from random import Random
from typing import Any

import orjson
import trio

from arb.engine.attendance import Attendance
from arb.engine.control import ControlServer
from arb.faults.engine import OpenedEngine
from arb.io.memory import MemoryConnection, memory_pair

# A small pipe is full with the first picture, as that of a terminal nobody reads.
PIPE_BYTES = 4_096
LOOK_S = 0.05
GUESTS = 6

# These come over streams in memory; there is no socket.
NOWHERE = Path("no-socket")

VISITOR: ContextVar[bool] = ContextVar("VISITOR", default=False)

Guest = Callable[[MemoryConnection, Random], Awaitable[None]]


class _Apart:
    """Shuffles tasks as Trio's own dice would without the visitors, and puts those anywhere."""

    def __init__(self, dice: Any, own: Random) -> None:
        self._dice = dice
        self._own = own

    def shuffle(self, batch: list[trio.lowlevel.Task]) -> None:
        """Shuffle a pass of Trio's, in place."""
        others = [task for task in batch if not _is_visitor(task)]
        guests = [task for task in batch if _is_visitor(task)]
        self._dice.shuffle(others)
        for guest in guests:
            others.insert(self._own.randrange(len(others) + 1), guest)
        batch[:] = others

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dice, name)

    def __repr__(self) -> str:
        return f"<_Apart from {self._dice!r}>"


def _is_visitor(task: trio.lowlevel.Task) -> bool:
    return task.context.get(VISITOR, False)


@contextmanager
def visitors_apart(seed: int) -> Iterator[None]:
    """Keep visitors out of the order of all other tasks, for runs started inside.

    This turns what `actors.testing.seeded_schedule` turns, and belongs inside of it.
    """
    run: Any = trio._core._run  # noqa: SLF001 - see seeded_schedule
    dice = run._r  # noqa: SLF001
    run._r = _Apart(dice, Random(f"{seed}/order of visitors"))  # noqa: SLF001
    try:
        yield
    finally:
        run._r = dice  # noqa: SLF001


class Visitors:
    """Visits whichever engine is up, for as long as it is, with one bad client after the other."""

    def __init__(self, seed: int, engine: Callable[[], OpenedEngine | None]) -> None:
        self._dice = Random(f"{seed}/visitors")
        self._engine = engine
        self.attendance = Attendance()
        self.servers: list[ControlServer] = []

    def start(self, nursery: trio.Nursery) -> None:
        """Let them come, until the nursery ends."""
        before = VISITOR.set(True)
        nursery.start_soon(self._run)
        VISITOR.reset(before)

    async def _run(self) -> None:
        while True:
            engine = self._engine()
            if engine is not None:
                await self._visit(engine)
            await trio.sleep(LOOK_S)

    async def _visit(self, engine: OpenedEngine) -> None:
        server = ControlServer(engine.steering, NOWHERE, self.attendance)
        self.servers.append(server)
        async with trio.open_nursery() as nursery:
            for _ in range(GUESTS):
                nursery.start_soon(self._come_again, server, Random(self._dice.random()))
            while self._engine() is engine:  # noqa: ASYNC110 - an engine's end is no event
                await trio.sleep(LOOK_S)
            nursery.cancel_scope.cancel()

    async def _come_again(self, server: ControlServer, dice: Random) -> None:
        while True:
            await trio.sleep(dice.uniform(0.0, 1.0))
            ours, theirs = memory_pair(PIPE_BYTES)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.serve_stream, theirs)
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await dice.choice(MANNERS)(ours, dice)
                ours.hang_up()

    def __repr__(self) -> str:
        return f"<Visitors of {len(self.servers)} engines>"


async def _stall(stream: MemoryConnection, dice: Random) -> None:
    """Ask for pictures and read none."""
    await stream.send_all(_lines("attend", "watch"))
    await trio.sleep(dice.uniform(1.0, 9.0))


async def _dribble(stream: MemoryConnection, dice: Random) -> None:
    """Read a byte now and then."""
    await stream.send_all(_lines("attend", "watch"))
    for _ in range(dice.randrange(40)):
        await stream.receive_some(1)
        await trio.sleep(dice.uniform(0.0, 0.3))


async def _die(stream: MemoryConnection, dice: Random) -> None:
    """Read well, and be gone in the middle of a picture."""
    await stream.send_all(_lines("attend", "watch"))
    for _ in range(dice.randrange(200)):
        await stream.receive_some()
    stream.cut()


async def _rave(stream: MemoryConnection, dice: Random) -> None:
    """Send rubbish, whole lines and half ones, until thrown out."""
    while True:
        rubbish = dice.randbytes(dice.choice((1, 30, 3_000)))
        await stream.send_all(dice.choice((rubbish, rubbish + b"\n", b'{"do":"kil"}\n', b"[]\n")))
        await trio.sleep(dice.uniform(0.0, 0.2))


async def _press(stream: MemoryConnection, dice: Random) -> None:
    """Ask without a pause, and read no answer."""
    for _ in range(dice.randrange(100)):
        await stream.send_all(_lines("status", "attend", "leave"))
        await stream.send_all(orjson.dumps({"do": "show", "what": dice.choice(SHOWN)}) + b"\n")


# What is shown without asking any actor.
SHOWN = ("latency", "matching", "settings")
MANNERS: tuple[Guest, ...] = (_stall, _dribble, _die, _rave, _press)


def _lines(*verbs: str) -> bytes:
    return b"".join(orjson.dumps({"id": at, "do": verb}) + b"\n" for at, verb in enumerate(verbs))
