"""Every screen at three sizes, to the letter, through a real terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from arb.console.keys import Screen
from tests.console.golden import SIZES, frame, golden_path, key_of, still_console

# A frame is there within a second; one that differs is shown after this.
PATIENCE_S = 10.0


@pytest.mark.slow
@pytest.mark.parametrize("columns,rows", SIZES)
async def test_screens_look_as_they_did(
    tmp_path: Path, nursery: trio.Nursery, columns: int, rows: int
) -> None:
    """A change of any screen is seen here; ``python -m tests.console.golden`` takes it over."""
    with still_console(nursery, tmp_path, columns, rows) as terminal:
        await terminal.shows("Balance $1,234.56")
        for screen in Screen:
            wanted = golden_path(screen, columns, rows).read_text()
            terminal.press(key_of(screen))
            with trio.move_on_after(PATIENCE_S):
                while frame(terminal) != wanted:
                    await terminal.read()

            assert frame(terminal) == wanted
