"""The inbox of a cell: how messages wait for an actor, and how they are handled.

received = handled + in hand + queued + dropped + conflated + failed, at every moment between two
turns. What a mailbox refused is counted apart, because its sender knows.

A message for an *idle* actor whose spec asks for it is handled at once, in the sender's turn; any
other waits in the mailbox for the actor's own task. Idle means: its task is parked, nothing waits,
no handler is at work, and nobody has asked it to stop. So a handler is never entered twice and no
message overtakes an earlier one, whichever way each of them goes.
"""

# flake8: noqa: ASYNC103 - failures are caught here; errors.py says whose a Cancelled is

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import attrs
import trio

from actors.errors import HandlerTimeout, contained, interrupt_in, sever
from actors.mailbox import Ask, Mailbox, make_mailbox
from actors.node import Node, State, one_line, traceback_of
from actors.spec import ActorSpec

# Control messages are few (a person's, timers, monitors); a full lane is a fault.
CONTROL_CAPACITY = 1024
# Messages handled before the loop goes to others. Longer batches measure no faster.
DRAIN_BUDGET = 64
# Direct deliveries that one turn may nest or chain before messages queue: far below the
# interpreter's recursion limit, and far above the three hops of any way that matters.
DIRECT_BUDGET = 64

AFTER_THE_END = "sent to an actor that has ended"


class _Nothing:
    def __repr__(self) -> str:
        return "<nothing>"


NOTHING: Final = _Nothing()


@attrs.define(eq=False, repr=False)
class Turn:
    """What the direct deliveries of one turn of the scheduler share: their depth and budget.

    ``choose`` is for simulations: it says for each possible direct delivery whether it is one.
    """

    choose: Callable[[], bool] | None
    depth: int = 0
    left: int = DIRECT_BUDGET

    def __repr__(self) -> str:
        """Say how deep the turn is and what is left of its budget."""
        return f"<Turn depth {self.depth}, {self.left} left>"


def no_instance(*_: object) -> None:
    """Stand in for a handler where there is none."""
    raise RuntimeError("a message was handled while no instance was there")


