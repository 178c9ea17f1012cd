"""What actors and supervisors have in common: a place in the tree and a state.

A node outlives its instances. It is *launched* for each generation, and its parent decides what
it rests in when that generation has ended.
"""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

import attrs
import trio

from actors.backoff import FailureWindow

if TYPE_CHECKING:
    from actors.spec import ChildSpec
    from actors.supervisor import Parent
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


class Node:
    """A named place in the tree whose instance comes and goes."""

    __slots__ = (
        "__weakref__",
        "_changed",
        "failed_kind",
        "failures",
        "failures_in_row",
        "generation",
        "last_error",
        "name",
        "not_before_s",
        "parent",
        "path",
        "removed",
        "since_s",
        "state",
        "stop_reason",
        "system",
        "then",
        "up_since_s",
    )

    spec: ChildSpec

    def __init__(self, spec: ChildSpec, path: str, parent: Parent, system: System) -> None:
        """Take a place in the tree; nothing runs yet."""
        self.name = spec.name
        self.path = path
        self.parent = parent
        self.system = system
        self.state = State.WAITING
        self.since_s = system.now_s()
        self.up_since_s: float | None = None
        self.generation = 0
        self.then: State | None = None
        self.stop_reason = ""
        self.removed = False
        self.not_before_s = 0.0
        self.failures_in_row = 0
        self.failed_kind: str | None = None
        self.failures: FailureWindow | None = None
        self.last_error: LastError | None = None
        self._changed: trio.Event | None = None

    def __repr__(self) -> str:
        """Say what it is, its state and its generation."""
        return f"<{type(self).__name__} {self.path} {self.state} generation {self.generation}>"

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

    def set_state(self, state: State) -> None:
        """Change the state and wake whoever waits for a change."""
        self.state = state
        self.since_s = self.system.now_s()
        if state is State.RUNNING:
            self.up_since_s = self.since_s
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def rest(self, state: State) -> None:
        """Go down into ``state`` after the instance has ended, or without there being one."""
        self.then = None
        self.up_since_s = None
        self.set_state(state)

    def note_failure(self, error: BaseException) -> None:
        """Keep a failure as text, for the snapshot."""
        count = self.last_error.count + 1 if self.last_error else 1
        self.last_error = LastError(
            type(error).__name__, str(error), self.system.now_s(), count, traceback_of(error)
        )

    def forgive(self) -> None:
        """Forget how often it has failed, so that it has the whole limit again."""
        self.failures_in_row = 0
        if self.failures is not None:
            self.failures.clear()

    async def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait until a change of state makes ``is_so`` true."""
        while not is_so():
            if self._changed is None:
                self._changed = trio.Event()
            await self._changed.wait()

    async def settled(self) -> None:
        """Wait until it runs, or is down without a plan to start it."""
        await self.wait_for(lambda: self.state in SETTLED)
