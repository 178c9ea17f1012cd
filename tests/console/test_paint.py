"""Fitting texts into columns, and painting them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.console.cells import Cell, Tone
from arb.console.palette import (
    ALL_COLOURS,
    FEW_COLOURS,
    LOST_LOOK,
    NO_COLOURS,
    colours,
    palette,
)
from arb.console.widgets.frame import Edges, framed, inside_columns, rule
from arb.console.widgets.paint import box, columns_of, encoder, fit, fit_line, paint


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"])), st.integers(0, 40))
def test_a_fitted_text_has_exactly_its_width(text: str, width: int) -> None:
    """Whatever the signs, wide ones included, the columns of a table stay straight."""
    assert columns_of(fit(text, width)) == width


def test_a_text_that_does_not_fit_shows_that_it_is_cut() -> None:
    """A cut is marked; a wide sign that would be halved gives way to a blank."""
    assert fit("abc", 5) == "abc  "
    assert fit("abc", 5, right=True) == "  abc"
    assert fit("abcdef", 4) == "abc…"
    assert fit("日本語", 4) == "日… "
    assert fit("abc", 0) == ""


def test_a_line_is_filled_or_cut() -> None:
    """Cells after the cut vanish; what is filled has the tone asked for."""
    cells = (Cell("ab", Tone.GOOD), Cell("cdef"))

    assert fit_line(cells, 8, Tone.FRAME)[-1] == Cell("  ", Tone.FRAME)
    assert [cell.text for cell in fit_line(cells, 4)] == ["ab", "c…"]
    assert [cell.text for cell in fit_line(cells, 2)] == ["ab", ""]


def test_painting_keeps_text_and_tones() -> None:
    """The canvas has the lines' texts and runs."""
    canvas = paint([(Cell("é", Tone.GOOD), Cell("x"))], 4)

    assert canvas.decoded_text == ("éx  ",)
    assert [(tone, text) for tone, _, text in next(iter(canvas.content()))] == [
        ("good", "é".encode()),
        ("plain", b"x  "),
    ]


def test_a_terminal_without_unicode_gets_plain_signs() -> None:
    """Signs are replaced by ones it has, each of the same width."""
    assert encoder("ascii")("▸│● é") == b">|* ?"
    assert encoder("UTF-8")("●") == "●".encode()


def test_only_boxes_can_be_drawn() -> None:
    """A widget that is asked to be as high as it likes says that it cannot."""
    assert box((3, 4)) == (3, 4)
    with pytest.raises(ValueError, match="columns and rows"):
        box((3,))


def text_of(cells: list[Cell]) -> str:
    """Return the text of cells."""
    return "".join(cell.text for cell in cells)


@pytest.mark.parametrize("width", [10, 20, 30, 80])
def test_a_rule_fills_its_width(width: int) -> None:
    """The title line ends in the frame's corner at every width."""
    line = text_of(rule(width, [Cell("Title")], [Cell("note of it")], Edges()))

    assert len(line) == width
    assert line.startswith("├─ T")
    assert line.endswith("┤")
    assert ("note of it" in line) == (width >= 28)


def test_a_rule_meets_its_neighbours() -> None:
    """Without a left side there is no corner, and a side that ends from above is joined."""
    assert text_of(rule(8, (), (), Edges())) == "├──────┤"
    assert text_of(rule(8, (), (), Edges(joints=(3,)))) == "├──┴───┤"
    assert text_of(rule(10, [Cell("T")], (), Edges(has_left=False))) == "─ T ─────┤"


def test_the_inside_of_a_frame() -> None:
    """Sides take a column each, and on the right of a pair only one."""
    assert text_of(framed((Cell("x"),), 5, Edges())) == "│x  │"
    assert text_of(framed((Cell("x"),), 5, Edges(has_left=False))) == "x   │"
    assert inside_columns(5, Edges()) == 3
    assert inside_columns(5, Edges(has_left=False)) == 4


@pytest.mark.parametrize(
    "environment,expected",
    [
        ({}, NO_COLOURS),
        ({"TERM": "vt100"}, NO_COLOURS),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, NO_COLOURS),
        ({"TERM": "xterm-256color"}, ALL_COLOURS),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, ALL_COLOURS),
        ({"TERM": "linux"}, FEW_COLOURS),
    ],
)
def test_colours_follow_the_terminal(environment: dict[str, str], expected: int) -> None:
    """The terminal's own word decides, and a person's wish for no colours comes first."""
    assert colours(environment) == expected


def test_every_tone_has_a_look() -> None:
    """No tone falls back to urwid's default, and an old picture greys all but the alarm."""
    assert {entry[0] for entry in palette()} == {tone.value for tone in Tone}
    assert set(LOST_LOOK) == {None, *(tone.value for tone in Tone)}
    assert LOST_LOOK["alarm"] == "alarm"
    assert LOST_LOOK["good"] == "lost"
