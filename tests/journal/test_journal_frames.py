"""How records lie in the file, and what of a damaged file is believed."""

from __future__ import annotations

import random
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.journal.frames import HEADER, PAYLOAD_BYTES_MAX, JournalDamaged, Scan, frame, scan

PAYLOADS = [f'{{"n":{number},"d":"{"x" * number}"}}'.encode() for number in (1, 2, 3)]
FRAMES = [frame(payload) for payload in PAYLOADS]
WHOLE = b"".join(FRAMES)
payloads = st.lists(st.binary(max_size=40).map(lambda tail: b'{"n":' + tail), max_size=6)


def test_a_frame_is_length_checksum_and_payload() -> None:
    """Eight bytes little-endian stand before the payload."""
    assert frame(b"abc") == b"\x03\0\0\0" + crc32(b"abc").to_bytes(4, "little") + b"abc"
    assert HEADER.size == 8


@given(payloads)
def test_what_was_framed_is_found(written: list[bytes]) -> None:
    """A whole file gives back every payload, and nothing of it is torn."""
    data = b"".join(frame(payload) for payload in written)

    assert scan(data) == Scan(tuple(written), len(data), 0)


def test_an_empty_file_holds_nothing() -> None:
    """A journal that was never written to is a valid one."""
    assert scan(b"") == Scan((), 0, 0)


def test_a_payload_may_be_as_long_as_the_limit() -> None:
    """The longest payload is read back; a byte more, and none at all, is never written."""
    longest = b"x" * PAYLOAD_BYTES_MAX

    assert scan(frame(longest)).payloads == (longest,)
    with pytest.raises(ValueError, match="a record of 1048577 bytes is longer than 1048576"):
        frame(longest + b"x")
    with pytest.raises(ValueError, match="a record of no bytes"):
        frame(b"")


@pytest.mark.parametrize("length", [0, PAYLOAD_BYTES_MAX + 1, 2**32 - 1])
def test_an_impossible_length_is_damage(length: int) -> None:
    """A header that no writer wrote is not followed."""
    payload = b"x" * min(length, PAYLOAD_BYTES_MAX + 1)
    data = HEADER.pack(length, crc32(payload)) + payload

    assert scan(WHOLE + data) == Scan(tuple(PAYLOADS), len(WHOLE), len(data))


@pytest.mark.parametrize("length", [9, 13, 100, 5_000])
def test_another_file_is_no_journal(length: int) -> None:
    """Bytes among which no record ever began are refused, and so never cut."""
    other = random.Random(length).randbytes(length)

    with pytest.raises(JournalDamaged, match=r"^byte 0: no record begins here"):
        scan(other)


@pytest.mark.parametrize("torn", [b"", b"\x20\0\0\0", FRAMES[0][:-1], FRAMES[0][:11], b"\0" * 300])
def test_a_first_record_may_be_torn(torn: bytes) -> None:
    """What a kill or a loss of power leaves of the very first record is an empty journal."""
    assert scan(torn) == Scan((), 0, len(torn))


@given(payloads, st.integers(0, 6), st.binary(max_size=20))
def test_a_scan_goes_on_from_where_a_record_begins(
    written: list[bytes], before: int, tail: bytes
) -> None:
    """From any record on it finds what a scan of everything finds from there on."""
    frames = [frame(payload) for payload in written]
    start = sum(map(len, frames[:before]))
    data = b"".join(frames) + tail * bool(start)
    rest = scan(data, start)

    assert rest.payloads == scan(data).payloads[before:]
    assert (rest.valid_bytes, rest.torn_bytes) == (scan(data).valid_bytes, scan(data).torn_bytes)


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_a_torn_tail_is_left_out(end: int) -> None:
    """Cut anywhere, the file gives the records that are whole."""
    found = scan(WHOLE[:end])
    starts = [0, len(FRAMES[0]), len(FRAMES[0] + FRAMES[1])]
    whole = [start for start in starts[1:] if start <= end]

    assert found.payloads == tuple(PAYLOADS[: len(whole)])
    assert (found.valid_bytes, found.torn_bytes) == (starts[len(whole)], end - starts[len(whole)])


@pytest.mark.parametrize("at", range(len(FRAMES[0])))
def test_damage_before_the_tail_is_refused(at: int) -> None:
    """A record that does not match with valid ones behind it is no torn tail."""
    data = bytearray(WHOLE)
    data[at] ^= 1

    with pytest.raises(JournalDamaged, match="byte 0: the record does not match its checksum"):
        scan(bytes(data))


def test_the_place_of_the_damage_is_told() -> None:
    """The first record that cannot be read is named by its offset."""
    data = FRAMES[0] + FRAMES[1][:-1] + b"?" + FRAMES[2]

    with pytest.raises(JournalDamaged, match=f"byte {len(FRAMES[0])}: "):
        scan(data)


def test_a_record_that_is_missing_bytes_is_damage() -> None:
    """Bytes that vanished from the middle do not let the rest pass for a tail."""
    with pytest.raises(JournalDamaged):
        scan(FRAMES[0] + FRAMES[1][:-3] + FRAMES[2])


@pytest.mark.parametrize("garbage", [b"\0" * 500, b"\xff" * 500, b'{"n":' * 100])
def test_garbage_at_the_end_is_a_tail(garbage: bytes) -> None:
    """What a loss of power leaves behind the last record holds no record, so it is cut."""
    assert scan(WHOLE + garbage) == Scan(tuple(PAYLOADS), len(WHOLE), len(garbage))
