"""The one place that writes the journal: an append returns with the record written, or raises.

Written means handed to the kernel, which outlives this process: a ``kill -9`` loses nothing. A
loss of power may cost what was appended since the last `Journal.sync`; a journal that syncs its
orders loses none that was sent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from arb.core.ledger import Ledger
from arb.core.money import MoneyE6
from arb.io.clock import Clock
from arb.io.files import sync_folder
from arb.journal.chain import BEGINNING, Position, follow
from arb.journal.copying import copied
from arb.journal.following import Following
from arb.journal.frames import frame, scan
from arb.journal.records import NotARecord, Record, RecordKind, encode, link_of
from arb.journal.recovery import Recovered
from arb.journal.snapshot import (
    NotASnapshot,
    Snapshot,
    SnapshotStore,
    make_snapshot,
    read_snapshot,
)

# What is about to be sent: written ahead of it, and on the disk ahead of it where that is asked.
ORDERS = frozenset({RecordKind.INTENT, RecordKind.AMEND})

# Some 30 MB, and minutes of records with nobody there to take them up: then they are read again.
WAITING_MAX = 100_000


class JournalFailed(Exception):
    """The journal could not be written; nothing may be sent any more."""


class JournalFile(Protocol):
    """What the journal needs of a file."""

    def write(self, data: bytes) -> None:
        """Append all of ``data``; raises `OSError`."""

    def sync(self) -> None:
        """Bring what was written onto the disk; raises `OSError`."""

    def read(self) -> bytes:
        """Return all that was written; raises `OSError`."""

    def cut(self, length: int) -> None:
        """Drop everything after ``length`` bytes; raises `OSError`."""

    def close(self) -> None:
        """Let go of the file."""


class DiskFile:
    """A journal's file on a real disk."""

    def __init__(self, path: Path) -> None:
        """Open ``path`` for appending, making it readable by its owner alone."""
        self._path = path
        is_new = not path.exists()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if is_new:
            sync_folder(path.parent)

    def write(self, data: bytes) -> None:
        """Append all of ``data`` by one call of the kernel; raises `OSError`."""
        written = os.write(self._descriptor, data)
        if written != len(data):
            raise OSError(f"{written} of {len(data)} bytes written to {self._path}")

    def sync(self) -> None:
        """Bring what was written onto the disk; raises `OSError`."""
        os.fdatasync(self._descriptor)

    def read(self) -> bytes:
        """Return all that was written; raises `OSError`."""
        return self._path.read_bytes()

    def cut(self, length: int) -> None:
        """Drop everything after ``length`` bytes; raises `OSError`."""
        os.truncate(self._path, length)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def __repr__(self) -> str:
        return f"<DiskFile {self._path}>"


