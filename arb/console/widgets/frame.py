"""The frame that all panels of a screen share: one line between two panels, as in the drawing."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from arb.console.cells import Cell, Line, Tone
from arb.console.widgets.paint import columns_of, fit, fit_line

SIDE = Cell("│", Tone.FRAME)
# Below this the right hand part of a title line is left out rather than cut.
TITLE_ROOM = 4


@attrs.frozen
class Edges:
    """How a panel's title line meets its neighbours; a panel on the right has no left side."""

    left: str = "├"
    right: str = "┤"
    has_left: bool = True
    # Columns of the title line at which the side of a panel above ends in it.
    joints: tuple[int, ...] = ()


def rule(
    width: int,
    left: Sequence[Cell],
    right: Sequence[Cell],
    edges: Edges,
) -> list[Cell]:
    """Return a horizontal line of the frame with a text at its left and one at its right."""
    start = f"{edges.left}─ " if edges.has_left else "─ "
    taken = len(start) + 3
    left_width = sum(columns_of(cell.text) for cell in left)
    right_width = sum(columns_of(cell.text) for cell in right)
    if not left:
        start, taken = start[:-1], taken - 2
    cells = [Cell(start, Tone.FRAME), *left]
    if left:
        cells.append(Cell(" ", Tone.FRAME))
    filler = width - taken - left_width
    if right and filler >= right_width + TITLE_ROOM:
        line = "─" * (filler - right_width - 2)
        cells += [Cell(f"{line} ", Tone.FRAME), *right, Cell(" ─", Tone.FRAME)]
    else:
        cells.append(Cell("─" * (filler + 1), Tone.FRAME))
    fitted = fit_line(cells, width - 1, Tone.FRAME)
    fitted.append(Cell(edges.right, Tone.FRAME))
    return _with_joints(fitted, edges.joints)


def framed(cells: Sequence[Cell], width: int, edges: Edges) -> list[Cell]:
    """Return one line of a panel's inside between its sides."""
    sides = 2 if edges.has_left else 1
    inside = fit_line(cells, width - sides)
    return [SIDE, *inside, SIDE] if edges.has_left else [*inside, SIDE]


def inside_columns(width: int, edges: Edges) -> int:
    """Return how many columns the sides leave."""
    return max(0, width - (2 if edges.has_left else 1))


def table_cells(texts: Sequence[tuple[Cell, int, bool]], gap: int) -> Line:
    """Join the cells of one row, each fitted to its width, left or right."""
    cells: list[Cell] = []
    for cell, width, right in texts:
        if cells:
            cells.append(Cell(" " * gap))
        cells.append(Cell(fit(cell.text, width, right=right), cell.tone))
    return tuple(cells)


def _with_joints(cells: list[Cell], joints: tuple[int, ...]) -> list[Cell]:
    if not joints:
        return cells
    result: list[Cell] = []
    column = 0
    for cell in cells:
        text = "".join(
            "┴" if sign == "─" and column + offset in joints else sign
            for offset, sign in enumerate(cell.text)
        )
        result.append(Cell(text, cell.tone))
        column += columns_of(cell.text)
    return result
