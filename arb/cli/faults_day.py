"""``arb faults day``: hours of one engine's life in virtual time, its memory weighed all along."""

from __future__ import annotations

from typing import Annotated

import attrs
from cyclopts import Parameter

from arb.cli.common import Json, beside_json
from arb.cli.errors import UsageError
from arb.cli.faults_said import tell_end
from arb.faults.day import HOURS_MAX, HOURS_MIN, DayReport, Hour, day_plan, run_day
from arb.faults.revision import revision
from arb.io.clock import NS_PER_S, SystemClock


def day(
    *,
    seed: Annotated[int, Parameter(help="The same seed makes the same day.")] = 1,
    hours: Annotated[float, Parameter(help="Of virtual time; some 40 s of a core each.")] = 24.0,
    json: Json = False,
) -> int:
    """Let one engine live through a day of games and faults; judge it, and what it holds in memory.

    Example: arb faults day --hours 8 --seed 7
    """
    if not HOURS_MIN <= hours <= HOURS_MAX:
        raise UsageError(f"--hours {hours:g} must be between {HOURS_MIN:g} and {HOURS_MAX:g}")
    out = beside_json(json=json)
    clock = SystemClock()
    began_ns = clock.monotonic_ns()
    plan = day_plan(seed, hours)
    out.write(f"seed {seed}, arb {revision()}, {hours:g} hours, faults: {plan.words}\n")
    out.flush()

    def tell(hour: Hour) -> None:
        out.write(f"{hour}\n")
        out.flush()

    report = run_day(plan, tell)
    wrong = [str(each) for each in report.outcome.violations] + list(report.grown)
    said = _counts(report) | {"seconds": round((clock.monotonic_ns() - began_ns) / NS_PER_S, 1)}
    figures = ", ".join(f"{name} {value}" for name, value in said.items())
    document = {"seed": seed, "hours": hours, **said, "violated": wrong}
    again = f"arb faults day --hours {hours:g} --seed {seed}"
    return tell_end(figures, document, wrong, again, json=json)


def _counts(report: DayReport) -> dict[str, int]:
    outcome = report.outcome
    said = attrs.filters.exclude("by_place", "at_s")
    last = attrs.asdict(report.hours[-1], filter=said) if report.hours else {}
    return {
        "violations": outcome.violated + len(report.grown),
        "events": outcome.events,
        "messages": outcome.messages,
        "faults": sum(outcome.cells.values()),
        "games": report.games,
        **last,
    }
