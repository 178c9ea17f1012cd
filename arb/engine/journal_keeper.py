"""The journal keeper: brings the journal to disk at intervals, off the loop, and follows it."""

from __future__ import annotations

import trio

from actors import Actor, Context
from arb.engine.board import Board
from arb.engine.messages import JournalBroken
from arb.engine.names import JOURNAL, RISK
from arb.engine.offload import Offload
from arb.journal.records import NotARecord
from arb.journal.writer import Journal, JournalFailed

# A second of records is what a loss of power may cost; what a kill may cost is nothing.
SYNC_EVERY_S = 1.0

# A disk that is busy takes a second or two; one that takes longer than this is worth an alarm.
SYNCED_WITHIN_MS = 10_000

TAG = "JOURNAL"
NOT_WAITED_FOR = (
    "the disk is too slow to be waited for: a loss of power now may cost the last records,"
    " the end of this process does not"
)

UNDONE = "the journal has not been brought to disk"

# They take 0.2 ms: so long at most an order waits for this. What a restart finds is a second old.
FOLLOWED_AT_ONCE = 20


class JournalKeeper(Actor):
    """Syncs the journal; after a failed sync trading halts, and no further one is tried.

    Between syncs it has the journal's state follow, so that a restart finds it ready. A record that
    no start could follow halts trading as well: the next engine would refuse its journal.
    """

    def __init__(self, ctx: Context, board: Board, journal: Journal, offload: Offload) -> None:
        super().__init__(ctx)
        self._board = board
        self._journal = journal
        self._offload = offload
        self._risk = ctx.find(RISK)

    def receive(self, message: object) -> None:
        """Nobody tells the keeper anything."""
        self.ctx.dead_letter(message, "not for the journal keeper")

    async def run(self) -> None:
        """Sync until stopped, or until a sync has failed."""
        self._board.expect(JOURNAL, UNDONE, SYNCED_WITHIN_MS)
        await trio.sleep(SYNC_EVERY_S)
        while await self._sync():
            self._board.done(JOURNAL)
            await self._follow()
            await trio.sleep(SYNC_EVERY_S)
        # A restart would mend nothing: the kernel may have dropped what it could not write. Trading
        # is halted for it, which says more than that nothing is brought to disk.
        del self._board.pulses[JOURNAL]
        await trio.sleep_forever()

    async def stop(self, reason: str) -> None:
        """Bring the last records to disk, which is not waited for beyond the grace."""
        try:
            await self._sync()
        except trio.Cancelled:
            self._board.say(TAG, NOT_WAITED_FOR, level="warning")
            raise

    async def _sync(self) -> bool:
        try:
            await self._offload(self._journal.sync)
        except JournalFailed as error:
            self._risk.tell(JournalBroken(str(error)))
            return False
        return True

    async def _follow(self) -> None:
        try:
            more = True
            while more:
                more = self._journal.follow(FOLLOWED_AT_ONCE)
                await trio.lowlevel.checkpoint()
        except NotARecord as error:
            self._risk.tell(JournalBroken(f"no start could read the journal any more: {error}"))

    def __repr__(self) -> str:
        return f"<JournalKeeper of {self._journal!r}>"
