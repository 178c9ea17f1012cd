"""``arb faults hour``: an hour of the simulated world between real processes, judged at its end."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Annotated

import attrs
import trio
from cyclopts import Parameter

from arb.cli.common import Json, beside_json
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.faults_said import tell_end
from arb.faults.hour import run_hour
from arb.faults.kill9 import Kill9Failed
from arb.faults.revision import revision

# Slower is no hour that anybody waits for; beyond this a step of the world is longer than its
# books' delays.
SPEED_MIN, SPEED_MAX = 1.0, 100.0


def hour(
    *,
    seed: Annotated[int, Parameter(help="Which world; no run repeats another.")] = 1,
    speed: Annotated[float, Parameter(help="How much faster than real time.")] = 20.0,
    json: Json = False,
) -> int:
    """Trade an hour of the simulated world, and hold journal and ledger against the exchange.

    Example: arb faults hour --seed 7
    """
    if not SPEED_MIN <= speed <= SPEED_MAX:
        raise UsageError(f"--speed {speed:g} must be between {SPEED_MIN:g} and {SPEED_MAX:g}")
    out = beside_json(json=json)
    out.write(f"seed {seed}, arb {revision()}, an hour at {speed:g} times its speed\n")
    out.flush()
    with tempfile.TemporaryDirectory(prefix="arb-hour-") as folder:
        try:
            report = trio.run(run_hour, Path(folder), Random(seed), speed)
        except* Kill9Failed as group:
            raise CommandFailed(str(group.exceptions[0])) from None
    document = attrs.asdict(report)
    said = document | {"violations": len(report.violations)}
    figures = ", ".join(f"{name} {value}" for name, value in said.items())
    again = f"arb faults hour --seed {seed} --speed {speed:g}"
    return tell_end(figures, document, report.violations, again, json=json)
