"""The machine that the engine runs on: starts it, restarts it, kills it, and cuts its power."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable
from random import Random

import attrs
import trio

from actors.system import TreeEvent
from arb.engine.board import LogLine
from arb.engine.ending import end_trading
from arb.engine.offload import Offloads
from arb.engine.tree_watch import TAG as TREE
from arb.faults.clock import MachineClock
from arb.faults.disk import SimDisk, SimFile
from arb.faults.engine import OpenedEngine, Seams, opened_engine
from arb.faults.kill_points import KillPoint
from arb.faults.saboteur import Saboteur
from arb.faults.sometimes import (
    ACCOUNT_DIFFERED,
    FROM_SNAPSHOT,
    INTENSITY,
    POWER_LOST,
    SNAPSHOT_LEFT,
    TOO_MANY,
    TORN_TAIL,
)
from arb.faults.trace import Trace
from arb.faults.wires import Plug, Wires
from arb.feeds.base import FeedError
from arb.io.groups import innermost
from arb.journal.frames import JournalDamaged, scan
from arb.journal.records import NotARecord
from arb.journal.writer import Journal, JournalFailed
from arb.kalshi.rest_calls import RestError
from arb.kalshi.signatures_ahead import in_place

# What a service manager waits before it starts a program again that has ended by itself.
RESTART_AFTER_S = 0.5

# What a program that cannot go on says, rather than dies of; it is started again.
_SAID = (RestError, FeedError, JournalDamaged, NotARecord, JournalFailed, OSError)


# What an actor may die of: what was planned, and what that leads to.
_PLANNED = ("Sabotage", "DeepSabotage", "StartTimeout", "RestartIntensityExceeded")


def _unheard(_payloads: list[bytes]) -> None:
    """Hear nothing of a loss of power."""


def _nothing() -> None:
    """Do nothing when an engine starts, or has ended trading."""


@attrs.define
class Process:
    """One life of the engine: what ties it to the machine, and what it has open."""

    number: int
    plug: Plug
    file: SimFile
    scope: trio.CancelScope
    ended: trio.Event
    engine: OpenedEngine | None = None
    killed: bool = False

    def __repr__(self) -> str:
        return f"<Process {self.number} {'killed' if self.killed else 'alive'}>"


@attrs.define(eq=False)
class Machine:
    """Keeps one engine running on one disk, one clock and one set of wires."""

    seams: Callable[[Plug, SimFile, int], Seams]
    wires: Wires
    disk: SimDisk
    clock: MachineClock
    saboteur: Saboteur
    trace: Trace
    on_write: Callable[[bytes], None]
    process: Process | None = None
    lives: int = 0
    kill_point: tuple[KillPoint, int] | None = None
    sync_takes_s: float = 0.0
    off: bool = False
    power_point: tuple[int, Random] | None = None
    on_start: Callable[[], None] = _nothing
    on_trading_ended: Callable[[], None] = _nothing
    on_power_loss: Callable[[list[bytes]], None] = _unheard
    deaf_from_s: float = math.inf

    @property
    def engine(self) -> OpenedEngine | None:
        """Return the engine of the moment, where one is up."""
        return self.process.engine if self.process is not None else None

    async def run(self) -> None:
        """Start the engine, and again whenever it has ended, until switched off."""
        async with trio.open_nursery() as nursery:
            while not self.off:
                self.lives += 1
                process = self._new_process()
                nursery.start_soon(self._live, process)
                await process.ended.wait()
                if not self.off:
                    await trio.sleep(RESTART_AFTER_S)

    def _new_process(self) -> Process:
        plug = self.wires.plug()
        file = self.disk.open(self._before_write, self._after_write)
        self.process = Process(self.lives, plug, file, trio.CancelScope(), trio.Event())
        return self.process

    async def _live(self, process: Process) -> None:
        why = "stopped"
        try:
            with process.scope:
                await self._run_engine(process)
        except (Exception, ExceptionGroup) as error:  # noqa: BLE001 - it is judged, then told
            why = self._ended_by(process, error)
        finally:
            process.engine = None
            process.plug.pull()
            process.file.close()
            if not process.killed:
                self.trace.note("process", f"{process.number} ended: {why}")
            process.ended.set()

    async def _run_engine(self, process: Process) -> None:
        self.trace.note("process", f"{process.number} starts")
        self.on_start()
        seams = self.seams(process.plug, process.file, process.number)
        async with opened_engine(seams) as engine:
            if engine.parts.journal.torn_bytes:
                self.trace.sometimes[TORN_TAIL] += 1
            self._note_snapshot(engine.parts.journal)
            process.engine = engine
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_until_tree_ends, engine, nursery.cancel_scope)
                await engine.stop.wait()
                nursery.cancel_scope.cancel()
            if await end_trading(
                engine.system, engine.stop, seams.settings.execution.exits_at_stop
            ):
                self.on_trading_ended()

    def _note_snapshot(self, journal: Journal) -> None:
        if journal.snapshot_records:
            self.trace.sometimes[FROM_SNAPSHOT] += 1
        if journal.snapshot_trouble is not None:
            self.trace.note("process", journal.snapshot_trouble)
            self.trace.sometimes[SNAPSHOT_LEFT] += 1

    def _ended_by(self, process: Process, error: BaseException) -> str:
        first = innermost(error)
        text = f"{type(first).__name__}: {first}".splitlines()[0]
        expected = isinstance(first, _SAID) or text.startswith(_PLANNED)
        if not process.killed and not expected:
            self.trace.violation("L4", f"the engine died of {text}")
        return text

    # ------------------------------------------------------------------ its ends

    def kill(self) -> None:
        """Kill the engine now: nothing of it reaches the world any more from this turn on."""
        process = self.process
        if process is None or process.killed:
            return
        process.killed = True
        self.trace.note("process", f"{process.number} is killed")
        engine, process.engine = process.engine, None
        process.plug.pull()
        process.file.close()
        if engine is not None:
            engine.system.abort()
        process.scope.cancel()
        process.ended.set()

    def lose_power(self, dice: Random) -> None:
        """Kill the engine and lose what was not on the disk."""
        self.kill()
        lost = self.disk.lose_power(dice)
        self.on_power_loss(list(scan(bytes(self.disk.kernel)).payloads))
        self.trace.sometimes[POWER_LOST] += 1
        self.trace.note("process", f"the power went, {lost} bytes with it")

    def signal(self) -> None:
        """Send one signal: the first asks for a stop in order, a second one ends it now."""
        process = self.process
        if process is None or process.killed:
            return
        if process.engine is None:
            # A request to stop before trading has begun ends the start at once.
            process.scope.cancel()
        elif process.engine.stop.reason is None:
            process.engine.stop.request("a signal")
        else:
            process.engine.system.abort()
            process.scope.cancel()

    # ------------------------------------------------------------------ kill points

    def reached(self, point: KillPoint) -> bool:
        """Tell whether the engine is to be killed at this point, now that it is reached."""
        if self.kill_point is None or self.kill_point[0] is not point:
            return False
        left = self.kill_point[1] - 1
        self.kill_point = (point, left) if left > 0 else None
        if left <= 0:
            self.trace.sometimes[f"killed {point}"] += 1
        return left <= 0

    def _before_write(self, data: bytes) -> bytes:
        if self.reached(KillPoint.BEFORE_APPEND):
            self.kill()
            return b""
        if self.reached(KillPoint.IN_APPEND):
            self.disk.kernel += data[: len(data) // 2]
            self.kill()
            return b""
        return data

    def _after_write(self, data: bytes) -> None:
        self.on_write(data)
        if self.reached(KillPoint.AFTER_APPEND):
            self.kill()
        if self.power_point is not None:
            writes, dice = self.power_point
            self.power_point = (writes - 1, dice)
            if writes <= 1:
                self.power_point = None
                self.lose_power(dice)

    def offloads(self) -> Offloads:
        """Return how slow calls are made: in place, and as slowly as the disk is just now.

        Whoever is cancelled meanwhile has not synced, the worst that a real disk comes to then.
        """

        async def call(work: Callable[[], None]) -> None:
            if self.sync_takes_s:
                self.disk.hits["slow"] += 1
            await trio.sleep(self.sync_takes_s)
            work()

        return Offloads(call, in_place, call)

    # ------------------------------------------------------------------ what is heard of it

    def hear_log(self, line: LogLine) -> None:
        """Take a line of the engine's log; what it says of the tree is heard from the tree.

        From a moment on its terminal is closed: then the line is noted and every write fails.
        """
        if line.tag != TREE:
            self._note_log(line)
        if trio.current_time() >= self.deaf_from_s:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _note_log(self, line: LogLine) -> None:
        self.trace.note("log", f"{line.level} {line.tag} {line.text}")
        if "429" in line.text:
            self.trace.sometimes[TOO_MANY] += 1
        if line.text.startswith("account differs"):
            self.trace.sometimes[ACCOUNT_DIFFERED] += 1

    def hear_tree(self, event: TreeEvent) -> None:
        """Take an event of the tree of actors."""
        self.trace.note("tree", f"{event.kind} {event.path} {event.text.splitlines()[0]}")
        if event.kind == "failed" and not event.text.startswith(_PLANNED):
            self.trace.violation("L4", f"{event.path} failed by itself: {event.text}")
        if event.kind in ("escalated", "quarantined"):
            self.trace.sometimes[INTENSITY] += 1

    def __repr__(self) -> str:
        return f"<Machine {self.lives} lives, {self.process!r}>"


async def _until_tree_ends(engine: OpenedEngine, scope: trio.CancelScope) -> None:
    await engine.system.wait()
    scope.cancel()
