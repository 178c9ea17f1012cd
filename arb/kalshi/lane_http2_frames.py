"""Requests as HTTP/2 frames, and the frames of an answer taken apart. Pure.

Headers are written as literals that no table remembers (RFC 7541, 6.2.2): a request then depends on
nothing that went before it, so its bytes are made ahead like those of HTTP/1.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import attrs

from arb.io.url import Endpoint
from arb.kalshi.lane_request import STATUS_PATH, Request
from arb.kalshi.sign import RequestSigner

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES = 9

# Every server takes frames of this size and stream windows of four times it (RFC 9113, 6.5.2). No
# request of ours comes near: a batch of twenty orders has 8 KiB.
FRAME_BYTES_MAX = 16_384

DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE = 0x0, 0x1, 0x3, 0x4, 0x5
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0x6, 0x7, 0x8, 0x9

END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITY = 0x4, 0x8, 0x20

ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 0x2, 0x3, 0x4
WINDOW_BYTES_MAX = 2**31 - 1
WINDOW_BYTES_FIRST = 65_535

_STREAM = struct.Struct(">I")
_SETTING = struct.Struct(">HI")
_STREAM_MASK = 0x7FFF_FFFF

# Places in HPACK's static table (RFC 7541, appendix A).
_METHODS = {"GET": b"\x82", "POST": b"\x83"}
_SCHEMES = {False: b"\x86", True: b"\x87"}
_AUTHORITY, _METHOD, _PATH, _ACCEPT = 1, 2, 4, 19
_CONTENT_LENGTH, _CONTENT_TYPE, _USER_AGENT = 28, 31, 58
_JSON = b"application/json"


class BadFrame(Exception):
    """Bytes that are no HTTP/2; one line says which."""


@attrs.frozen
class Frame:
    """One frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    def content(self) -> bytes:
        """Return the payload of a DATA or HEADERS frame without padding and priority."""
        payload, cut = self.payload, 0
        if self.flags & PADDED:
            cut, payload = (payload[0] if payload else 0), payload[1:]
        if self.kind == HEADERS and self.flags & PRIORITY:
            payload = payload[5:]
        if cut > len(payload):
            raise BadFrame("more padding than frame")
        return payload[: len(payload) - cut]

    def settings(self) -> dict[int, int]:
        """Return the settings of a SETTINGS frame."""
        if len(self.payload) % _SETTING.size:
            raise BadFrame("settings of an odd length")
        return dict(_SETTING.iter_unpack(self.payload))

    def number(self) -> int:
        """Return the number that a WINDOW_UPDATE carries."""
        if len(self.payload) != _STREAM.size:
            raise BadFrame("a window update of an odd length")
        return int(_STREAM.unpack(self.payload)[0]) & _STREAM_MASK


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame as bytes."""
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags)) + _STREAM.pack(stream)
    return head + payload


def greeting() -> bytes:
    """Return what a client says first: no pushes, and windows that no answer fills."""
    settings = _SETTING.pack(ENABLE_PUSH, 0) + _SETTING.pack(INITIAL_WINDOW_SIZE, WINDOW_BYTES_MAX)
    return PREFACE + frame(SETTINGS, 0, 0, settings) + wider(WINDOW_BYTES_MAX - WINDOW_BYTES_FIRST)


def wider(size: int) -> bytes:
    """Return the frame that lets the other side send so much more on the connection."""
    return frame(WINDOW_UPDATE, 0, 0, _STREAM.pack(size))


class FrameReader:
    """Collects bytes and gives back whole frames; raises `BadFrame` for one that is too long."""

    def __init__(self) -> None:
        self._data = bytearray()

    def take(self, data: bytes) -> Iterator[Frame]:
        """Take bytes in, and yield the frames that are whole now."""
        self._data += data
        while len(self._data) >= HEADER_BYTES:
            size = int.from_bytes(self._data[:3], "big")
            if size > FRAME_BYTES_MAX:
                raise BadFrame(f"a frame of {size} bytes")
            end = HEADER_BYTES + size
            if len(self._data) < end:
                return
            stream = int(_STREAM.unpack_from(self._data, 5)[0]) & _STREAM_MASK
            whole = Frame(self._data[3], self._data[4], stream, bytes(self._data[HEADER_BYTES:end]))
            del self._data[:end]
            yield whole

    def __repr__(self) -> str:
        return f"<FrameReader {len(self._data)} bytes waiting>"


class RequestFrames:
    """Builds requests to one service as frames of stream 0, which `on_stream` gives their own."""

    def __init__(self, place: Endpoint, signer: RequestSigner) -> None:
        self._root = place.path.rstrip("/")
        self._signer = signer
        # What says where a request goes must stand before everything else.
        self._place = _SCHEMES[place.tls] + _literal(_AUTHORITY, place.authority.encode())
        constant = _literal(_USER_AGENT, b"arb") + _literal(_ACCEPT, _JSON)
        self._constant = constant + _literal(_CONTENT_TYPE, _JSON)
        path = _literal(_PATH, f"{self._root}{STATUS_PATH}".encode())
        block = _METHODS["GET"] + self._place + path + constant
        self.keep_warm = frame(HEADERS, END_HEADERS | END_STREAM, 0, block)

    def build(self, request: Request, wall_ms: int) -> bytes:
        """Return the whole request, signed; raises `ValueError` for one that cannot be sent."""
        path = self._root + request.path
        if " " in path or not path.isprintable():
            raise ValueError(f"{path!r} cannot stand in a request line")
        block = (
            (_METHODS.get(request.method) or _literal(_METHOD, request.method.encode()))
            + self._place
            + _literal(_PATH, path.encode())
            + self._constant
            + _literal(_CONTENT_LENGTH, b"%d" % len(request.body))
            + b"".join(
                _named(name.lower().encode(), value.encode())
                for name, value in self._signer.headers(request.method, path, wall_ms)
            )
        )
        if max(len(block), len(request.body)) > FRAME_BYTES_MAX:
            raise ValueError(f"a request of more than {FRAME_BYTES_MAX} bytes")
        if not request.body:
            return frame(HEADERS, END_HEADERS | END_STREAM, 0, block)
        return frame(HEADERS, END_HEADERS, 0, block) + frame(DATA, END_STREAM, 0, request.body)

    def __repr__(self) -> str:
        return f"<RequestFrames {self._root}>"


def on_stream(data: bytes, stream: int) -> tuple[bytes, int]:
    """Return a request's frames with their stream's number, and how long its body is."""
    frames = bytearray(data)
    _STREAM.pack_into(frames, 5, stream)
    body_at = HEADER_BYTES + int.from_bytes(frames[:3], "big")
    if body_at == len(frames):
        return bytes(frames), 0
    _STREAM.pack_into(frames, body_at + 5, stream)
    return bytes(frames), len(frames) - body_at - HEADER_BYTES


def _literal(name: int, value: bytes) -> bytes:
    """Return a header whose name is in the static table, never to be remembered."""
    return _number(name, 4) + _number(len(value), 7) + value


def _named(name: bytes, value: bytes) -> bytes:
    """Return a header with a name of its own, never to be remembered."""
    return b"\x00" + _number(len(name), 7) + name + _number(len(value), 7) + value


def _number(value: int, bits: int) -> bytes:
    """Write a number as HPACK does, in what is left of a byte and more bytes where it must."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((value,))
    written, value = bytearray((most,)), value - most
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        written.append(0x80 | value & 0x7F)
        value >>= 7
    written.append(value)
    return bytes(written)
