"""The cell: what stays of an actor while its instances come and go.

It holds the mailbox, the spec, the counters and the generation; senders reach it through an
`Address`. A generation is launched by the supervisor, boots in its host, and is told to end by
`request_stop`; whatever ends it comes back through `exited`.
"""

from __future__ import annotations

import inspect
import math
from contextvars import ContextVar
from typing import TYPE_CHECKING

import trio

from actors.address import Address
from actors.ask import Ask
from actors.context import Context, Down, Monitor
from actors.handling import Handling
from actors.inbox import NOTHING
from actors.node import State, one_line

if TYPE_CHECKING:
    from actors.actor import Actor
    from actors.spec import ActorSpec
    from actors.supervisor import Parent
    from actors.system import System

# The actor whose instance the running task belongs to, if to one.
CURRENT: ContextVar[Cell | None] = ContextVar("CURRENT", default=None)


class Cell(Handling):
    """One actor for ever: mailbox, spec, counters, generation, and the instance of the moment."""

    __slots__ = ("_start_limit", "_watchers", "address", "task", "waiting_on")

    task: trio.lowlevel.Task | None
    waiting_on: tuple[Cell, float] | None
    _start_limit: trio.CancelScope | None

    def __init__(self, spec: ActorSpec, path: str, parent: Parent, system: System) -> None:
        """Take a place in the tree and accept messages; nothing handles them yet."""
        super().__init__(spec, path, parent, system)
        self.address = Address(path, self)
        self._watchers: list[Monitor] = []
        self._forget_instance()

    def furnish_anew(self, spec: ActorSpec, parent: Parent) -> None:
        """Take a removed cell into use again, so that addresses which are still held work."""
        self.removed = False
        self.parent = parent
        self.furnish(spec)
        self.rest(State.WAITING)

    # ------------------------------------------------------------------ sending

    async def send(self, message: object) -> None:
        """Deliver a message, waiting for room first where the mailbox blocks."""
        await self.wait_for_room()
        self.deliver(message)

    async def await_answer(self, ask: Ask) -> None:
        """Wait for an answer; while an actor's own task waits, the wait-for graph shows it."""
        asker = CURRENT.get()
        if asker is not None and asker.task is trio.lowlevel.current_task():
            asker.waiting_on = (self, self.system.now_s())
            self.system.look_for_deadlock(asker)
        else:
            asker = None
        timers = self.system.timers
        timers.push(ask.deadline_s, ask)
        try:
            await ask.answered.wait()
        finally:
            ask.abandoned = not ask.done
            if not ask.fired:
                timers.forget_one()
            if asker is not None:
                asker.waiting_on = None

    def watch(self, monitor: Monitor) -> None:
        """Remember a monitor, or notify it at once where there is no instance."""
        if not self.alive:
            monitor.notify(Down(self.address, f"not running ({self.state})"))
            return
        self._watchers = [known for known in self._watchers if known.active]
        self._watchers.append(monitor)

    # ------------------------------------------------------------- one instance

    def launch(self) -> None:
        """Begin a new generation: sift the mailbox and start the task."""
        self.generation += 1
        self.then = None
        self.halted = False
        self.failure = None
        self.failed_kind = None
        self.scope = trio.CancelScope(shield=True)
        self.sift()
        self.set_state(State.STARTING)
        self.system.host(self)

    def enter(self, bell: trio.MemorySendChannel[None], limit: trio.CancelScope) -> Context:
        """Make the calling task this instance's, whose start ``limit`` limits."""
        self.task = trio.lowlevel.current_task()
        self._enter = self.task.context.run
        self._bell = bell
        self._start_limit = limit
        CURRENT.set(self)
        return Context(self)

    def adopt(self, actor: Actor) -> None:
        """Take the instance that handles messages from now on."""
        self._receive = actor.receive
        self._is_async = inspect.iscoroutinefunction(actor.receive)

    def declare_ready(self) -> None:
        """Go from starting to running, once."""
        if self._start_limit is not None:
            self._start_limit.deadline = math.inf
            self._start_limit = None
        if self.state is State.STARTING:
            self.set_state(State.RUNNING)

    def is_current(self, generation: int) -> bool:
        """Return whether that instance is the one that is there now."""
        return self.generation == generation and self.alive

    def end_itself(self, reason: str) -> None:
        """Halt on the instance's own wish: a normal end, unless a stop is already under way."""
        if not self.halted:
            self.stop_reason = reason
            self._halt()

    def run_ended(self, failure: BaseException | None) -> None:
        """Take note that ``run`` returned or failed: either ends the instance."""
        if failure is not None and self.failure is None:
            self.failure = failure
        self.end_itself("run returned")

    def request_stop(self, reason: str, then: State, *, abrupt: bool = False) -> None:
        """Begin to end the instance: after the message in hand, or abruptly."""
        self.then = then
        self.stop_reason = reason
        self._halt()
        if self.state is State.STUCK:
            return
        if abrupt or self.state is State.STARTING:
            self.scope.cancel()
        self.set_state(State.STOPPING)

    async def stop(self) -> None:
        """Wait for the end: grace, cancellation, the same grace again; then it is stuck."""
        if self.state is State.STUCK or await self._gone_within(self.spec.grace_s):
            return
        if not self.scope.cancel_called:
            self.scope.cancel()
            if await self._gone_within(self.spec.grace_s):
                return
        self.set_state(State.STUCK)
        self.system.report("stuck", self, "outlived its cancellation; it holds up the shutdown")

    def exited(self, failure: BaseException | None) -> None:
        """Clear up after the instance, tell who must know, and let the supervisor decide."""
        if self.in_hand is not NOTHING:
            self.failed += 1
            self.bury(self.in_hand, "cut off while it was handled", failure)
        reason = self.stop_reason if failure is None else one_line(failure)
        if failure is not None:
            self.note_failure(failure)
            self.system.report("failed", self, reason)
        self.fail_asks(reason, failure)
        watchers, self._watchers = self._watchers, []
        self._forget_instance()
        self.parent.child_exited(self, failure)
        for monitor in watchers:
            monitor.notify(Down(self.address, reason, failure))

    def rest(self, state: State) -> None:
        """Go down; one that is stopped accepts nothing more and lets go of what waits."""
        super().rest(state)
        self.ended = state is State.STOPPED
        if self.ended:
            self.empty()

    # ------------------------------------------------------------------- inside

    def _forget_instance(self) -> None:
        self.idle = self._parked = self._is_async = False
        self.halted = True
        self.in_hand = NOTHING
        self.failure = None
        self.task = None
        self.waiting_on = None
        self._receive = _no_instance
        self._enter = _no_instance
        self._start_limit = None

    async def _gone_within(self, seconds: float) -> bool:
        with trio.move_on_after(seconds):
            await self.wait_for(lambda: not self.alive)
        return not self.alive


def _no_instance(*_: object) -> None:
    raise RuntimeError("a message was handled while no instance was there")
