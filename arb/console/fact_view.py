"""Names and values under each other, as a table: what side panels and steps are made of."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from arb.console import formats
from arb.console.cells import Cell, Column, Line, Tone
from arb.console.spark import sparkline
from arb.console.table_view import TableView

VALUE_COLUMNS_MAX = 400
# A price in cents with its unit, and a blank.
COURSE_LABEL_COLUMNS = 7
GOOD_SIGN = "✓"
BAD_SIGN = "✗"


@attrs.frozen
class Fact:
    """A name, a value, and whether that is good (✓), bad (✗), or neither.

    With a ``course`` the value is followed by the last numbers of it, drawn between ``low`` and
    ``high``.
    """

    name: str
    value: str
    good: bool | None = None
    course: tuple[float | None, ...] = ()
    low: float | None = None
    high: float | None = None
    tone: Tone = Tone.PLAIN


def facts_table(
    title: str, facts: Sequence[Fact], *, empty: str, note: str = "", name_columns: int = 10
) -> TableView[Fact]:
    """Return a table of facts; ``empty`` says why there are none."""
    return TableView(
        title=title,
        note=note,
        columns=(
            Column("", 1, 2, lambda fact, _: _sign(fact)),
            Column("", name_columns, 1, lambda fact, _: Cell(fact.name, Tone.DIM)),
            Column("", 12, 0, _value, VALUE_COLUMNS_MAX),
        ),
        rows=tuple(facts),
        key=lambda fact: fact.name,
        empty=empty,
        heading=False,
        newest_first=True,
        detail=_detail,
        context=(name_columns,),
    )


def _sign(fact: Fact) -> Cell:
    if fact.good is None:
        return Cell(" ")
    return Cell(GOOD_SIGN, Tone.GOOD) if fact.good else Cell(BAD_SIGN, Tone.BAD)


def _value(fact: Fact, width: int) -> Cell:
    text = formats.one_line(fact.value)
    if fact.course:
        # Under each other, so that the same second stands in the same column.
        room = width - COURSE_LABEL_COLUMNS
        line = sparkline(fact.course, room, fact.low, fact.high)
        text = f"{text:<{COURSE_LABEL_COLUMNS}}{line}"
    tone = Tone.BAD if fact.good is False and fact.tone is Tone.PLAIN else fact.tone
    return Cell(text, tone)


def _detail(fact: Fact) -> Line:
    return (Cell(f"{fact.name}: ", Tone.DIM), Cell(formats.one_line(fact.value), Tone.NOTE))
