"""The control socket: how consoles and commands see the engine and steer it.

JSON lines over a Unix socket that only its owner may open. A client costs the engine no more than
its share, whatever it does: one that is slow, rude or mute is bounded, and dropped.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Protocol

import attrs
import orjson
import trio

from arb.engine.attendance import Attendance
from arb.engine.control_requests import (
    ERROR_LENGTH_MAX,
    BadRequest,
    Request,
    SteeringError,
    parse_request,
    refusal,
)
from arb.engine.control_socket import ControlError, open_socket, unlink_own

# A person has a few consoles open; more clients than this is a script gone wrong.
CLIENTS_MAX = 16
# A request is a verb and a reason; a longer line is not one.
REQUEST_BYTES_MAX = 8_192
# A client that takes nothing for this long is stopped or stuck; it may connect again.
SEND_TIMEOUT_S = 5.0
# Whoever sends so many lines that are no requests is not going to send a good one.
MALFORMED_MAX = 20
# The pause after each request: a hundred a second from one client are plenty for a person.
REQUEST_PAUSE_S = 0.01
# Commands of one client under way at once.
PENDING_MAX = 8
# A command only sets things going; one that takes longer is cut off and answered with that.
STEER_TIMEOUT_S = 10.0
# More than ten pictures a second are more than a terminal shows.
WATCH_EVERY_MS_MIN = 100
WATCH_EVERY_MS_MAX = 60_000
WATCH_EVERY_MS = 200
# Several clients share one picture of this age, so that three consoles cost about as much as one.
PICTURE_AGE_MAX_S = 0.05


class Steering(Protocol):
    """What the control socket needs of an engine."""

    async def picture(self) -> dict[str, Any]:
        """Return a picture of the engine that can be written as JSON; called on demand."""
        ...

    async def steer(self, verb: str, arguments: dict[str, Any]) -> str:
        """Do what a person asks and return one line about it; raises `SteeringError`."""
        ...

    async def show(self, what: str, name: str) -> dict[str, Any]:
        """Return one thing closely, that can be written as JSON; raises `SteeringError`."""
        ...


@attrs.define
class ControlCounts:
    """What has happened at the socket since it was opened."""

    accepted: int = 0
    refused: int = 0
    dropped_slow: int = 0
    dropped_rude: int = 0
    malformed: int = 0
    failed: int = 0
    last_malformed: str = ""


class ControlServer:
    """Serves one engine's control socket: `open`, then `serve` until cancelled."""

    def __init__(
        self, steering: Steering, path: Path, attendance: Attendance | None = None
    ) -> None:
        self._steering = steering
        self.attendance = Attendance() if attendance is None else attendance
        self._path = path
        self._listener: trio.SocketListener | None = None
        self._inode = 0
        self._clients = 0
        self._picture = b""
        self._picture_at_s: float | None = None
        self._picturing = trio.Lock()
        self.counts = ControlCounts()

    def __repr__(self) -> str:
        state = "closed" if self._listener is None else f"{self._clients} clients"
        return f"<ControlServer {self._path} [{state}, {self.counts.malformed} malformed]>"

    def open(self) -> None:
        """Bind the socket, replacing what a dead engine left; raises `ControlError`."""
        listening = open_socket(self._path, CLIENTS_MAX)
        self._inode = self._path.stat().st_ino
        self._listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))

    async def serve(self) -> None:
        """Serve clients until cancelled, then close."""
        listener = self._listener
        if listener is None:
            raise ControlError("the control socket is not open")
        try:
            async with trio.open_nursery() as commands:
                await trio.serve_listeners(partial(self._client, commands), [listener])
        finally:
            self.close()

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve one client that came another way than over the socket, as a simulation's do."""
        async with trio.open_nursery() as commands:
            await self._client(commands, stream)

    def close(self) -> None:
        """Close the socket and take its file away; closing twice does nothing."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.socket.close()
            unlink_own(self._path, self._inode)

    async def picture(self) -> bytes:
        """Return the engine's picture as JSON, shared by all who ask within a moment."""
        # One is made at a time: who asks meanwhile gets the same.
        async with self._picturing:
            now_s = trio.current_time()
            if self._picture_at_s is None or now_s - self._picture_at_s >= PICTURE_AGE_MAX_S:
                document = await self._steering.picture()
                await trio.lowlevel.checkpoint()
                self._picture = orjson.dumps(document)
                self._picture_at_s = now_s
            return self._picture

    async def steer(self, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a command; whatever goes wrong in it is the answer."""
        try:
            with trio.fail_after(STEER_TIMEOUT_S):
                if verb == "show":
                    what, name = arguments["what"], arguments.get("name", "")
                    return {"ok": True, "shown": await self._steering.show(what, name)}
                return {"ok": True, "text": await self._steering.steer(verb, arguments)}
        except SteeringError as error:
            return refusal(str(error))
        except trio.TooSlowError:
            self.counts.failed += 1
            return refusal(f"{verb} was not done within {STEER_TIMEOUT_S:.0f} s: look at the state")
        except Exception as error:  # noqa: BLE001  # a person in need of this socket must keep it
            self.counts.failed += 1
            return refusal(f"{verb} failed in the engine: {type(error).__name__}: {error}")

    async def _client(self, commands: trio.Nursery, stream: trio.abc.Stream) -> None:
        if self._clients >= CLIENTS_MAX:
            self.counts.refused += 1
            await _refuse(stream)
            return
        self._clients += 1
        self.counts.accepted += 1
        try:
            await _Client(self, stream, commands).serve()
        finally:
            self._clients -= 1


class _Dropped(Exception):
    """The client has used up its patience with us, or ours with it."""


class _Client:
    """One connection: reads requests, writes answers and, if asked to, pictures."""

    def __init__(
        self, server: ControlServer, stream: trio.abc.Stream, commands: trio.Nursery
    ) -> None:
        self._server = server
        self._stream = stream
        self._commands = commands
        self._lock = trio.Lock()
        self._pending = 0
        self._idle = trio.Event()
        self._malformed = 0
        self._watching = False
        self._attends = False
        self._usable = True

    def __repr__(self) -> str:
        return f"<_Client [{self._pending} pending, watching {self._watching}]>"

    async def serve(self) -> None:
        """Serve until the client goes or is dropped; commands under way are still answered."""
        async with self._stream:
            try:
                with trio.CancelScope() as scope:
                    async with trio.open_nursery() as nursery:
                        await self._read(nursery, scope)
                        scope.cancel()
            finally:
                self._go(took_leave=False)
            while self._pending:
                self._idle = trio.Event()
                await self._idle.wait()

    async def _read(self, nursery: trio.Nursery, scope: trio.CancelScope) -> None:
        buffer = b""
        try:
            while piece := await self._stream.receive_some(REQUEST_BYTES_MAX):
                *lines, buffer = (buffer + piece).split(b"\n")
                for text in lines:
                    await self._request(text, nursery, scope)
                    await trio.sleep(REQUEST_PAUSE_S)
                if len(buffer) > REQUEST_BYTES_MAX:
                    await self._reject(None, f"a request has at most {REQUEST_BYTES_MAX} bytes")
                    raise _Dropped
        except _Dropped:
            self._server.counts.dropped_rude += 1
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def _request(self, text: bytes, nursery: trio.Nursery, scope: trio.CancelScope) -> None:
        if not text.strip():
            return
        try:
            request = parse_request(text)
        except BadRequest as error:
            await self._malformed_line(text, error)
            return
        if request.verb == "status":
            await self._send_picture(request.number)
        elif request.verb == "watch":
            await self._watch(request, nursery, scope)
        elif request.verb in {"attend", "leave"}:
            await self._attend(request)
        elif self._pending >= PENDING_MAX:
            why = f"{PENDING_MAX} commands are under way: wait for one of them"
            await self._reject(request.number, why)
        else:
            self._pending += 1
            # In the server's own nursery: a console that dies does not take back what it asked.
            self._commands.start_soon(self._steer, request)

    async def _attend(self, request: Request) -> None:
        if request.verb == "leave":
            self._go(took_leave=True)
        elif not self._attends:
            self._attends = True
            self._server.attendance.came()
        text = "the engine goes on" if request.verb == "leave" else "you are counted as a console"
        await self._send(orjson.dumps({"id": request.number, "ok": True, "text": text}))

    def _go(self, *, took_leave: bool) -> None:
        if self._attends:
            self._attends = False
            self._server.attendance.went(took_leave=took_leave)

    async def _steer(self, request: Request) -> None:
        try:
            answer = await self._server.steer(request.verb, request.arguments)
            await self._send(orjson.dumps({"id": request.number, **answer}))
        finally:
            self._pending -= 1
            self._idle.set()

    async def _watch(
        self, request: Request, nursery: trio.Nursery, scope: trio.CancelScope
    ) -> None:
        if self._watching:
            await self._reject(request.number, "this connection watches already")
            return
        every_ms = request.arguments.get("every_ms", WATCH_EVERY_MS)
        every_ms = max(WATCH_EVERY_MS_MIN, min(WATCH_EVERY_MS_MAX, every_ms))
        self._watching = True
        nursery.start_soon(self._pictures, request.number, every_ms / 1_000, scope)

    async def _pictures(self, number: Any, every_s: float, scope: trio.CancelScope) -> None:
        while True:
            if not await self._send_picture(number):
                scope.cancel()
                return
            await trio.sleep(every_s)

    async def _send_picture(self, number: Any) -> bool:
        try:
            picture = await self._server.picture()
        except Exception as error:  # noqa: BLE001  # a picture that fails must not end the control
            self._server.counts.failed += 1
            return await self._reject(number, f"no picture: {type(error).__name__}: {error}")
        return await self._send(b'{"id":%b,"snapshot":%b}' % (orjson.dumps(number), picture))

    async def _malformed_line(self, text: bytes, error: BadRequest) -> None:
        counts = self._server.counts
        counts.malformed += 1
        counts.last_malformed = text[:ERROR_LENGTH_MAX].decode("utf-8", "replace")
        self._malformed += 1
        await self._reject(error.number, str(error))
        if self._malformed >= MALFORMED_MAX:
            raise _Dropped

    async def _reject(self, number: Any, why: str) -> bool:
        return await self._send(orjson.dumps({"id": number, **refusal(why)}))

    async def _send(self, text: bytes) -> bool:
        with trio.move_on_after(SEND_TIMEOUT_S) as scope:
            async with self._lock:
                if not self._usable:
                    return False
                # Until all of it is sent the line is broken: what is cut short can neither be
                # taken back nor be followed by another message.
                self._usable = False
                try:
                    await self._stream.send_all(text + b"\n")
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return False
                self._usable = True
        if scope.cancelled_caught:
            self._server.counts.dropped_slow += 1
            await trio.aclose_forcefully(self._stream)
            return False
        return True


async def _refuse(stream: trio.abc.Stream) -> None:
    async with stream:
        text = orjson.dumps({"id": None, **refusal(f"{CLIENTS_MAX} clients are connected already")})
        with trio.move_on_after(SEND_TIMEOUT_S):
            try:
                await stream.send_all(text + b"\n")
            except trio.BrokenResourceError:
                return
