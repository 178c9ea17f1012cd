"""Addresses: the only way to reach an actor from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import trio

from actors.ask import Ask

if TYPE_CHECKING:
    from actors.cell import Cell


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
        cell = self._cell
        waiting = len(cell.mailbox.store)
        capacity = cell.mailbox.spec.capacity
        return f"<Address {self.path} {cell.state} {waiting}/{capacity} waiting>"

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
        await self._cell.send(message)

    async def ask(self, message: object, *, timeout_s: float) -> Any:
        """Send a message and wait for what its handler returns.

        Raises `AskTimeout` after ``timeout_s``, `ActorDied` at once when the actor fails or ends
        before it answers or is down for good, and `MailboxFull` like ``tell``.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        cell = self._cell
        ask = Ask(message, cell.system.now_s() + timeout_s)
        cell.deliver(ask)
        if ask.done:
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await cell.await_answer(ask)
        return ask.result(self.path, timeout_s, cell.state)
