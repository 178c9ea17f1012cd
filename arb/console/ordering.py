"""Which rows of a table are shown and in which order: a person's filter and sorting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic

import attrs

from arb.console.cells import Column, RowT
from arb.console.table_view import TableView

# Wide enough for every cell to say all it has: a filter finds what a narrow column cuts.
SEARCH_COLUMNS = 400


@attrs.frozen
class Order(Generic[RowT]):
    """A filter's words and the title of the column that is sorted by; by default neither.

    Columns are made anew with each picture, so a column is remembered by its title.
    """

    words: str = ""
    title: str = ""

    def of(self, view: TableView[RowT]) -> tuple[RowT, ...]:
        """Return the rows to show, in their order."""
        rows = view.rows
        wanted = self.words.lower().split()
        if wanted:
            rows = tuple(row for row in rows if _has(_text(view, row), wanted))
        column = next((each for each in view.columns if each.title == self.title), None)
        if not self.title or column is None or column.sort is None:
            return rows
        sort = column.sort
        known = [row for row in rows if sort(row) is not None]
        unknown = [row for row in rows if sort(row) is None]
        # Numbers from the greatest, which is what a person looks for; words from A.
        falling = bool(known) and isinstance(sort(known[0]), int | float)
        return (*sorted(known, key=sort, reverse=falling), *unknown)

    def next(self, columns: Sequence[Column[Any]]) -> Order[RowT]:
        """Return the same sorted by the next column that can be, after the last by none."""
        titles = ["", *dict.fromkeys(each.title for each in columns if each.sort is not None)]
        place = titles.index(self.title) if self.title in titles else 0
        return attrs.evolve(self, title=titles[(place + 1) % len(titles)])

    def words_for(self, all_rows: int, shown: int) -> str:
        """Say what is filtered and sorted, for a panel's title."""
        parts = []
        if self.words:
            parts.append(f"/{self.words} {shown} of {all_rows}")
        if self.title:
            parts.append(f"by {self.title}")
        return " · ".join(parts)


def _has(text: str, wanted: Sequence[str]) -> bool:
    return all(word in text for word in wanted)


def _text(view: TableView[RowT], row: RowT) -> str:
    cells = (column.cell(row, SEARCH_COLUMNS).text for column in view.columns)
    return f"{view.key(row)} {' '.join(cells)}".lower()
