"""The engine as a process of its own on real sockets: started, ended, and read from its files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

import trio

from arb.core.ledger import Ledger
from arb.engine.embedded_world import World
from arb.io.clock import SystemClock
from arb.journal.records import Record
from arb.journal.recovery import recover
from arb.journal.writer import Journal, MemoryFile

# The engine is up and trades within this; a slow machine takes its time to import everything.
START_S = 30.0

# It ends in order: its own five seconds, and what the machine takes.
STOP_S = 15.0

# Prices move so much quicker that a life of a second has orders in it.
WORLD_SPEED = 20.0

# A file of another process cannot be waited for: it is looked at.
LOOK_S = 0.02

# What is judged must be the code that this is a part of, wherever it is run from.
_ROOT = Path(__file__).resolve().parents[2]

PROVIDER = "odds-api-io"
STATE = "state"


def environment(
    world: World, folder: Path, *, exchange_port: int | None = None, odds_port: int | None = None
) -> dict[str, str]:
    """Return the environment of an engine in demo mode that trades in a world.

    With ports it reaches the world's servers through others, which listen there on loopback.
    """
    odds = world.odds[PROVIDER]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ARB_")}
    return {
        **clean,
        "PYTHONPATH": str(_ROOT),
        "ARB_KALSHI__API_BASE": _at(world.rest_url, exchange_port),
        "ARB_KALSHI__WS_URL": _at(world.ws_url, exchange_port),
        "ARB_KALSHI__API_KEY": world.key_id,
        "ARB_KALSHI__PRIVATE_KEY_PATH": str(world.private_key_path),
        "ARB_ODDS_FEED__REST_URL": _at(odds.rest_url, odds_port),
        "ARB_ODDS_FEED__WS_URL": _at(odds.ws_url, odds_port),
        "ARB_ODDS_FEED__API_KEY": odds.key,
        "ARB_ENGINE__STATE_DIR": str(folder / STATE),
    }


async def start_engine(
    environment: dict[str, str],
    *options: str,
    said: IO[bytes] | None = None,
    log: IO[bytes] | None = None,
) -> trio.Process:
    """Start an engine; ``said`` takes its standard output and ``log`` its standard error."""
    state = environment["ARB_ENGINE__STATE_DIR"]
    await trio.Path(state).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "arb", "run", "--mode", "demo", "--headless", "--json"]
    return await trio.lowlevel.open_process(
        [*command, *options],
        env=environment,
        cwd=state,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if said is None else said,
        stderr=subprocess.DEVNULL if log is None else log,
    )


async def until_journal_grows(process: trio.Process, folder: Path, size: int) -> None:
    """Wait until the journal is longer, the engine has ended, or takes too long to start."""
    with trio.move_on_after(START_S):
        while await journal_size(folder) <= size and process.returncode is None:  # noqa: ASYNC110
            await trio.sleep(LOOK_S)


async def stop_engine(process: trio.Process) -> int | None:
    """End an engine in order, unless it has ended; its exit code, None where it was killed."""
    process.send_signal(signal.SIGTERM)
    with trio.move_on_after(STOP_S):
        return await process.wait()
    await kill_engine(process)
    return None


async def kill_engine(process: trio.Process) -> None:
    """End an engine now, whatever it does."""
    with trio.CancelScope(shield=True):
        process.kill()
        await process.wait()


def open_files(process: trio.Process) -> int | None:
    """Return how many files and sockets a process has open, None where the system does not say."""
    try:
        return sum(1 for _ in Path(f"/proc/{process.pid}/fd").iterdir())
    except OSError:
        return None


def journal_path(folder: Path) -> Path:
    """Return the journal below a folder, or a path where none is."""
    found = sorted((folder / STATE).rglob("*journal*"))
    return next((path for path in found if path.is_file()), folder / "no journal")


async def journal_size(folder: Path) -> int:
    """Return how many bytes the journal below a folder has."""
    journal = trio.Path(journal_path(folder))
    return (await journal.stat()).st_size if await journal.exists() else 0


def records_of(data: bytes) -> list[Record]:
    """Return the records in a journal's bytes; raises what reading one raises."""
    file = MemoryFile()
    file.write(data)
    return Journal(file, SystemClock()).records()


def ledger_of(data: bytes) -> Ledger:
    """Return the books that a journal's bytes lead to."""
    return recover(records_of(data)).ledger


def _at(url: str, port: int | None) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return url if port is None else urlunsplit(parts._replace(netloc=f"{host}:{port}"))
