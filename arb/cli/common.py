"""What several commands share: options, the settings in force, and how output is written."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, TextIO

import orjson
from cyclopts import Parameter
from rich.console import Console

from arb.settings import Settings, load

# Without a terminal a table is as wide as it needs to be: nothing is cut in a file or a pipe.
PIPE_WIDTH = 200

SettingsFile = Annotated[
    Path | None,
    Parameter(
        name="--settings",
        help="A settings file; without it $ARB_SETTINGS, or settings.toml in this folder.",
    ),
]

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object.")]


def load_settings(file: Path | None) -> Settings:
    """Return the settings in force for this process; raises `SettingsError`."""
    return load(os.environ, file=file, folder=Path.cwd())


def beside_json(*, json: bool) -> TextIO:
    """Return where a command tells what it does: where JSON is wanted, it has standard output."""
    return sys.stderr if json else sys.stdout


def print_json(value: Any) -> None:
    """Write one JSON object as one line."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")


def terminal() -> Console:
    """Return where tables for people are written."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)
