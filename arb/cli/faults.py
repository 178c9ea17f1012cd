"""``arb faults``: the whole engine under every fault, in simulations that can be repeated."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from arb.cli import faults_by_hand, faults_proxy
from arb.cli.common import Json, beside_json, print_json
from arb.cli.errors import EXIT_FAILED, CommandFailed, UsageError
from arb.cli.faults_core import core
from arb.cli.faults_day import day
from arb.cli.faults_hour import hour
from arb.cli.faults_kill9 import kill9
from arb.cli.faults_replay import replay
from arb.cli.faults_said import (
    Faults,
    First,
    Only,
    Seed,
    cells_asked_for,
    plan_asked_for,
    repeating,
    show,
    tell_outcome,
    tell_plan,
)
from arb.cli.steer import engine_root
from arb.faults.campaign import Summary, run_campaign
from arb.faults.catalogue import cells
from arb.faults.determinism import OtherProcessFailed, digests, unequal
from arb.faults.matrix import CellResult, grid, replaced, run_cell
from arb.faults.plan import plan_of
from arb.faults.revision import revision
from arb.faults.seeds import OldFailure, add_seed
from arb.faults.session import Outcome, simulate
from arb.faults.shrink import DoesNotFail
from arb.faults.shrink import shrink as shrink_plan
from arb.io.clock import NS_PER_S, SystemClock

# How often a campaign says how far it is, in seeds.
TELL_EVERY = 50

app = App(name="faults", help_format="plaintext")
app.command(hour)
app.command(day)
faults_by_hand.add_to(app)
faults_proxy.add_to(app)
app.command(core)
app.command(kill9)
app.command(replay)


@app.command
def run(
    *,
    seed: Seed,
    only: Only = (),
    faults: Faults = None,
    trace: Annotated[bool, Parameter(negative="", help="Print every event.")] = False,
    until: Annotated[int | None, Parameter(help="Stop after the event of this number.")] = None,
    json: Json = False,
) -> int:
    """Run one seed. Example: arb faults run --seed 7 --trace."""
    plan = plan_asked_for(seed, only, faults)
    if until is not None and until < 1:
        raise UsageError(f"--until {until} is no event: the first is 1")
    if not json:
        tell_plan(plan)
    outcome = simulate(plan, on_line=show if trace and not json else None, until=until)
    stopped = outcome.events == until
    if json:
        print_json({**_document(outcome), "stopped": stopped})
    else:
        tell_outcome(outcome, plan, tail=not trace, stopped=stopped)
    return EXIT_FAILED if outcome.failed else 0


@app.command
def campaign(
    *,
    seeds: Annotated[int, Parameter(help="How many seeds.")],
    first: First = 1,
    jobs: Annotated[int, Parameter(help="How many processes.")] = 1,
    resume: Annotated[
        bool, Parameter(negative="", help="Go on where one of this commit stopped.")
    ] = False,
    stop: Annotated[bool, Parameter(negative="", help="Stop at the first failure.")] = False,
    add_to: Annotated[
        Path | None, Parameter(help="Add failing seeds to this file, as tests/seeds.txt.")
    ] = None,
    json: Json = False,
) -> int:
    """Run many seeds. Example: arb faults campaign --seeds 1000 --jobs 2 --json."""
    _check_counts(seeds, jobs)
    code = revision()
    path = engine_root() / "faults" / f"campaign-{_file_name(code)}-{first}.json"
    summary = _resumed(path, first) if resume else Summary.begun(first)
    sys.stderr.write(f"seeds {summary.next_seed} to {first + seeds - 1}, arb {code}\n")
    clock = SystemClock()

    def tell(outcome: Outcome, so_far: Summary) -> bool:
        if outcome.failed:
            _tell_failure(outcome, json=json)
            if add_to is not None:
                add_seed(add_to, _old_failure(outcome))
        if so_far.seeds % TELL_EVERY == 0:
            _progress(so_far, seeds)
        return not (stop and outcome.failed)

    summary = run_campaign(
        summary,
        first + seeds,
        jobs,
        tell=tell,
        now_s=lambda: clock.monotonic_ns() / NS_PER_S,
        keep=path,
    )
    _sum_up(summary, json=json)
    return 0 if summary.good else EXIT_FAILED


@app.command
def matrix(
    *,
    seeds: Annotated[int, Parameter(help="How many seeds a cell, at least.")] = 2,
    first: First = 1,
    only: Only = (),
    write: Annotated[Path | None, Parameter(help="Write the grid into this document.")] = None,
) -> int:
    """Run every cell of the table of faults alone. Example: arb faults matrix --only disk."""
    _check_counts(seeds, 1)
    wanted = cells_asked_for(only) if only else frozenset(cells())
    show(f"{len(wanted)} cells, {seeds} seeds each, arb {revision()}")
    results: list[CellResult] = []
    for cell in cells():
        if cell in wanted:
            results.append(run_cell(cell, range(first, first + seeds)))
            _tell_cell(results[-1])
    lines = list(grid(results))
    for line in lines:
        show(line)
    if write is not None:
        try:
            write.write_text(replaced(write.read_text(), lines))
        except (OSError, ValueError) as error:
            raise CommandFailed(f"{write}: {error}") from None
    bad = [result for result in results if result.failed]
    idle = sum(1 for result in results if not result.strikes)
    show(f"{len(results) - len(bad)} of {len(results)} cells hold, {idle} met nothing")
    for result in bad[:1]:
        show(repeating(result.failed[0]))
    return EXIT_FAILED if bad else 0


@app.command
def shrink(*, seed: Seed, only: Only = (), faults: Faults = None) -> int:
    """Find the fewest faults that still fail. Example: arb faults shrink --seed 7."""
    plan = plan_asked_for(seed, only, faults)
    tell_plan(plan)
    try:
        smaller, outcome = shrink_plan(plan, show)
    except DoesNotFail as error:
        raise CommandFailed(str(error)) from None
    for fault in smaller.faults:
        show(f"  {fault}")
    tell_outcome(outcome, smaller, tail=True)
    return EXIT_FAILED


@app.command
def equal(
    *, seeds: Annotated[int, Parameter(help="How many seeds.")] = 20, first: First = 1
) -> int:
    """Run seeds in two processes with different hash seeds, and compare every event."""
    _check_counts(seeds, 1)
    show(f"seeds {first} to {first + seeds - 1} twice, arb {revision()}")
    try:
        different = unequal(first, seeds)
    except OtherProcessFailed as error:
        raise CommandFailed(str(error)) from None
    for each in different:
        show(str(each))
    show(f"{seeds - len(different)} of {seeds} seeds are equal")
    for each in different[:1]:
        show(f"arb faults equal --seeds 1 --first {each.seed}")
    return EXIT_FAILED if different else 0


@app.command(name="digests", show=False)
def digests_of(*, seeds: int, first: First = 1) -> None:
    """Print the hash of each seed's events."""
    for line in digests(first, seeds):
        show(line)


