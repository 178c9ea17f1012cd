"""Which books' changes the exchange has said it will tell, read off the wire once more.

From the engine's commands as they leave and the answers as they are handed to it: a snapshot is
sent to whoever asks for it, and what stands in it is never changed by anybody.
"""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import trio

from arb.faults.frames import FrameSplitter
from arb.faults.wire_connection import WiredConnection

_END_OF_HEAD = b"\r\n\r\n"
_CHANNEL = "orderbook_delta"


@attrs.define
class CommandReader:
    """Reads the commands that leave over one WebSocket, which begin behind its upgrade."""

    _head: bytearray = attrs.field(factory=bytearray)
    _splitter: FrameSplitter | None = None

    def feed(self, data: bytes) -> list[Any]:
        """Take bytes and return the commands that are complete."""
        if self._splitter is None:
            self._head += data
            _, end, rest = self._head.partition(_END_OF_HEAD)
            if not end:
                return []
            self._splitter, data = FrameSplitter(upgraded=True), bytes(rest)
        pieces = self._splitter.feed(data)
        return [orjson.loads(piece.payload) for piece in pieces if piece.is_text]

    def __repr__(self) -> str:
        return f"<CommandReader {'upgrade' if self._splitter is None else self._splitter!r}>"


@attrs.define
class SeenSubscription:
    """The books' subscription of one connection after the other."""

    followed: set[str] = attrs.field(factory=set)
    _sender: WiredConnection | None = None
    _reader: CommandReader = attrs.field(factory=CommandReader)
    _asked: dict[int, list[str]] = attrs.field(factory=dict)
    _sid: int | None = None
    _left_s: dict[str, float] = attrs.field(factory=dict)

    def sending(self, connection: WiredConnection, data: bytes) -> None:
        """Note what the engine asks for."""
        if connection is not self._sender:
            self._sender, self._reader, self._asked = connection, CommandReader(), {}
        for command in self._reader.feed(data):
            params = command["params"]
            if params.get("action", "add_markets") == "add_markets":
                self._asked[command["id"]] = params.get("market_tickers", [])

    def begins(self) -> None:
        """Count on nothing any more: the connection is gone, or another one."""
        self._sid = None
        self._follow(set())

    def message(self, message: dict[str, Any]) -> None:
        """Take a message as the engine gets it."""
        kind, body, number = message.get("type"), message.get("msg"), message.get("id")
        if kind not in ("subscribed", "ok", "error") or type(number) is not int:
            return
        asked = self._asked.pop(number, [])
        if not isinstance(body, dict) or kind == "error":
            return
        if kind == "subscribed" and body.get("channel") == _CHANNEL:
            self._sid = body.get("sid")
            self._follow(self.followed.union(asked))
        elif kind == "ok" and self._sid is not None and message.get("sid") == self._sid:
            # All that is followed after the command; a client may ask to be spared the list.
            self._follow(set(body.get("market_tickers") or self.followed.union(asked)))

    def was_left_before(self, ticker: str, now_s: float) -> bool:
        """Tell whether a market's changes have not been told since before this moment."""
        return ticker not in self.followed and self._left_s.get(ticker, -1.0) < now_s

    def _follow(self, tickers: set[str]) -> None:
        now_s = trio.current_time()
        self._left_s.update(dict.fromkeys(self.followed - tickers, now_s))
        self.followed = tickers

    def __repr__(self) -> str:
        return f"<SeenSubscription {len(self.followed)} followed, {len(self._asked)} asked for>"