class MemoryFile:
    """A journal's file in memory, for replays, which leave nothing behind."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> None:
        """Append all of ``data``."""
        self._data += data

    def sync(self) -> None:
        """Do nothing: memory has no disk behind it."""

    def read(self) -> bytes:
        """Return all that was written."""
        return bytes(self._data)

    def cut(self, length: int) -> None:
        """Drop everything after ``length`` bytes."""
        del self._data[length:]

    def close(self) -> None:
        """Do nothing: memory needs no closing."""

    def __repr__(self) -> str:
        return f"<MemoryFile {len(self._data)} bytes>"


class Journal:
    """An append-only journal, numbered without holes.

    After one failed append every further one fails: what stands in the file then is not known,
    and an order must not follow a record that may be torn.
    """

    def __init__(
        self,
        file: JournalFile,
        clock: Clock,
        *,
        syncs_orders: bool = False,
        snapshots: SnapshotStore | None = None,
    ) -> None:
        """Read what ``file`` holds, cut a torn tail off, and append from there.

        With ``syncs_orders`` an order's record is on the disk when its append returns. What a
        snapshot covers is not read record by record.
        Raises `JournalDamaged` where the file cannot be trusted, `OSError` where it cannot be
        read or cut.
        """
        self._file = file
        self._clock = clock
        self._snapshots = snapshots
        self.snapshot_trouble: str | None = None
        self.snapshot_records = 0
        self._synced_at_once = ORDERS if syncs_orders else frozenset()
        self._failed: str | None = None
        self._sync_failed: str | None = None
        self._following: Following | None = None
        data = file.read()
        snapshot = self._fitting(data)
        base = BEGINNING if snapshot is None else snapshot.position
        found = scan(data, base.bytes)
        if found.torn_bytes:
            file.cut(found.valid_bytes)
        self.torn_bytes = found.torn_bytes
        self._next_number = base.records + len(found.payloads) + 1
        self._link = link_of(found.payloads[-1]) if found.payloads else base.link

    def each(self) -> Iterator[Record]:
        """Yield every record, read anew; raises `JournalDamaged` or `NotARecord`."""
        return follow(scan(self._file.read()).payloads)

    def records(self) -> list[Record]:
        """Return every record, read anew; raises `JournalDamaged` or `NotARecord`."""
        return list(self.each())

    def recover(self, *, keep_after: int | None = None) -> Recovered:
        """Return a copy of what `known` returns, for who goes on from it; raises as that does."""
        return copied(self.known(keep_after=keep_after))

    def known(self, *, keep_after: int | None = None) -> Recovered:
        """Return the state that all records lead to, which is the journal's: nobody changes it.

        It is read once, and from then on follows what is appended. The reading begins at a
        snapshot where one fits; `snapshot_records` it covers then, and what is wrong with one is
        in `snapshot_trouble`. With ``keep_after`` a new one is kept where it would spare so many
        records. Raises as `each` does.
        """
        if self._following is None:
            self._following = self._read(keep_after)
        state = self._following.state
        self.follow(WAITING_MAX)
        return state

    def follow(self, at_most: int) -> bool:
        """Take up so many of the records that were appended, and tell whether more wait.

        Raises `NotARecord` for one that no start could follow.
        """
        if self._following is None:
            return False
        try:
            self._following.take_up(at_most)
        except NotARecord:
            self._following = None
            raise
        return self._following.waiting > 0

    def _read(self, keep_after: int | None) -> Following:
        data = self._file.read()
        following = Following(*self._begun(data))
        payloads = scan(data, following.here.bytes).payloads
        following.take(payloads)
        if keep_after is not None and payloads and len(payloads) >= keep_after:
            self._keep(following.state, following.here, data)
        return following

    def _begun(self, data: bytes) -> tuple[Recovered, Position]:
        """Return the state to begin with, and the place that it is of."""
        snapshot = self._fitting(data)
        if snapshot is not None:
            try:
                state = snapshot.state()
                self.snapshot_records = snapshot.position.records
                return state, snapshot.position
            except NotASnapshot as error:
                self._note_trouble(error)
        return Recovered(Ledger(MoneyE6(0))), BEGINNING

    def _fitting(self, data: bytes) -> Snapshot | None:
        """Return the snapshot that was kept, if it is whole and of this journal."""
        if self._snapshots is None:
            return None
        try:
            kept = self._snapshots.load()
            if kept is None:
                return None
            snapshot = read_snapshot(kept)
        except (NotASnapshot, OSError) as error:
            self._note_trouble(error)
            return None
        misfit = snapshot.misfit(data)
        if misfit is not None:
            self._note_trouble(misfit)
            return None
        return snapshot

    def _keep(self, state: Recovered, here: Position, data: bytes) -> None:
        if self._snapshots is None:
            return
        try:
            self._snapshots.save(make_snapshot(state, here, data))
        except (NotASnapshot, OSError) as error:
            self.snapshot_trouble = f"no snapshot was kept: {error}"

    def _note_trouble(self, why: object) -> None:
        self.snapshot_trouble = f"the snapshot is left aside and all records are read: {why}"

    def append(self, kind: RecordKind, data: dict[str, Any]) -> Record:
        """Write one record and return it; raises `JournalFailed`."""
        if self._failed is not None:
            raise JournalFailed(self._failed)
        record = Record(self._next_number, kind, self._clock.wall_ms(), data, self._link)
        try:
            payload = encode(record)
            self._file.write(frame(payload))
        except (OSError, ValueError, TypeError) as error:
            # What stands in the file now is not known: it is read anew.
            self._following = None
            self._failed = f"the journal cannot be written: {error}"
            raise JournalFailed(self._failed) from error
        self._next_number += 1
        self._link = link_of(payload)
        self._note(payload)
        if kind in self._synced_at_once:
            self.sync()
        return record

    def _note(self, payload: bytes) -> None:
        if self._following is not None:
            self._following.wrote(payload)
            if self._following.waiting > WAITING_MAX:
                self._following = None

    def sync(self) -> None:
        """Bring everything appended so far onto the disk; raises `JournalFailed`.

        A failed sync is final: the kernel may have dropped the pages it could not write, and
        would say yes to the next one.
        """
        if self._sync_failed is not None:
            raise JournalFailed(self._sync_failed)
        try:
            self._file.sync()
        except OSError as error:
            self._failed = self._sync_failed = f"the journal cannot be brought to disk: {error}"
            raise JournalFailed(self._sync_failed) from error

    def close(self) -> None:
        """Close the file; appends fail from here on."""
        self._failed = self._failed or "the journal is closed"
        self._file.close()

    def __repr__(self) -> str:
        return f"<Journal next={self._next_number} {self._failed or 'writable'}>"
