"""What an actor's instance knows of the world, and its timers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from actors.address import Address
from actors.timers import Timer

if TYPE_CHECKING:
    from actors.cell import Cell
    from actors.system import System


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


class Context:
    """One instance's own view: who it is, how to find others, timers and monitors."""

    __slots__ = ("_cell", "generation")

    def __init__(self, cell: Cell) -> None:
        """Belong to the generation that the cell is in."""
        self._cell = cell
        self.generation = cell.generation

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

    def find(self, name: str) -> Address:
        """Return the address of an actor by path, or by name where that is unique."""
        return self._cell.system.address(name)

    def started(self) -> None:
        """Declare the actor ready before ``start`` returns; messages still wait until it does."""
        if self._is_current:
            self._cell.declare_ready()

    def end(self, reason: str = "ended itself") -> None:
        """End normally once the message in hand is handled."""
        if self._is_current:
            self._cell.end_itself(reason)

    def monitor(self, address: Address) -> Monitor:
        """Ask to be told with a `Down` when that actor's instance ends; at once if it is down."""
        monitor = Monitor(self._cell, self.generation)
        self._cell.system.cell_of(address).watch(monitor)
        return monitor

    def after(self, delay_s: float, message: object) -> Timer:
        """Send a message to this instance in ``delay_s`` seconds, on the control lane."""
        return self._cell.system.timers.add(self._cell, self.generation, delay_s, message)

    def dead_letter(self, message: object, reason: str) -> None:
        """Count a message that this actor will not handle, with the reason."""
        self._cell.system.dead_letters.add(self._cell.path, message, reason)

    @property
    def _is_current(self) -> bool:
        return self._cell.is_current(self.generation)
