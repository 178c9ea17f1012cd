"""The examples of docs/actors.md run, and print what they say they print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
PRINTED = [
    "5\n1\n",
    "one ended: ZeroDivisionError: integer division or modulo by zero\n5\n2\n",
    "",
]


@pytest.mark.parametrize("number", range(3))
def test_an_example_does_what_it_says(
    root: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    """A reader can copy it as it is."""
    blocks = BLOCK.findall((root / "docs" / "actors.md").read_text())
    assert len(blocks) == len(PRINTED)

    exec(compile(blocks[number], f"example {number}", "exec"), {"__name__": "__main__"})  # noqa: S102

    assert capsys.readouterr().out == PRINTED[number]
