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


def scan(data: bytes) -> Scan:
    """Read the longest valid prefix; raises `JournalDamaged` where more than a tail is lost."""
    payloads = []
    end = 0
    for payload, end_of_frame in _frames(data):
        payloads.append(payload)
        end = end_of_frame
    if end < len(data) and _holds_a_frame(data, end + 1):
        raise JournalDamaged(
            f"byte {end}: the record does not match its checksum, and valid records follow it"
        )
    return Scan(tuple(payloads), end, len(data) - end)


def _frames(data: bytes) -> Iterator[tuple[bytes, int]]:
    at = 0
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
    brace = data.find(b'{"n":', start + HEADER.size)
    while brace != -1:
        if _payload_at(data, brace - HEADER.size) is not None:
            return True
        brace = data.find(b'{"n":', brace + 1)
    return False
