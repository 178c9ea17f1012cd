"""The main walk of a person through the console, in tmux, against an engine that pretends."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from arb.engine.control import ControlServer
from arb.io.login import login
from tests.console.fake_engine import FakeEngine, tickers
from tests.console.fake_shell import PATIENCE_S
from tests.console.golden import PROGRAM

STEP_S = 0.05
KEY = "strategy.maker_edge_threshold"


class Pane:
    """A terminal of tmux with a program in it."""

    def __init__(self, command: str) -> None:
        self._tmux = ["tmux", "-L", f"arb-walk-{os.getpid()}", "-f", os.devnull]
        once = f"PYTHONUTF8=1 TERM=screen-256color {command}; echo code $?"
        shell = f"{once}; read again; {once} again; exec cat"
        self._run("new-session", "-d", "-s", "walk", "-x", "120", "-y", "36", shell)

    def __repr__(self) -> str:
        return f"<Pane {self._tmux[2]}>"

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._run("send-keys", "-t", "walk", *keys)

    @property
    def text(self) -> str:
        """Return what a person sees."""
        return self._run("capture-pane", "-p", "-t", "walk")

    async def shows(self, words: str) -> None:
        """Wait until a text is on the screen."""
        with trio.fail_after(PATIENCE_S):
            while words not in self.text:  # noqa: ASYNC110  # tmux knows nothing of events
                await trio.sleep(STEP_S)

    def close(self) -> None:
        """End the terminal and what is in it."""
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._tmux, *arguments], check=True, capture_output=True, text=True)
        return done.stdout


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Pane]:
    """Run a console in tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not there")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "c.sock")]
    made = Pane(shlex.join(command))
    yield made
    made.close()


@pytest.mark.slow
async def test_the_main_walk(tmp_path: Path, pane: Pane, nursery: trio.Nursery) -> None:
    """Look, kill an actor, change a threshold, halt, clear, switch a fault, leave, come back."""
    engine = FakeEngine(8)
    server = ControlServer(engine, tmp_path / "c.sock")
    server.open()
    nursery.start_soon(server.serve)
    ticker = tickers(8)[3]
    await pane.shows("Balance $1,234.56")
    pane.press("/", "g", "-", "s", "f", "g")
    await pane.shows("/g-sfg 1 of 8")
    pane.press("Enter", "Enter")
    await pane.shows("the books are within 1.6c")
    assert engine.shown[-1] == ("market", ticker)
    pane.press("K")
    await pane.shows("▸ No ◂")
    pane.press("y")
    await pane.shows(f"kill {ticker} done")
    pane.press("c")
    await pane.shows("Settings in force")
    pane.press("j", "Enter", "3", "Enter")
    await pane.shows("strategy.maker_edge_threshold: 2 → 3 cents")
    pane.press("y")
    await pane.shows("set strategy.maker_edge_threshold done")
    pane.press("c")
    pane.press("H", "o", "d", "d", "Enter")
    await pane.shows("HALTED")
    pane.press("C", "o", "k", "Enter")
    await pane.shows("▶ RUNNING")
    pane.press("6")
    await pane.shows("answer-lost")
    pane.press("/", *"upgrade", "Enter", "Enter")
    await pane.shows("● ON")
    await pane.shows("Simulated World, 2 ON")
    await pane.shows("Kalshi books DOWN")
    pane.press("O")
    await pane.shows("● Kalshi books CONNECTED")
    pane.press("q")
    await pane.shows("▸ Cancel ◂")
    pane.press("l")
    await pane.shows("code 0")
    pane.press("Enter")
    await pane.shows("Balance $1,234.56")
    pane.press("q", "l")
    await pane.shows("code 0 again")
    assert not server.attendance.is_missed

    assert engine.commands == [
        ("kill", {"name": ticker}),
        ("set", {"key": KEY, "value": "3", "write": False, "by": login()}),
        ("halt", {"reason": "odd"}),
        ("clear", {"reason": "ok"}),
        ("fault", {"name": "upgrade-refused", "switch": "on"}),
        ("faults_off", {}),
    ]
    nursery.cancel_scope.cancel()
