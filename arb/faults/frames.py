"""WebSocket messages on the wire, as a server sends them: split out of bytes and put back.

Only what is sent in one piece is understood, which is all that the simulated servers and the
engine send; anything else passes through as it is.
"""

from __future__ import annotations

from itertools import cycle
from operator import xor
from typing import Final

import attrs

TEXT: Final = 1
CLOSE: Final = 8

_END_OF_HEAD = b"\r\n\r\n"
_HTTP = b"HTTP"
_SWITCHING = b"HTTP/1.1 101"
_FINAL = 0x80
_OPCODE = 0x0F
_MASKED = 0x80
_SHORT_MAX = 125
_MEDIUM = 126
_LONG = 127


@attrs.frozen
class Piece:
    """One frame, or some bytes that belong to none (``opcode`` None)."""

    raw: bytes
    opcode: int | None = None
    payload: bytes = b""

    @property
    def is_text(self) -> bool:
        """Tell whether this is a message; everything else keeps the connection going."""
        return self.opcode == TEXT


def text_frame(payload: bytes) -> Piece:
    """Return a message as a server sends it."""
    size = len(payload)
    if size <= _SHORT_MAX:
        head = bytes((_FINAL | TEXT, size))
    elif size < 1 << 16:
        head = bytes((_FINAL | TEXT, _MEDIUM)) + size.to_bytes(2, "big")
    else:
        head = bytes((_FINAL | TEXT, _LONG)) + size.to_bytes(8, "big")
    return Piece(head + payload, TEXT, payload)


@attrs.define
class FrameSplitter:
    """Splits one direction of one connection; before the upgrade everything passes whole."""

    upgraded: bool = False
    _plain: bool = False
    _buffer: bytearray = attrs.field(factory=bytearray)

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes and return what is complete."""
        if self._plain:
            return [Piece(data)]
        self._buffer += data
        pieces = [] if self.upgraded else self._upgrade()
        while self.upgraded and (piece := self._next()) is not None:
            pieces.append(piece)
        return pieces

    def _upgrade(self) -> list[Piece]:
        is_answer = _HTTP.startswith(self._buffer[: len(_HTTP)])
        end = self._buffer.find(_END_OF_HEAD)
        if end < 0 and is_answer:
            return []
        end += len(_END_OF_HEAD)
        self.upgraded = self._buffer.startswith(_SWITCHING)
        if not self.upgraded:
            # An ordinary answer: there are no frames here.
            self._plain = True
            end = len(self._buffer)
        head = bytes(self._buffer[:end])
        del self._buffer[:end]
        return [Piece(head)]

    def _next(self) -> Piece | None:
        buffer = self._buffer
        if len(buffer) < 2:  # noqa: PLR2004 - the shortest head
            return None
        size, start = buffer[1] & 0x7F, 2
        if size == _MEDIUM:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == _LONG:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        # A client's payload is masked by a key that stands before it.
        key_size = 4 if buffer[1] & _MASKED else 0
        end = start + key_size + size
        if len(buffer) < end:
            return None
        payload = bytes(buffer[start + key_size : end])
        if key_size:
            payload = bytes(map(xor, payload, cycle(buffer[start : start + key_size])))
        piece = Piece(bytes(buffer[:end]), buffer[0] & _OPCODE, payload)
        del buffer[:end]
        return piece

    def __repr__(self) -> str:
        return f"<FrameSplitter {'frames' if self.upgraded else 'HTTP'} {len(self._buffer)} left>"
