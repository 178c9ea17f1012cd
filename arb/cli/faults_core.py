"""``arb faults core``: random histories of the core alone, hundreds a second."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from arb.cli.common import Json, beside_json, print_json
from arb.cli.errors import EXIT_FAILED, UsageError
from arb.faults.core_campaign import CoreSummary, run_core
from arb.faults.core_checks import HistoryWrong
from arb.faults.core_history import CoreHistory, rolled
from arb.faults.revision import revision
from arb.io.clock import NS_PER_S, SystemClock

# How often it is said how far a campaign is, in seeds.
TELL_EVERY = 20_000


def core(
    *,
    seeds: Annotated[int | None, Parameter(help="How many histories.")] = None,
    seed: Annotated[int | None, Parameter(help="One history, printed step by step.")] = None,
    first: Annotated[int, Parameter(help="The first seed.")] = 1,
    jobs: Annotated[int, Parameter(help="How many processes.")] = 1,
    json: Json = False,
) -> int:
    """Play random histories of the core alone. Example: arb faults core --seeds 20000 --jobs 2."""
    if (seeds is None) == (seed is None):
        raise UsageError("say either --seeds, how many histories, or --seed, which one")
    if seed is not None:
        return _one(seed)
    if (seeds or 0) < 1 or jobs < 1:
        raise UsageError("at least one seed, and at least one job")
    out = beside_json(json=json)
    out.write(f"histories {first} to {first + (seeds or 0) - 1} of the core, arb {revision()}\n")
    out.flush()
    clock = SystemClock()
    summary = run_core(
        first,
        seeds or 0,
        jobs,
        now_s=lambda: clock.monotonic_ns() / NS_PER_S,
        tell=lambda so_far: _progress(so_far, seeds or 0),
    )
    _sum_up(summary, json=json)
    return 0 if summary.good else EXIT_FAILED


def _one(seed: int) -> int:
    _show(f"history {seed} of the core, arb {revision()}")
    history = CoreHistory()
    try:
        for number, (what, which, luck) in enumerate(rolled(seed), start=1):
            _show(f"{number:4} {what.replace('_', ' ')} {which} {luck}")
            history.step(what, which, luck)
        history.heal()
    except HistoryWrong as error:
        _show(f"violated: {error}")
        _show(f"arb faults core --seed {seed}")
        return EXIT_FAILED
    _show("every rule held")
    return 0


def _progress(summary: CoreSummary, seeds: int) -> None:
    if summary.seeds % TELL_EVERY and summary.seeds != seeds:
        return
    rate = summary.seeds / summary.seconds if summary.seconds else 0.0
    text = f"{summary.seeds}/{seeds} histories, {rate:.0f} a second"
    sys.stderr.write(f"{text}, {summary.violations} violations\n")
    sys.stderr.flush()


def _sum_up(summary: CoreSummary, *, json: bool) -> None:
    if json:
        print_json(summary.document())
        return
    for name, times in sorted(summary.sometimes.items()):
        _show(f"{times:8} × {name}")
    for name in summary.missing:
        _show(f"   never: {name}")
    for seed, why in summary.failed:
        _show(f"seed {seed}: {why}")
    _show(f"{summary.violations} violations in {summary.seeds} histories")
    for seed, _why in summary.failed[:1]:
        _show(f"arb faults core --seed {seed}")


def _show(line: str) -> None:
    print(line)
