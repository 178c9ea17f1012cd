"""The choice of columns, and the flow of the header's items."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from arb.console.cells import (
    Cell,
    Column,
    Item,
    fit_columns,
    flow,
    gap_columns,
    line_width,
)

BAR = Cell(" | ")


def column(title: str, width: int, priority: int, **more: Any) -> Column[str]:
    """Return a column of a table of texts."""
    return Column(title, width, priority, lambda row, _: Cell(row), **more)


def titles(columns: list[Column[str]], width: int) -> list[tuple[str, int]]:
    """Return the titles and widths of the columns that are chosen."""
    return [(each.column.title, each.width) for each in fit_columns(columns, width)]


def test_columns_vanish_by_priority() -> None:
    """The least important column goes first; the order on the screen stays."""
    columns = [column("a", 5, 2), column("b", 5, 0), column("c", 5, 1)]

    assert titles(columns, 17) == [("a", 5), ("b", 5), ("c", 5)]
    assert titles(columns, 16) == [("b", 5), ("c", 5)]
    assert titles(columns, 3) == [("b", 3)]


def test_columns_grow_into_what_is_left() -> None:
    """A column grows to its greatest width, the more important one first."""
    columns = [column("a", 5, 1, width_max=8), column("b", 5, 0, width_max=7)]

    assert titles(columns, 12) == [("a", 5), ("b", 6)]
    assert titles(columns, 40) == [("a", 8), ("b", 7)]


def test_a_column_may_wait_for_room_before_it_grows() -> None:
    """With ``grow_from`` a column leaves small room to the others."""
    columns = [column("a", 5, 0, width_max=9, grow_from=6), column("b", 5, 1, width_max=50)]

    assert titles(columns, 16) == [("a", 5), ("b", 10)]
    assert titles(columns, 17) == [("a", 9), ("b", 7)]


def test_less_important_columns_wait_for_a_good_width() -> None:
    """A column with a good width keeps lesser ones out until it could have it."""
    columns = [column("a", 5, 0), column("b", 5, 1, width_max=20, width_good=10), column("c", 3, 2)]

    assert titles(columns, 19) == [("a", 5), ("b", 13)]
    assert titles(columns, 20) == [("a", 5), ("b", 10), ("c", 3)]


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 30)), max_size=8), st.integers(1, 200))
def test_columns_never_exceed_the_width(sizes: list[tuple[int, int]], width: int) -> None:
    """Whatever the columns, what is chosen fits, gaps included."""
    columns = [
        column(str(index), size, index, width_max=size + more)
        for index, (size, more) in enumerate(sizes)
    ]
    chosen = fit_columns(columns, width)
    gaps = gap_columns(width) * max(0, len(chosen) - 1)

    assert sum(each.width for each in chosen) + gaps <= width


def item(priority: int, *texts: str) -> Item:
    """Return an item with these forms."""
    return Item(priority, tuple((Cell(text),) for text in texts))


def text_of(items: list[Item], width: int) -> str:
    """Return the text that the items flow into."""
    return "".join(cell.text for cell in flow(items, width, BAR))


def test_items_become_shorter_before_they_vanish() -> None:
    """The least important item gives up length first, then it goes and is counted."""
    items = [item(0, "balance 10", "b 10"), item(1, "profit 20", "p 20"), item(2, "fees 3")]

    assert text_of(items, 60) == "balance 10 | profit 20 | fees 3"
    assert text_of(items, 27) == "balance 10 | p 20 | fees 3"
    assert text_of(items, 20) == "b 10 | p 20 | fees 3"
    assert text_of(items, 19) == "b 10 | p 20 +1"
    assert text_of(items, 7) == "b 10 +2"


def test_the_most_important_item_stays() -> None:
    """One item is left even where it does not fit; it is cut when it is painted."""
    assert text_of([item(0, "balance")], 3) == "balance"


def test_a_lines_width_is_that_of_its_texts() -> None:
    """Cells stand side by side."""
    assert line_width((Cell("ab"), Cell("c"))) == 3
