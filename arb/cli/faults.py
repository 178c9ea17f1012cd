"""``arb faults``: the whole engine under every fault, in simulations that can be repeated."""

from __future__ import annotations

import math
import os
import shlex
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Annotated

import trio
from cyclopts import App, Parameter

from arb.cli import faults_by_hand, faults_proxy
from arb.cli.common import Json, print_json
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.faults_core import core
from arb.cli.faults_hour import hour
from arb.cli.steer import engine_root
from arb.engine.embedded_world import WorldFailed
from arb.faults.campaign import Summary, run_campaign
from arb.faults.catalogue import UnknownFault, cells, chosen
from arb.faults.determinism import OtherProcessFailed, digests, unequal
from arb.faults.kill9 import Kill9Failed, Kill9Report, run_cycles
from arb.faults.matrix import CellResult, grid, replaced, run_cell
from arb.faults.plan import Plan, plan_of
from arb.faults.revision import revision
from arb.faults.seeds import OldFailure, add_seed
from arb.faults.session import Outcome, simulate
from arb.faults.shrink import DoesNotFail
from arb.faults.shrink import shrink as shrink_plan
from arb.io.clock import NS_PER_S, SystemClock

EXIT_FAILED = 1

# How often a campaign says how far it is, in seeds.
TELL_EVERY = 50

app = App(name="faults", help_format="plaintext")
app.command(hour)
faults_by_hand.add_to(app)
faults_proxy.add_to(app)
app.command(core)

Seed = Annotated[int, Parameter(help="The same seed makes the same run.")]
First = Annotated[int, Parameter(help="The first seed.")]
Only = Annotated[
    tuple[str, ...],
    Parameter(
        negative="", consume_multiple=True, help="Cells, kinds, families or components alone."
    ),
]
Faults = Annotated[
    tuple[str, ...],
    Parameter(negative="", consume_multiple=True, help="These faults, as a failure names them."),
]


@app.command
def run(
    *,
    seed: Seed,
    only: Only = (),
    faults: Faults = (),
    trace: Annotated[bool, Parameter(negative="", help="Print every event.")] = False,
    until: Annotated[int | None, Parameter(help="Stop after the event of this number.")] = None,
    json: Json = False,
) -> int:
    """Run one seed. Example: arb faults run --seed 7 --trace."""
    plan = _plan(seed, only, faults)
    if not json:
        _head(plan)
    outcome = simulate(plan, on_line=_show if trace and not json else None, until=until)
    if json:
        print_json(_document(outcome))
    else:
        _tell(outcome, plan, tail=not trace)
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
    wanted = _chosen(only) if only else frozenset(cells())
    _show(f"{len(wanted)} cells, {seeds} seeds each, arb {revision()}")
    results: list[CellResult] = []
    for cell in cells():
        if cell in wanted:
            results.append(run_cell(cell, range(first, first + seeds)))
            if results[-1].failed:
                _show(f"{cell} fails at seeds {results[-1].failed}: {results[-1].rule}")
    lines = list(grid(results))
    bad = [result for result in results if result.failed]
    for line in lines:
        _show(line)
    if write is not None:
        try:
            write.write_text(replaced(write.read_text(), lines))
        except (OSError, ValueError) as error:
            raise CommandFailed(f"{write}: {error}") from None
    idle = sum(1 for result in results if not result.strikes)
    _show(f"{len(results) - len(bad)} of {len(results)} cells hold, {idle} met nothing")
    return EXIT_FAILED if bad else 0


@app.command
def shrink(*, seed: Seed, only: Only = (), faults: Faults = ()) -> int:
    """Find the fewest faults that still fail. Example: arb faults shrink --seed 7."""
    plan = _plan(seed, only, faults)
    _head(plan)
    try:
        smaller, outcome = shrink_plan(plan, _show)
    except DoesNotFail as error:
        raise CommandFailed(str(error)) from None
    for fault in smaller.faults:
        _show(f"  {fault}")
    _tell(outcome, smaller, tail=True)
    return EXIT_FAILED


@app.command
def equal(
    *, seeds: Annotated[int, Parameter(help="How many seeds.")] = 20, first: First = 1
) -> int:
    """Run seeds in two processes with different hash seeds, and compare every event."""
    _check_counts(seeds, 1)
    _show(f"seeds {first} to {first + seeds - 1} twice, arb {revision()}")
    try:
        different = unequal(first, seeds)
    except OtherProcessFailed as error:
        raise CommandFailed(str(error)) from None
    for line in different:
        _show(line)
    _show(f"{seeds - len(different)} of {seeds} seeds are equal")
    return EXIT_FAILED if different else 0


@app.command(name="digests", show=False)
def digests_of(*, seeds: int, first: First = 1) -> None:
    """Print the hash of each seed's events."""
    for line in digests(first, seeds):
        _show(line)


