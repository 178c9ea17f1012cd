"""``arb faults kill9``: a real engine, killed with ``kill -9`` again and again."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Annotated

import trio
from cyclopts import Parameter

from arb.cli.common import Json, beside_json
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.faults_said import tell_report
from arb.engine.embedded_world import WorldFailed
from arb.faults.kill9 import Kill9Failed, Kill9Report, run_cycles
from arb.faults.revision import revision


def kill9(
    *,
    cycles: Annotated[int, Parameter(help="How often the engine is killed.")] = 10,
    seed: Annotated[int, Parameter(help="When it is killed; no run repeats another.")] = 1,
    json: Json = False,
) -> int:
    """Kill a real engine with -9 again and again, and check its journal each time.

    Example: arb faults kill9 --cycles 10 --seed 3
    """
    if cycles < 1:
        raise UsageError(f"--cycles {cycles} are none: give at least 1")
    out = beside_json(json=json)
    out.write(f"seed {seed}, arb {revision()}, {cycles} cycles\n")
    out.flush()
    again = f"arb faults kill9 --cycles {cycles} --seed {seed}"
    return tell_report(_run(cycles, seed), {"seed": seed}, again, json=json)


def _run(cycles: int, seed: int) -> Kill9Report:
    failed: list[BaseException] = []
    with tempfile.TemporaryDirectory(prefix="arb-kill9-") as folder:
        try:
            return trio.run(run_cycles, cycles, Path(folder), Random(seed), _tell)
        except* (Kill9Failed, WorldFailed) as group:
            failed.extend(group.exceptions)
    raise CommandFailed(str(failed[0]))


def _tell(report: Kill9Report) -> None:
    sys.stderr.write(f"{report.cycles} cycles, {report.records} records, {report.torn} torn\n")
    sys.stderr.flush()
