"""What can be wrong with the wire of one component, and with the messages that come over it."""

from __future__ import annotations

import math
import socket
import ssl
from collections import Counter, deque
from collections.abc import Callable
from enum import StrEnum

import attrs
import orjson

from arb.faults.frames import Piece, text_frame


class Refusal(StrEnum):
    """How a connection can fail to come about."""

    REFUSED = "refused"
    NO_NAME = "no name"
    BAD_TLS = "bad tls"
    NO_ANSWER = "no answer"


REFUSALS: dict[Refusal, Callable[[], OSError]] = {
    Refusal.REFUSED: lambda: ConnectionRefusedError("connection refused"),
    Refusal.NO_NAME: lambda: socket.gaierror(-2, "Name or service not known"),
    Refusal.BAD_TLS: lambda: ssl.SSLError(1, "certificate verify failed"),
}

# What a server that is out of its mind sends: no JSON, half of it, the wrong shape, absurd numbers.
GARBAGE = (
    b"rubbish",
    b'{"type": "orderbook_delta", "msg": {',
    b"[]",
    b'{"type":"orderbook_delta","sid":1,"seq":"NaN","msg":{}}',
    b'{"type":"orderbook_delta","sid":1,"seq":1e400,"msg":null}',
    b'{"type":"fill","msg":{"trade_id":null,"count_fp":"-1","yes_price_dollars":"NaN"}}',
    b'{"type":"user_order","msg":[1,2,3]}',
    b'{"type":"updated","id":{},"markets":[{"odds":[{"home":"-1","away":"inf"}]}]}',
    b'{"type":"something new","msg":{"deep":' + b"[" * 40 + b"]" * 40 + b"}}",
    b"\xff\xfe\x00",
    b"null",
    b"",
)

_NUMBERS: tuple[object, ...] = ("NaN", "-1", "1e400", "99999999999999999999", "", None, True, [])


@attrs.define
class FrameFaults:
    """Faults of messages; counts say how many of the next ones are concerned.

    ``held`` keeps messages back while the connection goes on living, ``lag_s`` delays each.
    ``flood`` puts so many pieces of garbage behind the next message.
    """

    lose: int = 0
    repeat: int = 0
    swap: int = 0
    garble: int = 0
    odd_numbers: int = 0
    flood: int = 0
    held: bool = False
    lag_s: float = 0.0
    hits: Counter[str] = attrs.field(factory=Counter)
    _number: int = 0

    @property
    def release_in_s(self) -> float:
        """Return how long a message that comes now is kept back."""
        return math.inf if self.held else self.lag_s

    def apply(self, piece: Piece, kept: deque[Piece]) -> list[Piece]:
        """Return what becomes of one message; ``kept`` holds one that changes places."""
        out = [piece]
        if self._takes("lose"):
            return []
        if self._takes("garble"):
            out = [text_frame(self._garbage())]
        elif self._takes("odd_numbers"):
            out = [text_frame(self._with_odd_number(piece.payload))]
        if self._takes("repeat"):
            out = out * 2
        if kept:
            out += [kept.popleft()]
        elif self._takes("swap"):
            kept.append(out.pop())
        if self.flood:
            self.hits["flood"] += self.flood
            out += [text_frame(self._garbage()) for _ in range(self.flood)]
            self.flood = 0
        return out

    def clear(self) -> None:
        """Let messages pass as they are."""
        self.lose = self.repeat = self.swap = self.garble = self.odd_numbers = self.flood = 0
        self.held, self.lag_s = False, 0.0

    def _takes(self, name: str) -> bool:
        left: int = getattr(self, name)
        if left <= 0:
            return False
        setattr(self, name, left - 1)
        self.hits[name] += 1
        return True

    def _garbage(self) -> bytes:
        self._number += 1
        return GARBAGE[self._number % len(GARBAGE)]

    def _with_odd_number(self, payload: bytes) -> bytes:
        """Put something absurd where the first number of a message stands."""
        self._number += 1
        odd = _NUMBERS[self._number % len(_NUMBERS)]
        try:
            message = orjson.loads(payload.splitlines()[0])
        except (orjson.JSONDecodeError, IndexError):
            return payload
        numbers = _numbers_in(message)
        if not numbers:
            return payload
        return orjson.dumps(_replaced(message, odd, [self._number % numbers]))


def _numbers_in(value: object) -> int:
    """Count the numbers of a message, those that are written as texts as well."""
    if isinstance(value, dict):
        return sum(_numbers_in(each) for each in value.values())
    if isinstance(value, list):
        return sum(_numbers_in(each) for each in value)
    return int(_is_number(value))


def _replaced(value: object, odd: object, passed: list[int]) -> object:
    """Return ``value`` with the number after the first ``passed`` ones replaced."""
    if isinstance(value, dict):
        return {key: _replaced(each, odd, passed) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, odd, passed) for each in value]
    if _is_number(value):
        passed[0] -= 1
        return odd if passed[0] == -1 else value
    return value


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return value.replace(".", "", 1).replace("-", "", 1).isdecimal()
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@attrs.define
class WireFaults:
    """Faults of one component's connections.

    ``hole`` lets everything disappear until it ends, and then arrive; ``reset_in`` resets after so
    many more bytes were received; ``slices`` hands out so many bytes one by one; ``drip_bytes`` is
    what one read gets each 10 ms; ``latency_s`` delays every read.
    """

    refusal: Refusal | None = None
    hole: bool = False
    reset_in: int | None = None
    slices: int = 0
    drip_bytes: int = 0
    latency_s: float = 0.0
    frames: FrameFaults = attrs.field(factory=FrameFaults)
    hits: Counter[str] = attrs.field(factory=Counter)

    def clear(self) -> None:
        """Let the wire be a good one."""
        self.refusal = self.reset_in = None
        self.hole = False
        self.slices = self.drip_bytes = 0
        self.latency_s = 0.0
        self.frames.clear()
