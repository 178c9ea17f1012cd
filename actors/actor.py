"""What actors are and see: the base class, addresses, and an instance's own view of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import trio

from actors.errors import AskTimeout
from actors.mailbox import Ask
from actors.timers import Timer

if TYPE_CHECKING:
    from actors.cell import Cell
    from actors.system import System


class Actor:
    """One instance of an actor: state, and what it does with messages.

    Everything here runs under its supervisor; whatever any of it raises is this actor's failure.
    A restart builds a new instance, so nothing of a failed one's state survives.
    """

    def __init__(self, ctx: Context) -> None:
        """Keep the context; other state follows in subclasses."""
        self.ctx = ctx

    def __repr__(self) -> str:
        """Name the actor and its generation."""
        return f"<{type(self).__name__} {self.ctx.address.path} generation {self.ctx.generation}>"

    async def start(self) -> None:
        """Boot; the actor is ready, and the children after it may start, when this returns."""

    def receive(self, message: Any) -> Any:
        """Handle one message in bounded time; what is returned answers an `ask`.

        A subclass may make it ``async``; such an actor is never delivered to directly.
        """
        self.ctx.dead_letter(message, "not understood")

    async def run(self) -> None:
        """Work beside the mailbox, such as a connection; to return is to end normally."""

    async def stop(self, reason: str) -> None:
        """End in order, within ``grace_s``; not called after a failure or a kill."""


@attrs.frozen(repr=False)
class Address:
    """The name of an actor, for ever: it is the same before, during and after every restart.

    Two addresses are equal when their paths are. To send is to know nothing of the target's
    fate: none of its failures reaches the sender.
    """

    path: str
    _cell: Cell = attrs.field(eq=False)

    def __repr__(self) -> str:
        """Say what is at the address now."""
        box = self._cell.mailbox
        waiting = f"{len(box.store)}/{box.spec.capacity} waiting"
        return f"<Address {self.path} {self._cell.state} {waiting}>"

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self._cell.name

    @property
    def alive(self) -> bool:
        """Return whether an instance is there at this moment, which may be over at the next."""
        return self._cell.alive

    def tell(self, message: object) -> None:
        """Send a message: at most once, in order for each sender.

        Raises `MailboxFull` where the mailbox's policy is to fail (or to block and it is full).
        """
        self._cell.deliver(message)

    def signal(self, message: object) -> None:
        """Send a message that overtakes what waits in the mailbox, for control and not for data."""
        self._cell.deliver_control(message)

    async def send(self, message: object) -> None:
        """Send a message, waiting for room where the mailbox's policy is to block."""
        await self._cell.wait_for_room()
        self._cell.deliver(message)

    async def ask(self, message: object, *, timeout_s: float) -> Any:
        """Send a message and wait for what its handler returns.

        Raises `AskTimeout` after ``timeout_s``, `ActorDied` at once when the actor fails or ends
        before it answers or is down for good, and `MailboxFull` like ``tell``.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        ask = Ask(message, trio.current_time() + timeout_s)
        self._cell.deliver(ask)
        if ask.done:
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await self._cell.await_answer(ask)
        if ask.error is not None:
            raise ask.error
        if not ask.done:
            raise AskTimeout(self.path, timeout_s, self._cell.state)
        return ask.value


@attrs.frozen
class Down:
    """An actor that was monitored has ended, or was not there: told once, on the control lane."""

    address: Address
    reason: str
    error: BaseException | None = None


@attrs.define(eq=False)
class Monitor:
    """One actor's wish to hear once of another's end; it ends with the instance that made it."""

    watcher: Cell = attrs.field(repr=lambda cell: cell.path)
    generation: int
    cancelled: bool = False

    @property
    def active(self) -> bool:
        """Return whether the instance that wished is still there."""
        return not self.cancelled and self.watcher.is_current(self.generation)

    def cancel(self) -> None:
        """Wish no longer."""
        self.cancelled = True

    def notify(self, down: Down) -> None:
        """Tell the watcher, once."""
        if self.active:
            self.cancelled = True
            self.watcher.enqueue_control(down, self.generation)


@attrs.frozen(eq=False, repr=False)
class Context:
    """One instance's own view: who it is, how to find others, timers and monitors."""

    _cell: Cell
    generation: int

    def __repr__(self) -> str:
        """Name the actor and the generation."""
        return f"<Context {self._cell.path} generation {self.generation}>"

    @property
    def address(self) -> Address:
        """Return the actor's own address."""
        return self._cell.address

    @property
    def system(self) -> System:
        """Return the tree that the actor lives in."""
        return self._cell.system

    @property
    def stopping(self) -> bool:
        """Tell whether this instance takes no message any more: its work beside them ends soon."""
        return self._cell.halted or not self._cell.is_current(self.generation)

    def find(self, name: str) -> Address:
        """Return the address of an actor by path, or by name where that is unique."""
        return self._cell.system.address(name)

    def started(self) -> None:
        """Declare the actor ready before ``start`` returns; messages still wait until it does."""
        if self._cell.is_current(self.generation):
            self._cell.declare_ready()

    def end(self, reason: str = "ended itself") -> None:
        """End normally once the message in hand is handled."""
        if self._cell.is_current(self.generation):
            self._cell.end_itself(reason)

    def monitor(self, address: Address) -> Monitor:
        """Ask to be told with a `Down` when that actor's instance ends; at once if it is down."""
        monitor = Monitor(self._cell, self.generation)
        self._cell.system.cell_of(address).watch(monitor)
        return monitor

    def after(self, delay_s: float, message: object) -> Timer:
        """Send a message to this instance in ``delay_s`` seconds, on the control lane."""
        timer = Timer(self._cell, self.generation, message, trio.current_time() + delay_s)
        self._cell.system.timers.push(timer)
        return timer

    def dead_letter(self, message: object, reason: str) -> None:
        """Count a message that this actor will not handle, with the reason."""
        self._cell.system.dead_letters.add(self._cell.path, message, reason)
