"""The journal: from a wish to an order's bytes, what an append holds the loop up, and a start.

The wish goes to the risk manager of a whole engine, as a market's does: reviewed, approved, written
to a journal on a real file, made into a request and handed to a lane. Appends are measured with
the same engine at work beside them, its book messages and its journal keeper, which syncs from a
thread; a journal's disk is the one that temporary files lie on.
"""

from __future__ import annotations

import gc
import random
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import trio

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.events import Fill, Liquidity, OrderAccepted, OrderClosed, Side
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.engine.journal_keeper import SYNC_EVERY_S
from arb.engine.names import RISK
from arb.io.clock import SystemClock
from arb.journal.frames import frame
from arb.journal.records import (
    FORMAT,
    NO_RECORD_BEFORE,
    Record,
    RecordKind,
    encode,
    fill_data,
    intent_data,
    link_of,
    report_data,
)
from arb.journal.snapshot import SNAPSHOT_AFTER, DiskSnapshot, snapshot_path
from arb.journal.writer import DiskFile, Journal, MemoryFile
from tools.benchmarks.engine import Rig, open_rig
from tools.benchmarks.figures import (
    NS_PER_S,
    NS_PER_US,
    BenchmarkFailed,
    Figure,
    latencies,
    quantile,
    single,
)
from tools.benchmarks.path import ORDER_TIMEOUT_S, PAUSE_MAX_S, PAUSE_MIN_S, WARM_UP, load_books
from tools.benchmarks.waiting import until
from tools.benchmarks.world import FAVOURITE_ASK_E4

TOPIC = "journal"

WISH_TARGETS_US = {"p50": 25.0}
STALL_TARGETS_US = {"p99.99": 1_000.0}
RECOVERY_TARGET_S = 1.0
TAIL = {"p99": 0.99, "p99.9": 0.999, "p99.99": 0.9999}

# What an order that fills leaves in the journal: meant, taken, filled, over.
RECORDS_AN_ORDER = 4


@attrs.frozen
class Plan:
    """How much to measure; an hour of a busy day's trading has some 20,000 records."""

    markets: int = 200
    wishes: int = 2_000
    appends: int = 20_000
    append_every_s: float = 0.001
    load_per_s: int = 2_000
    records: int = 100_000


QUICK = Plan(wishes=500, appends=4_000)


def run(plan: Plan) -> list[Figure]:
    """Measure wishes, appends and recoveries."""
    return [*trio.run(_at_work, plan), *_recoveries(plan.records)]


async def _at_work(plan: Plan) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_rig(plan.markets, Path(folder)) as rig:
            rng = random.Random(0)
            await _wishes(rig, max(1, int(plan.wishes * WARM_UP)), rng)
            gc.collect()
            gc.freeze()
            try:
                wishes = await _wishes(rig, plan.wishes, rng)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(load_books, rig, plan.load_per_s)
                    appends, without = await _appends(rig.parts.journal, plan)
                    nursery.cancel_scope.cancel()
            finally:
                gc.unfreeze()
    what = f"append, {plan.load_per_s:,} book messages/s, a sync each {SYNC_EVERY_S:g} s"
    return [
        latencies(TOPIC, "wish → approved → journal → request", wishes, WISH_TARGETS_US),
        latencies(TOPIC, what, appends),
        _tail("the same, its tail", appends, STALL_TARGETS_US),
        _tail("the same without a file, its tail", without, {}),
    ]


def _tail(what: str, took_ns: list[int], targets_us: Mapping[str, float]) -> Figure:
    values = {name: quantile(took_ns, share) / NS_PER_US for name, share in TAIL.items()}
    return Figure(TOPIC, what, "µs", values, targets_us)


async def _wishes(rig: Rig, wishes: int, rng: random.Random) -> list[int]:
    """Tell risk wishes one by one, and return how long each took to become an order."""
    took_ns = []
    risk = rig.system.address(RISK)
    # The last favourite is no market in which a position is held.
    listing = rig.parts.listing(rig.world.favourites[-1])
    if listing is None:
        raise BenchmarkFailed("the market of the wishes is not listed")
    for _ in range(wishes):
        await trio.sleep(rng.uniform(PAUSE_MIN_S, PAUSE_MAX_S))
        rig.sink.handed_ns.clear()
        wish = _wish(listing.ticker, listing.game.game_id, time.perf_counter_ns())
        began_ns = time.perf_counter_ns()
        risk.tell(wish)
        with trio.move_on_after(ORDER_TIMEOUT_S):
            await until(lambda: bool(rig.sink.handed_ns) and not rig.sink.unanswered)
        if len(rig.sink.handed_ns) != 1:
            raise BenchmarkFailed(f"no order of a wish; refusals: {dict(rig.parts.board.refusals)}")
        took_ns.append(rig.sink.handed_ns[0] - began_ns)
    return took_ns


