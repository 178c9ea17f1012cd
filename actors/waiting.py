"""The wait-for graph: which actor waits for whose answer, and where that goes in a circle.

Only waits of an actor's own task count, because only they keep it from handling messages.
"""

from __future__ import annotations

from collections.abc import Iterable

from actors.cell import Cell


def circle_from(start: Cell) -> tuple[str, ...] | None:
    """Return the paths of the circle that ``start`` waits in, beginning with it."""
    paths: list[str] = []
    cell = start
    while cell.waiting_on is not None and cell.path not in paths:
        paths.append(cell.path)
        cell = cell.waiting_on[0]
    return tuple(paths) if paths and cell is start else None


def deadlocks(cells: Iterable[Cell]) -> tuple[tuple[str, ...], ...]:
    """Return every circle once, beginning with its first member by path."""
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for cell in sorted(cells, key=lambda each: each.path):
        circle = circle_from(cell)
        if circle is not None:
            found.setdefault(frozenset(circle), circle)
    return tuple(found.values())