# ---------------------------------------------------------------------- what is said


def _tell_cell(result: CellResult) -> None:
    if result.failed:
        seeds = ", ".join(str(plan.seed) for plan in result.failed)
        show(f"{result.cell} fails at seeds {seeds}: {result.rule}")
    for plan in result.failed:
        show(f"  {repeating(plan)}")


def _tell_failure(outcome: Outcome, *, json: bool) -> None:
    out = beside_json(json=json)
    out.write(f"seed {outcome.seed} failed: {outcome.violations[0]}\n")
    out.write(f"  arb faults run --seed {outcome.seed}\n")
    out.flush()


def _progress(summary: Summary, seeds: int) -> None:
    rate = summary.seeds / summary.seconds if summary.seconds else 0.0
    left_s = (seeds - summary.seeds) / rate if rate else 0.0
    sys.stderr.write(
        f"{summary.seeds}/{seeds} seeds, {rate:.1f} a second, {summary.violations} violations,"
        f" {left_s / 60:.0f} minutes left\n"
    )
    sys.stderr.flush()


def _sum_up(summary: Summary, *, json: bool) -> None:
    document = summary.document()
    if json:
        print_json(document)
        return
    rate = summary.seeds / summary.seconds if summary.seconds else 0.0
    speed = summary.virtual_s / summary.seconds if summary.seconds else 0.0
    show(f"{summary.seeds} seeds in {summary.seconds:.1f} s: {rate:.1f}/s, {speed:.0f} × real time")
    show(f"{summary.orders} orders, {summary.fills} fills, {len(summary.cells)} cells of faults")
    for name, count in document["sometimes"].items():
        show(f"  {count:6d} × {name}")
    for name in summary.missing:
        show(f"never seen: {name}")
    where = f", in {len(summary.failed)} of them" if summary.failed else ""
    show(f"{summary.violations} violations in {summary.seeds} seeds{where}")


def _document(outcome: Outcome) -> dict[str, object]:
    return {
        "seed": outcome.seed,
        "violations": [str(violation) for violation in outcome.violations],
        "events": outcome.events,
        "orders": outcome.orders,
        "fills": outcome.fills,
        "virtual_s": outcome.virtual_s,
        "digest": outcome.digest,
        "sometimes": outcome.sometimes,
    }


# ---------------------------------------------------------------------- what is asked


def _check_counts(count: int, jobs: int) -> None:
    if count < 1:
        raise UsageError(f"--seeds {count} are none: give at least 1")
    if not 1 <= jobs <= 4 * (os.cpu_count() or 1):
        raise UsageError(f"--jobs {jobs} must be between 1 and {4 * (os.cpu_count() or 1)}")


def _resumed(path: Path, first: int) -> Summary:
    try:
        return Summary.load(path)
    except (OSError, ValueError, TypeError):
        return Summary.begun(first)


def _file_name(code: str) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in code)


def _old_failure(outcome: Outcome) -> OldFailure:
    today = datetime.fromtimestamp(SystemClock().wall_ms() / 1000, UTC).date().isoformat()
    faults = plan_of(outcome.seed).texts
    return OldFailure(today, outcome.seed, faults, str(outcome.violations[0]))
