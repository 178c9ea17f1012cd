"""How a record lies in the file: its length, its checksum, its bytes.

``length`` and ``crc32`` are little-endian 32-bit numbers in front of the payload. A tail that
was cut while it was written is recognised and left out; damage before the tail is refused,
because everything after it would be a guess.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from zlib import crc32

import attrs

HEADER = struct.Struct("<II")

# The longest record the engine writes is a fraction of this; a longer length is damage.
PAYLOAD_BYTES_MAX = 1 << 20


# How every payload begins: by it a record is told from what only happens to stand there.
BEGINNING = b'{"n":'


class JournalDamaged(Exception):
    """A record before the tail does not match its checksum; says where, in one line."""


@attrs.frozen
class Scan:
    """What a journal holds: its payloads, and where the valid part ends."""

    payloads: tuple[bytes, ...]
    valid_bytes: int
    torn_bytes: int


def frame(payload: bytes) -> bytes:
    """Return a payload as it lies in the file; raises `ValueError` if it is empty or too long."""
    if not payload:
        raise ValueError("a record of no bytes could not be told from a torn tail")
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ValueError(f"a record of {len(payload)} bytes is longer than {PAYLOAD_BYTES_MAX}")
    return HEADER.pack(len(payload), crc32(payload)) + payload


def scan(data: bytes, start: int = 0) -> Scan:
    """Read the longest valid prefix from ``start``, where a record begins.

    Raises `JournalDamaged` where more than a tail is lost, and where no record ever began: that
    is another file, of which nothing may be cut. `Scan.valid_bytes` counts from the file's own
    beginning.
    """
    payloads = []
    end = start
    for payload, end_of_frame in _frames(data, start):
        payloads.append(payload)
        end = end_of_frame
    if end < len(data) and _holds_a_frame(data, end + 1):
        raise JournalDamaged(
            f"byte {end}: the record does not match its checksum, and valid records follow it"
        )
    if not end and not _may_be_torn(data):
        raise JournalDamaged("byte 0: no record begins here, and none follows: no journal of ours")
    return Scan(tuple(payloads), end, len(data) - end)


def _may_be_torn(data: bytes) -> bool:
    """Tell whether a first record may have been cut here, by a kill or by a loss of power."""
    begun = data[HEADER.size : HEADER.size + len(BEGINNING)]
    # A file system may have kept the length of what was written, and zeros in its place.
    return BEGINNING.startswith(begun) or not data.strip(b"\0")


def _frames(data: bytes, at: int) -> Iterator[tuple[bytes, int]]:
    while (payload := _payload_at(data, at)) is not None:
        at += HEADER.size + len(payload)
        yield payload, at


def _payload_at(data: bytes, at: int) -> bytes | None:
    if at + HEADER.size > len(data):
        return None
    length, checksum = HEADER.unpack_from(data, at)
    start = at + HEADER.size
    if not 0 < length <= PAYLOAD_BYTES_MAX or start + length > len(data):
        return None
    payload = data[start : start + length]
    return payload if crc32(payload) == checksum else None


def _holds_a_frame(data: bytes, start: int) -> bool:
    # A payload is JSON, so a frame shows by the brace after its header: looking only there
    # keeps the search linear.
    brace = data.find(BEGINNING, start + HEADER.size)
    while brace != -1:
        if _payload_at(data, brace - HEADER.size) is not None:
            return True
        brace = data.find(BEGINNING, brace + 1)
    return False
