"""Real processes, real sockets, real disk: the engine killed with ``kill -9``, again and again.

No run of this can be repeated, but it sees what the simulation leaves out: the kernel, the
loopback network, the file system, and Python's own end.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import attrs
import trio

from arb.core.ledger import Ledger
from arb.core.risk import client_order_prefix
from arb.engine.embedded_world import World, embedded_world
from arb.faults.processes import (
    STOP_S,
    WORLD_SPEED,
    environment,
    journal_path,
    journal_size,
    kill_engine,
    ledger_of,
    records_of,
    start_engine,
    stop_engine,
    until_journal_grows,
)
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

# How long an engine lives before it is killed: one in four not even to the end of its start.
STARTING_SHARE = 0.25
STARTING_S = (0.1, 2.0)
TRADING_S = (0.0, 3.0)

# The exchange's list of orders shows one for some 400 ms after it was cancelled.
LISTS_LAG_S = 0.6

# What an entry lives at the most when nobody cancels it any more.
ENTRY_TTL_S = 15.0


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
    async with embedded_world(seed=dice.randrange(1_000_000), speed=WORLD_SPEED) as world:
        surroundings = environment(world, folder)
        before = b""
        for _ in range(cycles):
            await _one_life(surroundings, folder, dice)
            before = _check_journal(journal_path(folder), before, report)
            report.cycles += 1
            tell(report)
        await _last_life(surroundings, folder, world, report)
    return report


async def _one_life(surroundings: dict[str, str], folder: Path, dice: Random) -> None:
    size = await journal_size(folder)
    process = await start_engine(surroundings)
    # Some are killed while they start; the others once they have written something.
    if dice.random() < STARTING_SHARE:
        await trio.sleep(dice.uniform(*STARTING_S))
    else:
        await until_journal_grows(process, folder, size)
        await trio.sleep(dice.uniform(*TRADING_S))
    if process.returncode is not None:
        raise Kill9Failed(f"the engine ended by itself with code {process.returncode}")
    await kill_engine(process)


async def _last_life(
    surroundings: dict[str, str], folder: Path, world: World, report: Kill9Report
) -> None:
    """Let an engine find everything, end it in order, and compare it with the exchange."""
    process = await start_engine(surroundings)
    await trio.sleep(ENTRY_TTL_S)
    if await stop_engine(process) is None:
        report.violations.append(f"L4: the engine did not stop within {STOP_S:g} s")
    journal = journal_path(folder)
    if not await trio.Path(journal).exists():
        raise Kill9Failed("no engine lived long enough to begin a journal")
    _check_journal(journal, b"", report)
    # Sales may fill while nobody looks: what the journal has may lag by those alone.
    data = await trio.Path(journal).read_bytes()
    ledger = ledger_of(data)
    started = [each for each in records_of(data) if each.kind is RecordKind.START]
    installation = next(iter(ledger.orders), "arb-none-0").split("-")[1]
    report.orders, report.fills = len(ledger.orders), ledger.fills_booked
    if len(started) < report.cycles // 2:
        report.violations.append(f"I13: {len(started)} starts in {report.cycles} lives")
    await _compare(ledger, installation, world, report)


async def _compare(ledger: Ledger, installation: str, world: World, report: Kill9Report) -> None:
    signer = load_signer(world.key_id, world.private_key_path)
    async with Http(SocketNetwork()) as http:
        rest = Rest(http, signer, SystemClock(), world.rest_url)
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