@attrs.define(eq=False, repr=False, kw_only=True)
class Inbox(Node):
    """A node that takes messages, and handles them while an instance is there.

    The bell is a memory channel that wakes the actor's task while that is parked; ``idle`` says
    that the task is parked and may be spared the waking by a direct delivery.
    """

    spec: ActorSpec
    mailbox: Mailbox = attrs.field(init=False)
    received: int = 0
    handled: int = 0
    dropped: int = 0
    failed: int = 0
    handled_directly: int = 0
    late_replies: int = 0
    in_hand: object = NOTHING
    handling_since_s: float = 0.0
    idle: bool = False
    halted: bool = True
    failure: BaseException | None = None
    scope: trio.CancelScope = attrs.field(init=False)
    _bell: trio.MemorySendChannel[None] = attrs.field(init=False)
    control: deque[tuple[object, int]] = attrs.field(factory=deque)
    _parked: bool = False
    _is_async: bool = False
    _receive: Callable[[Any], Any] = no_instance
    _enter: Callable[..., Any] = no_instance
    _traced: tuple[BaseException, str] | None = None

    def furnish(self, spec: ActorSpec) -> None:
        """Take an empty mailbox of the spec's kind into use."""
        self.spec = spec
        self.mailbox = make_mailbox(spec.mailbox, self.path, trio.current_time, self.drop)

    # ------------------------------------------------------------------ arriving

    def deliver(self, message: object) -> None:
        """Handle a message now if the actor is idle and direct, else store it."""
        turn = self.system.turn
        if self.idle and turn.left > 0 and (turn.choose is None or turn.choose()):
            self._handle_now(message)
        elif self.state is State.STOPPED:
            self.received += 1
            self.drop(message, AFTER_THE_END)
        else:
            self.mailbox.put(message)
            self.received += 1
            if self._parked:
                self._wake()

    def deliver_control(self, message: object) -> None:
        """Like `deliver`, but what cannot be handled now overtakes the mailbox."""
        turn = self.system.turn
        if self.idle and turn.left > 0 and (turn.choose is None or turn.choose()):
            self._handle_now(message)
        else:
            self.enqueue_control(message, 0)

    def enqueue_control(self, message: object, generation: int) -> None:
        """Store a control message; one with a generation is only for that instance."""
        self.received += 1
        if self.state is State.STOPPED:
            self.drop(message, AFTER_THE_END)
        elif len(self.control) >= CONTROL_CAPACITY:
            self.drop(message, "control lane full")
        else:
            self.control.append((message, generation))
            if self._parked:
                self._wake()

    async def wait_for_room(self) -> None:
        """Wait while a mailbox that blocks is full."""
        await trio.lowlevel.checkpoint()
        box = self.mailbox
        if box.room is not None:
            while self.state is not State.STOPPED and len(box.store) >= box.spec.capacity:
                await box.room.park()

    # ------------------------------------------------------------------- leaving

    def drop(self, message: object, reason: str) -> None:
        """Count a received message as dropped, and tell whoever asked it."""
        self.dropped += 1
        self.bury(message, reason)

    def bury(self, message: object, reason: str, failure: BaseException | None = None) -> None:
        """Put a message among the dead letters, with the traceback if it failed."""
        if type(message) is Ask:
            message.fail(self.path, one_line(failure) if failure else reason, failure)
            message = message.message
        text = self.trace_of(failure) if failure is not None else None
        self.system.dead_letters.add(self.path, message, reason, text)

    def trace_of(self, failure: BaseException) -> str:
        """Return a failure's traceback, which takes longest of all that it costs, made once."""
        if self._traced is None or self._traced[0] is not failure:
            self._traced = (failure, traceback_of(failure))
        return self._traced[1]

    def sift(self) -> None:
        """Drop what a new instance must not see: the too old, and an earlier instance's timers."""
        self.mailbox.sift(trio.current_time())
        earlier = [message for message, generation in self.control if generation]
        self.control = deque(each for each in self.control if not each[1])
        for message in earlier:
            self.drop(message, "timer or monitor of an earlier instance")

    def fail_asks(self, reason: str, failure: BaseException | None) -> None:
        """Tell everyone who waits for an answer that the instance has died."""
        removed = self.mailbox.remove(lambda entry: type(entry) is Ask)
        for ask in [entry for entry in removed if isinstance(entry, Ask)]:
            ask.fail(self.path, reason, failure)
            self.drop(ask, "asked of an actor that died")

    def empty(self) -> None:
        """Let go of all that waits, messages and senders, when the actor has ended for good."""
        control = [message for message, _ in self.control]
        self.control.clear()
        for message in control + self.mailbox.remove(lambda _: True):
            self.drop(message, "waiting when the actor ended")
        if self.mailbox.room is not None:
            self.mailbox.room.unpark_all()

    # ------------------------------------------------------------------ handling

    def handling_for_s(self, now_s: float) -> float:
        """Return how long the message in hand has been there; 0 unless the handler is async."""
        return now_s - self.handling_since_s if self._is_async else 0.0

    async def serve(self, bell: trio.MemoryReceiveChannel[None]) -> None:
        """Handle messages in the actor's own task until something halts it."""
        may_be_direct = self.spec.direct and not self._is_async
        while not self.halted:
            if not (self.control or self.mailbox.store):
                self._parked = True
                self.idle = may_be_direct
                try:
                    await bell.receive()
                finally:
                    self._parked = self.idle = False
            elif self._is_async:
                await self._drain_async()
            else:
                self._drain()
                if self.control or self.mailbox.store:
                    await trio.lowlevel.checkpoint()

    @trio.lowlevel.disable_ki_protection
    def _drain(self) -> None:
        turn = self.system.turn
        turn.depth += 1
        turn.left = DIRECT_BUDGET
        control, store, take = self.control, self.mailbox.store, self.mailbox.take
        receive = self._receive
        try:
            for _ in range(DRAIN_BUDGET):
                if self.halted or not (control or store):
                    break
                self.in_hand = message = control.popleft()[0] if control else take()
                if type(message) is Ask:
                    self._answer(message)
                else:
                    receive(message)
                    self.handled += 1
        except BaseException as error:  # noqa: BLE001 - this is where failures are contained
            self._handler_failed(error)
        else:
            self.in_hand = NOTHING
        finally:
            turn.depth -= 1
            turn.left = DIRECT_BUDGET

    async def _drain_async(self) -> None:
        for _ in range(DRAIN_BUDGET):
            if self.halted or not (self.control or self.mailbox.store):
                break
            self.in_hand = self.control.popleft()[0] if self.control else self.mailbox.take()
            self.handling_since_s = trio.current_time()
            try:
                await self._handle_async(self.in_hand)
            except BaseException as error:
                if self.scope.cancel_called and isinstance(error, trio.Cancelled):
                    raise
                self._handler_failed(error)
            else:
                self.in_hand = NOTHING
        await trio.lowlevel.checkpoint()

    async def _handle_async(self, message: object) -> None:
        ask = message if type(message) is Ask else None
        if ask is not None and not self._in_time(ask):
            return
        timeout_s = self.spec.handler_timeout_s
        with trio.move_on_after(math.inf if timeout_s is None else timeout_s) as limit:
            value = await self._receive(message if ask is None else ask.message)
            if ask is not None:
                self._reply(ask, value)
        if limit.cancelled_caught:
            raise HandlerTimeout(f"{self.path} had one message in hand for {timeout_s:g} s")
        self.handled += 1

    def _handle_now(self, message: object) -> None:
        turn = self.system.turn
        depth = turn.depth
        turn.depth = depth + 1
        turn.left -= 1
        self.idle = False
        self.received += 1
        self.handled_directly += 1
        self.in_hand = message
        failure = None
        try:
            if type(message) is Ask:
                self._enter(self._answer, message)
            else:
                self._enter(self._receive, message)
                self.handled += 1
        except BaseException as error:  # noqa: BLE001 - the target's, and no business of the sender
            failure = error
        turn.depth = depth
        if depth == 0:
            turn.left = DIRECT_BUDGET
        if failure is None:
            self.in_hand = NOTHING
            self.idle = self._parked
        else:
            # Outside the except clause the exception being handled is the sender's again.
            self._handler_failed(sever(failure, sys.exception()))

    def _handler_failed(self, error: BaseException) -> None:
        message, self.in_hand = self.in_hand, NOTHING
        self.failed += 1
        if interrupt_in(error) is not None:
            self.bury(message, "interrupted", None)
            self.idle = self._parked
            raise error
        self.failure = failure = contained(error)
        asked = message.message if type(message) is Ask else message
        self.failed_kind = type(asked).__qualname__
        self.bury(message, "handler failed", failure)
        self._halt()

    def _answer(self, ask: Ask) -> None:
        if self._in_time(ask):
            self._reply(ask, self._receive(ask.message))
            self.handled += 1

    def _in_time(self, ask: Ask) -> bool:
        if not ask.abandoned and trio.current_time() <= ask.due_s:
            return True
        if ask.active:
            ask.fire()
            self.system.timers.forget_one()
        self.drop(ask, "ask expired before it was handled")
        return False

    def _reply(self, ask: Ask, value: object) -> None:
        if ask.abandoned:
            self.late_replies += 1
            self.system.dead_letters.add(self.path, value, "late reply")
        else:
            ask.reply(value)

    def _halt(self) -> None:
        self.halted = True
        if self._parked:
            self._wake()

    def _wake(self) -> None:
        self._parked = self.idle = False
        self._bell.send_nowait(None)

    # The code in which handlers run, for the watchdog, which sees only frames.
    HANDLER_CODES = tuple(f.__code__ for f in (_drain, _handle_now, _handle_async))
