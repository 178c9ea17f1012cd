"""One connection that is kept up: opened, served until it ends, and opened again."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Generic, Protocol, TypeVar

import attrs
import trio

from actors import Backoff
from arb.engine.board import Board
from arb.io.clock import NS_PER_S
from arb.io.url import without_secret
from arb.io.websocket import ConnectFailed, Socket, SocketClosed

# The first attempt after a loss comes at once for a person's eyes, and the last ones are rare
# enough to be no burden on a server that is down; jitter keeps several links apart.
RETRY_MAX_S = 15.0
RETRY = Backoff(0.2, RETRY_MAX_S)

# A provider that sends us away wants us to come rarely; seen of one that others use: eight seconds
# at first, two minutes at most, a quarter more or less. A stream that is open for a moment and then
# ends in the same way is no success.
THROTTLED_FIRST_S = 8.0
THROTTLED = Backoff(THROTTLED_FIRST_S, 120.0)
THROTTLED_JITTER = 0.25

# A connection that stood this long was a good one: the next loss starts from the first delay.
HEALTHY_AFTER_S = 10.0

# How often the board is told that the connection is alive.
BEAT_S = 0.5

# A beat that comes later than this comes after a standstill, of the loop or of the machine, which
# Trio's clock does not see: what was heard before is old by so much, and what arrives now may be.
# As patient as a socket is with a pong.
STILL_MAX_S = 2.0

# Whoever serves a connection looks up this often, for what is due while nothing is heard.
LOOK_UP_EVERY_S = 1.0

MS_PER_S = 1000

# Why nothing is heard of a connection whose owner was stopped or killed.
NOT_RUNNING = "not running"
BEING_STOPPED = "it is being stopped"

Report = Callable[[bool, str], None]


class Heard(Protocol):
    """Something open that knows when, by Trio's time, its peer was last heard."""

    @property
    def last_proof_s(self) -> float:
        """Return that moment, 0 before there was one."""


Stream = TypeVar("Stream", bound=Heard)


def standstill(since_ns: int, now_ns: int, every_s: float) -> str | None:
    """Say that a look which is due every so often has come after a standstill, None if not."""
    late_s = (now_ns - since_ns) / NS_PER_S - every_s
    return f"this machine stood still for {late_s:.1f} s" if late_s > STILL_MAX_S else None


def _unheard(connected: bool, detail: str) -> None:  # noqa: FBT001 - as Report
    """Hear nothing, until an actor takes the link over."""


async def next_text(socket: Socket) -> str | None:
    """Return the next message as text, or None when none came for a second; `SocketClosed`."""
    with trio.move_on_after(LOOK_UP_EVERY_S):
        return text_of(await socket.receive())
    return None


def text_of(raw: str | bytes) -> str:
    """Return a message as text; bytes that are none are replaced, and the parser will say so."""
    return raw if isinstance(raw, str) else raw.decode(errors="replace")


@attrs.frozen
class _Ended:
    """Why a connection has ended, or did not come about."""

    why: str
    throttled: bool = False


@attrs.define
class Link(Generic[Stream]):
    """Keeps one connection; ``report`` hears of each loss, ``secret`` is never shown.

    ``opens`` is asked for each attempt, because some addresses say where to resume. With
    ``yields`` it stays away for long where the server says that it wants less of us.
    """

    name: str
    opens: Callable[[], AbstractAsyncContextManager[Stream]]
    board: Board
    rng: random.Random
    secret: str = attrs.field(default="", repr=False)
    report: Report = _unheard
    yields: bool = False
    _sent_away: int = attrs.field(default=0, init=False)
    _stood_still: _Ended | None = attrs.field(default=None, init=False)

    async def run(self, serve: Callable[[Stream], Awaitable[None]]) -> None:
        """Connect and serve for ever, waiting longer after each failure that follows another."""
        failures = 0
        try:
            while True:
                failures = await self._stand(serve, failures)
        finally:
            # Whoever owned the connection was stopped or killed: nobody keeps it any more.
            self.report(False, NOT_RUNNING)  # noqa: FBT003 - as Report

    async def _stand(self, serve: Callable[[Stream], Awaitable[None]], failures: int) -> int:
        """Connect and serve once, wait, and return how many failures there are in a row now."""
        since_s = trio.current_time()
        self._stood_still = None
        ended = await self._once(serve)
        stood_s = trio.current_time() - since_s
        failures = 0 if stood_s >= HEALTHY_AFTER_S else failures + 1
        await trio.sleep(self._pause_s(failures, ended, stood_s))
        return failures

    def _pause_s(self, failures: int, ended: _Ended, stood_s: float) -> float:
        if stood_s >= HEALTHY_AFTER_S:
            self._sent_away = 0
        if not (self.yields and ended.throttled):
            return RETRY.delay_s(failures, self.rng)
        usual_s = THROTTLED.ceiling_s(self._sent_away)
        self._sent_away += 1
        return usual_s * self.rng.uniform(1.0 - THROTTLED_JITTER, 1.0 + THROTTLED_JITTER)

    async def _once(self, serve: Callable[[Stream], Awaitable[None]]) -> _Ended:
        try:
            async with self.opens() as stream:
                return await self._attend(stream, serve)
        except ConnectFailed as failed:
            why = without_secret(str(failed), self.secret) if self.secret else str(failed)
            self.report(False, why)  # noqa: FBT003 - as Report
            return _Ended(why, failed.throttled)

    async def _attend(self, stream: Stream, serve: Callable[[Stream], Awaitable[None]]) -> _Ended:
        ended = _Ended(NOT_RUNNING)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._beat, stream, nursery.cancel_scope)
            try:
                await serve(stream)
                ended = _Ended("closed")
            except SocketClosed as closed:
                ended = _Ended(closed.reason, closed.throttled)
            finally:
                ended = self._stood_still or ended
                self.board.ended(self.name)
                # Before the stream says goodbye, which takes a while where nobody answers, and in
                # which nothing is heard any more.
                self.report(False, ended.why)  # noqa: FBT003 - as Report
                nursery.cancel_scope.cancel()
        return ended

    async def _beat(self, stream: Stream, connection: trio.CancelScope) -> None:
        """Tell the board that the connection is alive, until a standstill, which ends it."""
        clock, why = self.board.clock, None
        while why is None:
            silent_ms = int((trio.current_time() - stream.last_proof_s) * MS_PER_S)
            self.board.alive(self.name, silent_ms)
            self.board.beat(self.name)
            began_ns = clock.monotonic_ns()
            await trio.sleep(BEAT_S)
            why = standstill(began_ns, clock.monotonic_ns(), BEAT_S)
        self._stood_still = _Ended(why)
        connection.cancel()

    def __repr__(self) -> str:
        return f"<Link {self.name}>"
