"""``arb faults proxy``: a real engine behind a faulty proxy, on real sockets."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import trio
from cyclopts import App, Parameter

from arb.cli.common import Json, beside_json
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.faults_said import tell_report
from arb.engine.embedded_world import WorldFailed
from arb.engine.world_hand import WorldRefused
from arb.faults.disturbances import ProxyPlan, proxy_plan
from arb.faults.proxied import ProxyFailed, ProxyReport, run_proxied
from arb.faults.revision import revision

# In less than this hardly anything happens; what takes longer is many runs, of many seeds.
SECONDS_MIN = 2.0
SECONDS_MAX = 3_600.0


def add_to(app: App) -> None:
    """Add the command to ``arb faults``."""
    app.command(proxy)


def proxy(
    *,
    seconds: Annotated[float, Parameter(help="How long the engine is disturbed.")] = 60.0,
    seed: Annotated[int, Parameter(help="What is done when; processes never repeat.")] = 1,
    json: Json = False,
) -> int:
    """Disturb the bytes between a real engine and its exchange, then heal and judge."""
    if not SECONDS_MIN <= seconds <= SECONDS_MAX:
        raise UsageError(
            f"--seconds {seconds:g} must be between {SECONDS_MIN:g} and {SECONDS_MAX:g}"
        )
    plan = proxy_plan(seed, seconds)
    out = beside_json(json=json)
    out.write(f"seed {seed}, arb {revision()}, disturbances: {plan.words}\n")
    out.flush()
    again = f"arb faults proxy --seconds {seconds:g} --seed {seed}"
    return tell_report(_run(plan), {"seed": seed, "seconds": seconds}, again, json=json)


def _run(plan: ProxyPlan) -> ProxyReport:
    failed: list[BaseException] = []
    with tempfile.TemporaryDirectory(prefix="arb-proxy-") as folder:
        try:
            return trio.run(run_proxied, plan, Path(folder), _tell)
        except* (ProxyFailed, WorldFailed, WorldRefused) as group:
            failed.extend(group.exceptions)
    raise CommandFailed(str(failed[0]))


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
