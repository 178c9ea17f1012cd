"""Runs every check, one after the other, each with its name and its time; `tools/check` does it.

All run even when one fails: a person mends everything at once.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tools.coverage_goals import REPORT, unmet
from tools.environment import ROOT, Packages, prepare, say

ASYNCHRONOUS = re.compile(r"\b(?:async|await|trio)\b")

# Every core has its share of the tests; who has none left takes over from the others.
SIDE_BY_SIDE = ("-n", "auto", "--dist", "worksteal")

# What is measured takes twice as long: every line and branch that has a goal is reached in seconds.
MEASURED = ("-m", "not slow", "--cov", "--cov-report=")
SLOW = ("-m", "slow", "--durations=5")

FOLDERS = ("actors", "arb", "tests", "tools")
USAGE = "usage: tools/check [--fast [arguments of pytest]]"


class Step(NamedTuple):
    """One check: what it is called, and what is run for it."""

    name: str
    command: tuple[str, ...]


class Result(NamedTuple):
    """How one check went."""

    step: Step
    good: bool
    seconds: float
    output: str


def main(arguments: Sequence[str]) -> int:
    """Run the checks; returns 0 when all passed, 1 when one failed, 2 for wrong arguments."""
    fast = bool(arguments) and arguments[0] == "--fast"
    if arguments and not fast:
        say(USAGE)
        return 0 if arguments[0] in {"-h", "--help"} else 2
    environment = prepare(Packages.DEVELOP)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["arb"]
    (ROOT / REPORT).unlink(missing_ok=True)
    try:
        failed = list(failures(environment.bin, settings, fast=fast, extra=arguments[1:]))
        if not fast and not _coverage_suffices(settings["coverage"]):
            failed.append("coverage")
    except KeyboardInterrupt:
        return 130
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall checks passed", flush=True)
    return 1 if failed else 0


def static_steps(settings: Mapping[str, Any]) -> list[Step]:
    """Return the checks that only read the code."""
    asynchronous = settings["flake8-async"]["arguments"]
    return [
        Step("format", ("ruff", "format", "--check", "--quiet")),
        Step("lint", ("ruff", "check", "--quiet")),
        Step("async", ("flake8", *asynchronous, *map(str, sources()))),
        Step("types", ("mypy",)),
        Step("layers", ("lint-imports", "--no-logo")),
    ]


def test_steps(*, fast: bool, extra: Sequence[str]) -> list[Step]:
    """Return the tests, with what is measured while they run."""
    if fast:
        return [Step("tests", ("pytest", "-q", "-m", "not slow", *extra))]
    return [
        Step("tests", ("pytest", "-q", *SIDE_BY_SIDE, *MEASURED, *extra)),
        Step("coverage report", ("coverage", "json", "-q", "-o", REPORT)),
        Step("slow tests", ("pytest", "-q", *SIDE_BY_SIDE, *SLOW, *extra)),
    ]


def sources() -> list[Path]:
    """Return the files that may wait for something: the slowest checker sees no others."""
    every = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in every if ASYNCHRONOUS.search(path.read_text()))


def failures(
    programs: Path, settings: Mapping[str, Any], *, fast: bool, extra: Sequence[str]
) -> Iterator[str]:
    """Run every step, those that only read side by side; gives the names of those that failed."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(lambda step: run(step, programs), static_steps(settings)):
            if not told(result):
                yield result.step.name
    for step in test_steps(fast=fast, extra=extra):
        if not told(run(step, programs)):
            yield step.name


def run(step: Step, programs: Path) -> Result:
    """Run one check."""
    started = time.monotonic()
    program, *rest = step.command
    done = subprocess.run(
        [str(programs / program), *rest],
        cwd=ROOT,
        env=clean_environment(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Result(step, done.returncode == 0, time.monotonic() - started, done.stdout.strip())


def told(result: Result) -> bool:
    """Say how a check went, and what it printed where it failed; returns whether it passed."""
    last = result.output.splitlines()[-1:] if "pytest" in result.step.command else []
    verdict = "ok" if result.good else "FAILED"
    print(f"{result.step.name:>15}  {verdict:<6} {result.seconds:6.1f} s ", *last, flush=True)
    if not result.good:
        print(result.output, end="\n\n", flush=True)
    return result.good


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out a person's own settings, which the tests must not depend on."""
    return {name: value for name, value in environ.items() if not name.startswith("ARB_")}


def _coverage_suffices(goals: Mapping[str, int]) -> bool:
    lines = unmet(ROOT / REPORT, goals)
    print(f"{'coverage':>15}  {'FAILED' if lines else 'ok'}", *lines, sep="\n" if lines else "")
    return not lines
