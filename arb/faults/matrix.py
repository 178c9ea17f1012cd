"""Every cell of the table of faults, each alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence

import attrs

from arb.faults.catalogue import FAMILIES, KINDS
from arb.faults.elsewhere import elsewhere
from arb.faults.plan import Plan, plan_of_cell
from arb.faults.session import simulate

GOOD = "✓"
BAD = "✗"
NOT_MET = "○"
NOT_RUN = "·"

# How many seeds a cell is given until its fault has met something: what the engine does seldom, it
# does in one of so many worlds.
SEEDS_MAX = 20

BEGIN, END = "<!-- matrix -->", "<!-- end of matrix -->"


@attrs.frozen
class CellResult:
    """How one cell did, over some seeds; ``failed`` are the plans in which a rule was violated.

    ``times`` is how often its fault began, ``strikes`` how often that changed anything.
    """

    cell: str
    seeds: int
    failed: tuple[Plan, ...]
    times: int
    rule: str = ""
    strikes: int = 0


def run_cell(cell: str, seeds: Sequence[int], *, most: int = SEEDS_MAX) -> CellResult:
    """Run one cell alone, at further seeds up to so many where its fault has met nothing yet."""
    result = CellResult(cell, 0, (), 0)
    gc.disable()
    try:
        for seed in seeds:
            result = _after(result, plan_of_cell(cell, seed))
        for seed in range(seeds[-1] + 1, seeds[0] + most):
            if result.strikes:
                break
            result = _after(result, plan_of_cell(cell, seed, patient=True))
    finally:
        gc.enable()
    return result


def _after(so_far: CellResult, plan: Plan) -> CellResult:
    """Run one more seed of a cell, and add what came of it."""
    outcome = simulate(plan)
    cell, failed = so_far.cell, outcome.failed
    return CellResult(
        cell,
        so_far.seeds + 1,
        (*so_far.failed, plan) if failed else so_far.failed,
        so_far.times + outcome.cells.get(cell, 0),
        str(outcome.violations[0]) if failed else so_far.rule,
        so_far.strikes + outcome.strikes.get(cell, 0),
    )


def grid(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the matrix as a Markdown table a family, and below it what has no cell.

    What waits, and what met nothing, is never shown as good.
    """
    found = {result.cell: result for result in results}
    for family in FAMILIES:
        yield f"**{family}**"
        yield ""
        yield "| fault | where it holds |"
        yield "|---|---|"
        for kind in KINDS:
            if kind.family != family:
                continue
            shown = [_shown(cell, found) for cell in kind.cells]
            yield f"| {kind.name} | {', '.join(shown)} |"
        yield ""
    yield from elsewhere()


def _shown(cell: str, found: dict[str, CellResult]) -> str:
    component = cell.partition("@")[2]
    result = found.get(cell)
    if result is None:
        return f"{component} {NOT_RUN}"
    if result.failed:
        return f"{component} {BAD}"
    return f"{component} {GOOD if result.strikes else NOT_MET}"


def replaced(document: str, lines: Sequence[str]) -> str:
    """Return a document with the matrix between its marks; raises `ValueError` without them."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document has no place for a matrix: {BEGIN} … {END}")
    return "\n".join([f"{before}{BEGIN}", "", *lines, f"{END}{after}"])
