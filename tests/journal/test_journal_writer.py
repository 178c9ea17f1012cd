"""The journal: appended before anything is sent, or nothing is sent."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arb.io.clock import SystemClock
from arb.journal.frames import JournalDamaged, frame
from arb.journal.records import NotARecord, Record, RecordKind, encode
from arb.journal.writer import DiskFile, Journal, JournalFailed, MemoryFile
from tests.journal.journal_history import StoppedClock

HALT = RecordKind.HALT


class FailingFile(MemoryFile):
    """A file whose n-th operation fails, after some bytes of it were written."""

    def __init__(self, fails_at: int, torn_bytes: int = 0) -> None:
        super().__init__()
        self.operations = 0
        self._fails_at = fails_at
        self._torn_bytes = torn_bytes

    def write(self, data: bytes) -> None:
        """Append, or fail."""
        if self._fails():
            super().write(data[: self._torn_bytes])
            raise OSError(errno.ENOSPC, "no space left on device")
        super().write(data)

    def sync(self) -> None:
        """Do nothing, or fail."""
        if self._fails():
            raise OSError(errno.EIO, "input/output error")

    def _fails(self) -> bool:
        self.operations += 1
        return self.operations == self._fails_at


def journal_in(file: MemoryFile | DiskFile) -> Journal:
    """Open a journal under a clock that stands still."""
    return Journal(file, StoppedClock())


def numbers(journal: Journal) -> list[int]:
    """Return the numbers of all records."""
    return [record.number for record in journal.records()]


def test_an_append_returns_with_the_record_written() -> None:
    """What was appended is in the file and read back, numbered from one."""
    file = MemoryFile()
    journal = journal_in(file)
    first = journal.append(HALT, {"reason": "r"})

    assert first == Record(1, HALT, 0, {"reason": "r"})
    assert file.read() == frame(encode(first))
    assert journal.records() == [first]


def test_numbering_goes_on_where_it_ended() -> None:
    """A journal that is opened again continues without a hole."""
    file = MemoryFile()
    for _ in range(3):
        journal_in(file).append(HALT, {})

    assert numbers(journal_in(file)) == [1, 2, 3]


@pytest.mark.parametrize("torn", [1, 7, 8, 20])
def test_a_torn_tail_is_cut_and_overwritten(torn: int) -> None:
    """What was half written is gone from the file, counted, and its number used again."""
    file = MemoryFile()
    journal_in(file).append(HALT, {})
    whole = file.read()
    file.write(frame(encode(Record(2, HALT, 0, {})))[:torn])

    journal = journal_in(file)
    assert journal.torn_bytes == torn
    assert file.read() == whole
    journal.append(HALT, {})
    assert numbers(journal) == [1, 2]
    assert journal_in(file).torn_bytes == 0


def test_a_damaged_file_is_not_opened_and_not_changed() -> None:
    """Damage before the tail is a person's business; nothing is cut."""
    file = MemoryFile()
    journal = journal_in(file)
    for _ in range(3):
        journal.append(HALT, {})
    data = bytearray(file.read())
    data[10] ^= 1
    damaged = MemoryFile()
    damaged.write(bytes(data))

    with pytest.raises(JournalDamaged):
        journal_in(damaged)
    assert damaged.read() == data


@pytest.mark.parametrize("second", [1, 3])
def test_a_record_out_of_order_is_refused(second: int) -> None:
    """A number that stands twice, or a hole in the numbers, is told with its place."""
    file = MemoryFile()
    for number in (1, second):
        file.write(frame(encode(Record(number, HALT, 0, {}))))

    with pytest.raises(NotARecord, match=f"record {second} stands where record 2 belongs"):
        journal_in(file).records()


def test_a_payload_of_something_else_is_refused() -> None:
    """What passes its checksum and is no record is told, not skipped."""
    file = MemoryFile()
    file.write(frame(b'{"n":1,"hello":"world"}'))

    with pytest.raises(NotARecord):
        journal_in(file).records()


@pytest.mark.parametrize("fails_at", range(1, 8))
@pytest.mark.parametrize("torn_bytes", [0, 1, 12])
def test_after_a_failed_append_every_append_fails(fails_at: int, torn_bytes: int) -> None:
    """Whichever append fails: none follows it, and what was acknowledged before is kept."""
    file = FailingFile(fails_at, torn_bytes)
    journal = journal_in(file)
    for _ in range(fails_at - 1):
        journal.append(HALT, {})
    for _ in range(3):
        with pytest.raises(JournalFailed, match=r"cannot be written: .* no space left on device"):
            journal.append(HALT, {})
    journal.sync()

    assert file.operations == fails_at + 1
    assert numbers(journal_in(file)) == list(range(1, fails_at))


@pytest.mark.parametrize("content", [{"reason": object()}, {"count": 2**70}, {"a": "x" * 2**20}])
def test_what_cannot_be_written_fails_the_journal(content: dict[str, object]) -> None:
    """A record that has no bytes or too many is not half written; trading ends all the same."""
    file = MemoryFile()
    journal = journal_in(file)
    with pytest.raises(JournalFailed, match="the journal cannot be written: "):
        journal.append(HALT, content)
    with pytest.raises(JournalFailed):
        journal.append(HALT, {})

    assert file.read() == b""
    assert repr(journal).startswith("<Journal next=1 the journal cannot be written")


def test_a_failed_sync_is_final() -> None:
    """After it no append is taken, and a second sync does not pretend that all is well."""
    journal = journal_in(FailingFile(fails_at=2))
    journal.append(HALT, {})
    for _ in range(2):
        with pytest.raises(JournalFailed, match=r"cannot be brought to disk: .*input/output"):
            journal.sync()
    with pytest.raises(JournalFailed, match="cannot be brought to disk"):
        journal.append(HALT, {})


