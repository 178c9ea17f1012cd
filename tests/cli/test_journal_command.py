"""``arb journal verify`` as typed, and where the questions find their journal."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import attrs
import orjson
import pytest

from arb.cli.app import run as run_app
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.journal_place import find_place, told
from arb.io.clock import SystemClock
from arb.io.rendezvous import RunningEngine, write_card
from arb.journal.frames import frame
from arb.journal.records import Record, RecordKind, encode
from arb.journal.snapshot import DiskSnapshot, make_snapshot, read_snapshot, snapshot_path
from arb.journal.writer import DiskFile, Journal
from tests.cli.journal_places import open_journal, run, use_root

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A journal of three records where the commands look."""
    use_root(tmp_path, monkeypatch)
    _, made = open_journal(tmp_path)
    for reason in ("one", "two", "three"):
        made.append(RecordKind.HALT, {"reason": reason, "by": "me"})
    return made


def path_of(root: Path) -> Path:
    """Return where that journal lies."""
    return root / "sim" / "w1" / "journal"


def test_a_whole_journal_is_told_with_its_times(
    journal: Journal, tmp_path: Path, capsys: Printed
) -> None:
    """How many records, of what time, and the last one's hash; the file is not touched."""
    before = path_of(tmp_path).read_bytes()
    run("journal", "verify")
    said = capsys.readouterr().out

    assert "3 records, " in said
    assert "all whole, in order and linked" in said
    assert said.count(":0") >= 2
    assert len(journal.records()) == 3
    assert path_of(tmp_path).read_bytes() == before


def test_json_says_the_same(journal: Journal, tmp_path: Path, capsys: Printed) -> None:
    """One object with everything that was found."""
    run("journal", "verify", str(path_of(tmp_path)), "--json")
    found = orjson.loads(capsys.readouterr().out)

    times = [record.at_ms for record in journal.records()]
    assert (found["ok"], found["records"], found["unlinked"]) == (True, 3, 0)
    assert (found["first_ms"], found["last_ms"]) == (times[0], times[-1])


def test_a_torn_tail_is_told_and_left_alone(
    journal: Journal, tmp_path: Path, capsys: Printed
) -> None:
    """It is no fault: an engine may be writing it, and a start leaves it out."""
    file = path_of(tmp_path)
    file.write_bytes(file.read_bytes() + b"\x20\0\0\0torn")
    run("journal", "verify")

    assert "8 bytes after them are no whole record" in capsys.readouterr().out
    assert file.read_bytes().endswith(b"torn")
    assert len(journal.records()) == 3


