"""Real processes, real sockets, real disk: the engine killed with ``kill -9``, again and again.

No run of this can be repeated, but it sees what the simulation leaves out: the kernel, the
loopback network, the file system, and Python's own end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import attrs
import orjson
import trio

from arb.core.ledger import Ledger
from arb.core.risk import client_order_prefix
from arb.io.clock import SystemClock
from arb.io.http import Http
from arb.io.net import SocketNetwork
from arb.journal.frames import JournalDamaged
from arb.journal.records import NotARecord, RecordKind
from arb.journal.recovery import recover
from arb.journal.writer import Journal, JournalFailed, MemoryFile
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError
from arb.kalshi.sign import load_signer

# The engine is up and trades within this; a slow machine takes its time to import everything.
START_S = 30.0

# How long an engine lives before it is killed: one in four not even to the end of its start.
STARTING_SHARE = 0.25
STARTING_S = (0.1, 2.0)
TRADING_S = (0.0, 3.0)
LOOK_S = 0.02

# The last engine ends in order: its own five seconds, and what the machine takes.
STOP_S = 15.0

# The exchange's list of orders shows one for some 400 ms after it was cancelled.
LISTS_LAG_S = 0.6

# Prices move so much quicker that a life of a second has orders in it.
WORLD_SPEED = 20.0

# What an entry lives at the most when nobody cancels it any more.
ENTRY_TTL_S = 15.0


_ROOT = Path(__file__).resolve().parents[2]


class Kill9Failed(Exception):
    """A rule did not hold, or nothing could be started; says which in one line."""


@attrs.define
class Kill9Report:
    """What some cycles have shown."""

    cycles: int = 0
    torn: int = 0
    records: int = 0
    orders: int = 0
    fills: int = 0
    violations: list[str] = attrs.field(factory=list)


async def run_cycles(
    cycles: int, folder: Path, dice: Random, tell: Callable[[Kill9Report], None]
) -> Kill9Report:
    """Kill an engine so many times, and check its journal each time; raises `Kill9Failed`."""
    report = Kill9Report()
    async with _world(folder, dice) as said:
        environment = _environment(said, folder)
        await trio.Path(environment["ARB_ENGINE__STATE_DIR"]).mkdir(parents=True, exist_ok=True)
        before = b""
        for _ in range(cycles):
            await _one_life(environment, folder, dice)
            before = _check_journal(_journal(folder), before, report)
            report.cycles += 1
            tell(report)
        await _last_life(environment, folder, said, report)
    return report


@asynccontextmanager
async def _world(folder: Path, dice: Random) -> AsyncIterator[dict[str, Any]]:
    command = [sys.executable, "-m", "arb", "sim", "--json", "--until-stdin-closes"]
    command += ["--speed", str(WORLD_SPEED), "--seed", str(dice.randrange(1_000_000))]
    command += ["--state-dir", str(folder / "world")]
    process = await trio.lowlevel.open_process(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        yield await _announced(process)
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def _announced(process: trio.Process) -> dict[str, Any]:
    line = b""
    with trio.move_on_after(START_S):
        while process.stdout is not None and b"\n" not in line:
            piece = await process.stdout.receive_some()
            if not piece:
                break
            line += piece
    if b"\n" not in line:
        raise Kill9Failed("the simulated world did not start")
    said: dict[str, Any] = orjson.loads(line)
    return said


def _environment(said: dict[str, Any], folder: Path) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ARB_")}
    return {
        **clean,
        # What is killed must be the code that this is a part of, wherever it is run from.
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


async def _size(folder: Path) -> int:
    journal = trio.Path(_journal(folder))
    return (await journal.stat()).st_size if await journal.exists() else 0


async def _start(environment: dict[str, str], *extra: str) -> trio.Process:
    command = [sys.executable, "-m", "arb", "run", "--mode", "demo", "--headless", "--json"]
    return await trio.lowlevel.open_process(
        [*command, *extra],
        env=environment,
        cwd=environment["ARB_ENGINE__STATE_DIR"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def _one_life(environment: dict[str, str], folder: Path, dice: Random) -> None:
    size = await _size(folder)
    process = await _start(environment)
    # Some are killed while they start; the others once they have written something.
    if dice.random() < STARTING_SHARE:
        await trio.sleep(dice.uniform(*STARTING_S))
    else:
        with trio.move_on_after(START_S):
            # A file of another process cannot be waited for: it is looked at.
            while await _size(folder) <= size and process.returncode is None:  # noqa: ASYNC110
                await trio.sleep(LOOK_S)
        await trio.sleep(dice.uniform(*TRADING_S))
    if process.returncode is not None:
        raise Kill9Failed(f"the engine ended by itself with code {process.returncode}")
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def _last_life(
    environment: dict[str, str], folder: Path, said: dict[str, Any], report: Kill9Report
) -> None:
    """Let an engine find everything, end it in order, and compare it with the exchange."""
    process = await _start(environment)
    await trio.sleep(ENTRY_TTL_S)
    process.send_signal(signal.SIGTERM)
    with trio.move_on_after(STOP_S):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
        report.violations.append(f"L4: the engine did not stop within {STOP_S:g} s")
    journal = _journal(folder)
    if not await trio.Path(journal).exists():
        raise Kill9Failed("no engine lived long enough to begin a journal")
    _check_journal(journal, b"", report)
    # Sales may fill while nobody looks: what the journal has may lag by those alone.
    records = _records(await trio.Path(journal).read_bytes())
    ledger = recover(records).ledger
    started = [each for each in records if each.kind is RecordKind.START]
    installation = next(iter(ledger.orders), "arb-none-0").split("-")[1]
    report.orders, report.fills = len(ledger.orders), ledger.fills_booked
    if len(started) < report.cycles // 2:
        report.violations.append(f"I13: {len(started)} starts in {report.cycles} lives")
    await _compare(ledger, installation, said, report)


async def _compare(
    ledger: Ledger, installation: str, said: dict[str, Any], report: Kill9Report
) -> None:
    signer = load_signer(said["key_id"], Path(said["private_key_path"]))
    async with Http(SocketNetwork()) as http:
        rest = Rest(http, signer, SystemClock(), said["rest"])
        await trio.sleep(LISTS_LAG_S)
        try:
            fills, orders = await rest.fills(0), await rest.open_orders()
        except RestError as error:
            raise Kill9Failed(f"the exchange could not be read: {error}") from error
    true = {fill.trade_id: fill for fill in fills}
    invented = ledger.trade_ids - true.keys()
    if invented:
        report.violations.append(f"I4: {len(invented)} fills were booked that never happened")
    last_ms = max((true[name].at_ms for name in ledger.trade_ids & true.keys()), default=0)
    lost = [name for name, fill in true.items() if name not in ledger.trade_ids]
    missed = [name for name in lost if true[name].at_ms < last_ms]
    if missed:
        report.violations.append(f"I4: {len(missed)} fills were never booked")
    prefix = client_order_prefix(installation)
    # What rests under our name and is no exit of our books is an entry, or nobody's.
    exits = {name for name, order in ledger.orders.items() if not order.is_entry}
    entries = [
        order.client_order_id
        for order in orders
        if (order.client_order_id or "").startswith(prefix) and order.client_order_id not in exits
    ]
    if entries:
        report.violations.append(f"I12: entries rest after the stop: {entries}")


def _check_journal(path: Path, before: bytes, report: Kill9Report) -> bytes:
    """Check that a journal holds all that it held before, whole, and can be gone on with."""
    data = path.read_bytes() if path.exists() else b""
    file = MemoryFile()
    file.write(data)
    try:
        journal = Journal(file, SystemClock())
        records = journal.records()
        recover(records)
    except (JournalDamaged, JournalFailed, NotARecord) as error:
        report.violations.append(f"I13: the journal cannot be recovered: {error}")
        return data
    report.torn += bool(journal.torn_bytes)
    report.records = len(records)
    valid = file.read()
    if not valid.startswith(before):
        report.violations.append("I13: records that had been written are gone")
    return valid


def _records(data: bytes) -> list[Any]:
    file = MemoryFile()
    file.write(data)
    return Journal(file, SystemClock()).records()


def _journal(folder: Path) -> Path:
    found = sorted((folder / "state").rglob("*journal*"))
    files = [path for path in found if path.is_file()]
    return files[0] if files else folder / "no journal"
