"""Takes every decision of every market at next to no cost, and has them written behind its back.

The same decision for the same reason, time after time, is one row that counts; a row ends when
action or reason change, or after a while, so that its inputs never stand for more than that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from arb.core.held_quote import HeldQuote
from arb.engine.board import MarketRow
from arb.engine.offload import Offload, call_in_thread
from arb.io.clock import Clock
from arb.journal.decisions import DecisionRow, DecisionStore

# One row stands for at most this long; what a market saw in between is the tape's business.
RUN_MS_MAX = 60_000

# How far what is asked of a running engine may be behind.
WRITE_EVERY_S = 5.0

# A lock is let go of and a full disk is cleared in minutes, if at all; a try takes a thread five
# seconds at most.
OPEN_AGAIN_AFTER_S = 60.0

# More new rows than this between two writes is a loop that talks; what is left out is counted.
PENDING_MAX = 20_000

Say = Callable[[str], None]


@attrs.define
class _Run:
    """One decision while it lasts."""

    number: int
    row: MarketRow
    action: str
    key: tuple[str, str]
    first_ms: int
    times: int
    more: dict[str, Any]

    def written(self) -> DecisionRow:
        """Return it as it is kept."""
        row = self.row
        inputs = {name: getattr(row, name) for name in _INPUTS} | self.more
        return DecisionRow(
            self.number,
            row.ticker,
            self.first_ms,
            row.at_ms,
            self.times,
            self.action,
            row.reason,
            inputs,
        )


_INPUTS = (
    "fair",
    "bid_e4",
    "bid_size_e2",
    "ask_e4",
    "ask_size_e2",
    "edge_e4",
    "net_e4",
    "quote_changed_ms",
    "books",
    "buys",
    "left_out",
)


class DecisionLog:
    """The decisions of all markets of one engine; a market tells, a task of its own writes.

    While the file cannot be used nothing is kept and all is counted; it is opened again after a
    while, and as often as it takes.
    """

    def __init__(
        self, path: Path, clock: Clock, say: Say, offload: Offload = call_in_thread
    ) -> None:
        """Open the file; where that fails it is said, and tried again by `run`."""
        self._path = path
        self._clock = clock
        self._say = say
        self._offload = offload
        self._store: DecisionStore | None = None
        self._number = 0
        self._lasting: dict[str, _Run] = {}
        self._changed: dict[int, _Run] = {}
        self._left_out = 0
        self._failure: Exception | None = None
        self._is_out = False
        self._lost = 0
        self._open()
        self._say_failure()

    def saw(self, row: MarketRow, action: str, more: dict[str, Any] | None = None) -> None:
        """Take what a market has just decided; with ``more`` it stands for itself."""
        if self._store is None:
            self._lost += 1
            return
        run = self._lasting.get(row.ticker)
        key = (action, row.reason)
        if (
            run is not None
            and more is None
            and not run.more
            and run.key == key
            and row.at_ms - run.first_ms < RUN_MS_MAX
        ):
            run.row = row
            run.times += 1
            if run.number not in self._changed:
                self._change(run)
            return
        self._number += 1
        begun = _Run(self._number, row, action, key, row.at_ms, 1, more or {})
        self._lasting[row.ticker] = begun
        self._change(begun)

    def refused(self, row: MarketRow, code: str, text: str) -> None:
        """Take that a wish of a market was refused, after its last decision."""
        shown = attrs.evolve(row, at_ms=self._clock.wall_ms(), reason=f"{code}: {text}")
        self.saw(shown, "REFUSED")

    def forget(self, ticker: str) -> None:
        """Let go of a market that is over; what is still to be written is written."""
        self._lasting.pop(ticker, None)

    async def run(self) -> None:
        """Write what is new, for ever."""
        while True:
            if self._store is None:
                await trio.sleep(OPEN_AGAIN_AFTER_S)
                await self._offload(self._open)
                self._say_failure()
            else:
                await trio.sleep(WRITE_EVERY_S)
                runs, now_ms = self._taken(), self._clock.wall_ms()
                await self._offload(partial(self._write, runs, now_ms))
                self._note_written(runs)

    def close(self) -> None:
        """Write what is left and let go of the file."""
        if self._store is not None:
            runs = self._taken()
            self._write(runs, self._clock.wall_ms())
            self._note_written(runs)
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._lost:
            self._say(f"at least {self._lost} decisions were lost for arb why")

    def _change(self, run: _Run) -> None:
        if len(self._changed) < PENDING_MAX:
            self._changed[run.number] = run
        else:
            self._left_out += 1

    def _taken(self) -> list[_Run]:
        taken, self._changed = self._changed, {}
        if self._left_out:
            self._say(f"{self._left_out} decisions were too many to keep for arb why")
            self._left_out = 0
        return list(taken.values())

    # In a thread: while there is no store, nobody on the loop numbers anything.

    def _open(self) -> None:
        try:
            store = DecisionStore(self._path)
        except (sqlite3.Error, OSError) as error:
            self._failure = error
        else:
            self._number = max(self._number, store.last_number)
            self._store = store

    def _write(self, runs: list[_Run], now_ms: int) -> None:
        if self._store is None:
            return
        try:
            self._store.write((run.written() for run in runs), now_ms)
        except sqlite3.Error as error:
            # Explanations are worth no trade: the engine goes on without them.
            self._store.close()
            self._store, self._failure = None, error

    # On the loop again.

    def _note_written(self, runs: list[_Run]) -> None:
        if self._failure is not None:
            self._lost += len(runs) + len(self._changed)
            self._changed.clear()
            self._lasting.clear()
            self._say_failure()
        elif runs and self._is_out:
            # A full disk lets a file be opened: only what was written shows that it goes on.
            self._say(f"decisions are kept again for arb why; at least {self._lost} were lost")
            self._is_out, self._lost = False, 0

    def _say_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None and not self._is_out:
            self._is_out = True
            again = f"this is tried again every {OPEN_AGAIN_AFTER_S:g} s"
            self._say(f"decisions are not kept for arb why from here on: {failure}; {again}")

    def __repr__(self) -> str:
        state = "writing" if self._store is not None else "waiting for its file"
        return f"<DecisionLog {state}, {len(self._changed)} to be written>"


def quotes_seen(quotes: tuple[HeldQuote, ...]) -> list[dict[str, Any]]:
    """Describe the books' prices that a purchase rests on."""
    return [
        {
            "book": held.quote.book,
            "home": held.quote.home,
            "away": held.quote.away,
            "changed_ms": held.changed_ms,
            "confirmed_ms": held.confirmed_ms,
            "suspended": held.quote.suspended,
        }
        for held in quotes
    ]
