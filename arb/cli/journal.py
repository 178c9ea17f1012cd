"""``arb journal``: whether a journal can be trusted, record by record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import App, Parameter

from arb.cli.common import Json, print_json
from arb.cli.errors import CommandFailed
from arb.cli.journal_place import clock_text, find_place, in_one_line
from arb.cli.steer import Mode, World
from arb.journal.reading import Verified
from arb.journal.reading import verify as verify_journal

app = App(name="journal", help_format="plaintext")


@app.command
def verify(
    path: Annotated[
        Path | None, Parameter(help="A journal's file; without it the engine's own.")
    ] = None,
    /,
    *,
    json: Json = False,
    mode: Mode = None,
    world: World = None,
) -> None:
    """Check every record of a journal, alone and by the one before it.

    Example: arb journal verify
    """
    file = find_place(mode, world).journal_path if path is None else path
    if not json:
        found = in_one_line(file, lambda: verify_journal(file))
        sys.stdout.writelines(f"{line}\n" for line in _lines(found))
        return
    try:
        found = in_one_line(file, lambda: verify_journal(file))
    except CommandFailed as error:
        print_json({"ok": False, "journal": str(file), "wrong": str(error)})
        raise
    print_json({"ok": True, **attrs.asdict(found), "path": str(found.path)})


def _lines(found: Verified) -> list[str]:
    if found.first_ms is None or found.last_ms is None:
        lines = [f"{found.path} holds no record"]
    else:
        lines = [
            f"{found.path}: {found.records:,} records, {found.bytes:,} bytes",
            "all whole, in order and linked",
            f"first {clock_text(found.first_ms)}, last {clock_text(found.last_ms)}",
            f"the last one's hash is {found.head}",
        ]
    if found.unlinked:
        lines.append(f"the first {found.unlinked:,} are of format 1, which has no hashes")
    if found.snapshot is not None:
        lines.append(found.snapshot)
    if found.torn_bytes:
        lines.append(
            f"{found.torn_bytes} bytes after them are no whole record: one that is being written,"
            " or that a crash cut short, which the next start leaves out"
        )
    return lines
