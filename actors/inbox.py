"""The inbox of a cell: what waits for an actor, and the account of every message.

received = handled + in hand + queued + dropped + conflated + failed, at every moment between two
turns. What a mailbox refused is counted apart, because its sender knows.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import trio

from actors.ask import Ask
from actors.mailbox import Mailbox, make_mailbox
from actors.node import Node, one_line, traceback_of

if TYPE_CHECKING:
    from actors.spec import ActorSpec
    from actors.supervisor import Parent
    from actors.system import System

# Control messages are few (a person's, timers, monitors); a full lane is a fault.
CONTROL_CAPACITY = 1024


class _Nothing:
    def __repr__(self) -> str:
        return "<nothing>"


NOTHING: Final = _Nothing()


class Inbox(Node):
    """A node that takes messages: a mailbox, a control lane, a bell and the counters.

    The bell is a memory channel that wakes the actor's task while that is parked; ``idle`` says
    that the task is parked and may be spared the waking by a direct delivery.
    """

    __slots__ = (
        "_bell",
        "_control",
        "_parked",
        "direct",
        "dropped",
        "ended",
        "failed",
        "handled",
        "idle",
        "in_hand",
        "late_replies",
        "mailbox",
        "received",
        "spec",
    )

    spec: ActorSpec
    mailbox: Mailbox
    _bell: trio.MemorySendChannel[None]

    def __init__(self, spec: ActorSpec, path: str, parent: Parent, system: System) -> None:
        """Accept messages from now on."""
        super().__init__(spec, path, parent, system)
        self.received = self.handled = self.dropped = self.failed = 0
        self.direct = self.late_replies = 0
        self.in_hand: object = NOTHING
        self.idle = self._parked = False
        self._control: deque[tuple[object, int]] = deque()
        self.furnish(spec)

    @property
    def control_length(self) -> int:
        """Return how many control messages wait."""
        return len(self._control)

    def furnish(self, spec: ActorSpec) -> None:
        """Take an empty mailbox of the spec's kind into use."""
        self.spec = spec
        self.ended = False
        self.mailbox = make_mailbox(
            spec.mailbox, self.path, self.system.now_s, self.drop, lambda entry: type(entry) is Ask
        )

    def enqueue(self, message: object) -> None:
        """Store a message, and ring if the actor's task is parked."""
        if self.ended:
            self._undeliverable(message)
            return
        self.mailbox.put(message)
        self.received += 1
        if self._parked:
            self._wake()

    def enqueue_control(self, message: object, generation: int) -> None:
        """Store a control message; one with a generation is only for that instance."""
        if self.ended:
            self._undeliverable(message)
            return
        self.received += 1
        if len(self._control) >= CONTROL_CAPACITY:
            self.drop(message, "control lane full")
            return
        self._control.append((message, generation))
        if self._parked:
            self._wake()

    async def wait_for_room(self) -> None:
        """Wait while a mailbox that blocks is full."""
        await trio.lowlevel.checkpoint()
        box = self.mailbox
        if box.room is not None:
            while not self.ended and len(box.store) >= box.spec.capacity:
                await box.room.park()

    def drop(self, message: object, reason: str) -> None:
        """Count a received message as dropped, and tell whoever asked it."""
        self.dropped += 1
        self.bury(message, reason)

    def bury(self, message: object, reason: str, failure: BaseException | None = None) -> None:
        """Put a message among the dead letters, with the traceback if it failed."""
        if type(message) is Ask:
            if not message.done:
                message.fail(self.path, one_line(failure) if failure else reason, failure)
            message = message.message
        text = traceback_of(failure) if failure is not None else None
        self.system.dead_letters.add(self.path, message, reason, text)

    def sift(self) -> None:
        """Drop what a new instance must not see: the too old, and an earlier instance's timers."""
        self.mailbox.sift(self.system.now_s())
        waiting, self._control = self._control, deque()
        for message, generation in waiting:
            if generation:
                self.drop(message, "timer or monitor of an earlier instance")
            else:
                self._control.append((message, generation))

    def fail_asks(self, reason: str, failure: BaseException | None) -> None:
        """Tell everyone who waits for an answer that the instance has died."""
        removed = self.mailbox.remove(lambda entry: type(entry) is Ask)
        for ask in [entry for entry in removed if isinstance(entry, Ask)]:
            ask.fail(self.path, reason, failure)
            self.drop(ask, "asked of an actor that died")

    def empty(self) -> None:
        """Let go of all that waits, messages and senders, when the actor has ended for good."""
        control = [message for message, _ in self._control]
        self._control.clear()
        for message in control + self.mailbox.remove(lambda _: True):
            self.drop(message, "waiting when the actor ended")
        if self.mailbox.room is not None:
            self.mailbox.room.unpark_all()

    def _wake(self) -> None:
        self._parked = self.idle = False
        self._bell.send_nowait(None)

    def _undeliverable(self, message: object) -> None:
        self.received += 1
        self.drop(message, "sent to an actor that has ended")
