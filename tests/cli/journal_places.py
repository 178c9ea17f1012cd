"""Journals on disk for commands that ask them something."""

from __future__ import annotations

from pathlib import Path

import pytest

from arb.cli.app import build_app
from arb.engine.place import Place
from arb.io.rendezvous import engine_directory
from arb.journal.writer import DiskFile, Journal

START_MS = 1_795_343_226_907


class TickingClock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self._wall_ms = START_MS - 1_000

    def wall_ms(self) -> int:
        """Return the next second."""
        self._wall_ms += 1_000
        return self._wall_ms

    def monotonic_ns(self) -> int:
        """Return nothing that anybody uses here."""
        return 0


def use_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command look for engines below ``root``."""
    monkeypatch.setenv("ARB_ENGINE__STATE_DIR", str(root))


def open_journal(root: Path, mode: str = "sim", world: str = "w1") -> tuple[Place, Journal]:
    """Make the place of an engine that does not run, and open its journal."""
    place = Place(engine_directory(root, mode, world))
    place.directory.mkdir(parents=True)
    return place, Journal(DiskFile(place.journal_path), TickingClock())


def run(*tokens: str) -> None:
    """Run one command as it is typed; what it raises is raised."""
    build_app()(tokens, exit_on_error=False, print_error=False, result_action="return_value")
