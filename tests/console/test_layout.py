"""How panels share the rows of a screen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arb.console.layout import Want, share_rows


def test_everybody_gets_the_least_first() -> None:
    """Each panel gets what it needs before any gets more."""
    wants = (Want(4, 20, 5, 0), Want(2, 3, 1, 2), Want(2, 50, 1, 1))

    assert share_rows(8, wants) == [4, 2, 2]


def test_the_least_important_panel_goes_first() -> None:
    """Where not all fit, the one with the highest priority number is left out."""
    wants = (Want(4, 20, 5, 0), Want(3, 3, 1, 2), Want(2, 50, 1, 1))

    assert share_rows(6, wants) == [4, 0, 2]
    assert share_rows(5, wants) == [5, 0, 0]
    assert share_rows(3, wants) == [3, 0, 0]
    assert share_rows(0, wants) == [0, 0, 0]


def test_nobody_gets_more_than_it_can_fill() -> None:
    """A full panel leaves its part to the hungry ones, and the last one closes the frame."""
    assert share_rows(30, (Want(2, 5, 9, 0), Want(2, 50, 1, 1))) == [5, 25]
    assert share_rows(30, (Want(2, 5, 1, 0), Want(2, 5, 1, 1))) == [5, 25]


WANTS = st.builds(
    lambda least, more, weight, priority: Want(least, least + more, weight, priority),
    st.integers(1, 6),
    st.integers(0, 100),
    st.integers(1, 9),
    st.integers(0, 9),
)


@given(st.integers(1, 200), st.lists(WANTS, min_size=1, max_size=6))
def test_all_rows_are_given_out(room: int, wants: list[Want]) -> None:
    """Together the panels have exactly the room, and none less than nothing."""
    rows = share_rows(room, wants)

    assert sum(rows) == room
    assert all(height >= 0 for height in rows)
