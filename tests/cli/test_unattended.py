"""What becomes of an engine whose console was killed or whose terminal is gone: real processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from arb.console.ask import NoAnswer, ask
from arb.engine.attendance import GRACE_S
from arb.io.rendezvous import RunningEngine, find_engines
from tests.console.terminal import Terminal

# Start-up of two Python processes and an RSA key, on a machine that is busy with other tests.
PATIENCE_S = 60.0
STEP_S = 0.1

Start = Callable[[str], Terminal]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Iterator[Start]:
    """Start an engine with its console in a terminal, and leave neither behind."""
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.chdir(tmp_path)
    terminals = []

    def run(unattended: str) -> Terminal:
        monkeypatch.setenv("ARB_ENGINE__UNATTENDED", unattended)
        command = [sys.executable, "-m", "arb", "run"]
        terminals.append(Terminal(command, columns=140, rows=40))
        return terminals[-1]

    yield run
    for terminal in terminals:
        terminal.close()
    for engine in find_engines(tmp_path / "state"):
        os.kill(engine.pid, signal.SIGKILL)


def the_engine(tmp_path: Path) -> RunningEngine:
    """Return the one engine that runs."""
    (engine,) = find_engines(tmp_path / "state")
    return engine


def trading(engine: RunningEngine) -> dict[str, Any]:
    """Return whether it trades, and why not; nothing once it has ended."""
    try:
        state: dict[str, Any] = ask(engine.socket_path, "status")["snapshot"]["trading"]
    except NoAnswer:
        return {}
    return state


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something of another process is so."""
    with trio.fail_after(PATIENCE_S):
        while not await trio.to_thread.run_sync(condition):  # noqa: ASYNC110 - no event of ours
            await trio.sleep(STEP_S)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
async def test_by_default_it_only_closes_positions(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    """kill -9 of the console, and a closed terminal; whoever comes back sees why."""
    terminal = start("reduce")
    await terminal.shows("RUNNING", PATIENCE_S)
    engine = the_engine(tmp_path)
    os.kill(terminal.process.pid, number)
    await terminal.ends()
    await until(lambda: trading(engine)["state"] == "reducing")

    assert "its last console disappeared" in str(trading(engine)["reasons"])


@pytest.mark.slow
async def test_it_stops_in_order_where_that_is_wished(start: Start, tmp_path: Path) -> None:
    """Nothing is left of it, not even its card."""
    terminal = start("stop")
    await terminal.shows("RUNNING", PATIENCE_S)
    engine = the_engine(tmp_path)
    os.kill(terminal.process.pid, signal.SIGKILL)
    await terminal.ends()

    await until(lambda: not list((tmp_path / "state").glob("*/*/engine.json")))
    assert trading(engine) == {}


@pytest.mark.slow
async def test_it_runs_on_where_that_is_wished(start: Start, tmp_path: Path) -> None:
    """Long after it has missed its console it trades."""
    terminal = start("run")
    await terminal.shows("RUNNING", PATIENCE_S)
    engine = the_engine(tmp_path)
    os.kill(terminal.process.pid, signal.SIGKILL)
    await terminal.ends()
    await trio.sleep(GRACE_S + 2)

    assert trading(engine)["state"] == "running"
    log = ask(engine.socket_path, "status")["snapshot"]["log"]
    assert "engine.unattended = run" in " ".join(line["text"] for line in log)
