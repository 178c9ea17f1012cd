"""Whether the engine may trade, and if not, every reason why.

A pause is a person's and ends with resume; a halt is latched, by a rule or a person, and ends
only with clear; a lost connection ends when it is back. Cancels and exits that lessen a
position are not asked about here: they are allowed in every state.
"""

from __future__ import annotations

from enum import StrEnum

import attrs


class TradingState(StrEnum):
    """What the engine may do, from least to most."""

    STARTING = "starting"
    STOPPING = "stopping"
    HALTED = "halted"
    PAUSED = "paused"
    RUNNING = "running"


@attrs.frozen
class Halt:
    """Why trading is latched off, by whom, and since when."""

    reason: str
    by: str
    at_ms: int

    @property
    def text(self) -> str:
        """Say it in one line, with the way out."""
        return f"halted by {self.by}: {self.reason} (end it with: arb clear --reason ...)"


@attrs.define
class Permission:
    """All switches that must stand right before an entry may leave."""

    ready: bool = False
    stopping: bool = False
    paused_by: str | None = None
    halt: Halt | None = None
    unreconciled: str | None = None
    down: dict[str, str] = attrs.field(factory=dict)

    @property
    def state(self) -> TradingState:
        """Return the one word that describes all switches together."""
        if self.stopping:
            return TradingState.STOPPING
        if self.halt is not None:
            return TradingState.HALTED
        if self.paused_by is not None:
            return TradingState.PAUSED
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
