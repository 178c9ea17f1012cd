"""The console as a process of its own in a real pseudo-terminal, seen through an emulator."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import attrs
import pytest
import trio

from arb.engine.control import ControlServer
from tests.console.fake_engine import FakeEngine, tickers
from tests.console.terminal import Terminal

PROGRAM = """
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from arb.console.app import console
from arb.console.outcome import ConsoleError
try:
    print("outcome:", console(Path(sys.argv[1]), owns_engine=sys.argv[2] == "owns"))
except ConsoleError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def console_on(path: Path, *, owns_engine: bool, columns: int = 80, rows: int = 24) -> Terminal:
    """Return a terminal with a console in it."""
    role = "owns" if owns_engine else "attached"
    command = [sys.executable, "-c", PROGRAM, str(path), role]
    return Terminal(command, columns=columns, rows=rows)


@attrs.frozen
class Theatre:
    """A fake engine and the terminal that is attached to it."""

    engine: FakeEngine
    terminal: Terminal


Play = Callable[[bool], Theatre]


@pytest.fixture
async def play(tmp_path: Path, nursery: trio.Nursery) -> AsyncIterator[Play]:
    """Serve a fake engine and run a console on it, which owns the engine or does not."""
    terminals: list[Terminal] = []

    def start(owns_engine: bool) -> Theatre:
        engine = FakeEngine(8)
        server = ControlServer(engine, tmp_path / "c.sock")
        server.open()
        nursery.start_soon(server.serve)
        terminals.append(console_on(tmp_path / "c.sock", owns_engine=owns_engine))
        return Theatre(engine, terminals[-1])

    yield start
    for terminal in terminals:
        terminal.close()


@pytest.mark.slow
async def test_a_walk_through_the_console(play: Play) -> None:
    """Select a market, ask to kill it, keep the default, then say yes; then leave it running."""
    stage = play(True)
    terminal, engine = stage.terminal, stage.engine
    await terminal.shows("Balance $1,234.56")
    assert "SIMULATED WORLD" in terminal.text
    terminal.press("j")
    await terminal.shows("▸MLB-NYYBOS-BOS")
    terminal.press("K")
    await terminal.shows("▸ No ◂")
    terminal.press("\r")
    terminal.press("K")
    await terminal.shows("▸ No ◂")
    assert engine.commands == []
    terminal.press("\t\r")
    await terminal.shows("✓ kill KXMLBGAME")
    assert engine.commands == [("kill", {"name": tickers(2)[1]})]

    terminal.resize(200, 60)
    os.kill(terminal.process.pid, signal.SIGWINCH)
    await terminal.shows("┬─ Recent Trades")
    terminal.press("q")
    await terminal.shows("▸ Cancel ◂")
    terminal.press("l")
    assert await terminal.ends() == 0
    assert "outcome: leave running" in terminal.text
    assert engine.commands[1:] == []


@pytest.mark.slow
async def test_ctrl_c_stops_an_own_engine_and_restores_the_terminal(play: Play) -> None:
    """The engine is told to stop, and the terminal is as it was before."""
    stage = play(True)
    before = stage.terminal.mode_before
    await stage.terminal.shows("Balance $1,234.56")
    assert stage.terminal.mode()[3] & (termios.ICANON | termios.ECHO) == 0
    os.kill(stage.terminal.process.pid, signal.SIGINT)

    assert await stage.terminal.ends() == 0
    assert stage.terminal.mode() == before
    assert stage.engine.commands == [("stop", {})]
    assert "outcome: stop" in stage.terminal.text


@pytest.mark.slow
async def test_a_killed_console_costs_the_engine_nothing(play: Play, tmp_path: Path) -> None:
    """kill -9 of the console is a closed connection, and the next console is served."""
    stage = play(False)
    await stage.terminal.shows("Balance $1,234.56")
    stage.terminal.process.kill()
    await stage.terminal.ends()
    again = console_on(tmp_path / "c.sock", owns_engine=False, columns=100, rows=30)
    await again.shows("Balance $1,234.56")
    again.close()

    assert stage.engine.commands == []


def test_without_a_terminal_the_process_says_so_and_ends_with_2(tmp_path: Path) -> None:
    """A pipe gets one line on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "c.sock"), "attached"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "needs a terminal" in done.stderr
