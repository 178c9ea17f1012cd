"""All faults there are, as one table: every kind, and every cell of it."""

from __future__ import annotations

from arb.faults import kinds_exchange, kinds_listing, kinds_network, kinds_process
from arb.faults.stage import Kind

KINDS: tuple[Kind, ...] = (
    *kinds_network.KINDS,
    *kinds_exchange.KINDS,
    *kinds_process.KINDS,
    *kinds_listing.KINDS,
)
BY_NAME = {kind.name: kind for kind in KINDS}
FAMILIES = tuple(dict.fromkeys(kind.family for kind in KINDS))


class UnknownFault(ValueError):
    """No kind, family or cell has this name; says what there is."""


def cells() -> tuple[str, ...]:
    """Return the names of all cells."""
    return tuple(cell for kind in KINDS for cell in kind.cells)


def cells_apart() -> tuple[str, ...]:
    """Return the names of the cells that campaigns draw with dice of their own."""
    return tuple(f"{kind.name}@{component}" for kind in KINDS for component in kind.apart)


def cells_rare() -> tuple[str, ...]:
    """Return the names of the cells that campaigns draw in few runs, with dice of their own."""
    return tuple(f"{kind.name}@{component}" for kind in KINDS for component in kind.rare)


def kind_of(cell: str) -> tuple[Kind, str]:
    """Return the kind and the component of a cell."""
    name, _, component = cell.partition("@")
    return BY_NAME[name], component


def chosen(names: tuple[str, ...]) -> frozenset[str]:
    """Return the cells that some names mean: of cells, kinds, families or components.

    Raises `UnknownFault`.
    """
    found: set[str] = set()
    for name in names:
        some = {
            cell
            for cell in cells()
            if name in (cell, kind_of(cell)[0].name, kind_of(cell)[0].family, kind_of(cell)[1])
        }
        if not some:
            raise UnknownFault(
                f"{name!r} is no fault: give a cell (reset@books), a kind, a component, or one of"
                f" {', '.join(FAMILIES)} (arb faults matrix lists all)"
            )
        found |= some
    return frozenset(found)
