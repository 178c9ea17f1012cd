"""Real processes on one machine: a simulated world, and engines that come and go beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import trio

# The engine is up and trades within this; a slow machine takes its time to import everything.
START_S = 30.0

# A world that steps on a busy core answers a moment later.
ANSWER_S = 20.0

# An engine ends in order: its own five seconds, and what the machine takes.
STOP_S = 15.0

_ROOT = Path(__file__).resolve().parents[2]


class ProcessFailed(Exception):
    """A process did not start, answer or end as it must; says which in one line."""


class WorldProcess:
    """A world in another process, which lives on whatever becomes of an engine."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._rest = b""
        self.said: dict[str, Any] = {}

    async def announced(self) -> None:
        """Wait for the line that says where everything is; raises `ProcessFailed`."""
        self.said = await self._line(START_S)

    async def ask(self, deed: str) -> dict[str, Any]:
        """Have the world do or say something, as `arb.sim.truth.obey` does."""
        if self._process.stdin is None:
            raise ProcessFailed("the simulated world has no standard input")
        await self._process.stdin.send_all(deed.encode() + b"\n")
        return await self._line(ANSWER_S)

    async def _line(self, timeout_s: float) -> dict[str, Any]:
        with trio.move_on_after(timeout_s):
            while b"\n" not in self._rest and self._process.stdout is not None:
                piece = await self._process.stdout.receive_some()
                if not piece:
                    break
                self._rest += piece
        line, found, self._rest = self._rest.partition(b"\n")
        if not found:
            raise ProcessFailed("the simulated world said nothing: see standard error")
        answer: dict[str, Any] = orjson.loads(line)
        return answer

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the environment of an engine in this world, with its state in ``folder``."""
        said = self.said
        clean = {key: value for key, value in os.environ.items() if not key.startswith("ARB_")}
        return {
            **clean,
            # What is tried must be the code that this is a part of, wherever it is run from.
            "PYTHONPATH": str(_ROOT),
            "ARB_KALSHI__API_BASE": said["rest"],
            "ARB_KALSHI__WS_URL": said["ws"],
            "ARB_KALSHI__API_KEY": said["key_id"],
            "ARB_KALSHI__PRIVATE_KEY_PATH": said["private_key_path"],
            "ARB_ODDS_FEED__REST_URL": said["odds_rest"],
            "ARB_ODDS_FEED__WS_URL": said["odds_ws"],
            "ARB_ODDS_FEED__API_KEY": said["odds_key"],
            "ARB_ENGINE__STATE_DIR": str(folder / "state"),
        }

    def __repr__(self) -> str:
        return f"<WorldProcess {self._process!r}>"


@asynccontextmanager
async def world_process(folder: Path, options: Sequence[str]) -> AsyncIterator[WorldProcess]:
    """Start a world with these options of `arb sim`, and end it on leaving; `ProcessFailed`."""
    command = [sys.executable, "-m", "arb", "sim", "--json", "--until-stdin-closes"]
    process = await trio.lowlevel.open_process(
        [*command, *options, "--state-dir", str(folder / "world")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    try:
        world = WorldProcess(process)
        await world.announced()
        yield world
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def start_engine(environment: Mapping[str, str]) -> trio.Process:
    """Start an engine without a console; it says nothing, its journal says all."""
    state = environment["ARB_ENGINE__STATE_DIR"]
    await trio.Path(state).mkdir(parents=True, exist_ok=True)
    return await trio.lowlevel.open_process(
        [sys.executable, "-m", "arb", "run", "--mode", "demo", "--headless", "--json"],
        env=environment,
        cwd=state,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def stop_engine(process: trio.Process) -> str | None:
    """Let an engine end in order; return what is wrong with how it ended, None where nothing is."""
    process.send_signal(signal.SIGTERM)
    with trio.move_on_after(STOP_S):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
        return f"L4: the engine did not stop within {STOP_S:g} s"
    return f"L4: the engine stopped with code {process.returncode}" if process.returncode else None


def journal_in(folder: Path) -> Path:
    """Return the journal of the one engine whose state lies there, or where none is."""
    found = sorted((folder / "state").rglob("journal"))
    return found[0] if found else folder / "no journal"
