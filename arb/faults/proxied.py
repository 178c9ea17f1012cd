"""Real processes and a faulty proxy between them: what the simulation's memory streams leave out.

The engine, in demo mode, reaches a simulated world through two proxies on loopback, which disturb
its bytes by a plan drawn from a seed; its process is stopped and continued. Then everything heals,
the engine must find back and end in order, and the exchange's own ledger is compared with the
journal. The plan repeats, the kernel and the moments of two processes do not.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import IO, Any
from urllib.parse import urlsplit

import attrs
import orjson
import trio

from arb.console.ask import NoAnswer, ask
from arb.core.ledger import Ledger
from arb.engine.embedded_world import World, embedded_world
from arb.faults.disturbances import Disturbance, Line, ProxyPlan, Trouble
from arb.faults.processes import (
    LOOK_S,
    PROVIDER,
    START_S,
    STATE,
    STOP_S,
    WORLD_SPEED,
    environment,
    journal_path,
    kill_engine,
    ledger_of,
    start_engine,
    stop_engine,
    until_journal_grows,
)
from arb.faults.tcp_proxy import TcpProxy
from arb.io.rendezvous import find_engines
from arb.journal.frames import JournalDamaged
from arb.journal.records import NotARecord
from arb.journal.writer import JournalFailed

# The engine reads its account each 30 s and after each lost connection, and waits for up to a
# minute before it tries again what was refused.
CONVERGE_S = 75.0
ASK_EVERY_S = 0.25
ASK_TIMEOUT_S = 3.0
# So often in a row it must say that all is well.
WELL_TIMES = 4

# What happened just before the world stands still is told at once, on a slow machine within this.
HEARD_S = 5.0

# Whatever hangs, a run ends; the engine ends itself then, even if this process is gone.
MARGIN_S = 30.0


# Where what the engine says goes.
SAID = "report.json"
LOG = "stderr.log"
# So much of it is shown where a rule was violated.
TAIL_LINES = 30


class ProxyFailed(Exception):
    """A run could not be made; says why in one line."""


@attrs.define
class ProxyReport:
    """What one run has shown."""

    orders: int = 0
    fills: int = 0
    connections: int = 0
    resets: int = 0
    corrupted: int = 0
    stops: int = 0
    halts: int = 0
    converged_s: float | None = None
    violations: list[str] = attrs.field(factory=list)

    def check(self, rule: str, holds: bool, text: str) -> None:  # noqa: FBT001
        """Note a violation unless something holds."""
        if not holds:
            self.violations.append(f"{rule}: {text}")


@attrs.define(eq=False)
class _Run:
    """One run: its proxies, its engine, what it has shown."""

    plan: ProxyPlan
    folder: Path
    proxies: dict[Line, TcpProxy]
    tell: Callable[[str], None]
    engine: trio.Process
    report: ProxyReport = attrs.field(factory=ProxyReport)

    async def disturb(self) -> None:
        """Do what the plan says, each at its time."""
        began_s = trio.current_time()
        async with trio.open_nursery() as nursery:
            for each in self.plan.disturbances:
                nursery.start_soon(self._disturb, each, began_s)
            await trio.sleep(self.plan.seconds)

    async def _disturb(self, each: Disturbance, began_s: float) -> None:
        await trio.sleep_until(began_s + each.at_s)
        if self.engine.returncode is not None:
            return
        self.tell(str(each))
        proxy = self.proxies[each.line]
        match each.trouble:
            case Trouble.STOP:
                self.report.stops += 1
                self.engine.send_signal(signal.SIGSTOP)
                await trio.sleep(each.for_s)
                self.engine.send_signal(signal.SIGCONT)
            case Trouble.RESET:
                proxy.reset(each.share)
            case Trouble.HALF_CLOSE:
                proxy.half_close(each.share)
            case Trouble.CORRUPT:
                proxy.corrupt(each.share)
            case _:
                _set(proxy, each)
                await trio.sleep(each.for_s)
                proxy.heal()

    async def converge(self) -> None:
        """Wait until the engine says that it trades, with every connection up."""
        began_s = trio.current_time()
        well, last = 0, "it does not answer"
        with trio.move_on_after(CONVERGE_S):
            while well < WELL_TIMES and self.engine.returncode is None:
                why, last = last, await self._why_not()
                if last and last != why:
                    self.tell(f"not yet: {last}")
                well = 0 if last else well + 1
                await trio.sleep(ASK_EVERY_S)
        if well == WELL_TIMES:
            self.report.converged_s = round(trio.current_time() - began_s, 1)
        else:
            self.report.violations.append(f"L3: not trading again {CONVERGE_S:g} s later: {last}")

    async def _why_not(self) -> str:
        """Return in one line why the engine does not trade; nothing where it does."""
        picture = (await self._ask("status")).get("snapshot")
        if not isinstance(picture, dict):
            return "it does not answer"
        trading = picture["trading"]
        if trading["state"] == "halted":
            # As a person would who sees that everything is healed.
            self.report.halts += 1
            await self._ask("clear", reason="everything is healed")
        down = [each["name"] for each in picture["connections"] if not each["connected"]]
        if trading["state"] == "running" and not down:
            return ""
        return f"{trading['state']}: {'; '.join([*trading['reasons'], *down])}"

    async def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        engines = await trio.to_thread.run_sync(find_engines, self.folder / STATE, "demo")
        if not engines:
            return {}
        question = partial(ask, engines[0].socket_path, verb, timeout_s=ASK_TIMEOUT_S, **arguments)
        try:
            return await trio.to_thread.run_sync(question)
        except NoAnswer:
            return {}


async def run_proxied(plan: ProxyPlan, folder: Path, tell: Callable[[str], None]) -> ProxyReport:
    """Do what a plan says to an engine, and judge it; raises `ProxyFailed`, `WorldFailed`."""
    with trio.move_on_after(_bound_s(plan)):
        async with embedded_world(seed=plan.seed, speed=WORLD_SPEED) as world:
            return await _in_world(plan, folder, world, tell)
    raise ProxyFailed(f"it took longer than {_bound_s(plan):g} s and was given up")


async def _in_world(
    plan: ProxyPlan, folder: Path, world: World, tell: Callable[[str], None]
) -> ProxyReport:
    dice = Random(f"{plan.seed}/luck")
    proxies = {
        Line.EXCHANGE: TcpProxy(_port(world.rest_url), dice),
        Line.ODDS: TcpProxy(_port(world.odds[PROVIDER].rest_url), dice),
    }
    said, log = folder / SAID, folder / LOG
    async with trio.open_nursery() as nursery:
        for proxy in proxies.values():
            await nursery.start(proxy.serve)
        surroundings = environment(
            world,
            folder,
            exchange_port=proxies[Line.EXCHANGE].port,
            odds_port=proxies[Line.ODDS].port,
        )
        with said.open("wb") as said_to, log.open("wb") as log_to:
            engine = await _started(surroundings, plan, said_to, log_to)
        run = _Run(plan, folder, proxies, tell, engine)
        try:
            await _live(run, world)
        finally:
            with trio.move_on_after(STOP_S, shield=True):
                await kill_engine(engine)
        nursery.cancel_scope.cancel()
    report = run.report
    _count(report, proxies)
    words = log.read_text(errors="replace")
    judge_words(report, words, said.read_bytes())
    if report.violations:
        for line in words.splitlines()[-TAIL_LINES:]:
            tell(line)
    return report


async def _started(
    surroundings: dict[str, str], plan: ProxyPlan, said: IO[bytes], log: IO[bytes]
) -> trio.Process:
    # Should this process be killed, the engine must not live on for ever.
    bound = str(_bound_s(plan))
    return await start_engine(surroundings, "--seconds", bound, said=said, log=log)


async def _live(run: _Run, world: World) -> None:
    """Let the engine start, disturb it, heal, end it, and compare the books."""
    await until_journal_grows(run.engine, run.folder, 0)
    if run.engine.returncode is not None:
        said = await trio.Path(run.folder / LOG).read_text(errors="replace")
        raise ProxyFailed(f"the engine did not start: {_last_line(said)}")
    await run.disturb()
    run.tell("everything is healed")
    await run.converge()
    await world.hand.ask("stand_still")
    await _until_heard(run, world)
    code = await stop_engine(run.engine)
    run.report.check("L4", code is not None, f"the engine did not stop within {STOP_S:g} s")
    run.report.check("L4", code in (0, None), f"the engine ended with code {code}")
    ledger = (await world.hand.ask("ledger"))["ledger"]
    try:
        judge_books(run.report, await _books(run), ledger)
    except (OSError, JournalDamaged, JournalFailed, NotARecord) as error:
        run.report.violations.append(f"I13: the journal cannot be recovered: {error}")


async def _until_heard(run: _Run, world: World) -> None:
    """Wait until the journal has every fill, and no longer: entries that rest are to be seen."""
    fills = set((await world.hand.ask("ledger"))["ledger"]["fills"])
    with trio.move_on_after(HEARD_S):
        while run.engine.returncode is None:
            # A journal that cannot be read is judged at the end.
            with suppress(OSError, JournalDamaged, JournalFailed, NotARecord):
                if fills <= (await _books(run)).trade_ids:
                    return
            await trio.sleep(LOOK_S)


async def _books(run: _Run) -> Ledger:
    return ledger_of(await trio.Path(journal_path(run.folder)).read_bytes())


def judge_books(report: ProxyReport, books: Ledger, true: dict[str, Any]) -> None:
    """Compare the journal's books with the exchange's ledger, as both are at rest."""
    names = [order["client_order_id"] for order in true["orders"]]
    report.orders, report.fills = len(names), len(true["fills"])
    twice = sorted({name for name in names if names.count(name) > 1})
    report.check("I1", not twice, f"ids were used twice: {twice}")
    unknown = sorted(set(names) - books.orders.keys())
    report.check("I2", not unknown, f"orders that no record tells of: {unknown}")
    fills = set(true["fills"])
    lost, invented = len(fills - books.trade_ids), len(books.trade_ids - fills)
    report.check("I4", not lost, f"{lost} fills were never booked")
    report.check("I4", not invented, f"{invented} fills were booked that never happened")
    held = {t: p.count_e2 for t, p in books.positions.items() if p.count_e2}
    text = f"positions {held}, the exchange has {true['positions']}"
    report.check("I5", held == true["positions"], text)
    text = f"cash {books.cash_e6}, the exchange has {true['cash_e6']}"
    report.check("I5", books.cash_e6 == true["cash_e6"], text)
    _judge_resting(report, books, true)


def _judge_resting(report: ProxyReport, books: Ledger, true: dict[str, Any]) -> None:
    """Nothing may rest after a stop but exits that the journal knows, of what is held."""
    resting = [order for order in true["orders"] if order["rests"]]
    held = true["positions"]
    exits = [order for order in resting if _lessens(order, held)]
    entries = [order["client_order_id"] for order in resting if order not in exits]
    report.check("I12", not entries, f"entries rest after the stop: {entries}")
    names = {order["client_order_id"] for order in exits}
    known = {order.client_order_id for order in books.all_at_stake() if order.is_open}
    text = f"exits {sorted(names)} rest, the journal owns {sorted(known)}"
    report.check("I12", names == known, text)
    for ticker in {order["ticker"] for order in exits}:
        offered = sum(order["remaining_e2"] for order in exits if order["ticker"] == ticker)
        count = abs(held[ticker])
        report.check("I3", offered <= count, f"{ticker}: {offered} are on sale, {count} are held")


def _lessens(order: dict[str, Any], held: dict[str, int]) -> bool:
    """Return whether an order sells what is held: YES is sold by an ask, NO by a bid for YES."""
    count_e2: int = held.get(order["ticker"], 0)
    return count_e2 < 0 if order["side"] == "bid" else count_e2 > 0


def judge_words(report: ProxyReport, log: str, said: bytes) -> None:
    """Judge what the engine said of itself."""
    report.check("L4", "Traceback" not in log, f"a traceback on stderr: {_last_line(log)}")
    try:
        words = orjson.loads(said)
    except orjson.JSONDecodeError:
        report.violations.append("L4: the engine ended without its report")
        return
    violated, resting = words["invariant_violations"], words["entries_resting_at_stop"]
    report.check("I14", violated == 0, f"the engine itself found {violated} violations")
    report.check("I12", not resting, f"the engine left {resting} entries behind")


def _set(proxy: TcpProxy, each: Disturbance) -> None:
    faults = proxy.faults
    faults.share = each.share
    match each.trouble:
        case Trouble.DELAY:
            faults.delay_s = each.strength
        case Trouble.THROTTLE:
            faults.bytes_per_s = each.strength
        case Trouble.SLICE:
            faults.slice_bytes = round(each.strength)
        case Trouble.HOLE:
            faults.hole = True
        case _:
            faults.refuse = True


def _count(report: ProxyReport, proxies: dict[Line, TcpProxy]) -> None:
    for proxy in proxies.values():
        report.connections += proxy.counts.connections
        report.resets += proxy.counts.resets
        report.corrupted += proxy.counts.corrupted


def _bound_s(plan: ProxyPlan) -> float:
    return plan.seconds + START_S + CONVERGE_S + HEARD_S + STOP_S + MARGIN_S


def _port(url: str) -> int:
    port = urlsplit(url).port
    if port is None:
        raise ProxyFailed(f"{url} has no port")
    return port


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else "nothing was said"
