"""What has no cell is held by tests that are there, or says that it is not held."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from arb.faults.elsewhere import ELSEWHERE, NOT_YET, Elsewhere, elsewhere
from arb.faults.matrix import grid

ROOT = Path(__file__).resolve().parents[2]


def functions(path: Path) -> set[str]:
    """Return the names of a file's functions."""
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


@pytest.mark.parametrize("row", ELSEWHERE, ids=lambda row: row.fault)
def test_every_test_that_is_named_is_there(row: Elsewhere) -> None:
    """File and function exist; a row without any says what is missing."""
    assert row.tests or row.missing
    for test in row.tests:
        path, _, name = test.partition("::")
        assert name.startswith("test_")
        assert name in functions(ROOT / path), f"{path} has no {name}"


def test_the_table_stands_below_the_grid() -> None:
    """Each row once, with its tests and with what is missing, never with a sign of the grid."""
    lines = list(elsewhere())
    rows = [line for line in lines if line.startswith("| ")][1:]

    assert list(grid([]))[-len(lines) :] == lines
    assert [row.split(" | ")[0] for row in rows] == [f"| {row.fault}" for row in ELSEWHERE]
    assert sum(NOT_YET in row for row in rows) == sum(bool(row.missing) for row in ELSEWHERE)
    assert not any(sign in line for line in lines for sign in "✓✗○·")
