"""The frames that every screen is compared with: ``python -m tests.console.golden`` writes them.

They come out of a real console in a real pseudo-terminal, on an engine that stands still.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trio

from arb.console.keys import Screen
from arb.engine.control import ControlServer
from tests.console.fake_engine import FakeEngine
from tests.console.terminal import Terminal

FOLDER = Path(__file__).parent / "golden_frames"
SIZES = ((80, 24), (120, 36), (200, 60))
# Long enough for an answer and a drawing on a busy machine; only writing waits for it.
SETTLE_S = 2.0
PROGRAM = """
import sys
from pathlib import Path
from arb.console.app import console
console(Path(sys.argv[1]), owns_engine=False)
"""


def golden_path(screen: Screen, columns: int, rows: int) -> Path:
    """Return where a frame is kept."""
    return FOLDER / f"{screen.lower()}-{columns}x{rows}.txt"


def frame(terminal: Terminal) -> str:
    """Return what a person sees, without the blanks at the ends of its lines."""
    return "\n".join(line.rstrip() for line in terminal.screen.display) + "\n"


def key_of(screen: Screen) -> str:
    """Return the key that turns to a screen."""
    return str(list(Screen).index(screen) + 1)


@contextmanager
def still_console(
    nursery: trio.Nursery, folder: Path, columns: int, rows: int
) -> Iterator[Terminal]:
    """Run a console of this size on an engine of which nothing changes; ends the nursery."""
    path = folder / "c.sock"
    server = ControlServer(FakeEngine(8), path)
    server.open()
    nursery.start_soon(server.serve)
    command = [sys.executable, "-c", PROGRAM, str(path)]
    terminal = Terminal(command, columns=columns, rows=rows, environment={"TZ": "UTC"})
    try:
        yield terminal
    finally:
        terminal.close()
        nursery.cancel_scope.cancel()


async def write() -> None:
    """Write every frame anew."""
    for columns, rows in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            async with trio.open_nursery() as nursery:
                await _write(nursery, Path(folder), columns, rows)


async def _write(nursery: trio.Nursery, folder: Path, columns: int, rows: int) -> None:
    with still_console(nursery, folder, columns, rows) as terminal:
        await terminal.shows("Balance $1,234.56")
        for screen in Screen:
            terminal.press(key_of(screen))
            with trio.move_on_after(SETTLE_S):
                await terminal.shows("never on any screen")
            golden_path(screen, columns, rows).write_text(frame(terminal))


if __name__ == "__main__":
    trio.run(write)
