"""Deliberate bugs: each is put into a copy of the code, and what should find it is run there.

A table of bugs is a TOML file in tools/bugs: a ``command`` that must fail where a bug is, the
``timeout_s`` after which it counts as hanging (longer than it takes on a loaded machine), and for
each bug a name, a file, the text to ``find`` (which must stand there exactly once) and what to
``put`` in its place. A bug that nothing finds shows a rule that no test holds.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.environment import ROOT, say

TABLES = ROOT / "tools" / "bugs"
# What a copy needs so that both the tests and the program run in it.
COPIED = ("actors", "arb", "docs", "tests", "tools", "pyproject.toml", "README.md", "settings.toml")
HUNG = "it hung"

# What a finder prints about what it found, the most telling first.
TELLING = (
    re.compile(r"^FAILED (\S+)", re.MULTILINE),
    re.compile(r"^ERROR (\S+)", re.MULTILINE),
    re.compile(r"^(seed \d+.*)$", re.MULTILINE),
)


class TableError(Exception):
    """A table, or a bug in it, that does not fit the code; one line with what to do."""


class Bug(NamedTuple):
    """One deliberate bug."""

    name: str
    file: str
    find: str
    put: str


class Table(NamedTuple):
    """Bugs, and the command that must fail on each of them."""

    name: str
    command: tuple[str, ...]
    timeout_s: float
    bugs: tuple[Bug, ...]


class Outcome(NamedTuple):
    """Whether a bug was found, by what, and after how long."""

    bug: Bug
    found_by: str | None
    seconds: float


def read_table(path: Path) -> Table:
    """Read a table; raises `TableError` where it is none."""
    try:
        content = tomllib.loads(path.read_text())
        bugs = tuple(Bug(**entry) for entry in content["bug"])
        return Table(path.stem, tuple(content["command"]), float(content["timeout_s"]), bugs)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise TableError(f"{path.name} is no table of bugs: {error}") from None


def spoil(root: Path, bug: Bug) -> None:
    """Put a bug into the tree under ``root``; raises `TableError` where it no longer fits."""
    path = root / bug.file
    try:
        text = path.read_text()
    except OSError:
        raise TableError(f"{bug.name}: there is no {bug.file}: move the bug along") from None
    times = text.count(bug.find)
    if times != 1:
        raise TableError(f"{bug.name}: its text stands {times} times in {bug.file}: write it anew")
    path.write_text(text.replace(bug.find, bug.put))


def plant(table: Table, bug: Bug, more: Sequence[str] = ()) -> Outcome:
    """Run a table's command where the bug is, and return what came of it."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        root = Path(folder) / "copy"
        _copy(root)
        spoil(root, bug)
        began_s = time.perf_counter()
        command = [sys.executable, *table.command, *more]
        found_by = _found_by(command, root, table.timeout_s)
        return Outcome(bug, found_by, time.perf_counter() - began_s)


def _copy(root: Path) -> None:
    root.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    shared = ROOT.parent / "shared"
    if shared.exists():
        (root.parent / "shared").symlink_to(shared)


def _found_by(command: Sequence[str], root: Path, timeout_s: float) -> str | None:
    # The copy first: an environment has the real packages on its path.
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return HUNG
    if done.returncode == 0:
        return None
    output = done.stdout + done.stderr
    for telling in TELLING:
        if found := telling.search(output):
            return found[1]
    lines = output.strip().splitlines()
    return lines[-1] if lines else f"exit {done.returncode}"


def main(arguments: Sequence[str]) -> int:
    """Plant the bugs of a table; 0 when each was found, 1 when one was not, 2 for wrong words."""
    options = _options(arguments)
    try:
        table = read_table(TABLES / f"{options.table}.toml")
        chosen = [bug for bug in table.bugs if options.only in (None, bug.name)]
        if not chosen:
            raise TableError(f"{options.table} has no bug named {options.only}")
        found = sum(_plant_and_tell(table, bug, options.more) for bug in chosen)
    except TableError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    say(f"{len(chosen)} planted, {found} found")
    return 0 if found == len(chosen) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    names = sorted(path.stem for path in TABLES.glob("*.toml"))
    parser = argparse.ArgumentParser("tools/plant", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", choices=names, help="which bugs")
    parser.add_argument("--only", metavar="NAME", help="one bug alone")
    parser.add_argument("more", nargs="*", help="further arguments of the table's command")
    return parser.parse_args(arguments)


def _plant_and_tell(table: Table, bug: Bug, more: Sequence[str]) -> bool:
    outcome = plant(table, bug, more)
    verdict = f"found by {outcome.found_by}" if outcome.found_by else "NOT FOUND"
    print(f"{bug.name}: {verdict} ({outcome.seconds:.0f} s)", flush=True)
    return outcome.found_by is not None