@app.command
def kill9(
    *,
    cycles: Annotated[int, Parameter(help="How often the engine is killed.")] = 10,
    seed: Annotated[int, Parameter(help="When it is killed; no run repeats another.")] = 1,
    json: Json = False,
) -> int:
    """Kill a real engine with -9 again and again, and check its journal each time."""
    _check_counts(cycles, 1)
    with tempfile.TemporaryDirectory(prefix="arb-kill9-") as folder:
        try:
            report = trio.run(run_cycles, cycles, Path(folder), Random(seed), _kill9_progress)
        except* (Kill9Failed, WorldFailed) as group:
            raise CommandFailed(str(group.exceptions[0])) from None
    for line in report.violations:
        _show(line)
    said = {
        "cycles": report.cycles,
        "records": report.records,
        "torn": report.torn,
        "orders": report.orders,
        "fills": report.fills,
        "violations": len(report.violations),
    }
    if json:
        print_json(said)
    else:
        _show(", ".join(f"{value} {name}" for name, value in said.items()))
    return EXIT_FAILED if report.violations else 0


@app.command
def replay(*, seed: Seed, only: Only = (), faults: Faults = ()) -> int:
    """Go through a run event by event: Enter for the next, a number to go there, q to end."""
    plan = _plan(seed, only, faults)
    _head(plan)
    wanted: float = 1

    def step(line: str) -> None:
        nonlocal wanted
        number = int(line.split(maxsplit=1)[0])
        if wanted != math.inf:
            _show(line)
        if number >= wanted:
            answer = _asked()
            wanted = int(answer) if answer.isdecimal() else number + 1
            # Time stands still while a person reads; without one, the rest goes by unseen.
            wanted = math.inf if answer == "q" else wanted

    outcome = simulate(plan, on_line=step)
    _tell(outcome, plan, tail=False)
    return EXIT_FAILED if outcome.failed else 0


# ---------------------------------------------------------------------- what is said


def _head(plan: Plan) -> None:
    _show(f"seed {plan.seed}, arb {revision()}, faults: {plan.words}")
    for fault in plan.faults:
        _show(f"  {fault}")


def _tell(outcome: Outcome, plan: Plan, *, tail: bool) -> None:
    if outcome.failed and tail:
        for line in outcome.tail:
            _show(line)
    counted = (
        f"{outcome.virtual_s:.1f} s, {outcome.events} events, {outcome.messages} messages,"
        f" {outcome.orders} orders, {outcome.fills} fills, {outcome.lives} lives of the engine"
    )
    _show(f"{counted}; digest {outcome.digest[:16]}")
    if not outcome.failed:
        _show("every rule held")
        return
    for violation in outcome.violations:
        _show(f"violated {violation}")
    _show(_repeat(plan))


def _repeat(plan: Plan) -> str:
    """Return the command that repeats a run exactly."""
    command = ["arb", "faults", "run", "--seed", str(plan.seed)]
    if plan.faults != plan_of(plan.seed).faults:
        command += ["--faults", *(fault.text for fault in plan.faults)]
    return shlex.join(command)


def _tell_failure(outcome: Outcome, *, json: bool) -> None:
    # Where JSON is wanted, nothing else may stand on standard output.
    out = sys.stderr if json else sys.stdout
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
    _show(
        f"{summary.seeds} seeds in {summary.seconds:.1f} s: {rate:.1f}/s, {speed:.0f} × real time"
    )
    _show(f"{summary.orders} orders, {summary.fills} fills, {len(summary.cells)} cells of faults")
    for name, count in document["sometimes"].items():
        _show(f"  {count:6d} × {name}")
    for name in summary.missing:
        _show(f"never seen: {name}")
    where = f", in {len(summary.failed)} of them" if summary.failed else ""
    _show(f"{summary.violations} violations in {summary.seeds} seeds{where}")


def _kill9_progress(report: Kill9Report) -> None:
    sys.stderr.write(f"{report.cycles} cycles, {report.records} records, {report.torn} torn\n")
    sys.stderr.flush()


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


def _asked() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        return "q"


def _plan(seed: int, only: tuple[str, ...], faults: tuple[str, ...]) -> Plan:
    try:
        plan = plan_of(seed)
        if faults:
            return plan.exactly(faults)
        return plan.only(chosen(only)) if only else plan
    except UnknownFault as error:
        raise UsageError(str(error)) from None


def _chosen(only: tuple[str, ...]) -> frozenset[str]:
    try:
        return chosen(only)
    except UnknownFault as error:
        raise UsageError(str(error)) from None


def _check_counts(count: int, jobs: int) -> None:
    if count < 1:
        raise UsageError(f"{count} are none: give at least 1")
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
    faults = tuple(fault.text for fault in plan_of(outcome.seed).faults)
    return OldFailure(today, outcome.seed, faults, str(outcome.violations[0]))


def _show(line: str) -> None:
    print(line)
