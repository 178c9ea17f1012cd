"""Lines whose reader may be gone."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from arb.io.lines import try_line, write_line


def test_a_line_is_written_at_once() -> None:
    """Whoever waits for it does not wait for a buffer to fill."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(io.BufferedWriter(raw))
    write_line(file, "halting")
    try_line(file, "halted")

    assert raw.getvalue() == b"halting\nhalted\n"


def test_a_line_that_cannot_be_written_raises_or_is_let_go() -> None:
    """A full disk, a closed file, signs that the file has not; without a file there is no line."""
    with pytest.raises(OSError, match="No space"), Path("/dev/full").open("w") as full:
        write_line(full, "x")
    shut = io.StringIO()
    shut.close()
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    for file, text in ((shut, "x"), (plain, "é"), (None, "x")):
        try_line(file, text)
