"""A table as a value: its title, columns, rows, and what to say where there are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

import attrs

from arb.console.cells import Column, Line, RowT


@attrs.frozen
class TableView(Generic[RowT]):
    """Everything a table shows; two equal ones look the same.

    ``key`` names a row for as long as the thing it shows exists, so that a selection stays on
    it. ``detail`` says the whole of one row, of which the columns may show a part.
    """

    title: str
    note: str
    columns: tuple[Column[RowT], ...] = attrs.field(eq=False)
    rows: tuple[RowT, ...]
    key: Callable[[RowT], str] = attrs.field(eq=False)
    empty: str
    heading: bool = True
    detail: Callable[[RowT], Line] | None = attrs.field(default=None, eq=False)
    newest_last: bool = False
    # Whoever looks at the first row goes on looking at the first, whatever that becomes.
    newest_first: bool = False
    # Where the selection begins; such a table keeps it in the middle.
    start: int | None = None
    # What the columns know beside the row. Functions made anew for every picture never compare
    # equal; what they were made from does.
    context: tuple[object, ...] = ()
