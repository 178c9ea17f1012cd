"""Tapes written and read again, and what a broken one says."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from arb.core.grid import PriceGrid
from arb.core.matching import KalshiGame, OddsEvent
from arb.core.money import CountE2
from arb.tape import reader as reader_module
from arb.tape.format import (
    Feed,
    Record,
    TapeError,
    TapeEvent,
    TapeHeader,
    TapeMarket,
    TapeSeries,
    header_line,
    record_line,
)
from arb.tape.reader import TapeReader
from arb.tape.writer import TapeWriter

HEADER = TapeHeader(
    source="a test",
    begins_ms=1_000,
    series=(TapeSeries("KXMLBGAME", "quadratic", 5_000),),
    events=(
        TapeEvent(
            "KXMLBGAME-25AUG23WSHPHI",
            "KXMLBGAME",
            (TapeMarket("KXMLBGAME-25AUG23WSHPHI-WSH", PriceGrid(((0, 10_000, 100),)), 3),),
            1_755_990_600_000,
        ),
    ),
    odds_events=(OddsEvent("p", "1", "MLB", "Montréal", "B", 1_755_990_600_000, None),),
    assumptions=("Nothing is so.",),
    level_size_e2=CountE2(100),
)
RECORDS = [
    Record(1_000, Feed.BOOKS, "kalshi", '{"type":"subscribed"}\n'),
    Record(1_000, Feed.ODDS, "p", '{"a":"é\\u0000"}\n{"b":2}'),
    Record(2_500, Feed.BOOKS, "kalshi", ""),
]


def write(path: Path, records: list[Record] = RECORDS) -> Path:
    with TapeWriter(path, HEADER) as writer:
        for record in records:
            writer.append(record)
    return path


def lines(path: Path, *more: bytes) -> Path:
    path.write_bytes(b"".join((header_line(HEADER), *more)))
    return path


@pytest.mark.parametrize("name", ["day.tape", "day.tape.gz"])
def test_what_was_written_is_read_again(tmp_path: Path, name: str) -> None:
    """Header and frames come back as they were, to the last byte of their text."""
    path = write(tmp_path / name)
    with TapeReader(path) as reader:
        assert reader.header == HEADER
        assert list(reader) == RECORDS
        assert reader.bad == 0
        assert repr(reader) == f"<TapeReader {path}, line 5, 0 bad>"


def test_the_compressed_tape_holds_the_same_lines(tmp_path: Path) -> None:
    """A .gz tape is the plain one packed, and packing it twice gives the same bytes."""
    plain, packed = write(tmp_path / "day.tape"), write(tmp_path / "day.tape.gz")
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    before = packed.read_bytes()
    packed.unlink()
    assert write(packed).read_bytes() == before


def test_the_listings_are_what_the_matcher_takes() -> None:
    """A header's events become listings with their markets and starts."""
    assert HEADER.kalshi_games() == (
        KalshiGame("KXMLBGAME-25AUG23WSHPHI", ("KXMLBGAME-25AUG23WSHPHI-WSH",), 1_755_990_600_000),
    )


def test_a_tape_is_not_overwritten_unasked(tmp_path: Path) -> None:
    """A file that is there stays as it is, unless force is given."""
    path = write(tmp_path / "day.tape")
    with pytest.raises(TapeError, match="exists already"):
        TapeWriter(path, HEADER)
    with TapeWriter(path, HEADER, force=True) as writer:
        assert writer.records == 0
    with TapeReader(path) as reader:
        assert list(reader) == []


@pytest.mark.parametrize("kind", [TapeReader, lambda path: TapeWriter(path, HEADER)])
def test_a_folder_that_is_not_there_is_one_line(
    tmp_path: Path, kind: Callable[[Path], object]
) -> None:
    """Neither reading nor writing shows more than which path and why."""
    with pytest.raises(TapeError, match="No such file or directory") as caught:
        kind(tmp_path / "nowhere" / "day.tape")
    assert "\n" not in str(caught.value)


def test_a_clock_that_was_set_back_does_not_break_the_tape(tmp_path: Path) -> None:
    """A frame with an earlier time gets the last one, and is counted."""
    path = tmp_path / "day.tape"
    with TapeWriter(path, HEADER) as writer:
        for at_ms in (2_000, 1_500, 2_001):
            writer.append(Record(at_ms, Feed.BOOKS, "kalshi", "{}"))
        assert (writer.records, writer.set_forward) == (3, 1)
        assert repr(writer) == f"<TapeWriter {path}, 3 frames>"
    with TapeReader(path) as reader:
        assert [record.at_ms for record in reader] == [2_000, 2_000, 2_001]


def test_what_was_flushed_can_be_read_while_the_tape_is_written(tmp_path: Path) -> None:
    """After a flush another process sees every frame kept so far."""
    path = tmp_path / "day.tape"
    with TapeWriter(path, HEADER) as writer:
        writer.append(RECORDS[0])
        writer.flush()
        with TapeReader(path) as reader:
            assert list(reader) == RECORDS[:1]


def test_a_text_that_is_no_unicode_is_refused(tmp_path: Path) -> None:
    """Half of a surrogate pair cannot be kept, and the tape stays whole."""
    path = tmp_path / "day.tape"
    with TapeWriter(path, HEADER) as writer, pytest.raises(TapeError, match="kalshi cannot be"):
        writer.append(Record(1_000, Feed.BOOKS, "kalshi", "\ud800"))
    with TapeReader(path) as reader:
        assert list(reader) == []


