"""The simulated world as a process of its own, which ends with the engine that started it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import orjson
import trio

from arb.engine.world_hand import WorldHand
from arb.settings import OddsPlace

# The world makes an RSA key and opens two ports; a slow machine under load takes a few seconds.
START_TIMEOUT_S = 20.0

# It has nothing to save, so it is gone at once or it hangs.
STOP_TIMEOUT_S = 2.0

LINE_BYTES_MAX = 65_536


class WorldFailed(Exception):
    """The simulated world did not start; says why in one line."""


@attrs.frozen
class World:
    """Where a simulated world is served, the keys to it, and the id its state is filed under.

    ``hand`` asks its process itself, past its servers.
    """

    rest_url: str
    ws_url: str
    key_id: str
    private_key_path: Path
    name: str
    odds: Mapping[str, OddsPlace]
    hand: WorldHand


@asynccontextmanager
async def embedded_world(
    *, seed: int | None, speed: float, options: Sequence[str] = ()
) -> AsyncIterator[World]:
    """Start a world, with more options of `arb sim`, and end it on leaving; raises `WorldFailed`.

    Its standard input is a pipe from this process: when this process dies, however it dies, the
    pipe closes and the world ends itself. A session of its own keeps a Ctrl-C at the terminal
    from ending it before the engine has cancelled its orders.
    """
    command = [sys.executable, "-m", "arb", "sim", "--json", "--until-stdin-closes"]
    command += ["--speed", str(speed), *options]
    if seed is not None:
        command += ["--seed", str(seed)]
    process = await trio.lowlevel.open_process(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield await _announced(process)
    finally:
        with trio.CancelScope(shield=True):
            await _end(process)


async def _announced(process: trio.Process) -> World:
    line = b""
    with trio.move_on_after(START_TIMEOUT_S):
        while process.stdout is not None and b"\n" not in line and len(line) < LINE_BYTES_MAX:
            piece = await process.stdout.receive_some()
            if not piece:
                break
            line += piece
    if b"\n" not in line:
        raise WorldFailed(f"the simulated world did not start: {await _last_words(process)}")
    said = orjson.loads(line)
    return World(
        said["rest"],
        said["ws"],
        said["key_id"],
        Path(said["private_key_path"]),
        said["world"],
        _odds(said),
        WorldHand(process),
    )


def _odds(said: Mapping[str, str]) -> dict[str, OddsPlace]:
    key = said["odds_key"]
    places = (
        OddsPlace("odds-api-io", said["odds_rest"], said["odds_ws"], key),
        OddsPlace("opticodds", said["opticodds"], key=key),
        OddsPlace("the-odds-api", said["the_odds_api"], key=key, metered=False),
        OddsPlace("unabated", said["unabated_rest"], said["unabated_ws"], key),
    )
    return {place.provider: place for place in places}


async def _last_words(process: trio.Process) -> str:
    text = b""
    with trio.move_on_after(STOP_TIMEOUT_S):
        while process.stderr is not None and (piece := await process.stderr.receive_some()):
            text += piece
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


async def _end(process: trio.Process) -> None:
    if process.stdin is not None:
        await process.stdin.aclose()
    with trio.move_on_after(STOP_TIMEOUT_S):
        await process.wait()
    if process.poll() is None:
        process.kill()
        await process.wait()
