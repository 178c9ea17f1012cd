"""Lines for whoever looks: their terminal may be closed, their reader dead, their disk full."""

from __future__ import annotations

import contextlib
from typing import TextIO


def write_line(file: TextIO | None, text: str) -> None:
    """Write a line at once; raises `OSError`, or `ValueError` where it cannot be encoded.

    A process that was started without one of its standard files has None in its place.
    """
    if file is not None:
        file.write(f"{text}\n")
        file.flush()


def try_line(file: TextIO | None, text: str) -> None:
    """Write a line where that is possible: what is done matters more than that it is told."""
    with contextlib.suppress(OSError, ValueError):
        write_line(file, text)
