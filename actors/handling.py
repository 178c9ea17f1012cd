"""How messages are handled: in the actor's own task, or in the sender's turn.

A message for an *idle* actor whose spec asks for it is handled at once, in the sender's turn; any
other waits in the mailbox for the actor's own task. Idle means: its task is parked, nothing waits,
no handler is at work, and nobody has asked it to stop. So a handler is never entered twice and no
message overtakes an earlier one, whichever way each of them goes.
"""

# flake8: noqa: ASYNC103 - failures are caught here; containment.py says whose a Cancelled is

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import trio

from actors.ask import Ask
from actors.containment import contained, sever
from actors.errors import HandlerTimeout, interrupt_in
from actors.inbox import NOTHING, Inbox
from actors.turn import DIRECT_BUDGET

if TYPE_CHECKING:
    from actors.spec import ActorSpec
    from actors.supervisor import Parent
    from actors.system import System

# Messages handled before the loop goes to others. Longer batches measure no faster.
DRAIN_BUDGET = 64


class Handling(Inbox):
    """An inbox with somebody who handles what comes, while an instance is there."""

    __slots__ = (
        "_enter",
        "_is_async",
        "_receive",
        "_turn",
        "failure",
        "halted",
        "handling_since_s",
        "scope",
    )

    scope: trio.CancelScope
    failure: BaseException | None
    _receive: Callable[[Any], Any]
    _enter: Callable[..., Any]

    def __init__(self, spec: ActorSpec, path: str, parent: Parent, system: System) -> None:
        """Let messages wait for the first instance."""
        super().__init__(spec, path, parent, system)
        self._turn = system.turn
        self._is_async = False
        self.handling_since_s = 0.0
        self.halted = True

    def deliver(self, message: object) -> None:
        """Handle a message now if the actor is idle and direct, else store it."""
        if self.idle:
            turn = self._turn
            if turn.left > 0 and (turn.choose is None or turn.choose()):
                self._handle_now(message)
                return
        self.enqueue(message)

    def deliver_control(self, message: object) -> None:
        """Like `deliver`, but what cannot be handled now overtakes the mailbox."""
        turn = self._turn
        if self.idle and turn.left > 0 and (turn.choose is None or turn.choose()):
            self._handle_now(message)
        else:
            self.enqueue_control(message, 0)

    def handling_for_s(self, now_s: float) -> float:
        """Return how long the message in hand has been there; 0 unless the handler is async."""
        return now_s - self.handling_since_s if self._is_async else 0.0

    async def serve(self, bell: trio.MemoryReceiveChannel[None]) -> None:
        """Handle messages in the actor's own task until something halts it."""
        may_be_direct = self.spec.direct and not self._is_async
        while not self.halted:
            if not (self._control or self.mailbox.store):
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
                if self._control or self.mailbox.store:
                    await trio.lowlevel.checkpoint()

    @trio.lowlevel.disable_ki_protection
    def _drain(self) -> None:
        turn = self._turn
        turn.depth += 1
        turn.left = DIRECT_BUDGET
        control, store, receive = self._control, self.mailbox.store, self._receive
        take = self.mailbox.take
        budget = DRAIN_BUDGET
        try:
            while budget and not self.halted:
                budget -= 1
                if control:
                    message = control.popleft()[0]
                elif store:
                    message = take()
                else:
                    break
                self.in_hand = message
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
            if self.halted or not (self._control or self.mailbox.store):
                break
            self.in_hand = self._control.popleft()[0] if self._control else self.mailbox.take()
            self.handling_since_s = self.system.now_s()
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
        if type(message) is Ask and not self._in_time(message):
            return
        timeout_s = self.spec.handler_timeout_s
        with trio.move_on_after(math.inf if timeout_s is None else timeout_s) as limit:
            if type(message) is Ask:
                self._reply(message, await self._receive(message.message))
            else:
                await self._receive(message)
        if limit.cancelled_caught:
            raise HandlerTimeout(f"{self.path} had one message in hand for {timeout_s:g} s")
        self.handled += 1

    def _handle_now(self, message: object) -> None:
        turn = self._turn
        depth = turn.depth
        turn.depth = depth + 1
        turn.left -= 1
        self.idle = False
        self.received += 1
        self.direct += 1
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
        if not ask.abandoned and self.system.now_s() <= ask.deadline_s:
            return True
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

    # The code in which handlers run, for the watchdog, which sees only frames.
    HANDLER_CODES: Final = tuple(f.__code__ for f in (_drain, _handle_now, _handle_async))