def test_a_closed_journal_takes_nothing() -> None:
    """After closing an append fails and says so; an earlier failure stays the reason."""
    journal = journal_in(MemoryFile())
    journal.close()
    with pytest.raises(JournalFailed, match=r"^the journal is closed$"):
        journal.append(HALT, {})

    failed = journal_in(FailingFile(fails_at=1))
    with pytest.raises(JournalFailed):
        failed.append(HALT, {})
    failed.close()
    with pytest.raises(JournalFailed, match="no space left"):
        failed.append(HALT, {})


def test_a_journal_shows_itself() -> None:
    """The representation says which number is next and whether it can be written."""
    journal = journal_in(MemoryFile())
    journal.append(HALT, {})

    assert repr(journal) == "<Journal next=2 writable>"
    assert repr(journal._file) == "<MemoryFile 78 bytes>"


class SyncedFile(MemoryFile):
    """A file that remembers how much of it was on the disk after each sync."""

    def __init__(self) -> None:
        super().__init__()
        self.synced: list[int] = []

    def sync(self) -> None:
        """Note the length."""
        self.synced.append(len(self.read()))


def test_orders_are_on_the_disk_when_their_append_returns() -> None:
    """Asked to, the journal syncs what is about to be sent; the rest waits for the keeper."""
    file = SyncedFile()
    journal = Journal(file, StoppedClock(), syncs_orders=True)
    for kind in (RecordKind.INTENT, HALT, RecordKind.AMEND):
        journal.append(kind, {})
    lengths = [len(frame(encode(record))) for record in journal.records()]
    assert file.synced == [lengths[0], sum(lengths)]

    plain = SyncedFile()
    Journal(plain, StoppedClock()).append(RecordKind.INTENT, {})
    assert plain.synced == []


def test_an_order_that_cannot_be_brought_to_disk_is_not_sent() -> None:
    """The append fails, although the record was written: it is looked up after a restart."""
    file = FailingFile(fails_at=2)
    journal = Journal(file, StoppedClock(), syncs_orders=True)
    with pytest.raises(JournalFailed, match="cannot be brought to disk"):
        journal.append(RecordKind.INTENT, {})
    with pytest.raises(JournalFailed):
        journal.append(HALT, {})

    assert numbers(journal) == [1]


# On a real disk.


def test_a_journal_on_disk_outlives_its_process(tmp_path: Path) -> None:
    """What was appended, synced and closed is there for the next one, torn tail cut."""
    path = tmp_path / "journal"
    first = journal_in(DiskFile(path))
    for _ in range(3):
        first.append(HALT, {})
    first.sync()
    first.close()
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"\x20\0\0\0torn")

    second = journal_in(DiskFile(path))
    assert (second.torn_bytes, path.stat().st_size) == (8, size)
    second.append(HALT, {})
    assert numbers(second) == [1, 2, 3, 4]
    second.close()


def test_nobody_else_may_read_the_journal(tmp_path: Path) -> None:
    """The file is its owner's alone."""
    file = DiskFile(tmp_path / "journal")
    file.close()

    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o600
    assert repr(file) == f"<DiskFile {tmp_path / 'journal'}>"


def test_the_name_of_a_new_journal_is_brought_to_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is synced when the file is made, and not when it is opened again."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    for _ in range(2):
        DiskFile(tmp_path / "journal").close()

    assert len(synced) == 1


def test_a_closed_file_cannot_be_synced(tmp_path: Path) -> None:
    """What the kernel refuses fails the journal."""
    journal = journal_in(DiskFile(tmp_path / "journal"))
    journal.close()

    with pytest.raises(JournalFailed, match="cannot be brought to disk"):
        journal.sync()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_fails_the_append() -> None:
    """No space is told as such."""
    file = DiskFile(Path("/dev/full"))
    with pytest.raises(OSError, match="No space left on device"):
        file.write(b"record")
    file.close()


def test_a_disk_that_fills_up_within_a_record_fails_the_append(tmp_path: Path) -> None:
    """A write that the kernel cuts short is a failure, and its part a torn tail."""
    path = tmp_path / "journal"
    file = DiskFile(path)
    journal = journal_in(file)
    journal.append(HALT, {})
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(JournalFailed, match=r"10 of 78 bytes written to .*journal"):
            journal.append(HALT, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    journal.close()

    again = journal_in(DiskFile(path))
    assert (again.torn_bytes, numbers(again)) == (10, [1])
    again.close()


APPENDER = """
import sys
from pathlib import Path
from arb.io.clock import SystemClock
from arb.journal.records import RecordKind
from arb.journal.writer import DiskFile, Journal

journal = Journal(DiskFile(Path(sys.argv[1])), SystemClock())
while True:
    print(journal.append(RecordKind.HALT, {"reason": "x" * 300}).number, flush=True)
"""


@pytest.mark.slow
def test_a_killed_process_loses_nothing_that_it_was_told_is_written(tmp_path: Path) -> None:
    """kill -9 at any moment: every acknowledged record is there, whole and in order."""
    path = tmp_path / "journal"
    acknowledged = 0
    for _ in range(3):
        command = [sys.executable, "-c", APPENDER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as appender:
            assert appender.stdout is not None
            for _ in range(200):
                acknowledged = int(appender.stdout.readline())
            os.kill(appender.pid, signal.SIGKILL)
            rest = appender.stdout.read().splitlines()
        acknowledged = int(rest[-1]) if rest else acknowledged
        journal = Journal(DiskFile(path), SystemClock())
        found = numbers(journal)
        journal.close()

        assert found == list(range(1, len(found) + 1))
        assert len(found) >= acknowledged
