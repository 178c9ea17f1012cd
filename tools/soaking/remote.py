"""The soak's world seen from the engine's process: started, commanded, and ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import trio

from arb.engine.live import Venues
from arb.settings import OddsPlace
from arb.sim.simulation import SimulationSettings
from tools.soaking.world import settings_line

ROOT = Path(__file__).resolve().parents[2]

# It makes an RSA key and opens two ports; a slow machine under load takes a few seconds.
START_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 2.0


class SoakFailed(Exception):
    """The soak could not be done; one line says why."""


class RemoteWorld:
    """A world in another process; one command is out at a time."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._rest = b""
        self._lock = trio.Lock()

    def __repr__(self) -> str:
        return f"<RemoteWorld {self._process!r}>"

    async def do(self, deed: str, **more: Any) -> dict[str, Any]:
        """Have one thing done and return the answer."""
        if self._process.stdin is None:
            raise SoakFailed("the world has no standard input")
        async with self._lock:
            line = orjson.dumps({"do": deed, **more}, option=orjson.OPT_APPEND_NEWLINE)
            await self._process.stdin.send_all(line)
            return await self.line(ANSWER_TIMEOUT_S)

    async def line(self, timeout_s: float) -> dict[str, Any]:
        """Return the next line that the world says."""
        with trio.move_on_after(timeout_s):
            while b"\n" not in self._rest and self._process.stdout is not None:
                piece = await self._process.stdout.receive_some()
                if not piece:
                    break
                self._rest += piece
        line, found, self._rest = self._rest.partition(b"\n")
        if not found:
            raise SoakFailed("the simulated world said nothing: see standard error")
        answer: dict[str, Any] = orjson.loads(line)
        return answer


@asynccontextmanager
async def remote_world(settings: SimulationSettings) -> AsyncIterator[tuple[RemoteWorld, Venues]]:
    """Start a world, and end it on leaving; raises `SoakFailed`.

    In a session of its own: a Ctrl-C at the terminal ends the engine first.
    """
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "tools.soaking.world", settings_line(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        world = RemoteWorld(process)
        said = await world.line(START_TIMEOUT_S)
        said["private_key_path"] = Path(said["private_key_path"])
        said["odds"] = (OddsPlace(*said["odds"]),)
        yield world, Venues(**said)
    finally:
        with trio.CancelScope(shield=True):
            await _end(process)


async def _end(process: trio.Process) -> None:
    if process.stdin is not None:
        await process.stdin.aclose()
    with trio.move_on_after(STOP_TIMEOUT_S):
        await process.wait()
    if process.poll() is None:
        process.kill()
        await process.wait()
