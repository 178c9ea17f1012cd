"""The base class of actors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.context import Context


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
