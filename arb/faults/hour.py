"""An hour of the simulated world in minutes: real processes, games that end and games that come.

At its end nothing moves any more, and the engine's journal must say what the exchange's own ledger
says, to the last unit, and why every order was sent.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import attrs
import orjson
import trio

from arb.core.ledger import Ledger
from arb.core.orders import TERMINAL
from arb.engine.embedded_world import World, WorldFailed, embedded_world
from arb.engine.world_hand import WorldRefused
from arb.faults.judge_account import account_differences
from arb.faults.kill9 import Kill9Failed, settled_and_stopped, truth_now
from arb.faults.processes import environment, open_files, start_engine
from arb.journal.reading import read_records
from arb.journal.recovery import recover

MINUTES_OF_AN_HOUR = 60.0

# Seconds of the run: the first game begins, the next follow, each lasts, another is listed. In
# three minutes all that were there at first end and are paid, and some that were listed meanwhile.
START_IN_S = 40
STAGGER_S = 12
LENGTH_S = 25
NEW_GAME_EVERY_S = 20.0

# As often as the engine's settings allow, so that what is listed is found at once.
DISCOVERY_MS = "15000"

# A pool of connections may still grow to its ten, and a log begin another file.
FILES_MORE_MAX = 16

ASKED_OF_WHY = 20
WHY_S = 30.0


@attrs.define
class HourReport:
    """What an hour came to."""

    seconds: float = 0.0
    orders: int = 0
    fills: int = 0
    markets_ended: int = 0
    settled: int = 0
    games_added: int = 0
    new_games_traded: int = 0
    cash_e6: int = 0
    fees_e6: int = 0
    realised_e6: int = 0
    explained: int = 0
    open_files: int = 0
    violations: list[str] = attrs.field(factory=list)


async def run_hour(folder: Path, dice: Random, speed: float) -> HourReport:
    """Let an engine trade for an hour of the world's time, and judge it; raises `Kill9Failed`."""
    report = HourReport()
    began_s = trio.current_time()
    options = ["--start-in", str(START_IN_S), "--stagger", str(STAGGER_S)]
    options += ["--length", str(LENGTH_S)]
    seed = dice.randrange(1_000_000)
    try:
        async with embedded_world(seed=seed, speed=speed, options=options) as world:
            surroundings = environment(world, folder)
            surroundings["ARB_ENGINE__DISCOVERY_INTERVAL_MS"] = DISCOVERY_MS
            process = await start_engine(surroundings)
            files: list[int] = []
            added = await _let_pass(world, process, files, MINUTES_OF_AN_HOUR * 60 / speed)
            journal = await settled_and_stopped(process, folder, world, report.violations)
            truth = await truth_now(world)
    except (WorldFailed, WorldRefused) as error:
        raise Kill9Failed(str(error)) from None
    ledger = recover(read_records(journal)).ledger
    judge(ledger, truth, added, report)
    judge_files(files, report)
    await _ask_why(ledger, surroundings, dice, report)
    report.seconds = round(trio.current_time() - began_s, 1)
    return report


async def _let_pass(
    world: World, process: trio.Process, files: list[int], seconds: float
) -> list[str]:
    """List another game now and then, counting open files; return the games' events."""
    added: list[str] = []
    with trio.move_on_after(seconds):
        while True:
            await trio.sleep(NEW_GAME_EVERY_S)
            with trio.CancelScope(shield=True):
                said = await world.hand.ask("new_game")
            added.append(said["listed"])
            count = open_files(process)
            if count is not None:
                files.append(count)
    return added


def judge(ledger: Ledger, truth: Mapping[str, Any], added: list[str], report: HourReport) -> None:
    """Hold a ledger against the exchange's, and note what there was to be judged."""
    report.violations += [f"I5: {each}" for each in account_differences(ledger, truth)]
    report.orders, report.fills = truth["orders"], truth["fills"]
    report.markets_ended, report.settled = truth["ended"], len(truth["settled"])
    report.games_added = len(added)
    tickers = {order.intent.ticker for order in ledger.orders.values()}
    traded = {event for event in added for ticker in tickers if ticker.startswith(f"{event}-")}
    report.new_games_traded = len(traded)
    report.cash_e6 = truth["cash_e6"]
    report.fees_e6 = sum(truth["fees_e6"].values())
    report.realised_e6 = sum(truth["realised_e6"].values())


def judge_files(files: Sequence[int], report: HourReport) -> None:
    """Hold the open files of each moment against those of the first; none where nobody counts."""
    report.open_files = max(files, default=0)
    if files and report.open_files > files[0] + FILES_MORE_MAX:
        report.violations.append(f"I16: open files pile up: {list(files)}")


async def _ask_why(
    ledger: Ledger, surroundings: Mapping[str, str], dice: Random, report: HourReport
) -> None:
    """Have `arb why` explain some orders, picked at random."""
    names = dice.sample(sorted(ledger.orders), min(ASKED_OF_WHY, len(ledger.orders)))
    for name in names:
        wrong = unexplained(ledger, name, await _why(name, surroundings))
        if wrong is None:
            report.explained += 1
        else:
            report.violations.append(f"arb why {name}: {wrong}")


async def _why(name: str, surroundings: Mapping[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "arb", "why", name, "--json", "--mode", "demo"]
    with trio.move_on_after(WHY_S):
        done = await trio.run_process(
            command,
            env=surroundings,
            cwd=surroundings["ARB_ENGINE__STATE_DIR"],
            capture_stdout=True,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        answer: dict[str, Any] = orjson.loads(done.stdout) if not done.returncode else {}
        return answer
    return {}


def unexplained(ledger: Ledger, name: str, answer: Mapping[str, Any]) -> str | None:
    """Say what an answer of `arb why` lacks; None where it explains the order whole.

    An entry needs its decision with its inputs; any order what it was meant to be, every fill, and
    how it ended or that it rests.
    """
    order = ledger.orders[name]
    lives = [each for each in answer.get("orders", ()) if each["id"] == name]
    if len(lives) != 1:
        return f"{len(lives)} lives of it"
    life = lives[0]
    numbers = {row["number"]: row for row in answer["decisions"]}
    decided = numbers.get(life["decision"])
    if order.is_entry and (decided is None or decided["inputs"]["fair"] is None):
        return "no decision that it followed from"
    filled_e2 = sum(step["count_e2"] for step in life["steps"] if step["kind"] == "fill")
    if filled_e2 != order.filled_e2:
        return f"it tells of {filled_e2} that filled, not of {order.filled_e2}"
    ends = count_ends(life["steps"])
    if order.state in TERMINAL and not ends and order.filled_e2 < order.count_e2:
        return f"it does not tell how it ended: {order.why_closed}"
    return None if life["why"] else "it does not tell what it was for"


def count_ends(steps: list[dict[str, Any]]) -> int:
    """Return how many steps tell of an end."""
    return sum(step.get("type") in ("OrderClosed", "OrderRefused") for step in steps)