@pytest.mark.usefixtures("journal")
@pytest.mark.parametrize(
    "old, new, told_as",
    [(b"two", b"2.0", "does not match its checksum"), (b"", b"", "was written after another")],
)
def test_what_is_wrong_is_told_with_its_place(
    old: bytes, new: bytes, told_as: str, tmp_path: Path, capsys: Printed
) -> None:
    """A changed record ends the command with 1, whether or not its checksum was made right."""
    file = path_of(tmp_path)
    data = file.read_bytes()
    if old:
        file.write_bytes(data.replace(old, new))
    else:
        first = frame(encode(Record(1, RecordKind.HALT, 0, {"reason": "0", "by": "me"})))
        length = data.index(b'{"n":2') - 8
        file.write_bytes(first + data[length:])

    assert run_app(["journal", "verify"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"arb: {file}: byte ")
    assert told_as in said.err
    assert run_app(["journal", "verify", "--json"]) == 1
    wrong = orjson.loads(capsys.readouterr().out)
    assert wrong["ok"] is False
    assert told_as in wrong["wrong"]


@pytest.mark.parametrize("length", [60, 10_000])
def test_another_file_is_told_as_such(length: int, tmp_path: Path, capsys: Printed) -> None:
    """Random bytes are no empty journal with a torn tail."""
    file = tmp_path / "other"
    file.write_bytes(Random(length).randbytes(length))

    assert run_app(["journal", "verify", str(file)]) == 1
    assert f"{file}: byte 0: no record begins here" in capsys.readouterr().err


def test_a_snapshot_is_held_against_the_records(
    journal: Journal, tmp_path: Path, capsys: Printed
) -> None:
    """One that is right is told, one that is not used says why, one that lies fails."""
    file = path_of(tmp_path)
    store, data = DiskSnapshot(snapshot_path(file)), file.read_bytes()
    kept = Journal(DiskFile(file), SystemClock(), snapshots=store)
    state = kept.recover(keep_after=1)
    run("journal", "verify")
    assert "the snapshot beside it says what the first 3 records do" in capsys.readouterr().out

    place = read_snapshot(store.load() or b"").position
    store.save(make_snapshot(attrs.evolve(state, next_order=7), place, data))
    with pytest.raises(CommandFailed, match="something else than the first 3 records: remove it"):
        run("journal", "verify")

    store.save(b"something")
    run("journal", "verify", "--json")
    said = orjson.loads(capsys.readouterr().out)["snapshot"]
    assert said == "the snapshot beside it is not used: it does not match its own hash"
    kept.close()
    journal.close()


def test_a_record_that_does_not_follow_is_told(tmp_path: Path) -> None:
    """What is whole and linked may still say something impossible."""
    place, journal = open_journal(tmp_path)
    journal.append(RecordKind.FILL, {})

    with pytest.raises(CommandFailed, match=r"journal: record 1 \(fill\) cannot be read"):
        run("journal", "verify", str(place.journal_path))


def test_an_empty_journal_and_an_older_one_are_fine(tmp_path: Path, capsys: Printed) -> None:
    """Neither has a hash to show."""
    file = tmp_path / "journal"
    file.touch()
    run("journal", "verify", str(file))
    assert "holds no record" in capsys.readouterr().out

    file.write_bytes(frame(encode(Record(1, RecordKind.STOP, 0, {}, None))))
    run("journal", "verify", str(file))
    assert "the first 1 are of format 1" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The name of the file stands in the one line."""
    with pytest.raises(CommandFailed, match="nothing cannot be read: No such file"):
        run("journal", "verify", str(tmp_path / "nothing"))


# Which journal is meant.


def test_without_an_engine_the_last_that_wrote_is_asked(tmp_path: Path) -> None:
    """Mode and world choose among those that do not run."""
    for age_s, (mode, world) in enumerate((("sim", "w1"), ("sim", "w2"), ("demo", "account"))):
        place, _ = open_journal(tmp_path, mode, world)
        os.utime(place.journal_path, (1_000 - age_s, 1_000 - age_s))

    assert told(find_place(None, None, tmp_path)) == "Journal of sim w1"
    assert find_place(None, "w2", tmp_path).directory.name == "w2"
    assert find_place("demo", None, tmp_path).directory.name == "account"
    with pytest.raises(CommandFailed, match="no live journal was found in"):
        find_place("live", None, tmp_path)
    with pytest.raises(UsageError, match="'real' is no mode"):
        find_place("real", None, tmp_path)


def test_an_engine_that_runs_goes_first_and_two_need_a_word(tmp_path: Path) -> None:
    """A running engine is asked although another wrote later; between two a person says which."""
    places = [open_journal(tmp_path, "sim", world)[0] for world in ("w1", "w2", "w3")]

    def run_in(number: int) -> None:
        directory = places[number].directory
        card = RunningEngine(directory, os.getpid(), "sim", directory.name, "0", 0)
        write_card(directory, card)

    with listening(places[0].directory / "control.sock"):
        run_in(0)
        assert find_place(None, None, tmp_path).directory.name == "w1"
        with listening(places[1].directory / "control.sock"):
            run_in(1)
            with pytest.raises(UsageError, match=r"2 engines are running \(sim w1, sim w2\)"):
                find_place(None, None, tmp_path)
            assert find_place(None, "w3", tmp_path).directory.name == "w3"


@contextmanager
def listening(path: Path) -> Iterator[None]:
    """Answer on a socket, as a running engine does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen()
        yield
