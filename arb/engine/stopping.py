"""How an engine is told to stop: once, by whoever comes first, with a reason."""

from __future__ import annotations

import attrs
import trio


@attrs.define
class StopRequest:
    """Latched when somebody wants the engine to stop; ``exits`` overrides the setting."""

    reason: str | None = None
    exits: str | None = None
    _requested: trio.Event = attrs.field(factory=trio.Event)

    def request(self, reason: str, *, exits: str | None = None) -> None:
        """Ask the engine to stop; later requests change nothing but what happens to exits."""
        if self.reason is None:
            self.reason = reason
        if exits is not None:
            self.exits = exits
        self._requested.set()

    async def wait(self) -> str:
        """Wait until somebody asks, and return why."""
        await self._requested.wait()
        return self.reason or "stopped"

    def __repr__(self) -> str:
        return f"<StopRequest {self.reason or 'not requested'}>"
