"""Runs a soak as the command line asks and prints what came of it as one JSON line."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import orjson
import trio

from arb.io.groups import innermost
from tools.soaking.soak import MIB, Outcome, Plan, faults_found, growth, soak

MINUTES_MAX = 24 * 60
RATE_MAX = 20_000.0


def main(arguments: Sequence[str]) -> int:
    """Soak as the arguments say; returns 1 where something was wrong, 130 after Ctrl-C."""
    plan = plan_of(arguments)
    began_s = time.monotonic()
    outcome: Outcome | None = None
    code = 1
    try:
        outcome = trio.run(soak, plan)
    except* KeyboardInterrupt:
        code = 130
    except* Exception as group:  # noqa: BLE001 - whatever it was, one line says it
        print(f"soak failed: {innermost(group)}", file=sys.stderr)
    if outcome is None:
        return code
    found = faults_found(plan, outcome)
    print(report(plan, outcome, found, time.monotonic() - began_s))
    for each in found:
        print(f"wrong: {each}", file=sys.stderr)
    return 1 if found else 0


def report(plan: Plan, outcome: Outcome, found: Sequence[str], seconds: float) -> str:
    """Return one JSON line with the figures."""
    warm, end = growth(outcome)
    content: dict[str, Any] = {
        "ok": not found,
        "wrong": list(found)[:10],
        "seconds": round(seconds, 1),
        "book_messages": sum(outcome.per_s),
        "per_s_wanted": plan.rate_per_s,
        "per_s_median": median(outcome.per_s),
        "faults": dict(outcome.faults),
        "bad_input": outcome.bad_input,
        "orders": outcome.orders,
        "fills": outcome.fills,
        "levels_compared": outcome.levels,
        "books_equal": not outcome.book_differences,
        "ledger_equal": not outcome.ledger_differences,
        "settled_s": round(outcome.settled_s, 1),
        "state": outcome.state,
        "log": dict(outcome.log),
        "memory_warm_mib": round(warm / MIB, 1),
        "memory_end_mib": round(end / MIB, 1),
    }
    return orjson.dumps(content).decode()


def plan_of(arguments: Sequence[str]) -> Plan:
    """Return what the arguments ask for."""
    parser = argparse.ArgumentParser(
        prog="tools/soak",
        description="Runs the engine against a busy world that breaks five times a minute.",
        epilog="example: tools/soak --minutes 10 --rate 2000",
    )
    parser.add_argument("--minutes", type=int, default=10, help="each with every fault once")
    parser.add_argument("--rate", type=float, default=2_000.0, help="book messages a second")
    parser.add_argument("--games", type=int, default=8, help="how many games, of two markets each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--period", type=float, default=60.0, help="seconds of one minute")
    options = parser.parse_args(arguments)
    if not 0 < options.minutes <= MINUTES_MAX:
        parser.error(f"--minutes {options.minutes} must be between 1 and {MINUTES_MAX}")
    if not 0 < options.rate <= RATE_MAX:
        parser.error(f"--rate {options.rate:g} must be above 0 and at most {RATE_MAX:g}")
    return Plan(
        periods=options.minutes,
        period_s=options.period,
        rate_per_s=options.rate,
        games=options.games,
        seed=options.seed,
    )
