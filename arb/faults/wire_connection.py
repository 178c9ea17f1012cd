"""One connection over a faulty wire: the engine's end of it, with everything that can befall it."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from typing import TYPE_CHECKING

import trio

from arb.faults.frames import FrameSplitter, Piece
from arb.io.connection import RECEIVE_BYTES_MAX, Connection
from arb.io.memory import MemoryConnection

if TYPE_CHECKING:
    from arb.faults.wires import Wire

DRIP_EVERY_S = 0.01


class WiredConnection(Connection):
    """A connection whose bytes pass the faults of its wire, message by message where it has any.

    Bytes wait in three places: as they came from the server, as messages that are kept back, and
    as what the engine may read now.
    """

    def __init__(self, inner: MemoryConnection, wire: Wire) -> None:
        self.wire = wire
        self.closed = False
        self._inner = inner
        self._splitter = FrameSplitter()
        self._raw = bytearray()
        self._kept_back: deque[tuple[float, bytes]] = deque()
        self._swapped: deque[Piece] = deque()
        self._ready = bytearray()
        self._unsent = bytearray()
        self._eof = False
        self._reset = False
        self._mute = False
        self._waited = False
        self._in_hole = wire.faults.hole
        self._abandoned = False
        self._discards = False
        self._wait = trio.CancelScope()

    # ---------------------------------------------------------------- what befalls it

    def poke(self) -> None:
        """Look at the wire's faults anew: they have changed."""
        self._note_swallowed()
        if not self.wire.faults.hole and self._unsent and not self._mute:
            data, self._unsent = bytes(self._unsent), bytearray()
            # A peer that has gone meanwhile hears nothing of it.
            with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                self._inner.send_now(data)
        if self.closed and not self.wire.faults.hole:
            self._inner.hang_up()
            self._leave()
        for place, (due_s, raw) in enumerate(self._kept_back):
            if due_s == math.inf and not self.wire.faults.frames.held:
                self._kept_back[place] = (trio.current_time(), raw)
        self._wait.cancel()

    def _note_swallowed(self) -> None:
        """Count what a hole has kept from the engine, once it has ended."""
        if self._in_hole and (self._raw or self._inner.readable):
            self.wire.faults.hits["hole"] += 1
        self._in_hole = self.wire.faults.hole

    def reset(self) -> None:
        """Break as by a reset from the other side."""
        self._reset = True
        self._inner.cut()
        self._wait.cancel()

    def end(self) -> None:
        """End as by an orderly close from the other side."""
        self._eof = True
        self._inner.hang_up()
        self._wait.cancel()

    def lose_peer(self) -> None:
        """Become half open: the peer is gone and nothing ever says so."""
        self._mute = True
        self._inner.cut()
        self._wait.cancel()

    def abandon(self) -> None:
        """End as the kernel ends the connections of a process that was killed."""
        self._abandoned = True
        self._finish()

    # ---------------------------------------------------------------- sending

    def send_now(self, data: bytes) -> int:
        """Take all of it in this turn, or what the pipe takes."""
        self._check()
        self.wire.observer.sending(self, data)
        taken = self._pass_on(data)
        self.wire.observer.sent(self)
        return taken

    def _pass_on(self, data: bytes) -> int:
        # The observer may have killed this engine at this very send.
        if self._abandoned or self._mute:
            return len(data)
        if self.wire.faults.hole:
            self.wire.faults.hits["hole"] += 1
            self._unsent += data
            return len(data)
        try:
            return self._inner.send_now(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            if self._eof:
                return len(data)
            raise

    def discard_at_close(self) -> None:
        """Let the close forget what a hole has kept from the peer."""
        self._discards = True

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything."""
        self._check()
        await trio.lowlevel.checkpoint()
        whole = bytes(data)
        if whole:
            self.wire.observer.sending(self, whole)
        taken = self._pass_on(whole)
        self.wire.observer.sent(self)
        if taken < len(whole):
            await self._inner.send_all(whole[taken:])

    async def wait_send_all_might_not_block(self) -> None:
        """Return at once: a memory pipe is roomy."""
        await trio.lowlevel.checkpoint()
        self._check()

    # ---------------------------------------------------------------- receiving

    @property
    def readable(self) -> bool:
        """Say whether a read would return at once."""
        if self._ready or self._reset or self.closed:
            return True
        if self.wire.faults.hole or self._mute:
            return False
        return bool(self._raw) or self._eof or self._inner.readable

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return some bytes, or none once the peer has closed; raises as a socket does."""
        await trio.lowlevel.checkpoint()
        while True:
            self._check()
            self._release()
            if self._ready:
                return await self._hand_out(max_bytes or RECEIVE_BYTES_MAX)
            if self._eof and not self._raw and not self._kept_back and not self.wire.faults.hole:
                self.wire.observer.ended(self)
                return b""
            await self._more()

    async def _more(self) -> None:
        """Get one step further: wait for the wire, or for data, or let data through."""
        faults = self.wire.faults
        if self._mute or faults.hole:
            await self._until(math.inf)
        elif self._raw and faults.latency_s and not self._waited:
            faults.hits["latency"] += 1
            self._waited = await self._until(trio.current_time() + faults.latency_s)
        elif self._raw:
            self._waited = False
            data, self._raw = bytes(self._raw), bytearray()
            self._let_through(data)
        else:
            await self._read()

    async def _read(self) -> None:
        due_s = self._kept_back[0][0] if self._kept_back else math.inf
        with trio.CancelScope(deadline=due_s) as self._wait:
            if self._eof:
                await trio.sleep_forever()
            data = await self._from_server()
            if data is None:
                return
            self._raw += data
            self._eof = not data

    async def _from_server(self) -> bytes | None:
        try:
            return await self._inner.receive_some()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # Cut by a fault, which has said itself what it looks like, or by the server.
            self._reset = not (self._eof or self._mute)
            return None

    async def _until(self, due_s: float) -> bool:
        """Wait until a moment, and return whether nothing disturbed that."""
        with trio.CancelScope(deadline=due_s) as self._wait:
            await trio.sleep_forever()
        return trio.current_time() >= due_s

    def _let_through(self, data: bytes) -> None:
        frames = self.wire.faults.frames
        due_s = trio.current_time() + frames.release_in_s
        for piece in self._splitter.feed(data):
            passed = frames.apply(piece, self._swapped) if piece.is_text else [piece]
            for each in passed:
                # What keeps a connection alive is neither held nor late; messages stay in order.
                if each.is_text and (self._kept_back or due_s > trio.current_time()):
                    frames.hits["held" if frames.held else "late"] += 1
                    self._kept_back.append((due_s, each.raw))
                else:
                    self._ready += each.raw

    def _release(self) -> None:
        now_s = trio.current_time()
        while self._kept_back and self._kept_back[0][0] <= now_s:
            self._ready += self._kept_back.popleft()[1]

    async def _hand_out(self, max_bytes: int) -> bytes:
        faults = self.wire.faults
        if faults.drip_bytes:
            faults.hits["drip"] += 1
            await trio.sleep(DRIP_EVERY_S)
            max_bytes = min(max_bytes, faults.drip_bytes)
        if faults.slices > 0:
            faults.hits["slice"] += 1
            faults.slices -= 1
            max_bytes = 1
        if faults.reset_in is not None:
            max_bytes = min(max_bytes, max(1, faults.reset_in))
            faults.reset_in -= min(max_bytes, len(self._ready))
        data = bytes(self._ready[:max_bytes])
        del self._ready[:max_bytes]
        if faults.reset_in is not None and faults.reset_in <= 0:
            faults.reset_in = None
            faults.hits["reset in mid-frame"] += 1
            self.reset()
        self.wire.observer.received(self, data)
        return data

    # ---------------------------------------------------------------- ending

    async def aclose(self) -> None:
        """Close this end; in a hole the peer hears of it only when the hole ends."""
        self._finish()
        await trio.lowlevel.checkpoint()

    def _finish(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._wait.cancel()
        self.wire.observer.ended(self)
        if self._discards:
            self._unsent.clear()
        if self.wire.faults.hole and not self._mute:
            return
        self._inner.hang_up()
        self._leave()

    def _leave(self) -> None:
        if self in self.wire.connections:
            self.wire.connections.remove(self)

    def _check(self) -> None:
        if self.closed:
            raise trio.ClosedResourceError("this end is closed")
        if self._reset:
            self.wire.observer.ended(self)
            raise trio.BrokenResourceError("the connection was reset")

    def __repr__(self) -> str:
        state = "closed" if self.closed else "reset" if self._reset else "open"
        return f"<WiredConnection {self.wire.name} {state}>"
