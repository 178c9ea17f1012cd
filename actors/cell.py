"""The cell: what stays of an actor while its instances come and go, and where each of them lives.

A generation is launched by the supervisor, boots in a task of its own, and is told to end by
`request_stop`. Its task is in the tree's nursery, in a shielded scope that only the supervisor
cancels, so neither a cancellation from outside nor a sibling's failure reaches it. Whatever leaves
the instance is sorted here: an exception of any kind is its failure, a ``Cancelled`` that nobody
asked for too; KeyboardInterrupt and SystemExit are the program's, and end the tree in order.
"""

# flake8: noqa: ASYNC103 - failures are caught here; errors.py says whose a Cancelled is

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

import attrs
import trio

from actors.actor import Actor, Address, Context, Down, Monitor
from actors.errors import StartTimeout, contained, failure_in, interrupt_in
from actors.inbox import NOTHING, Inbox, no_instance
from actors.mailbox import Ask
from actors.node import State, one_line
from actors.spec import ActorSpec

if TYPE_CHECKING:
    from actors.supervisor import Supervisor

# The actor whose instance the running task belongs to, if to one.
CURRENT: ContextVar[Cell | None] = ContextVar("CURRENT", default=None)


@attrs.define(eq=False, repr=False, kw_only=True)
class Cell(Inbox):
    """One actor for ever: mailbox, spec, counters, generation, and the instance of the moment."""

    address: Address = attrs.field(init=False)
    task: trio.lowlevel.Task | None = None
    waiting_on: tuple[Cell, float] | None = None
    _watchers: list[Monitor] = attrs.field(factory=list)
    _start_limit: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    def __attrs_post_init__(self) -> None:
        """Accept messages, which wait for the first instance."""
        self.address = Address(self.path, self)
        self.furnish(self.spec)

    def furnish_anew(self, spec: ActorSpec, parent: Supervisor) -> None:
        """Take a removed cell into use again, so that addresses which are still held work."""
        self.removed = False
        self.parent = parent
        self.furnish(spec)
        self.rest(State.WAITING)

    # ------------------------------------------------------------- those who wait

    async def await_answer(self, ask: Ask) -> None:
        """Wait for an answer; while an actor's own task waits, the wait-for graph shows it."""
        asker = CURRENT.get()
        if asker is not None and asker.task is trio.lowlevel.current_task():
            asker.waiting_on = (self, trio.current_time())
            circle = asker.circle()
            if circle:
                self.system.report("deadlock", asker, " waits for ".join([*circle, asker.path]))
        else:
            asker = None
        self.system.timers.push(ask)
        try:
            await ask.answered.wait()
        finally:
            has_fired, ask.abandoned = ask.abandoned, not ask.done
            if not has_fired:
                self.system.timers.forget_one()
            if asker is not None:
                asker.waiting_on = None

    def circle(self) -> tuple[str, ...]:
        """Return the paths of the circle of waits that this actor is in, from itself on."""
        paths: list[str] = []
        cell = self
        while cell.waiting_on is not None and cell.path not in paths:
            paths.append(cell.path)
            cell = cell.waiting_on[0]
        return tuple(paths) if cell is self else ()

    def watch(self, monitor: Monitor) -> None:
        """Remember a monitor, or notify it at once where there is no instance."""
        if not self.alive:
            monitor.notify(Down(self.address, f"not running ({self.state})"))
            return
        self._watchers = [known for known in self._watchers if known.active]
        self._watchers.append(monitor)

    # ------------------------------------------------------- as the supervisor wills

    def launch(self) -> None:
        """Begin a new generation: sift the mailbox and start the task."""
        self.generation += 1
        self.halted = False
        self.failed_kind = None
        self.scope = trio.CancelScope(shield=True)
        self.sift()
        self.set_state(State.STARTING)
        self.system.start_task(self.host, self.path)

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

    async def _gone_within(self, seconds: float) -> bool:
        with trio.move_on_after(seconds):
            await self.wait_for(lambda: not self.alive)
        return not self.alive

    def rest(self, state: State) -> None:
        """Go down; one that is stopped accepts nothing more and lets go of what waits."""
        super().rest(state)
        if state is State.STOPPED:
            self.empty()

    # -------------------------------------------------------- as the instance wishes

    def is_current(self, generation: int) -> bool:
        """Return whether that instance is the one that is there now."""
        return self.generation == generation and self.alive

    def declare_ready(self) -> None:
        """Go from starting to running, once."""
        self._start_limit.deadline = math.inf
        if self.state is State.STARTING:
            self.set_state(State.RUNNING)

    def end_itself(self, reason: str) -> None:
        """Halt on the instance's own wish: a normal end, unless a stop is already under way."""
        if not self.halted:
            self.stop_reason = reason
            self._halt()

    # ------------------------------------------------------------- one instance's life

    @trio.lowlevel.enable_ki_protection
    async def host(self) -> None:
        """Run one instance from its launch to its end, and see what became of it."""
        try:
            with self.scope:
                await self._live()
        except BaseException as error:  # noqa: BLE001 - see above; nothing may pass unsorted
            self.failure = contained(error)
        interrupt = interrupt_in(self.failure)
        if interrupt is not None:
            self.system.interrupt(interrupt)
            self.then = self.then or State.WAITING
            self.failure = None
        self._exited(self.failure)

    async def _live(self) -> None:
        self._bell, listen = trio.open_memory_channel[None](1)
        with self._bell, listen:
            timeout_s = self.spec.start_timeout_s
            with trio.move_on_after(timeout_s) as self._start_limit:
                actor = await self._boot()
            if self._start_limit.cancelled_caught:
                raise StartTimeout(f"{self.path} was not ready within {timeout_s:g} s")
            self.declare_ready()
            if type(actor).run is Actor.run:
                await self._work(actor, listen)
                return
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._perform, actor.run, nursery.cancel_scope)
                await self._work(actor, listen)
                nursery.cancel_scope.cancel()

    @trio.lowlevel.disable_ki_protection
    async def _boot(self) -> Actor:
        self.task = trio.lowlevel.current_task()
        self._enter = self.task.context.run
        CURRENT.set(self)
        actor = self.spec.build(Context(self, self.generation))
        self._receive = actor.receive
        self._is_async = inspect.iscoroutinefunction(actor.receive)
        await actor.start()
        return actor

    async def _work(self, actor: Actor, listen: trio.MemoryReceiveChannel[None]) -> None:
        await self.serve(listen)
        if self.failure is None and not self.scope.cancel_called:
            await self._perform(partial(actor.stop, self.stop_reason), self.scope)

    async def _perform(self, call: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
        # Whether it returns or fails, the instance ends with it.
        failure: BaseException | None = None
        try:
            await _unprotected(call)
        except BaseException as error:  # noqa: BLE001 - the actor's failure, sorted by the host
            cancelled = scope.cancel_called or self.scope.cancel_called
            failure = failure_in(error, cancelled=cancelled)
        self.failure = self.failure or failure
        self.end_itself("run returned")

    def _exited(self, failure: BaseException | None) -> None:
        if self.in_hand is not NOTHING:
            self.failed += 1
            self.bury(self.in_hand, "cut off while it was handled", failure)
        reason = self.stop_reason if failure is None else one_line(failure)
        if failure is not None:
            self.note_failure(failure, self.trace_of(failure))
            self.system.report("failed", self, reason)
        self.fail_asks(reason, failure)
        watchers, self._watchers = self._watchers, []
        self.idle = self._parked = self._is_async = False
        self.halted = True
        self.in_hand = NOTHING
        self.failure = self.task = self.waiting_on = self._traced = None
        self._receive = self._enter = no_instance
        self.parent.child_exited(self, failure)
        for monitor in watchers:
            monitor.notify(Down(self.address, reason, failure))

    # The code in which an instance runs, for the watchdog, which sees only frames.
    INSTANCE_CODES = (*Inbox.HANDLER_CODES, host.__code__, _perform.__code__)


@trio.lowlevel.disable_ki_protection
async def _unprotected(call: Callable[[], Awaitable[None]]) -> None:
    await call()
