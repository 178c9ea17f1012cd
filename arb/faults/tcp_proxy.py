"""A faulty TCP proxy on loopback: delays, throttles, slices, swallows, breaks and damages bytes."""

from __future__ import annotations

import math
import socket
import struct
from functools import partial
from random import Random

import attrs
import trio

HOST = "127.0.0.1"

READ_BYTES = 65_536
# So many pieces wait for their moment; beyond that the sender is held up, as by a full window.
PIECES_MAX = 1_024
# While a hole is open the line looks again this often.
LOOK_S = 0.02
# Even one byte at a time must not take longer than the piece is worth.
SLICE_PAUSE_S = 0.0005
# Closing with this option on sends RST, and throws away what was not sent.
ABORT = struct.pack("ii", 1, 0)

HIGH_BIT = 0x80


@attrs.define
class LineFaults:
    """What is wrong with a line now; ``share`` is the part of its connections that feels it."""

    delay_s: float = 0.0
    bytes_per_s: float = math.inf
    slice_bytes: int = 0
    hole: bool = False
    refuse: bool = False
    share: float = 1.0


@attrs.define(eq=False)
class ProxyCounts:
    """What a proxy has done since it was opened."""

    connections: int = 0
    refused: int = 0
    resets: int = 0
    half_closes: int = 0
    corrupted: int = 0
    bytes: int = 0


@attrs.define(eq=False)
class _Connection:
    """One connection of the engine and the one it stands for; ``luck`` says who feels a fault."""

    ours: trio.SocketStream
    theirs: trio.SocketStream
    luck: float
    corrupt: int = 0
    half_closed: bool = False


class TcpProxy:
    """Passes connections on to one port of this machine, with the faults of the moment."""

    def __init__(self, port: int, dice: Random) -> None:
        self._target = port
        self._dice = dice
        self._live: list[_Connection] = []
        self.faults = LineFaults()
        self.counts = ProxyCounts()
        self.port = 0

    def __repr__(self) -> str:
        return f"<TcpProxy {self.port} to {self._target} [{len(self._live)} live, {self.faults}]>"

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen on a free port of loopback, and pass connections on until cancelled."""
        listeners = await trio.open_tcp_listeners(0, host=HOST)
        self.port = listeners[0].socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._connected, listeners)

    def heal(self) -> None:
        """Let everything pass as it comes; what is broken stays broken."""
        self.faults = LineFaults()

    def reset(self, share: float) -> None:
        """Break connections with RST, as a router that forgot them does."""
        for each in self._touched(share):
            self.counts.resets += 1
            _abort(each.ours)
            _abort(each.theirs)

    def half_close(self, share: float) -> None:
        """Send the engine the end of what it is told, and go on taking what it says."""
        for each in self._touched(share):
            if not each.half_closed:
                each.half_closed = True
                self.counts.half_closes += 1
                _end(each.ours)

    def corrupt(self, share: float) -> None:
        """Damage one byte of what each connection brings the engine next."""
        for each in self._touched(share):
            each.corrupt += 1

    def _touched(self, share: float) -> list[_Connection]:
        return [each for each in self._live if each.luck < share]

    async def _connected(self, ours: trio.SocketStream) -> None:
        luck = self._dice.random()
        if self.faults.refuse and luck < self.faults.share:
            self.counts.refused += 1
            _abort(ours)
            return
        async with ours:
            try:
                theirs = await trio.open_tcp_stream(HOST, self._target)
            except OSError:
                return
            async with theirs:
                await self._pass_on(_Connection(ours, theirs, luck))

    async def _pass_on(self, connection: _Connection) -> None:
        self.counts.connections += 1
        self._live.append(connection)
        try:
            async with trio.open_nursery() as nursery:
                up = partial(self._way, connection, connection.ours, connection.theirs)
                nursery.start_soon(partial(up, down=False, scope=nursery.cancel_scope))
                down = partial(self._way, connection, connection.theirs, connection.ours)
                nursery.start_soon(partial(down, down=True, scope=nursery.cancel_scope))
        finally:
            self._live.remove(connection)

    async def _way(
        self,
        connection: _Connection,
        source: trio.SocketStream,
        sink: trio.SocketStream,
        *,
        down: bool,
        scope: trio.CancelScope,
    ) -> None:
        """Pass on one direction until its end; a break of either ends the connection."""
        send, receive = trio.open_memory_channel[tuple[float, bytes]](PIECES_MAX)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read, connection, source, send)
                await self._write(connection, receive, sink, down=down)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            scope.cancel()

    async def _read(
        self,
        connection: _Connection,
        source: trio.SocketStream,
        send: trio.MemorySendChannel[tuple[float, bytes]],
    ) -> None:
        async with send:
            while piece := bytes(await source.receive_some(READ_BYTES)):
                delay_s = self.faults.delay_s if self._feels(connection) else 0.0
                await send.send((trio.current_time() + delay_s, piece))

    async def _write(
        self,
        connection: _Connection,
        receive: trio.MemoryReceiveChannel[tuple[float, bytes]],
        sink: trio.SocketStream,
        *,
        down: bool,
    ) -> None:
        async for due_s, piece in receive:
            await trio.sleep_until(due_s)
            data = self._damaged(connection, piece) if down else piece
            while data and not (down and connection.half_closed):
                while self.faults.hole and self._feels(connection):  # noqa: ASYNC110
                    await trio.sleep(LOOK_S)
                size = self._portion(connection, len(data))
                await sink.send_all(data[:size])
                self.counts.bytes += size
                data = data[size:]
                await self._pause(connection, size)
        _end(sink)

    def _portion(self, connection: _Connection, size: int) -> int:
        faults = self.faults
        if not self._feels(connection):
            return size
        if math.isfinite(faults.bytes_per_s):
            size = min(size, max(1, round(faults.bytes_per_s * LOOK_S)))
        return min(size, faults.slice_bytes) if faults.slice_bytes else size

    async def _pause(self, connection: _Connection, size: int) -> None:
        if not self._feels(connection):
            return
        pause_s = size / self.faults.bytes_per_s
        if self.faults.slice_bytes:
            pause_s = max(pause_s, SLICE_PAUSE_S)
        if pause_s:
            await trio.sleep(pause_s)

    def _feels(self, connection: _Connection) -> bool:
        return connection.luck < self.faults.share

    def _damaged(self, connection: _Connection, piece: bytes) -> bytes:
        if not connection.corrupt:
            return piece
        connection.corrupt -= 1
        self.counts.corrupted += 1
        data = bytearray(piece)
        data[self._dice.randrange(len(data))] ^= HIGH_BIT
        return bytes(data)


def _abort(stream: trio.SocketStream) -> None:
    """Close a connection with RST; whoever waits on it is told that it is closed."""
    try:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    except OSError:
        # It was closed already.
        return
    stream.socket.close()


def _end(stream: trio.SocketStream) -> None:
    """Send the end of one direction, unless the connection is gone."""
    # Not the stream's own way, which refuses while another task sends.
    try:
        stream.socket.shutdown(socket.SHUT_WR)
    except OSError:
        return
