"""A table in its panel: draws only the rows in sight, and keeps its selection on the thing."""

from __future__ import annotations

from typing import Any, Generic

import attrs
import urwid

from arb.console.cells import Cell, Line, RowT, Tone, fit_columns, gap_columns
from arb.console.ordering import Order
from arb.console.table_view import TableView
from arb.console.widgets.frame import Edges, framed, inside_columns, rule, table_cells
from arb.console.widgets.paint import Size, box, columns_of, fit_line, paint

# The mark of the selected row, which mono terminals need, and the blank before the right side.
GUTTER = 1
MARGIN = 1
# What the frame and the mark of the active panel take of a title line.
TITLE_EXTRA = 14
# So many rows come before the detail line.
ROWS_FIRST = 3


class Table(urwid.Widget, Generic[RowT]):
    """A panel of rows with a title line; takes its keys from the cockpit, not from urwid."""

    _sizing = frozenset([urwid.BOX])
    _selectable = False

    def __init__(self, view: TableView[RowT], *, lasting: bool = False) -> None:
        """Start with a view; a ``lasting`` selection is seen while another panel is active."""
        super().__init__()
        self._view = view
        self._order: Order[RowT] = Order()
        self._rows_shown = view.rows
        self._top = 0
        self._keep_newest = view.newest_last
        self._index = 0
        self._key: str | None = None
        self._offset = 0
        self._page = 1
        self._active = False
        self._lasting = lasting
        self._edges = Edges()

    def __repr__(self) -> str:
        return f"<Table {self._view.title!r} [{len(self._view.rows)} rows, at {self._index}]>"

    @property
    def view(self) -> TableView[RowT]:
        """Return what the table shows."""
        return self._view

    @property
    def selected(self) -> RowT | None:
        """Return the selected row, if there is any row."""
        rows = self._rows_shown
        return rows[self._index] if rows else None

    @property
    def edges(self) -> Edges:
        """Return how the frame meets its neighbours."""
        return self._edges

    def show(self, view: TableView[RowT]) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        if view == self._view:
            return False
        self._view = view
        self._arrange()
        return True

    @property
    def order(self) -> Order[RowT]:
        """Return what the table is filtered and sorted by."""
        return self._order

    def filter(self, words: str) -> None:
        """Show only rows in which every one of these words stands; no words show all."""
        self._order = attrs.evolve(self._order, words=words)
        self._arrange()

    def sort_next(self) -> str:
        """Sort by the next column that can be sorted by, in the end by none; returns its title."""
        self._order = self._order.next(self._view.columns)
        self._arrange()
        return self._order.title

    def click(self, row: int) -> None:
        """Select what stands in this row of the panel, its title being row 0."""
        index = self._offset + row - self._top
        if self._rows_shown and row >= self._top and 0 <= index < len(self._rows_shown):
            self.move(index - self._index)

    def _arrange(self) -> None:
        self._rows_shown = self._order.of(self._view)
        self._index = self._place()
        self._remember()
        self._invalidate()

    def fit_into(self, edges: Edges) -> None:
        """Take a place in the frame."""
        if edges != self._edges:
            self._edges = edges
            self._invalidate()

    def activate(self, *, active: bool) -> None:
        """Become the panel that arrows move in, or cease to be."""
        if active != self._active:
            self._active = active
            self._invalidate()

    def move(self, rows: int) -> None:
        """Move the selection by so many rows; it stops at the ends."""
        count = len(self._rows_shown)
        if count:
            self._index = max(0, min(count - 1, self._index + rows))
            self._remember()
            self._invalidate()

    def move_page(self, pages: int) -> None:
        """Move by as many rows as are in sight."""
        self.move(pages * max(1, self._page))

    def move_to_end(self, *, last: bool) -> None:
        """Go to the first row or to the last."""
        count = len(self._rows_shown)
        self.move(count if last else -count)

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the title line, the heading, the rows in sight and the detail of one."""
        columns, rows = box(size)
        view = self._view
        lines: list[Any] = []
        room = rows - 1
        shown = self._rows_shown
        self._top = 1
        if view.heading and shown and room > 1:
            self._top = 2
            lines.append(framed(self._heading(columns), columns, self._edges))
            room -= 1
        has_detail = view.detail is not None and 0 < min(len(shown), ROWS_FIRST) < room
        self._page = max(1, room - 1 if has_detail else room)
        lines += self._rows(columns, self._page if has_detail else room)
        if has_detail:
            lines.append(framed(self._detail(), columns, self._edges))
        return paint([self._title(columns), *lines][:rows], columns)

    def _title(self, columns: int) -> list[Cell]:
        tone = Tone.TITLE if self._active else Tone.STRONG
        mark = "▸ " if self._active else ""
        left = [Cell(f"{mark}{self._view.title}", tone)]
        # Where not all fits, what was counted is left out before what a person has chosen.
        room = columns - columns_of(self._view.title) - TITLE_EXTRA
        parts = self._note()
        while len(parts) > 1 and columns_of(" · ".join(parts)) > room:
            parts = parts[1:]
        note = " · ".join(parts)
        return rule(columns, left, [Cell(note, Tone.DIM)] if note else [], self._edges)

    def _note(self) -> list[str]:
        count = len(self._rows_shown)
        parts = [self._view.note, self._order.words_for(len(self._view.rows), count)]
        if count > self._page:
            first = self._offset + 1
            last = min(count, self._offset + self._page)
            parts.append(f"{first}-{last} of {count}")
        return [part for part in parts if part]

    def _heading(self, columns: int) -> Line:
        fitted, gap = self._fitted(columns)
        heads = [
            (Cell(each.column.title, Tone.HEAD), each.width, each.column.right) for each in fitted
        ]
        return (Cell(" " * GUTTER), *table_cells(heads, gap))

    def _rows(self, columns: int, room: int) -> list[list[Cell]]:
        view = self._view
        shown = self._rows_shown
        if not shown:
            empty = view.empty
            if view.rows:
                empty = f"nothing here has /{self._order.words} in it: Esc shows all again"
            texts = [(Cell(f"  {empty}", Tone.DIM),)] + [()] * max(0, room - 1)
            return [framed(cells, columns, self._edges) for cells in texts[:room]]
        self._scroll(room)
        fitted, gap = self._fitted(columns)
        lines: list[list[Cell]] = []
        for index in range(self._offset, min(len(shown), self._offset + room)):
            row = shown[index]
            texts_of_row = [
                (each.column.cell(row, each.width), each.width, each.column.right)
                for each in fitted
            ]
            cells = table_cells(texts_of_row, gap)
            picked = index == self._index and (self._active or self._lasting)
            lines.append(self._row(cells, columns, selected=picked))
        lines += [framed((), columns, self._edges)] * (room - len(lines))
        return lines

    def _row(self, cells: Line, columns: int, *, selected: bool) -> list[Cell]:
        if not selected:
            return framed((Cell(" " * GUTTER), *cells), columns, self._edges)
        tone = Tone.SELECTED if self._active else Tone.SELECTED_WEAK
        marked = [Cell("▸" if self._active else "·", tone)]
        marked += [Cell(cell.text, tone) for cell in cells]
        inside = inside_columns(columns, self._edges)
        return framed(fit_line(marked, inside, tone), columns, self._edges)

    def _detail(self) -> Line:
        row = self.selected
        if row is None or self._view.detail is None:
            return ()
        return (Cell("  "), *self._view.detail(row))

    def _fitted(self, columns: int) -> tuple[Any, int]:
        inside = inside_columns(columns, self._edges) - GUTTER - MARGIN
        return fit_columns(self._view.columns, inside), gap_columns(inside)

    def _scroll(self, room: int) -> None:
        count = len(self._rows_shown)
        if self._view.start is not None:
            self._offset = self._index - room // 2
        elif self._index < self._offset:
            self._offset = self._index
        elif self._index >= self._offset + room:
            self._offset = self._index - room + 1
        self._offset = max(0, min(self._offset, count - room))

    def _place(self) -> int:
        rows = self._rows_shown
        if not rows:
            return 0
        if self._key is None and self._view.start is not None:
            return min(self._view.start, len(rows) - 1)
        if self._keep_newest:
            return len(rows) - 1
        if self._view.newest_first and self._index == 0:
            # Whoever looks at the newest goes on looking at it, not at what it was.
            return 0
        for index, row in enumerate(rows):
            if self._view.key(row) == self._key:
                return index
        # What was selected is gone: the selection stays at its place on the screen.
        return min(self._index, len(rows) - 1)

    def _remember(self) -> None:
        rows = self._rows_shown
        self._key = self._view.key(rows[self._index]) if rows else None
        self._keep_newest = self._view.newest_last and self._index >= len(rows) - 1
