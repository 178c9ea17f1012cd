"""Pieces of text with a tone, and the choice of a table's columns for a given width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Generic, TypeVar

import attrs

RowT = TypeVar("RowT")

# From this width on a table breathes: two blanks between columns where one is enough.
ROOMY_COLUMNS = 100


class Tone(StrEnum):
    """What a text means; the palette says how that looks. No meaning is told by tone alone."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    FRAME = "frame"
    TITLE = "title"
    HEAD = "head"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    NOTE = "note"
    KEY = "key"
    SAFE_MODE = "safe mode"
    DEMO_MODE = "demo mode"
    LIVE_MODE = "live mode"
    ALARM = "alarm"
    CAUTION = "caution"
    SELECTED = "selected"
    SELECTED_WEAK = "selected weak"
    CHOICE = "choice"
    LOST = "lost"


@attrs.frozen
class Cell:
    """A piece of text with its tone."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Cell, ...]


def line_width(cells: Sequence[Cell]) -> int:
    """Return the characters of a line; what is not one column wide is settled when painted."""
    return sum(len(cell.text) for cell in cells)


@attrs.frozen
class Column(Generic[RowT]):
    """One column: how wide it may be, how soon it gives way, and what it says of a row.

    The lower ``priority`` is, the longer the column stays; a column grows from ``width`` to
    ``width_max`` where at least ``grow_from`` columns are to spare. Less important columns come in
    only where this one could have ``width_good``. ``cell`` is told the width its text will get.
    """

    title: str
    width: int
    priority: int
    cell: Callable[[RowT, int], Cell]
    width_max: int = 0
    right: bool = False
    grow_from: int = 0
    width_good: int = 0
    # What rows are ordered by under this column; a row where that is None comes last.
    sort: Callable[[RowT], Any] | None = None


@attrs.frozen
class FittedColumn(Generic[RowT]):
    """A column and the width it got."""

    column: Column[RowT]
    width: int


def gap_columns(width: int) -> int:
    """Return how many blanks stand between the columns of a table this wide."""
    return 2 if width >= ROOMY_COLUMNS else 1


def fit_columns(columns: Sequence[Column[RowT]], width: int) -> tuple[FittedColumn[RowT], ...]:
    """Choose the columns that ``width`` has room for, in their order, and share what is left.

    The most important column stays even where it does not fit; it is cut then.
    """
    gap = gap_columns(width)
    by_priority = sorted(columns, key=lambda column: column.priority)
    kept = by_priority[:1]
    used = kept[0].width if kept else 0
    wished = used
    for column in by_priority[1:]:
        if wished + gap + column.width > width:
            break
        kept.append(column)
        used += gap + column.width
        wished += gap + max(column.width, column.width_good)
    widths = {id(column): min(column.width, width) for column in kept}
    spare = width - used
    for column in kept:
        if spare < column.grow_from:
            continue
        grown = min(max(0, spare), max(0, column.width_max - column.width))
        widths[id(column)] += grown
        spare -= grown
    return tuple(
        FittedColumn(column, widths[id(column)]) for column in columns if id(column) in widths
    )


@attrs.frozen
class Item:
    """One fact of the header, in forms from the longest to the shortest."""

    priority: int
    forms: tuple[Line, ...]


def flow(items: Sequence[Item], width: int, separator: Cell) -> Line:
    """Join as many items as fit, each in the longest form there is room for.

    The least important items give up length first, all of them a step before any gives up another,
    and only then they vanish in that order; what vanished is counted at the end, so that nobody
    takes what is shown for everything.
    """
    ranks = sorted(range(len(items)), key=lambda index: -items[index].priority)
    forms = dict.fromkeys(range(len(items)), 0)
    widths = [[line_width(form) for form in item.forms] for item in items]
    gap = len(separator.text)
    used = sum(each[0] for each in widths) + gap * max(0, len(items) - 1)
    for level in range(1, max((len(item.forms) for item in items), default=0)):
        for index in ranks:
            if level < len(widths[index]) and used > width:
                used += widths[index][level] - widths[index][forms[index]]
                forms[index] = level
    hidden = 0
    for index in ranks[:-1]:
        room = width - (len(_more(hidden).text) if hidden else 0)
        if used <= room:
            break
        used -= widths[index][forms.pop(index)] + gap
        hidden += 1
    cells: list[Cell] = []
    for index, form in forms.items():
        if cells:
            cells.append(separator)
        cells.extend(items[index].forms[form])
    return (*cells, _more(hidden)) if hidden else tuple(cells)


def _more(hidden: int) -> Cell:
    return Cell(f" +{hidden}", Tone.DIM)