def _wish(ticker: str, game_id: str, now_ns: int) -> OrderIntent:
    return OrderIntent(
        ticker=ticker,
        game_id=game_id,
        purpose=Purpose.ENTRY,
        side=Side.BID,
        price_e4=PriceE4(FAVOURITE_ASK_E4),
        count_e2=CountE2(100),
        liquidity=Liquidity.TAKER,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        post_only=False,
        trigger_ns=now_ns,
        fair=0.7,
    )


async def _appends(journal: Journal, plan: Plan) -> tuple[list[int], list[int]]:
    """Append records of the usual kind at a steady pace, and return how long each took.

    In turns with a journal in memory: what is slow there as well is the machine's other work.
    """
    took_ns: tuple[list[int], list[int]] = ([], [])
    turns = list(zip((journal, Journal(MemoryFile(), SystemClock())), took_ns, strict=True))
    data = intent_data("arb-bench-00000000", _wish("KXBENCH", "g", 0))
    for _ in range(plan.appends):
        await trio.sleep(plan.append_every_s)
        turns.reverse()
        for each, took in turns:
            began_ns = time.perf_counter_ns()
            # Of a kind that nobody recovers anything from.
            each.append(RecordKind.GROUP, data)
            took.append(time.perf_counter_ns() - began_ns)
    return took_ns


def _recoveries(records: int) -> list[Figure]:
    """Measure a start with a journal of so many records, without a snapshot and with one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        path.write_bytes(_journal_of(records))
        alone_s = _recovered_s(path)
        _recovered_s(path, keeps=True)
        snapshot_s = _recovered_s(path)
        restart_s = _restarted_s(path)
    what = f"recovery of {records:,} records"
    return [
        single(TOPIC, what, "s", alone_s, RECOVERY_TARGET_S),
        single(TOPIC, f"{what}, with a snapshot", "s", snapshot_s, RECOVERY_TARGET_S),
        single(TOPIC, f"{what}, in a restart within the process", "s", restart_s),
    ]


def _recovered_s(path: Path, *, keeps: bool = False) -> float:
    gc.collect()
    began_ns = time.perf_counter_ns()
    snapshots = DiskSnapshot(snapshot_path(path))
    journal = Journal(DiskFile(path), SystemClock(), snapshots=snapshots)
    journal.known(keep_after=SNAPSHOT_AFTER if keeps else None)
    took_ns = time.perf_counter_ns() - began_ns
    journal.close()
    if journal.snapshot_trouble is not None:
        raise BenchmarkFailed(journal.snapshot_trouble)
    return took_ns / NS_PER_S


def _restarted_s(path: Path) -> float:
    """Measure what a risk manager that is restarted waits for its state."""
    with closing(Journal(DiskFile(path), SystemClock())) as journal:
        journal.known()
        gc.collect()
        began_ns = time.perf_counter_ns()
        journal.recover()
        return (time.perf_counter_ns() - began_ns) / NS_PER_S


def _journal_of(records: int) -> bytes:
    """Return a journal of orders that were all filled, some hundreds a market."""
    written = bytearray()
    link = NO_RECORD_BEFORE

    def write(number: int, kind: RecordKind, data: dict[str, Any]) -> None:
        nonlocal link
        payload = encode(Record(number, kind, number, data, link))
        written.extend(frame(payload))
        link = link_of(payload)

    write(1, RecordKind.START, {"version": "bench", "mode": "sim", "format": FORMAT})
    for number in range(2, records + 1, RECORDS_AN_ORDER):
        wish = _wish(f"KXBENCH-{number % 200}", "g", number)
        name, order_id = f"arb-bench-{number:08x}", f"order-{number:032x}"
        none, all_e2 = CountE2(0), wish.count_e2
        fill = Fill(
            f"trade-{number:032x}",
            order_id,
            name,
            wish.ticker,
            wish.side if number % 8 < RECORDS_AN_ORDER else wish.side.other,
            wish.price_e4,
            all_e2,
            MoneyE6(1_000),
            wish.liquidity,
            number,
        )
        entries = (
            (RecordKind.INTENT, intent_data(name, wish)),
            (RecordKind.REPORT, report_data(OrderAccepted(name, order_id, none, all_e2))),
            (RecordKind.FILL, fill_data(fill)),
            (RecordKind.REPORT, report_data(OrderClosed(name, all_e2, "filled"))),
        )
        for offset, (kind, data) in enumerate(entries):
            write(number + offset, kind, data)
    return bytes(written)
