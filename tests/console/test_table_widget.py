"""The table: selection, scrolling, and what is drawn."""

from __future__ import annotations

from typing import Any

from arb.console.cells import Cell, Column, Line
from arb.console.table_view import TableView
from arb.console.widgets.frame import Edges
from arb.console.widgets.table import Table


def view(*rows: str, **more: Any) -> TableView[str]:
    """Return a table of these texts."""
    columns: tuple[Column[str], ...] = (
        Column("Name", 6, 0, lambda row, _: Cell(row)),
        Column("Size", 4, 1, lambda row, _: Cell(str(len(row))), right=True),
    )
    return TableView(
        **({"title": "Things", "note": f"{len(rows)} things"} | more),
        columns=columns,
        rows=rows,
        key=lambda row: row,
        empty="nothing here because of a test",
    )


def lines(table: Table[str], columns: int = 40, rows: int = 6) -> list[str]:
    """Return what the table draws."""
    return list(table.render((columns, rows)).decoded_text)


def detail(row: str) -> Line:
    """Return a detail line."""
    return (Cell(f"all of {row}"),)


def test_a_table_draws_title_heading_and_rows() -> None:
    """The title line carries the note, the heading the columns' titles."""
    assert lines(Table(view("ape", "bear")), rows=5) == [
        "├─ Things ────────────────── 2 things ─┤",
        "│ Name   Size                          │",
        "│ ape       3                          │",
        "│ bear      4                          │",
        "│                                      │",
    ]


def test_an_empty_table_says_why() -> None:
    """There is no heading over nothing, but a reason."""
    drawn = lines(Table(view()), rows=3)

    assert drawn[1] == "│  nothing here because of a test      │"
    assert drawn[2] == "│                                      │"


def test_the_selection_is_marked_and_moves_within_the_rows() -> None:
    """It stops at both ends, and has a sign for terminals without colours."""
    table = Table(view("a", "b", "c"))
    table.activate(active=True)
    table.move(-5)
    assert table.selected == "a"
    table.move(1)
    assert "│▸b" in lines(table)[3]
    table.move_to_end(last=True)
    table.move(3)
    assert table.selected == "c"
    table.move_to_end(last=False)
    assert table.selected == "a"
    assert lines(table)[0].startswith("├─ ▸ Things")


def test_a_selection_is_hidden_where_nobody_moves_it_unless_it_lasts() -> None:
    """A lasting selection is seen in a panel that is not active, with a weaker mark."""
    assert "·" not in lines(Table(view("a")))[2]
    assert "│·a" in lines(Table(view("a"), lasting=True))[2]


def test_an_empty_table_has_no_selection() -> None:
    """Moving in nothing does nothing."""
    table = Table(view())
    table.move(1)

    assert table.selected is None
    assert "0 rows" in repr(table)


def test_the_selection_stays_on_its_thing() -> None:
    """Rows that come before the selected one do not move the selection to another."""
    table = Table(view("b", "c"))
    table.move(1)

    assert table.show(view("a", "b", "c"))
    assert table.selected == "c"
    assert not table.show(view("a", "b", "c"))


def test_the_selection_stays_in_place_when_its_thing_is_gone() -> None:
    """A row that vanished leaves the selection to its successor, or to the last."""
    table = Table(view("a", "b", "c"))
    table.move(1)
    table.show(view("a", "c", "d"))
    assert table.selected == "c"
    table.show(view("a"))
    assert table.selected == "a"
    table.show(view())
    assert table.selected is None


def test_a_long_table_scrolls_and_says_where_it_is() -> None:
    """The selected row is always in sight, and the title tells which rows are."""
    table = Table(view(*"abcdefghij"))
    assert "1-4 of 10" in lines(table)[0]
    table.move(7)
    drawn = lines(table)
    assert "5-8 of 10" in drawn[0]
    assert "h" in drawn[5]
    table.move(-6)
    assert "2-5 of 10" in lines(table)[0]
    table.move_page(1)
    assert table.selected == "f"
    table.move_page(-1)
    assert table.selected == "b"


def test_a_table_with_the_newest_first_stays_at_it_until_somebody_moves() -> None:
    """What comes in on top is seen at once; a selection further down stays on its row."""
    table = Table(view("b", "a", newest_first=True))
    table.show(view("c", "b", "a", newest_first=True))
    assert table.selected == "c"

    table.move(1)
    table.show(view("d", "c", "b", "a", newest_first=True))
    assert table.selected == "b"


def test_a_log_follows_its_end_until_somebody_scrolls() -> None:
    """New lines come into sight, but not under the eyes of one who reads above."""
    table = Table(view("a", "b", newest_last=True))
    table.show(view("a", "b", "c", newest_last=True))
    assert table.selected == "c"
    table.move(-1)
    table.show(view("a", "b", "c", "d", newest_last=True))
    assert table.selected == "b"
    table.move_to_end(last=True)
    table.show(view("a", "b", "c", "d", "e", newest_last=True))
    assert table.selected == "e"


def test_the_detail_line_needs_room() -> None:
    """Rows come before details."""
    table = Table(view("a", "b", detail=detail))

    assert "all of a" in lines(table, rows=5)[4]
    assert "all of" not in "".join(lines(table, rows=4))
    many = Table(view("a", "b", "c", "d", "e", detail=detail))
    assert "all of a" in lines(many, rows=6)[5]
    assert "all of" not in "".join(lines(many, rows=5))


def test_a_tiny_table_draws_what_fits() -> None:
    """One row is the title, two are title and a row."""
    table = Table(view("a", "b"))

    assert len(lines(table, rows=1)) == 1
    assert "a" in lines(table, rows=2)[1]
    assert len(lines(table, columns=5, rows=3)) == 3


def test_a_table_takes_its_place_in_the_frame() -> None:
    """On the right of a pair the left side belongs to the neighbour."""
    table = Table(view("a"))
    table.fit_into(Edges(has_left=False))
    table.fit_into(Edges(has_left=False))

    assert table.edges == Edges(has_left=False)
    assert lines(table)[2].startswith(" a")
