"""Whether the engine may trade, and if not, every reason why.

A pause is a person's and ends with resume; so does reducing, in which positions are closed and
none is opened; a halt is latched, by a rule or a person, and ends only with clear; a lost
connection ends when it is back. Cancels and exits that lessen a position are not asked about
here: they are allowed in every state.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import attrs


class TradingState(StrEnum):
    """What the engine may do, from least to most; only when it runs may an entry leave."""

    STARTING = "starting"
    STOPPING = "stopping"
    HALTED = "halted"
    PAUSED = "paused"
    REDUCING = "reducing"
    RUNNING = "running"


class Command(StrEnum):
    """What a person, or a rule in his stead, may wish of trading."""

    PAUSE = "pause"
    REDUCE = "reduce"
    RESUME = "resume"


# Read as: held so, this command leads there; what is not listed changes nothing. A halt is latched
# beside it and hides it: only clear takes that off, and trading is then held as it was before.
HOLDS: Mapping[tuple[TradingState, Command], TradingState] = MappingProxyType(
    {
        (TradingState.RUNNING, Command.PAUSE): TradingState.PAUSED,
        (TradingState.RUNNING, Command.REDUCE): TradingState.REDUCING,
        (TradingState.PAUSED, Command.REDUCE): TradingState.REDUCING,
        (TradingState.PAUSED, Command.RESUME): TradingState.RUNNING,
        (TradingState.REDUCING, Command.PAUSE): TradingState.PAUSED,
        (TradingState.REDUCING, Command.RESUME): TradingState.RUNNING,
    }
)


# Who halts when a record cannot be written; no clear helps before the process is a new one.
JOURNAL = "the journal"


@attrs.frozen
class Halt:
    """Why trading is latched off, by whom, and since when."""

    reason: str
    by: str
    at_ms: int

    @property
    def text(self) -> str:
        """Say it in one line, with the way out."""
        way_out = "arb clear --reason ..."
        if self.by == JOURNAL:
            way_out = f"room on the disk, a restart, then {way_out}"
        return f"halted by {self.by}: {self.reason} (end it with: {way_out})"


@attrs.define
class Permission:
    """All switches that must stand right before an entry may leave."""

    ready: bool = False
    stopping: bool = False
    paused_by: str | None = None
    reducing_by: str | None = None
    halt: Halt | None = None
    unreconciled: str | None = None
    down: dict[str, str] = attrs.field(factory=dict)

    @property
    def hold(self) -> TradingState:
        """Return how a person, or a rule in his stead, holds trading: paused, reducing or not."""
        if self.paused_by is not None:
            return TradingState.PAUSED
        return TradingState.REDUCING if self.reducing_by is not None else TradingState.RUNNING

    def obey(self, command: Command, by: str) -> None:
        """Hold trading as a command says, or let it go."""
        hold = HOLDS.get((self.hold, command))
        if hold is not None:
            self.paused_by = by if hold is TradingState.PAUSED else None
            self.reducing_by = by if hold is TradingState.REDUCING else None

    @property
    def state(self) -> TradingState:
        """Return the one word that describes all switches together."""
        if self.stopping:
            return TradingState.STOPPING
        if self.halt is not None:
            return TradingState.HALTED
        if self.hold is not TradingState.RUNNING:
            return self.hold
        if self.unreconciled is not None:
            return TradingState.PAUSED
        if not self.ready:
            return TradingState.STARTING
        if self.down:
            return TradingState.PAUSED
        return TradingState.RUNNING

    @property
    def reasons(self) -> tuple[str, ...]:
        """Say each reason why no entry may leave now, in one line each."""
        return tuple(self._reasons())

    def _reasons(self) -> list[str]:
        found = []
        if self.stopping:
            found.append("the engine is stopping")
        if self.halt is not None:
            found.append(self.halt.text)
        if self.paused_by is not None:
            found.append(f"paused by {self.paused_by} (end it with: arb resume)")
        if self.reducing_by is not None:
            found.append(f"reducing, by {self.reducing_by} (end it with: arb resume)")
        if self.unreconciled is not None:
            found.append(f"not reconciled: {self.unreconciled}")
        elif not self.ready:
            found.append("starting: positions, orders and cash are not compared with Kalshi yet")
        found.extend(f"{name} is down: {why}" for name, why in sorted(self.down.items()))
        return found

    def connection(self, name: str, *, connected: bool, detail: str) -> bool:
        """Note a connection's state; returns True if that changed anything."""
        if connected:
            return self.down.pop(name, None) is not None
        changed = self.down.get(name) != detail
        self.down[name] = detail
        return changed
