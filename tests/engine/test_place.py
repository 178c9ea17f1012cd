"""An engine's own directory."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from arb.engine import place as place_module
from arb.engine.place import INSTALLATION_NAME, Place, PlaceTaken
from arb.io.clock import SystemClock
from arb.journal.frames import JournalDamaged
from arb.journal.reading import read_records
from arb.journal.records import FORMAT, NotARecord, RecordKind
from arb.journal.recovery import ORDER_NUMBERS_SKIPPED
from arb.journal.writer import DiskFile
from arb.version import VERSION


def test_a_place_holds_one_engine_at_a_time(tmp_path: Path) -> None:
    """A second engine is told which directory is taken and what to do; later it is free."""
    with Place(tmp_path / "here") as place:
        assert "held" in repr(place)
        with pytest.raises(PlaceTaken, match=r"another engine is running in .*here"):
            Place(tmp_path / "here").__enter__()
    assert "free" in repr(place)
    with Place(tmp_path / "here"):
        pass


def test_a_place_is_its_owners_alone(tmp_path: Path) -> None:
    """Journal, socket and lock lie where nobody else may look."""
    with Place(tmp_path / "a" / "b") as place:
        assert place.directory.stat().st_mode & 0o077 == 0


def test_an_installation_keeps_its_id(tmp_path: Path) -> None:
    """The id that marks our orders is made once and is the same ever after."""
    with Place(tmp_path / "one") as one, Place(tmp_path / "two") as two:
        first = one.installation()
        assert one.installation() == first
        assert two.installation() != first
        assert len(first) == 8
        assert first.isalnum()


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\x00\x12", b"two words", None])
def test_an_id_that_was_lost_is_told_by_the_orders(content: bytes | None, tmp_path: Path) -> None:
    """An empty file after a loss of power made our own orders another engine's."""
    with Place(tmp_path / "one") as place, Place(tmp_path / "two") as other:
        path = place.directory / INSTALLATION_NAME
        journal, _ = place.begin_journal(SystemClock(), "sim", "off")
        for number, told in enumerate(("ffffffff", "1234abcd", "")):
            journal.append(RecordKind.INTENT, {"id": f"arb-{told}-{number:08}"})
        journal.close()
        damage(path, content)
        assert other.earlier() == ()
        assert place.installation() == "1234abcd"
        assert path.read_bytes() == b"1234abcd"


def test_an_id_that_nothing_tells_is_made_anew(tmp_path: Path) -> None:
    """Without an order nothing can rest by the old one; from then on it stays."""
    with Place(tmp_path / "one") as place:
        place.begin_journal(SystemClock(), "sim", "off")[0].close()
        damage(place.directory / INSTALLATION_NAME, b"")
        made = place.installation()
        assert len(made) == 8
        assert place.installation() == made


def damage(path: Path, content: bytes | None) -> None:
    """Leave a file as a loss of power may, or none."""
    if content is not None:
        path.write_bytes(content)


def test_an_id_is_on_the_disk_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes out with each order, and must be the same after any end."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with Place(tmp_path / "one") as place:
        place.installation()
        assert len(synced) == 2, "the file, and the folder"
        place.installation()
        assert len(synced) == 2


def test_a_place_names_its_files(tmp_path: Path) -> None:
    """Everything an engine keeps lies in its place."""
    place = Place(tmp_path)

    assert place.journal_path == tmp_path / "journal"
    assert place.log_path == tmp_path / "engine.log"
    assert place.tape_path(17) == tmp_path / "17.tape"


def test_leaving_a_place_never_entered_does_nothing(tmp_path: Path) -> None:
    """There is no lock to let go of."""
    Place(tmp_path).__exit__(None, None, None)


def test_a_long_journal_leaves_a_snapshot_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start after many records keeps the state; the next begins there, skipping numbers."""
    monkeypatch.setattr(place_module, "SNAPSHOT_AFTER", 3)
    place = Place(tmp_path)
    found = []
    for _ in range(6):
        journal, _ = place.begin_journal(SystemClock(), "sim", "off")
        state = journal.recover()
        found.append((journal.snapshot_records, state.next_order // ORDER_NUMBERS_SKIPPED))
        assert journal.snapshot_trouble is None
        journal.close()

    assert found == [(0, 1), (0, 2), (0, 3), (0, 4), (3, 5), (3, 6)]


def test_a_journal_begins_with_its_format(tmp_path: Path) -> None:
    """Every run writes down its version, its mode, and how its records are to be read."""
    for _ in range(2):
        with Place(tmp_path / "one") as place:
            place.begin_journal(SystemClock(), "sim", "second")[0].close()
    first, second = read_records(Place(tmp_path / "one").journal_path)

    assert first.data == {"version": VERSION, "mode": "sim", "format": FORMAT}
    assert second.number == 2


def test_a_journal_that_cannot_be_followed_is_refused_with_its_place(tmp_path: Path) -> None:
    """Damage, and a record that says nothing, end the start; the file is left as it was."""
    with Place(tmp_path / "one") as place:
        journal, _ = place.begin_journal(SystemClock(), "sim", "second")
        whole = place.journal_path.read_bytes()
        journal.append(RecordKind.FILL, {})
        journal.close()
        nonsense = place.journal_path.read_bytes()
        told = r"one/journal cannot be trusted: record 2 \(fill\) cannot be read"
        with pytest.raises(NotARecord, match=told):
            place.begin_journal(SystemClock(), "sim", "second")
        damaged = nonsense.replace(b"sim", b"smi")
        place.journal_path.write_bytes(damaged)
        with pytest.raises(JournalDamaged, match="one/journal cannot be trusted: byte 0: "):
            place.begin_journal(SystemClock(), "sim", "second")

        assert place.journal_path.read_bytes() == damaged
        place.journal_path.write_bytes(whole)
        place.begin_journal(SystemClock(), "sim", "order")[0].close()


def test_a_journal_that_cannot_be_read_ends_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails is named with its file, which is left as it was, and may be tried again."""
    with Place(tmp_path / "one") as place:
        place.begin_journal(SystemClock(), "sim", "second")[0].close()
        whole = place.journal_path.read_bytes()

        def fail(self: DiskFile) -> bytes:
            raise OSError(errno.EIO, "Input/output error", str(place.journal_path))

        with monkeypatch.context() as broken:
            broken.setattr(DiskFile, "read", fail)
            with pytest.raises(OSError, match=r"Input/output error: '.*one/journal'"):
                place.begin_journal(SystemClock(), "sim", "second")

        assert place.journal_path.read_bytes() == whole
        place.begin_journal(SystemClock(), "sim", "second")[0].close()
