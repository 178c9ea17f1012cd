"""What is done about a loop that stands still: it is said, and in the end the process ends.

Nothing in a process can stop code that does not return. What the engine has written down is enough
to start again, and what rests at the exchange ends by itself there: entries after their timeout,
exits after theirs.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import trio

from actors import Blocked, WatchdogSpec
from arb.engine.board import Board, LogLine

MS_PER_S = 1000

# The last line of the log when the process ended itself.
TAG = "ENGINE"


@attrs.frozen
class LoopWatch:
    """Says who holds the loop up; past the limit writes that down and ends the process."""

    board: Board
    write_now: Callable[[LogLine], None]
    token: trio.lowlevel.TrioToken
    exit_ms: int

    def spec(self) -> WatchdogSpec:
        """Return what the tree's watchdog shall do; both calls come from its thread."""
        return WatchdogSpec(
            last_limit_s=self.exit_ms / MS_PER_S if self.exit_ms else None,
            on_blocked=self.say_blocked,
            last_action=self.write_last,
        )

    def say_blocked(self, blocked: Blocked) -> None:
        """Have the loop say it itself, as soon as it turns again."""
        self.token.run_sync_soon(self._say, blocked)

    def write_last(self, blocked: Blocked) -> None:
        """Leave behind who held the loop up, with the place in the code."""
        text = (
            f"ended after {blocked.for_s:.1f} s: {_who(blocked)} does not return\n{blocked.stack}"
        )
        now_ms = self.board.clock.wall_ms()
        self.write_now(LogLine(self.board.log_seq + 1, now_ms, "error", TAG, text))

    def _say(self, blocked: Blocked) -> None:
        where = blocked.stack.strip().splitlines()[-2:]
        place = f" ({where[0].strip()})" if where else ""
        text = f"the loop stood still for more than {blocked.for_s:.2f} s: {_who(blocked)}{place}"
        self.board.say(TAG, text, level="warning")


def _who(blocked: Blocked) -> str:
    return f"a handler of {blocked.path}" if blocked.path else "code of no actor"
