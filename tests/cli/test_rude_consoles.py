"""Consoles that are killed, stopped, blocked and rude, at a real engine: nothing changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from arb.console.ask import ask
from arb.io.rendezvous import RunningEngine, find_engines
from tests.console.terminal import Terminal

# Start-up of two Python processes and an RSA key, on a machine that is busy with other tests.
PATIENCE_S = 60.0
STEP_S = 0.1
# Longer than the engine waits for a client that takes nothing.
STOPPED_S = 7.0
# What an engine may never be held up by its clients; a busy machine adds its own to that, which
# `tools/bench` tells apart.
HELD_UP = "the loop stood still"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Iterator[RunningEngine]:
    """Run an engine without a console."""
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "arb", "run", "--headless"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("positions and cash agree" in line for line in process.stderr)
        (found,) = find_engines(tmp_path / "state")
        yield found
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def picture(engine: RunningEngine) -> dict[str, Any]:
    """Return a picture of the engine."""
    found: dict[str, Any] = ask(engine.socket_path, "status")["snapshot"]
    return found


async def rave(path: Path) -> None:
    """Send rubbish until thrown out, again and again."""
    for size in (10, 2_000, 20_000):
        stream = await trio.open_unix_socket(str(path))
        try:
            for _ in range(50):
                await stream.send_all(os.urandom(size) + b"\n")
        except trio.BrokenResourceError:
            continue
        finally:
            await trio.aclose_forcefully(stream)


@pytest.mark.slow
async def test_nothing_that_consoles_do_changes_the_engine(engine: RunningEngine) -> None:
    """Three at once: one killed, one stopped, one whose terminal nobody reads; rubbish as well."""
    consoles = [Terminal([sys.executable, "-m", "arb", "console"]) for _ in range(3)]
    killed, stopped, blocked = consoles
    for each in consoles:
        await each.shows("RUNNING", PATIENCE_S)
    before = await trio.to_thread.run_sync(picture, engine)
    stopped.process.send_signal(signal.SIGSTOP)
    killed.process.kill()
    for _ in range(200):
        # Each key is drawn, into a pipe that is not read.
        blocked.press("2135")
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(rave, engine.socket_path)
        await trio.sleep(STOPPED_S)
    after = await trio.to_thread.run_sync(picture, engine)
    stopped.process.send_signal(signal.SIGCONT)

    assert after["trading"]["state"] == "running"
    assert after["counts"]["invariant_violations"] == 0
    assert after["counts"]["invariant_checks"] >= before["counts"]["invariant_checks"]
    assert [each["restarts"] for each in after["actors"] if each["restarts"]] == []
    assert HELD_UP not in " ".join(line["text"] for line in after["log"])
    # Whoever was only stopped finds back by itself.
    await stopped.shows("RUNNING", PATIENCE_S)
    stopped.press("?")
    await stopped.shows("Keys", PATIENCE_S)
    for each in consoles:
        each.close()
