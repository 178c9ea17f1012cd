"""Every cell of the table of faults, each alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence

import attrs

from arb.faults.catalogue import FAMILIES, KINDS
from arb.faults.plan import plan_of_cell
from arb.faults.session import simulate

GOOD = "✓"
BAD = "✗"
WAITING = "·"

BEGIN, END = "<!-- matrix -->", "<!-- end of matrix -->"


@attrs.frozen
class CellResult:
    """How one cell did, over some seeds; ``failed`` are the seeds at which a rule was violated."""

    cell: str
    seeds: int
    failed: tuple[int, ...]
    times: int
    rule: str = ""


def run_cell(cell: str, seeds: Sequence[int]) -> CellResult:
    """Run one cell alone."""
    failed, times, rule = [], 0, ""
    gc.disable()
    try:
        for seed in seeds:
            outcome = simulate(plan_of_cell(cell, seed))
            times += outcome.cells.get(cell, 0)
            if outcome.failed:
                failed.append(seed)
                rule = str(outcome.violations[0])
    finally:
        gc.enable()
    return CellResult(cell, len(seeds), tuple(failed), times, rule)


def grid(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the matrix as a Markdown table a family; what waits is never shown as good."""
    found = {result.cell: result for result in results}
    for family in FAMILIES:
        yield f"**{family}**"
        yield ""
        yield "| fault | where it holds |"
        yield "|---|---|"
        for kind in KINDS:
            if kind.family != family:
                continue
            if kind.not_yet is not None:
                yield f"| {kind.name} | {WAITING} not yet: {kind.not_yet} |"
                continue
            shown = [_shown(cell, found) for cell in kind.cells]
            yield f"| {kind.name} | {', '.join(shown)} |"
        yield ""


def _shown(cell: str, found: dict[str, CellResult]) -> str:
    component = cell.partition("@")[2]
    result = found.get(cell)
    if result is None:
        return f"{component} {WAITING}"
    return f"{component} {BAD if result.failed else GOOD}"


def replaced(document: str, lines: Sequence[str]) -> str:
    """Return a document with the matrix between its marks; raises `ValueError` without them."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document has no place for a matrix: {BEGIN} … {END}")
    return "\n".join([f"{before}{BEGIN}", "", *lines, f"{END}{after}"])
