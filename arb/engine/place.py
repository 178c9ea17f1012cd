"""An engine's own directory: one engine at a time in it, its journal, its socket, its card."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from arb.core.risk import EVERY_ORDER_PREFIX
from arb.io.clock import Clock
from arb.io.files import write_whole
from arb.journal.frames import JournalDamaged
from arb.journal.reading import read_records
from arb.journal.records import FORMAT, NotARecord, RecordKind
from arb.journal.recovery import Recovered
from arb.journal.snapshot import SNAPSHOT_AFTER, DiskSnapshot, snapshot_path
from arb.journal.writer import DiskFile, Journal
from arb.settings.sections import FSYNC_ORDER
from arb.version import VERSION

JOURNAL_NAME = "journal"
DECISIONS_NAME = "decisions.sqlite"
LOG_NAME = "engine.log"
LOCK_NAME = "lock"
INSTALLATION_NAME = "installation"
HALT_NAME = "halt"

# Four bytes tell some machines apart and keep an order's id short.
INSTALLATION_BYTES = 4


class PlaceTaken(Exception):
    """Another engine has this directory; says so in one line."""


class Place:
    """Holds a directory for one engine, from entering to leaving."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Make the directory where it is missing and lock it; raises `PlaceTaken`."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.directory / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise PlaceTaken(
                f"another engine is running in {self.directory}: stop it with arb stop,"
                " or attach to it with arb console"
            ) from None
        self._lock = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def journal_path(self) -> Path:
        """Return where the journal lies."""
        return self.directory / JOURNAL_NAME

    @property
    def decisions_path(self) -> Path:
        """Return where the markets' latest decisions lie."""
        return self.directory / DECISIONS_NAME

    @property
    def log_path(self) -> Path:
        """Return where the log lies."""
        return self.directory / LOG_NAME

    @property
    def halt_path(self) -> Path:
        """Return where a halt is left for the engine to find."""
        return self.directory / HALT_NAME

    def tape_path(self, started_ms: int) -> Path:
        """Return where a run that started then keeps its tape."""
        return self.directory / f"{started_ms}.tape"

    def begin_journal(self, clock: Clock, mode: str, fsync: str) -> tuple[Journal, Recovered]:
        """Open the journal, write down that a run begins, and return what came before it.

        Where many records have come since the last snapshot of the state, a new one is kept: here
        nothing trades yet that it could hold up.
        What the risk manager could not follow is refused here, with its place: raises
        `JournalDamaged`, `NotARecord`, `JournalFailed` or `OSError`.
        """
        file = DiskFile(self.journal_path)
        with ExitStack() as stack:
            stack.callback(file.close)
            try:
                journal = Journal(
                    file,
                    clock,
                    syncs_orders=fsync == FSYNC_ORDER,
                    snapshots=DiskSnapshot(snapshot_path(self.journal_path)),
                )
                recovered = journal.known(keep_after=SNAPSHOT_AFTER)
            except (JournalDamaged, NotARecord) as error:
                raise type(error)(f"{self.journal_path} cannot be trusted: {error}") from None
            start = {"version": VERSION, "mode": mode, "format": FORMAT}
            journal.append(RecordKind.START, start)
            # It skips order numbers: lost with the power, they would be used again.
            journal.sync()
            stack.pop_all()
        return journal, recovered

    def installation(self) -> str:
        """Return this installation's id, made once and kept beside the journal.

        Where it is lost, or damaged, the journal's orders tell what it was: by another one they
        would pass for another engine's. Raises what reading the journal raises, and `OSError`.
        """
        path = self.directory / INSTALLATION_NAME
        kept = _kept_in(path)
        if kept is None:
            kept = self._told_by_orders() or secrets.token_hex(INSTALLATION_BYTES)
            write_whole(path, kept.encode())
        return kept

    def _told_by_orders(self) -> str | None:
        records = read_records(self.journal_path) if self.journal_path.exists() else ()
        ids = [str(record.data["id"]) for record in records if record.kind is RecordKind.INTENT]
        found = [each.removeprefix(EVERY_ORDER_PREFIX).partition("-")[0] for each in ids]
        return next((each for each in reversed(found) if _is_an_id(each)), None)

    def earlier(self) -> tuple[str, ...]:
        """Return the ids of this mode's other installations here whose engines do not run now."""
        kept = (
            _kept_in(path)
            for path in sorted(self.directory.parent.glob(f"*/{INSTALLATION_NAME}"))
            if path.parent != self.directory and not _is_locked(path.parent)
        )
        return tuple(each for each in kept if each is not None)

    def __repr__(self) -> str:
        return f"<Place {self.directory} {'held' if self._lock is not None else 'free'}>"


def _kept_in(path: Path) -> str | None:
    """Return the id in a file, None where there is none, as in one that lost its power."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    return text if _is_an_id(text) else None


def _is_an_id(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _is_locked(directory: Path) -> bool:
    """Tell whether an engine has a directory, or, where nobody can tell, may have it."""
    try:
        descriptor = os.open(directory / LOCK_NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        # Shared, so that two who look at once do not take each other for an engine.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
