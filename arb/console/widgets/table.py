"""A table in its panel: draws only the rows in sight, and keeps its selection on the thing."""

from __future__ import annotations

from typing import Any, Generic

import urwid

from arb.console.cells import Cell, Line, RowT, Tone, fit_columns, gap_columns
from arb.console.table_view import TableView
from arb.console.widgets.frame import Edges, framed, inside_columns, rule, table_cells
from arb.console.widgets.paint import Size, box, fit_line, paint

# The mark of the selected row, which mono terminals need, and the blank before the right side.
GUTTER = 1
MARGIN = 1
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
        rows = self._view.rows
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
        self._index = self._place()
        self._remember()
        self._invalidate()
        return True

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
        count = len(self._view.rows)
        if count:
            self._index = max(0, min(count - 1, self._index + rows))
            self._remember()
            self._invalidate()

    def move_page(self, pages: int) -> None:
        """Move by as many rows as are in sight."""
        self.move(pages * max(1, self._page))

    def move_to_end(self, *, last: bool) -> None:
        """Go to the first row or to the last."""
        self.move(len(self._view.rows) if last else -len(self._view.rows))

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the title line, the heading, the rows in sight and the detail of one."""
        columns, rows = box(size)
        view = self._view
        lines: list[Any] = []
        room = rows - 1
        if view.heading and view.rows and room > 1:
            lines.append(framed(self._heading(columns), columns, self._edges))
            room -= 1
        has_detail = view.detail is not None and 0 < min(len(view.rows), ROWS_FIRST) < room
        self._page = max(1, room - 1 if has_detail else room)
        lines += self._rows(columns, self._page if has_detail else room)
        if has_detail:
            lines.append(framed(self._detail(), columns, self._edges))
        return paint([self._title(columns), *lines][:rows], columns)

    def _title(self, columns: int) -> list[Cell]:
        tone = Tone.TITLE if self._active else Tone.STRONG
        mark = "▸ " if self._active else ""
        left = [Cell(f"{mark}{self._view.title}", tone)]
        note = self._note()
        return rule(columns, left, [Cell(note, Tone.DIM)] if note else [], self._edges)

    def _note(self) -> str:
        count = len(self._view.rows)
        if count > self._page:
            first = self._offset + 1
            last = min(count, self._offset + self._page)
            return f"{self._view.note} · {first}-{last} of {count}"
        return self._view.note

    def _heading(self, columns: int) -> Line:
        fitted, gap = self._fitted(columns)
        heads = [
            (Cell(each.column.title, Tone.HEAD), each.width, each.column.right) for each in fitted
        ]
        return (Cell(" " * GUTTER), *table_cells(heads, gap))

    def _rows(self, columns: int, room: int) -> list[list[Cell]]:
        view = self._view
        if not view.rows:
            texts = [(Cell(f"  {view.empty}", Tone.DIM),)] + [()] * max(0, room - 1)
            return [framed(cells, columns, self._edges) for cells in texts[:room]]
        self._scroll(room)
        fitted, gap = self._fitted(columns)
        lines: list[list[Cell]] = []
        for index in range(self._offset, min(len(view.rows), self._offset + room)):
            row = view.rows[index]
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
        count = len(self._view.rows)
        if self._index < self._offset:
            self._offset = self._index
        elif self._index >= self._offset + room:
            self._offset = self._index - room + 1
        self._offset = max(0, min(self._offset, count - room))

    def _place(self) -> int:
        rows = self._view.rows
        if not rows:
            return 0
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
        rows = self._view.rows
        self._key = self._view.key(rows[self._index]) if rows else None
        self._keep_newest = self._view.newest_last and self._index >= len(rows) - 1
