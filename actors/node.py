"""What actors and supervisors have in common: a place in the tree and a state.

A node outlives its instances. It is *launched* for each generation, and its parent decides what
it rests in when that generation has ended.
"""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

import attrs
import trio

from actors.spec import ChildSpec

if TYPE_CHECKING:
    from actors.supervisor import Supervisor
    from actors.system import System

# Enough to find the fault by; a runaway recursion has a thousand frames that say the same.
TRACEBACK_FRAMES_MAX = 30


class State(StrEnum):
    """Where a node is in its life.

    ``waiting`` and ``backoff`` nodes are down and will be started; ``stopped`` ones will not,
    unless a person or their supervisor's own restart brings them back; ``quarantined`` ones
    wait to be released. A ``stuck`` one outlived its cancellation and is still there.
    """

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    STUCK = "stuck"
    QUARANTINED = "quarantined"


ALIVE = frozenset({State.STARTING, State.RUNNING, State.STOPPING, State.STUCK})
TO_START = frozenset({State.WAITING, State.BACKOFF})
TO_STOP = frozenset({State.STARTING, State.RUNNING})
SETTLED = frozenset({State.RUNNING, State.STOPPED, State.STUCK, State.QUARANTINED})


@attrs.frozen
class LastError:
    """The latest failure of a node, as text, so that nothing of the failed instance is kept."""

    kind: str
    text: str
    at_s: float
    count: int
    traceback: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.kind}: {self.text}" if self.text else self.kind


def one_line(error: BaseException) -> str:
    """Say what an exception is, and its text if it has one."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def traceback_of(error: BaseException) -> str:
    """Format an exception with its causes, in bounded length."""
    return "".join(traceback.format_exception(error, limit=-TRACEBACK_FRAMES_MAX))


@attrs.define(eq=False)
class FailureWindow:
    """Failures with the kind of message each came of; one exactly ``per_s`` old still counts."""

    _failures: list[tuple[float, str | None]] = attrs.field(factory=list)

    def add(self, now_s: float, kind: str | None = None) -> None:
        """Remember a failure and the kind of message it came of, if of one."""
        self._failures.append((now_s, kind))

    def count(self, now_s: float, per_s: float, kind: str | None = None) -> int:
        """Return how many failures are that young, all or those of one kind; forget the others."""
        self._failures = [each for each in self._failures if now_s - each[0] <= per_s]
        return sum(kind in (None, other) for _, other in self._failures)

    def clear(self) -> None:
        """Forget them all, as a new generation of the supervisor does."""
        self._failures.clear()


@attrs.define(eq=False, repr=False, kw_only=True)
class Node:
    """A named place in the tree whose instance comes and goes."""

    spec: ChildSpec
    path: str
    parent: Supervisor | System
    system: System
    state: State = State.WAITING
    since_s: float = attrs.field(factory=trio.current_time)
    up_since_s: float | None = None
    generation: int = 0
    # What the instance will rest in when it has ended; None leaves that to the parent.
    then: State | None = None
    stop_reason: str = ""
    removed: bool = False
    not_before_s: float = 0.0
    failures_in_row: int = 0
    failed_kind: str | None = None
    failures: FailureWindow = attrs.field(factory=FailureWindow)
    last_error: LastError | None = None
    _changed: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    def __repr__(self) -> str:
        """Say what it is, its state and its generation."""
        return f"<{type(self).__name__} {self.path} {self.state} generation {self.generation}>"

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self.spec.name

    @property
    def alive(self) -> bool:
        """Return whether an instance exists."""
        return self.state in ALIVE

    @abstractmethod
    def launch(self) -> None:
        """Begin a new generation; there must be none alive."""

    @abstractmethod
    def request_stop(self, reason: str, then: State, *, abrupt: bool = False) -> None:
        """Begin to end the instance, which will rest in ``then``; ``abrupt`` cancels it now."""

    @abstractmethod
    async def stop(self) -> None:
        """Wait until the requested stop is done, with force once its grace is over."""

    def branch(self) -> Iterator[Node]:
        """Yield the node and everything under it, in start order."""
        yield self

    async def end(self, reason: str, then: State) -> None:
        """Stop the instance, if there is one; a stop that has begun goes on as it was meant."""
        if self.state in TO_STOP:
            self.request_stop(reason, self.then or then)
        if self.alive:
            await self.stop()

    def set_state(self, state: State) -> None:
        """Change the state and wake whoever waits for a change."""
        self.state = state
        self.since_s = trio.current_time()
        if state is State.RUNNING:
            self.up_since_s = self.since_s
        self._changed.unpark_all()

    def rest(self, state: State) -> None:
        """Go down into ``state`` after the instance has ended, or without there being one."""
        self.then = None
        self.up_since_s = None
        self.set_state(state)

    def note_failure(self, error: BaseException, trace: str) -> None:
        """Keep a failure as text, for the snapshot."""
        count = self.last_error.count + 1 if self.last_error else 1
        kind, now_s = type(error).__name__, trio.current_time()
        self.last_error = LastError(kind, str(error), now_s, count, trace)

    def forgive(self) -> None:
        """Forget how often it has failed, so that it has the whole limit again."""
        self.failures_in_row = 0
        self.failures.clear()

    async def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait until a change of state makes ``is_so`` true."""
        while not is_so():
            await self._changed.park()

    async def settled(self) -> None:
        """Wait until it runs, or is down without a plan to start it."""
        await self.wait_for(lambda: self.state in SETTLED)
