"""The screens: which panels each has, and where they stand at which size of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import urwid

from arb.console.keys import Screen
from arb.console.layout import Want, share_rows
from arb.console.snapshot import ActorEntry, LogLine, Market, Position, Trade
from arb.console.view_model import View
from arb.console.widgets.frame import Edges
from arb.console.widgets.header import Foot, Header
from arb.console.widgets.paint import Size, box, paint
from arb.console.widgets.table import Table

# From here on positions and trades both fit beside each other with all their columns.
SIDE_BY_SIDE_COLUMNS = 150
# Title, heading and detail line of a table beside its rows.
FULL_TABLE_EXTRA = 3


class Panels(urwid.Widget):
    """A screen: header, panels that share the rows, foot; and which panel the arrows move in."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, screen: Screen, header: Header, foot: Foot, tables: Sequence[Table[Any]]):
        super().__init__()
        self.screen = screen
        self._header = header
        self._foot = foot
        self._tables = tuple(tables)
        self._active = 0
        self._tables[0].activate(active=True)

    def __repr__(self) -> str:
        return f"<Panels {self.screen} [active {self._tables[self._active]!r}]>"

    @property
    def active(self) -> Table[Any]:
        """Return the panel that the arrows move in."""
        return self._tables[self._active]

    @property
    def main(self) -> Table[Any]:
        """Return the first panel, whose selection holds where the active one has none."""
        return self._tables[0]

    def show(self, view: View) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        raise NotImplementedError

    def mark(self) -> None:
        """Say that something has changed; a panel without room for it shows in no canvas."""
        self._invalidate()

    def turn(self, steps: int) -> None:
        """Make the next panel the active one, or the one before."""
        self.active.activate(active=False)
        self._active = (self._active + steps) % len(self._tables)
        self.active.activate(active=True)
        self._invalidate()

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw header, panels and foot into exactly this size."""
        columns, rows = box(size)
        header_rows = max(1, min(self._header.rows_for(columns), rows - Foot.ROWS))
        room = rows - header_rows - Foot.ROWS
        parts = [(self._header.render((columns, header_rows)), None, False)]
        if room > 0:
            parts += [(canvas, None, False) for canvas in self._panels(columns, room)]
        if rows > header_rows:
            foot_rows = min(Foot.ROWS, rows - header_rows)
            parts.append((self._foot.render((columns, foot_rows)), None, False))
        return urwid.CanvasCombine(parts)

    def _panels(self, columns: int, room: int) -> list[urwid.Canvas]:
        raise NotImplementedError

    def _stack(
        self, columns: int, room: int, tables: Sequence[Table[Any]], wants: Sequence[Want]
    ) -> list[urwid.Canvas]:
        canvases: list[urwid.Canvas] = []
        for table, height in zip(tables, share_rows(room, wants), strict=True):
            if height:
                table.fit_into(Edges())
                canvases.append(table.render((columns, height)))
        return canvases or [paint([()] * room, columns)]


class TradingScreen(Panels):
    """Markets over positions and trades over the log."""

    def __init__(self, header: Header, foot: Foot, view: View) -> None:
        self.markets: Table[Market] = Table(view.markets, lasting=True)
        self.positions: Table[Position] = Table(view.positions)
        self.trades: Table[Trade] = Table(view.trades)
        self.log: Table[LogLine] = Table(view.log)
        tables = (self.markets, self.positions, self.trades, self.log)
        super().__init__(Screen.TRADING, header, foot, tables)

    def show(self, view: View) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        changes = (
            self.markets.show(view.markets),
            self.positions.show(view.positions),
            self.trades.show(view.trades),
            self.log.show(view.log),
        )
        return any(changes)

    def _panels(self, columns: int, room: int) -> list[urwid.Canvas]:
        markets = Want(4, FULL_TABLE_EXTRA + _rows(self.markets), 6, 0)
        # Two positions are always seen: those without a resting sale are the first.
        positions = Want(1 + min(2, _rows(self.positions)), 1 + _rows(self.positions), 2, 2)
        trades = Want(2, 1 + _rows(self.trades), 2, 3)
        log = Want(2, 1 + _rows(self.log), 3, 1)
        if columns < SIDE_BY_SIDE_COLUMNS:
            wants = (markets, positions, trades, log)
            return self._stack(columns, room, self._tables, wants)
        most = max(positions.most, trades.most)
        pair = Want(2, most, 3, 2)
        heights = share_rows(room, (markets, pair, log))
        return self._side_by_side(columns, heights)

    def _side_by_side(self, columns: int, heights: list[int]) -> list[urwid.Canvas]:
        left = columns * 9 // 20
        canvases: list[urwid.Canvas] = []
        if heights[0]:
            self.markets.fit_into(Edges())
            canvases.append(self.markets.render((columns, heights[0])))
        if heights[1]:
            self.positions.fit_into(Edges(right="┬"))
            self.trades.fit_into(Edges(has_left=False))
            pair = [
                (self.positions.render((left, heights[1])), None, False, left),
                (self.trades.render((columns - left, heights[1])), None, False, columns - left),
            ]
            canvases.append(urwid.CanvasJoin(pair))
        if heights[2]:
            self.log.fit_into(Edges(joints=(left - 1,)) if heights[1] else Edges())
            canvases.append(self.log.render((columns, heights[2])))
        return canvases


class ActorsScreen(Panels):
    """The supervision tree over the log."""

    def __init__(self, header: Header, foot: Foot, view: View) -> None:
        self.actors: Table[ActorEntry] = Table(view.actors, lasting=True)
        self.log: Table[LogLine] = Table(view.log)
        super().__init__(Screen.ACTORS, header, foot, (self.actors, self.log))

    def show(self, view: View) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        changes = (self.actors.show(view.actors), self.log.show(view.log))
        return any(changes)

    def _panels(self, columns: int, room: int) -> list[urwid.Canvas]:
        wants = (
            Want(5, FULL_TABLE_EXTRA + _rows(self.actors), 4, 0),
            Want(2, 1 + _rows(self.log), 1, 1),
        )
        return self._stack(columns, room, self._tables, wants)


def _rows(table: Table[Any]) -> int:
    return max(1, len(table.view.rows))
