"""From lines of cells to urwid canvas: fitted, safe, in the terminal's own encoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import urwid
from urwid.util import get_encoding

from arb.console.cells import Cell, Line, Tone

ELLIPSIS = "…"

Size = tuple[()] | tuple[int] | tuple[int, int]
# What a terminal that speaks no UTF-8 shows in place of the signs this program uses.
_PLAIN_SIGNS = str.maketrans(
    {
        "─": "-", "│": "|", "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+",
        "┬": "+", "┴": "+", "┼": "+", "▸": ">", "▾": "v", "●": "*", "○": "o", "✗": "x",
        "‖": "=", "■": "#", "▶": ">", "▼": "v", "▲": "^", "·": "-", "…": "~", "µ": "u",
        "‼": "!", "×": "x", "↑": "^", "↓": "v", "✓": "+", "▏": "_", "←": "<", "→": ">",
        "▁": "_", "▂": "_", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#", "█": "#",
    },
)  # fmt: skip


def box(size: Size) -> tuple[int, int]:
    """Return columns and rows; these widgets are boxes and know no other size."""
    match size:
        case (columns, rows):
            return columns, rows
        case _:
            raise ValueError(f"a box widget needs columns and rows, not {size!r}")


def columns_of(text: str) -> int:
    """Return how many screen columns ``text`` takes; a Chinese sign takes two."""
    return len(text) if text.isascii() else int(urwid.calc_width(text, 0, len(text)))


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return ``text`` in exactly ``width`` columns: filled with blanks, or cut with a sign."""
    have = columns_of(text)
    if have <= width:
        blanks = " " * (width - have)
        return blanks + text if right else text + blanks
    if width <= 0:
        return ""
    end, taken = urwid.calc_text_pos(text, 0, len(text), width - 1)
    return text[:end] + ELLIPSIS + " " * (width - 1 - taken)


def fit_line(cells: Sequence[Cell], width: int, tone: Tone = Tone.PLAIN) -> list[Cell]:
    """Return cells that take exactly ``width`` columns; what is added has ``tone``."""
    fitted: list[Cell] = []
    room = width
    for cell in cells:
        have = columns_of(cell.text)
        if have > room:
            fitted.append(Cell(fit(cell.text, room), cell.tone))
            return fitted
        fitted.append(cell)
        room -= have
    if room:
        fitted.append(Cell(" " * room, tone))
    return fitted


def paint(lines: Sequence[Line | list[Cell]], columns: int) -> urwid.TextCanvas:
    """Return a canvas of these lines, each fitted to ``columns``."""
    encode = encoder(get_encoding())
    texts: list[bytes] = []
    attributes: list[list[tuple[str, int]]] = []
    for cells in lines:
        fitted = fit_line(cells, columns)
        pieces = [encode(cell.text) for cell in fitted]
        texts.append(b"".join(pieces))
        # A tone is a text, and its `value` would cost more than all the rest of this line.
        attributes.append(
            [(cell.tone, len(piece)) for cell, piece in zip(fitted, pieces, strict=True)]
        )
    return urwid.TextCanvas(texts, attributes, maxcol=columns, check_width=False)  # type: ignore[arg-type]


def encoder(encoding: str) -> Callable[[str], bytes]:
    """Return what encodes for a terminal; signs that it does not have become plain ones."""
    if encoding.lower().replace("-", "") == "utf8":
        return _as_utf8
    return _as_plain


def _as_utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _as_plain(text: str) -> bytes:
    return text.translate(_PLAIN_SIGNS).encode("ascii", "replace")