def test_a_full_disk_is_said_in_one_line() -> None:
    """Where nothing more can be written, each way to find out says so."""
    full = Path("/dev/full")
    if not full.exists():  # pragma: no cover
        pytest.skip("this system has no /dev/full")
    writer = TapeWriter(full, HEADER, force=True)
    with pytest.raises(TapeError, match="No space left"):
        writer.flush()
    with pytest.raises(TapeError, match="No space left"):
        writer.append(Record(1_000, Feed.BOOKS, "kalshi", "x" * 100_000))
    with pytest.raises(TapeError, match="No space left"):
        writer.close()


GOOD = record_line(RECORDS[0])


@pytest.mark.parametrize(
    "line, what",
    [
        (b"{\n", "not JSON"),
        (b"\n", "not JSON"),
        (b"\xff\xfe\n", "not JSON"),
        (b"[]\n", "not a JSON object"),
        (b'{"feed":"books","source":"k","raw":""}\n', "'at_ms' is missing"),
        (b'{"at_ms":1000,"feed":"books","source":"k"}\n', "'raw' is missing"),
        (b'{"at_ms":"1000","feed":"books","source":"k","raw":""}\n', "at_ms is '1000'"),
        (b'{"at_ms":true,"feed":"books","source":"k","raw":""}\n', "at_ms is True"),
        (b'{"at_ms":-1,"feed":"books","source":"k","raw":""}\n', "at_ms is -1"),
        (b'{"at_ms":1000,"feed":"trades","source":"k","raw":""}\n', "feed is 'trades'"),
        (b'{"at_ms":1000,"feed":[],"source":"k","raw":""}\n', "not one of books, odds"),
        (b'{"at_ms":1000,"feed":"books","source":"k","raw":{}}\n', "raw is not a text"),
        (b'{"at_ms":1000,"feed":"books","source":1,"raw":""}\n', "source or raw"),
        (b'{"at_ms":999,"feed":"books","source":"k","raw":""}\n', "time goes back"),
        (GOOD[:-20] + b"\n", "not JSON"),
    ],
)
def test_a_broken_line_says_where_and_what(tmp_path: Path, line: bytes, what: str) -> None:
    """File, line number and what is wrong; with skip_bad it is counted and the next one read."""
    path = lines(tmp_path / "day.tape", GOOD, line, GOOD)
    with TapeReader(path) as reader, pytest.raises(TapeError) as caught:
        list(reader)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert what in str(caught.value)
    with TapeReader(path, skip_bad=True) as reader:
        assert list(reader) == [RECORDS[0], RECORDS[0]]
        assert reader.bad == 1
        assert reader.last_bad is not None
        assert what in reader.last_bad


def test_a_last_line_that_was_cut_off_is_broken(tmp_path: Path) -> None:
    """A tape whose writer died in the middle of a frame says so at its last line."""
    path = lines(tmp_path / "day.tape", GOOD, GOOD[:30])
    with TapeReader(path) as reader, pytest.raises(TapeError, match="line 3: not JSON"):
        list(reader)


def test_a_line_without_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line beyond the limit is one broken line, and the one after it is read."""
    monkeypatch.setattr(reader_module, "LINE_BYTES_MAX", 1024)
    path = lines(tmp_path / "day.tape", b"x" * 5_000 + b"\n", GOOD)
    with TapeReader(path, skip_bad=True) as reader:
        assert list(reader) == [RECORDS[0]]
        assert reader.bad == 1


def test_a_compressed_tape_that_was_cut_off_cannot_be_skipped(tmp_path: Path) -> None:
    """What cannot be unpacked ends the reading, whatever was asked."""
    path = write(tmp_path / "day.tape.gz", RECORDS * 50)
    path.write_bytes(path.read_bytes()[:-30])
    with (
        TapeReader(path, skip_bad=True) as reader,
        pytest.raises(TapeError, match="cannot be read"),
    ):
        list(reader)


def test_what_is_not_compressed_at_all_says_so(tmp_path: Path) -> None:
    """A plain file under a compressed name is refused at its first line."""
    path = tmp_path / "day.tape.gz"
    path.write_bytes(b"plain text")
    with pytest.raises(TapeError, match="line 1: cannot be read"):
        TapeReader(path)


def header_with(**changes: object) -> bytes:
    return orjson.dumps(orjson.loads(header_line(HEADER)) | changes) + b"\n"


@pytest.mark.parametrize(
    "line, what",
    [
        (b"", "the tape is empty"),
        (b"hello\n", "not JSON"),
        (b"{}\n", "this is no tape"),
        (header_with(format="tar"), "this is no tape"),
        (header_with(version=4), "version 4, understood is version 3"),
        (header_with(begins_ms="now"), "header.begins_ms"),
        (header_with(begins_ms=1.5), "header.begins_ms"),
        (header_with(level_size_e2=True), "level_size_e2"),
        (header_with(events=[{"event_ticker": "X"}]), "header.events[0]"),
        (header_with(series=7), "header.series"),
        (header_with(colour="red"), "colour"),
        (header_with(events=[]).replace(b'"a test"', b"null"), "header.source"),
    ],
)
def test_a_broken_header_always_ends_the_reading(tmp_path: Path, line: bytes, what: str) -> None:
    """Without its header no frame can be understood, and one line says what is wrong with it."""
    path = tmp_path / "day.tape"
    path.write_bytes(line)
    with pytest.raises(TapeError) as caught:
        TapeReader(path, skip_bad=True)
    assert str(caught.value).startswith(f"{path}, line 1: ")
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
