"""One run of ``arb faults``: how a person asks for it, and what is said of it and its end."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated

import attrs
from cyclopts import Parameter

from arb.cli.common import beside_json, print_json
from arb.cli.errors import EXIT_FAILED, UsageError
from arb.faults.catalogue import UnknownFault, chosen
from arb.faults.kill9 import Kill9Report
from arb.faults.plan import NO_FAULTS, Plan, plan_of
from arb.faults.proxied import ProxyReport
from arb.faults.revision import revision
from arb.faults.session import Outcome

Seed = Annotated[int, Parameter(help="The same seed makes the same run.")]
First = Annotated[int, Parameter(help="The first seed.")]
Only = Annotated[
    tuple[str, ...],
    Parameter(
        negative="", consume_multiple=True, help="Cells, kinds, families or components alone."
    ),
]
Faults = Annotated[
    tuple[str, ...] | None,
    Parameter(
        negative="",
        consume_multiple=True,
        help=f"These faults, as a failure names them; {NO_FAULTS} for a run without any.",
    ),
]


def plan_asked_for(seed: int, only: tuple[str, ...], faults: tuple[str, ...] | None) -> Plan:
    """Return what these options mean; raises `UsageError`."""
    if only and faults is not None:
        raise UsageError("--only and --faults exclude each other")
    if faults == ():
        raise UsageError(f"--faults names no fault: for a run without any, --faults {NO_FAULTS}")
    plan = plan_of(seed)
    try:
        if faults is not None:
            return plan.exactly(faults)
    except UnknownFault as error:
        raise UsageError(str(error)) from None
    return plan.only(cells_asked_for(only)) if only else plan


def cells_asked_for(only: tuple[str, ...]) -> frozenset[str]:
    """Return the cells that these names mean; raises `UsageError`."""
    try:
        return chosen(only)
    except UnknownFault as error:
        raise UsageError(str(error)) from None


def repeating(plan: Plan) -> str:
    """Return the command that repeats a run exactly."""
    command = ["arb", "faults", "run", "--seed", str(plan.seed)]
    if plan.faults != plan_of(plan.seed).faults:
        command += ["--faults", *plan.texts]
    return shlex.join(command)


def tell_plan(plan: Plan) -> None:
    """Print what is about to run, and with which code."""
    words = plan.words if plan.faults else NO_FAULTS
    show(f"seed {plan.seed}, arb {revision()}, faults: {words}")
    for fault in plan.faults:
        show(f"  {fault}")


def tell_outcome(outcome: Outcome, plan: Plan, *, tail: bool, stopped: bool = False) -> None:
    """Print what came of a run; a failure ends with the command that repeats it.

    Of a run that was ``stopped`` before its end most rules were not asked.
    """
    if outcome.failed and tail:
        for line in outcome.tail:
            show(line)
    counted = (
        f"{outcome.virtual_s:.1f} s, {outcome.events} events, {outcome.messages} messages,"
        f" {outcome.orders} orders, {outcome.fills} fills, {outcome.lives} lives of the engine"
    )
    show(f"{counted}; digest {outcome.digest[:16]}")
    for violation in outcome.violations:
        show(f"violated {violation}")
    if outcome.failed:
        show(repeating(plan))
    elif stopped:
        show(f"stopped at event {outcome.events}; nothing violated so far")
    else:
        show("every rule held")


def tell_report(
    report: Kill9Report | ProxyReport, asked: Mapping[str, object], again: str, *, json: bool
) -> int:
    """Print what came of real processes, and return the exit code; the rest as in `tell_end`.

    ``asked`` is what the JSON object begins with.
    """
    counts = attrs.asdict(report) | {"violations": len(report.violations)}
    figures = ", ".join(f"{value} {name}" for name, value in counts.items())
    document = {**asked, **counts, "violated": report.violations}
    return tell_end(figures, document, report.violations, again, json=json)


def tell_end(
    figures: str,
    document: Mapping[str, object],
    violated: Sequence[str],
    again: str,
    *,
    json: bool,
) -> int:
    """Print what was violated and the figures, as words or JSON, and return the exit code.

    A failure ends with ``again``, the command that repeats it.
    """
    out = beside_json(json=json)
    for line in violated:
        out.write(f"violated {line}\n")
    if json:
        print_json(document)
    else:
        out.write(f"{figures}\n")
    if violated:
        out.write(f"{again}\n")
    return EXIT_FAILED if violated else 0


def show(line: str) -> None:
    """Print one line."""
    print(line)
