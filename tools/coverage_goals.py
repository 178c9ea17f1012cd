"""Compares measured branch coverage with the goals in pyproject.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

REPORT = ".coverage.json"
WHOLE = 100


class Measured(NamedTuple):
    """How much of one file the tests reached, in lines and branches together."""

    path: str
    reached: int
    total: int
    missing: tuple[int, ...]


def unmet(report: Path, goals: Mapping[str, int]) -> list[str]:
    """Return one line for each goal that was missed, and for the files that miss it."""
    try:
        measured = read(report)
    except (OSError, ValueError, KeyError):
        return ["no coverage was measured"]
    lines = []
    for prefix, goal in goals.items():
        own = [each for each in measured if _goal_of(each.path, goals) == prefix]
        reached, total = sum(each.reached for each in own), sum(each.total for each in own)
        if not own:
            lines.append(f"  {prefix or 'the rest'}: no file was measured")
        elif reached * WHOLE < goal * total:
            share = reached * WHOLE / total
            lines.append(f"  {prefix or 'the rest'}: {share:.2f} %, wanted {goal} %")
            lines += [_described(each) for each in own if each.reached * WHOLE < goal * each.total]
    return lines


def read(report: Path) -> list[Measured]:
    """Read what `coverage json` wrote."""
    files = json.loads(report.read_text())["files"]
    return [_measured(path, each["summary"], each["missing_lines"]) for path, each in files.items()]


def _measured(path: str, summary: Mapping[str, int], missing: list[int]) -> Measured:
    reached = summary["covered_lines"] + summary["covered_branches"]
    total = summary["num_statements"] + summary["num_branches"]
    return Measured(path, reached, total, tuple(missing))


def _goal_of(path: str, goals: Mapping[str, int]) -> str:
    return max((prefix for prefix in goals if path.startswith(prefix)), key=len)


def _described(each: Measured) -> str:
    where = f" lines {', '.join(map(str, each.missing))}" if each.missing else " branches"
    return f"    {each.path}: {each.reached}/{each.total}, not reached:{where}"
