"""The one place that writes the journal: an append returns with the record written, or raises.

Written means handed to the kernel, which outlives this process: a ``kill -9`` loses nothing. A
loss of power may cost what was appended since the last `Journal.sync`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from arb.io.clock import Clock
from arb.journal.frames import frame, scan
from arb.journal.records import NotARecord, Record, RecordKind, decode, encode


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
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

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

    def __init__(self, file: JournalFile, clock: Clock) -> None:
        """Read what ``file`` holds, cut a torn tail off, and append from there.

        Raises `JournalDamaged` where the file cannot be trusted, `OSError` where it cannot be
        read or cut.
        """
        self._file = file
        self._clock = clock
        self._failed: str | None = None
        self._sync_failed: str | None = None
        found = scan(file.read())
        if found.torn_bytes:
            file.cut(found.valid_bytes)
        self.torn_bytes = found.torn_bytes
        self._next_number = len(found.payloads) + 1

    def records(self) -> list[Record]:
        """Return every record, read anew; raises `JournalDamaged` or `NotARecord`."""
        found = [decode(payload) for payload in scan(self._file.read()).payloads]
        for place, record in enumerate(found, start=1):
            if record.number != place:
                raise NotARecord(f"record {record.number} stands where record {place} belongs")
        return found

    def append(self, kind: RecordKind, data: dict[str, Any]) -> Record:
        """Write one record and return it; raises `JournalFailed`."""
        if self._failed is not None:
            raise JournalFailed(self._failed)
        record = Record(self._next_number, kind, self._clock.wall_ms(), data)
        try:
            self._file.write(frame(encode(record)))
        except (OSError, ValueError, TypeError) as error:
            self._failed = f"the journal cannot be written: {error}"
            raise JournalFailed(self._failed) from error
        self._next_number += 1
        return record

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
