"""Real processes, real sockets, real disk: the engine killed with ``kill -9``, again and again.

The exchange lives on in a process of its own, and its own ledger is what is judged by. No run of
this can be repeated, but it sees what the simulation leaves out: the kernel, the loopback network,
the file system, and Python's own end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import attrs
import trio

from arb.core.ledger import Ledger
from arb.engine.embedded_world import World, WorldFailed, embedded_world
from arb.engine.world_hand import WorldRefused
from arb.faults.judge_account import account_differences
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
from arb.journal.frames import JournalDamaged
from arb.journal.records import NotARecord, RecordKind
from arb.journal.recovery import recover
from arb.journal.writer import Journal, JournalFailed, MemoryFile

# How long an engine lives before it is killed: one in four not even to the end of its start.
STARTING_SHARE = 0.25
STARTING_S = (0.1, 2.0)
TRADING_S = (0.0, 3.0)

# What the last engine has to find everything, with prices that still move: an entry lives this
# long at the most when nobody cancels it any more.
ENTRY_TTL_S = 15.0

# Once nothing moves any more: an order without an answer counts for at least 30 s.
SETTLING_S = 90.0
SETTLING_LOOK_S = 0.5


class Kill9Failed(Exception):
    """Nothing could be started or judged; says why in one line."""


@attrs.define
class Kill9Report:
    """What some cycles have shown."""

    cycles: int = 0
    records: int = 0
    torn: int = 0
    orders: int = 0
    fills: int = 0
    violations: list[str] = attrs.field(factory=list)


async def run_cycles(
    cycles: int, folder: Path, dice: Random, tell: Callable[[Kill9Report], None]
) -> Kill9Report:
    """Kill an engine so many times, and judge what it leaves each time; raises `Kill9Failed`."""
    report = Kill9Report()
    try:
        async with embedded_world(seed=dice.randrange(1_000_000), speed=WORLD_SPEED) as world:
            surroundings = environment(world, folder)
            before = b""
            for _ in range(cycles):
                await _one_life(surroundings, folder, dice)
                before = check_journal(journal_path(folder), before, report)
                if not report.violations:
                    check_orders(before, await truth_now(world), report)
                report.cycles += 1
                tell(report)
                if report.violations:
                    return report
            await _last_life(surroundings, folder, world, report)
    except (WorldFailed, WorldRefused) as error:
        raise Kill9Failed(str(error)) from None
    return report


async def truth_now(world: World) -> dict[str, Any]:
    """Return what is true in a world; raises `WorldRefused`."""
    truth: dict[str, Any] = (await world.hand.ask("truth"))["truth"]
    return truth


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
    """Let an engine find everything while nothing moves, end it in order, and judge the account."""
    process = await start_engine(surroundings)
    await trio.sleep(ENTRY_TTL_S)
    journal = await settled_and_stopped(process, folder, world, report.violations)
    data = check_journal(journal, b"", report)
    records = records_of(data)
    ledger, truth = ledger_of(data), await truth_now(world)
    report.violations += [
        f"I5: after the stop: {each}" for each in account_differences(ledger, truth)
    ]
    check_orders(data, truth, report)
    report.orders, report.fills = len(ledger.orders), ledger.fills_booked
    started = sum(each.kind is RecordKind.START for each in records)
    if started < report.cycles // 2:
        report.violations.append(f"I13: {started} starts in {report.cycles} lives")
    entries = entries_resting(ledger, truth)
    if entries:
        report.violations.append(f"I12: entries rest after the stop: {entries}")


async def settled_and_stopped(
    process: trio.Process, folder: Path, world: World, violations: list[str]
) -> Path:
    """Let the world stand still, judge the account, stop the engine, and return its journal."""
    await world.hand.ask("stand_still")
    journal = journal_path(folder)
    if not await trio.Path(journal).exists():
        await kill_engine(process)
        raise Kill9Failed("no engine lived long enough to begin a journal")
    violations += [
        f"I5: before the stop: {each}" for each in await differences_left(world, journal)
    ]
    code = await stop_engine(process)
    if code is None:
        violations.append(f"L4: the engine did not stop within {STOP_S:g} s")
    elif code:
        violations.append(f"L4: the engine stopped with code {code}")
    return journal


async def differences_left(world: World, journal: Path) -> list[str]:
    """Return where journal and exchange still differ when both have had their time to settle."""
    found: list[str] = []
    with trio.move_on_after(SETTLING_S):
        while True:
            truth = await truth_now(world)
            ledger = ledger_of(await trio.Path(journal).read_bytes())
            found = account_differences(ledger, truth)
            if not found:
                break
            await trio.sleep(SETTLING_LOOK_S)
    return found


def entries_resting(ledger: Ledger, truth: dict[str, Any]) -> list[str]:
    """Return the purchases that rest at the exchange."""
    return [
        name
        for name in truth["resting"]
        if name not in ledger.orders or ledger.orders[name].is_entry
    ]


def check_orders(data: bytes, truth: dict[str, Any], report: Kill9Report) -> None:
    """Check that whatever reached the exchange was written before, and once.

    Fills may lag while no engine looks; none may be there that never happened.
    """
    records = records_of(data)
    meant = Counter(each.data["id"] for each in records if each.kind is RecordKind.INTENT)
    placed = Counter(name for name, _ in truth["filled_e2"])
    strange = [name for name in placed if name not in meant]
    twice = [name for name, times in (placed + meant).items() if max(placed[name], meant[name]) > 1]
    booked = Counter(each.data["trade_id"] for each in records if each.kind is RecordKind.FILL)
    for code, wrong, text in (
        ("I2", strange, "were sent and not written"),
        ("I1", twice, "were written or placed twice"),
        ("I4", list(booked.keys() - set(truth["trade_ids"])), "were booked and never happened"),
        ("I4", [name for name, times in booked.items() if times > 1], "were booked twice"),
    ):
        if wrong:
            report.violations.append(f"{code}: {len(wrong)} {text}: {sorted(wrong)[:3]}")


def check_journal(path: Path, before: bytes, report: Kill9Report) -> bytes:
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
