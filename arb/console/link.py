"""The console's side of the control socket: pictures in, commands out, and coming back."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs
import orjson
import trio

from arb.console.closeups import Look, Wish, read_closeup
from arb.console.snapshot import Snapshot, Unreadable, read_snapshot

# Five pictures a second are as many as a person tells apart in a table of numbers.
WATCH_EVERY_MS = 200
# A working engine sends a picture every 200 ms; after so long without one it is held up or gone.
SILENCE_S = 3.0
# The engine bounds a command at 10 s itself; this only ends the wait for a dead socket.
COMMAND_TIMEOUT_S = 12.0
# A local socket costs nothing to try, and a person waits for the engine to come back.
RECONNECT_S = (0.25, 0.5, 1.0, 2.0)
# A picture of 5,000 markets and actors is some 4 MB; more than this is no picture.
LINE_BYTES_MAX = 32 * 1024 * 1024
READ_BYTES = 256 * 1024
WATCH_ID = 1
ATTEND_ID = 2


class LinkLost(Exception):
    """There is no engine to answer; the text says why in one line."""


class LinkState(StrEnum):
    """How the console stands with its engine."""

    CONNECTING = "connecting"
    UP = "up"
    LOST = "lost"


@attrs.frozen
class Answer:
    """What the engine said to a command."""

    ok: bool
    text: str
    shown: Any = None


class Link:
    """One engine's control socket, connected again whenever it is lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: trio.SocketStream | None = None
        self._send_lock = trio.Lock()
        self._waiting: dict[int, trio.MemorySendChannel[Answer]] = {}
        self._next_id = ATTEND_ID + 1
        self.state = LinkState.CONNECTING
        self.why = ""
        self.attempts = 0
        self.picture: Snapshot | None = None
        self.picture_at_s: float | None = None

    def __repr__(self) -> str:
        return f"<Link to {self._path} [{self.state}, {len(self._waiting)} waiting]>"

    @property
    def is_up(self) -> bool:
        """Return whether pictures come."""
        return self.state is LinkState.UP

    @property
    def has_ended(self) -> bool:
        """Return whether the engine said that it stops, and is gone."""
        return self.state is LinkState.LOST and self._was_stopping

    @property
    def _was_stopping(self) -> bool:
        return self.picture is not None and self.picture.trading.state == "stopping"

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            self.attempts += 1
            try:
                await self._session()
            except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self._lost(_reason(error))
            except (LinkLost, Unreadable) as error:
                self._lost(str(error))
            pause = min(self.attempts, len(RECONNECT_S)) - 1
            await trio.sleep(RECONNECT_S[pause])

    async def command(self, verb: str, **arguments: Any) -> Answer:
        """Send a command and return the engine's answer, or in the same form why there is none."""
        if self._stream is None:
            return Answer(ok=False, text=f"{verb} was not sent: the engine is not connected")
        number = self._next_id
        self._next_id += 1
        send, receive = trio.open_memory_channel[Answer](1)
        self._waiting[number] = send
        try:
            with trio.fail_after(COMMAND_TIMEOUT_S):
                await self._send({"id": number, "do": verb, **arguments})
                return await receive.receive()
        except trio.TooSlowError:
            return Answer(ok=False, text=f"{verb}: no answer within {COMMAND_TIMEOUT_S:.0f} s")
        except (trio.EndOfChannel, trio.BrokenResourceError, trio.ClosedResourceError):
            return Answer(ok=False, text=f"{verb}: the engine was lost before it answered")
        finally:
            self._waiting.pop(number, None)

    async def look(self, wish: Wish) -> Look:
        """Ask the engine to show one thing closely; why it did not is in what is returned."""
        named = {"name": wish.name} if wish.name else {}
        answer = await self.command("show", what=wish.what, **named)
        if not answer.ok:
            return Look(wish, why=answer.text)
        try:
            return Look(wish, read_closeup(wish.what, answer.shown))
        except Unreadable as error:
            return Look(wish, why=str(error))

    async def _session(self) -> None:
        stream = await trio.open_unix_socket(self._path)
        async with stream:
            self._stream = stream
            try:
                await self._send(
                    {"id": ATTEND_ID, "do": "attend"},
                    {"id": WATCH_ID, "do": "watch", "every_ms": WATCH_EVERY_MS},
                )
                await self._read(stream)
            finally:
                self._stream = None
                self._give_up_waiting()

    async def _send(self, *documents: dict[str, Any]) -> None:
        stream = self._stream
        if stream is None:
            raise trio.ClosedResourceError
        async with self._send_lock:
            await stream.send_all(b"".join(orjson.dumps(each) + b"\n" for each in documents))

    async def _read(self, stream: trio.SocketStream) -> None:
        buffer = bytearray()
        while True:
            with trio.move_on_after(SILENCE_S) as scope:
                piece = await stream.receive_some(READ_BYTES)
            if scope.cancelled_caught:
                raise LinkLost("it does not answer")
            if not piece:
                raise LinkLost("it has ended" if self._was_stopping else "it closed the connection")
            searched = len(buffer)
            buffer += piece
            if b"\n" not in piece:
                if searched > LINE_BYTES_MAX:
                    raise LinkLost("it sent a line without an end")
                continue
            *lines, rest = bytes(buffer).split(b"\n")
            buffer = bytearray(rest)
            self._take(lines)

    def _take(self, lines: list[bytes]) -> None:
        # Of several pictures that came at once only the last one is worth reading.
        newest: Any = None
        for text in lines:
            try:
                document = orjson.loads(text)
            except orjson.JSONDecodeError:
                raise LinkLost("it sends what is no JSON") from None
            if not isinstance(document, dict):
                raise LinkLost("it sends what is no answer")
            if "snapshot" in document:
                newest = document["snapshot"]
            else:
                self._answer(document)
        if newest is not None:
            self._up(read_snapshot(newest))

    def _answer(self, document: dict[str, Any]) -> None:
        ok = document.get("ok") is True
        text = str(document.get("text" if ok else "error", ""))
        number = document.get("id")
        waiting = self._waiting.pop(number, None) if isinstance(number, int) else None
        if waiting is not None:
            waiting.send_nowait(Answer(ok=ok, text=text, shown=document.get("shown")))
        elif not ok and number in {WATCH_ID, None}:
            # What was asked for is the pictures; an answer to a command that nobody waits for any
            # more is only late.
            raise LinkLost(text or "it refuses without a word")

    def _up(self, picture: Snapshot) -> None:
        self.picture = picture
        self.picture_at_s = trio.current_time()
        self.state = LinkState.UP
        self.why = ""
        self.attempts = 0

    def _lost(self, why: str) -> None:
        self.state = LinkState.LOST
        self.why = why

    def _give_up_waiting(self) -> None:
        for send in self._waiting.values():
            send.close()


def _reason(error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return "there is no engine at its socket"
        case ConnectionRefusedError():
            return "the engine of this socket has ended"
        case PermissionError():
            return "its socket belongs to somebody else"
        case OSError(strerror=str(text)):
            return text
        case _:
            return "the connection broke"
