"""Messages on the wire: split, put back, and spoiled."""

from __future__ import annotations

from collections import deque

import pytest

from arb.faults.frames import FrameSplitter, Piece, text_frame
from arb.faults.requests import RequestReader
from arb.faults.wire_faults import FrameFaults

UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nx: y\r\n\r\n"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("step", [1, 3, 1_000_000])
def test_frames_of_every_size_come_out_as_they_went_in(size: int, step: int) -> None:
    """However the bytes are cut, the same messages come out."""
    if size > 1_000 and step == 1:
        step = 997
    sent = [text_frame(b"a" * size), text_frame(b"end")]
    data = UPGRADE + b"".join(piece.raw for piece in sent)
    splitter = FrameSplitter()
    pieces = [
        piece
        for start in range(0, len(data), step)
        for piece in splitter.feed(data[start : start + step])
    ]

    assert pieces == [Piece(UPGRADE), *sent]
    assert "0 left" in repr(splitter)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_536])
@pytest.mark.parametrize("step", [1, 1_000_000])
def test_what_a_client_sends_is_unmasked(size: int, step: int) -> None:
    """The key stands before the payload, and every fourth byte has the same part of it."""
    step = 997 if size > 1_000 and step == 1 else step
    payload, key = b"abcde" * (size // 5) + b"x" * (size % 5), b"\x01\x80\x7f\x33"
    head = bytearray(text_frame(payload).raw[: -size or None])
    head[1] |= 0x80
    masked = bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))
    data = bytes(head) + key + masked
    splitter = FrameSplitter(upgraded=True)
    pieces = [
        piece
        for start in range(0, 2 * len(data), step)
        for piece in splitter.feed((data + data)[start : start + step])
    ]

    assert pieces == [Piece(data, 1, payload)] * 2


def test_an_ordinary_answer_passes_whole() -> None:
    """Where no upgrade happens there are no messages to look for."""
    splitter = FrameSplitter()

    assert splitter.feed(b"HTTP/1.1 503 x\r\n\r\nbody") == [Piece(b"HTTP/1.1 503 x\r\n\r\nbody")]
    assert splitter.feed(b"more") == [Piece(b"more")]


def texts(faults: FrameFaults, *payloads: bytes) -> list[bytes]:
    """Send some messages through faults and return what comes out."""
    kept: deque[Piece] = deque()
    return [
        piece.payload for payload in payloads for piece in faults.apply(text_frame(payload), kept)
    ]


def test_messages_are_lost_repeated_and_swapped() -> None:
    """Each count says how many of the next messages it concerns."""
    assert texts(FrameFaults(lose=1), b"a", b"b") == [b"b"]
    assert texts(FrameFaults(repeat=1), b"a", b"b") == [b"a", b"a", b"b"]
    assert texts(FrameFaults(swap=1), b"a", b"b", b"c") == [b"b", b"a", b"c"]


def test_messages_are_spoiled() -> None:
    """Garbage replaces a message or follows it, and numbers become absurd."""
    faults = FrameFaults(garble=1, flood=3)
    spoiled = texts(faults, b"a", b"b")
    assert len(spoiled) == 5
    assert b"a" not in spoiled
    assert faults.hits == {"garble": 1, "flood": 3}

    message = b'{"seq":5,"price":"0.5000","deep":[{"n":1}]}'
    odd = texts(FrameFaults(odd_numbers=9), *[message] * 9)
    assert all(each != message for each in odd[:-1])
    assert texts(FrameFaults(odd_numbers=1), b"no json") == [b"no json"]


def test_requests_are_read_one_by_one() -> None:
    """A body may come in pieces, and after an upgrade nothing is a request any more."""
    reader = RequestReader()
    post = b'POST /a/b?c=d HTTP/1.1\r\nContent-Length: 7\r\n\r\n{"a":1}'
    assert reader.feed(post[:-2]) == []
    (request,) = reader.feed(post[-2:])
    assert (request.method, request.path, request.body) == ("POST", "/a/b?c=d", {"a": 1})

    (upgrade,) = reader.feed(b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x85")
    assert upgrade.body is None
    assert reader.feed(post) == []
