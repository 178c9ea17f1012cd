"""What all screens share: header, panels that share the rows between, foot, and the active one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import urwid

from arb.console.closeups import Wish
from arb.console.keys import Screen
from arb.console.layout import Want, share_rows
from arb.console.view_model import Scene
from arb.console.widgets.frame import Edges
from arb.console.widgets.header import Foot, Header
from arb.console.widgets.paint import Size, box, paint
from arb.console.widgets.table import Table

# A part of the width in twentieths, for the left panel of a pair.
SHARES = 20
HALF = 10


@attrs.frozen
class Band:
    """One panel over the whole width, or two beside each other, and the rows they want.

    ``left`` is the left one's part of the width, in twentieths.
    """

    tables: tuple[Table[Any], ...]
    want: Want
    left: int = HALF


@attrs.frozen
class Spot:
    """Where on the terminal a panel was drawn last."""

    table: Table[Any]
    left: int
    top: int
    columns: int
    rows: int

    def holds(self, column: int, row: int) -> bool:
        """Return whether a place on the terminal is in it."""
        inside = self.left <= column < self.left + self.columns
        return inside and self.top <= row < self.top + self.rows


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
        self._spots: list[Spot] = []
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

    def wish(self, scene: Scene) -> Wish | None:
        """Return what the engine is to be asked for while this screen is shown."""
        del scene
        return None

    def show(self, scene: Scene) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        raise NotImplementedError

    def mark(self) -> None:
        """Say that something has changed; a panel without room for it shows in no canvas."""
        self._invalidate()

    def turn(self, steps: int) -> None:
        """Make the next panel the active one, or the one before."""
        self._activate((self._active + steps) % len(self._tables))

    def spot(self, column: int, row: int) -> Spot | None:
        """Return the panel that was drawn at a place of the terminal."""
        return next((each for each in self._spots if each.holds(column, row)), None)

    def go_to(self, table: Table[Any]) -> None:
        """Make a panel the active one."""
        self._activate(self._tables.index(table))

    def _activate(self, index: int) -> None:
        self.active.activate(active=False)
        self._active = index
        self.active.activate(active=True)
        self._invalidate()

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw header, panels and foot into exactly this size."""
        columns, rows = box(size)
        header_rows = max(1, min(self._header.rows_for(columns), rows - Foot.ROWS))
        room = rows - header_rows - Foot.ROWS
        parts = [(self._header.render((columns, header_rows)), None, False)]
        self._spots = []
        if room > 0:
            drawn = self._draw(self.bands(columns), columns, header_rows, room)
            parts += [(canvas, None, False) for canvas in drawn]
        if rows > header_rows:
            foot_rows = min(Foot.ROWS, rows - header_rows)
            parts.append((self._foot.render((columns, foot_rows)), None, False))
        return urwid.CanvasCombine(parts)

    def bands(self, columns: int) -> Sequence[Band]:
        """Return the panels from top to bottom as they stand at this width."""
        raise NotImplementedError

    def _draw(self, bands: Sequence[Band], columns: int, top: int, room: int) -> list[urwid.Canvas]:
        canvases: list[urwid.Canvas] = []
        joints: tuple[int, ...] = ()
        for band, height in zip(
            bands, share_rows(room, [each.want for each in bands]), strict=True
        ):
            if not height:
                continue
            left = columns if len(band.tables) == 1 else columns * band.left // SHARES
            canvases.append(self._band(band, columns, left, height, joints))
            self._spots.append(Spot(band.tables[0], 0, top, left, height))
            if len(band.tables) > 1:
                self._spots.append(Spot(band.tables[1], left, top, columns - left, height))
            joints = (left - 1,) if left < columns else ()
            top += height
        self._foot.join(joints if canvases else ())
        return canvases or [paint([()] * room, columns)]

    def _band(
        self, band: Band, columns: int, left: int, height: int, joints: tuple[int, ...]
    ) -> urwid.Canvas:
        if len(band.tables) == 1:
            band.tables[0].fit_into(Edges(joints=joints))
            return band.tables[0].render((columns, height))
        first, second = band.tables
        first.fit_into(Edges(right="┼" if left - 1 in joints else "┬", joints=joints))
        # What ended above the right panel ends in its title.
        second.fit_into(
            Edges(has_left=False, joints=tuple(each - left for each in joints if each >= left))
        )
        pair = [
            (first.render((left, height)), None, False, left),
            (second.render((columns - left, height)), None, False, columns - left),
        ]
        return urwid.CanvasJoin(pair)


def rows_of(table: Table[Any]) -> int:
    """Return how many rows a table could fill, at least the one that says why it is empty."""
    return max(1, len(table.view.rows))
