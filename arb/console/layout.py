"""How the rows of a screen are shared among its panels."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen
class Want:
    """How many rows a panel needs to be of use, could fill, and its part of what is left.

    Where not even the least fits for all, the panel with the highest ``priority`` goes first.
    """

    least: int
    most: int
    weight: int
    priority: int


def share_rows(room: int, wants: Sequence[Want]) -> list[int]:
    """Return the rows of each panel, which together are exactly ``room``; 0 leaves one out."""
    rows = _least(room, wants)
    spare = room - sum(rows)
    spare = _share(spare, wants, rows)
    # Nobody needs what remains: the last panel that is shown keeps it, so that the frame closes.
    shown = [index for index, height in enumerate(rows) if height]
    if shown:
        rows[shown[-1]] += spare
    return rows


def _least(room: int, wants: Sequence[Want]) -> list[int]:
    rows = [0] * len(wants)
    for index in sorted(range(len(wants)), key=lambda index: wants[index].priority):
        if sum(rows) + wants[index].least <= room:
            rows[index] = wants[index].least
        elif not sum(rows):
            # Even the first does not fit: it takes what there is.
            rows[index] = max(0, room)
            break
    return rows


def _share(spare: int, wants: Sequence[Want], rows: list[int]) -> int:
    while spare > 0:
        hungry = [i for i, want in enumerate(wants) if rows[i] and rows[i] < want.most]
        if not hungry:
            break
        total = sum(wants[index].weight for index in hungry)
        for index in hungry:
            part = max(1, spare * wants[index].weight // total)
            part = min(part, spare, wants[index].most - rows[index])
            rows[index] += part
            spare -= part
            total -= wants[index].weight
            if not spare or not total:
                break
    return spare
