"""HTTP requests read off the wire as they leave the engine."""

from __future__ import annotations

from typing import Any

import attrs
import orjson

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_SIGNED = b"kalshi-access-key:"


@attrs.frozen
class SeenRequest:
    """One request: method, path with its query, and the decoded body where there is one.

    A request that is ``signed`` is an account's, any other is nobody's.
    """

    method: str
    path: str
    body: Any = None
    signed: bool = True


@attrs.define
class RequestReader:
    """Reads the requests of one connection, one after the other."""

    _buffer: bytearray = attrs.field(factory=bytearray)
    _plain: bool = True

    def feed(self, data: bytes) -> list[SeenRequest]:
        """Take bytes and return the requests that are complete."""
        if not self._plain:
            return []
        self._buffer += data
        found = []
        while (request := self._next()) is not None:
            found.append(request)
        return found

    def _next(self) -> SeenRequest | None:
        end = self._buffer.find(_END_OF_HEAD)
        if end < 0:
            return None
        head = bytes(self._buffer[:end])
        start = end + len(_END_OF_HEAD)
        size = _length(head)
        if len(self._buffer) < start + size:
            return None
        body = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        # What follows an upgrade is no HTTP any more.
        self._plain = b"upgrade: websocket" not in head.lower()
        signed = _SIGNED in head.lower()
        return SeenRequest(method, path, orjson.loads(body) if body else None, signed)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    return 0
