"""The journal keeper: brings the journal to disk at intervals, off the loop."""

from __future__ import annotations

import trio

from actors import Actor, Context
from arb.engine.offload import Offload
from arb.journal.writer import Journal

# A second of records is what a loss of power may cost; what a kill may cost is nothing.
SYNC_EVERY_S = 1.0


class JournalKeeper(Actor):
    """Syncs the journal; a failed sync is this actor's failure, and no journal means no trading."""

    def __init__(self, ctx: Context, journal: Journal, offload: Offload) -> None:
        super().__init__(ctx)
        self._journal = journal
        self._offload = offload

    def receive(self, message: object) -> None:
        """Nobody tells the keeper anything."""
        self.ctx.dead_letter(message, "not for the journal keeper")

    async def run(self) -> None:
        """Sync until stopped; raises `JournalFailed`."""
        while True:
            await trio.sleep(SYNC_EVERY_S)
            await self._offload(self._journal.sync)

    async def stop(self, reason: str) -> None:
        """Bring the last records to disk."""
        await self._offload(self._journal.sync)

    def __repr__(self) -> str:
        return f"<JournalKeeper of {self._journal!r}>"
