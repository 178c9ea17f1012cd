"""An order lane over HTTP/2: one warm connection with several requests in flight.

Answers to some do not wait for others, but all share one connection's fate: what is out when it
breaks is unknown together. Over HTTP/1.1 a lane has one request at most; the setting
``lane_protocol`` chooses.
"""

from __future__ import annotations

from typing import Any

import hpack
import trio

from arb.io.connection import Connection
from arb.io.text import one_line
from arb.kalshi import lane_http2_frames as http2
from arb.kalshi.lane_connection import _BROKEN, BODY_BYTES_MAX, Lane, _InFlight
from arb.kalshi.lane_http2_frames import BadFrame, Frame, FrameReader

# More than the engine has orders under way at once; servers allow a hundred and more.
IN_FLIGHT_MAX = 16

# What the other side may still send is made wider when this much of it is used.
WIDEN_AFTER_BYTES = 2**30


class Http2Lane(Lane):
    """A lane whose requests are streams; `send` writes in the caller's turn, as the other does."""

    alpn = ("h2",)

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._begin()

    def _begin(self) -> None:
        """Start a conversation on a fresh connection."""
        self._streams: dict[int, _InFlight] = {}
        self._next_stream = 1
        self._window = self._stream_window = http2.WINDOW_BYTES_FIRST
        self._streams_max = IN_FLIGHT_MAX
        self._reader, self._decoder = FrameReader(), hpack.Decoder()
        # A block of headers may come in pieces: whose it is, and whether its stream ends with it.
        self._block, self._block_of, self._ends = b"", 0, False
        self._received_bytes = 0
        self._heard_ns = 0

    @property
    def is_free(self) -> bool:
        """Say whether a request can be sent now."""
        return (
            self.is_up
            and len(self._streams) < self._streams_max
            and min(self._window, self._stream_window) >= http2.FRAME_BYTES_MAX
        )

    @property
    def has_order(self) -> bool:
        """Say whether a request that somebody waits for is out."""
        return self._connection is not None and any(not one.quiet for one in self._streams.values())

    def send(self, tag: object, data: bytes, *, quiet: bool = False) -> int | None:
        """Write a request in this turn; return when, or None when the lane could not take it."""
        if self._connection is None:
            return None
        frames, body_bytes = http2.on_stream(data, self._next_stream)
        if not self._write(frames):
            return None
        sent_ns = self._clock.monotonic_ns()
        self._streams[self._next_stream] = _InFlight(tag, quiet, sent_ns)
        self._next_stream += 2
        self._window -= body_bytes
        if len(self._streams) == 1:
            self._wait_until(trio.current_time() + self._limits.answer_s)
        return sent_ns

    def _write(self, data: bytes) -> bool:
        connection = self._connection
        if connection is None:
            return False
        try:
            # What waits goes first: frames must not be cut into by others.
            taken = 0 if self._rest else connection.send_now(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.give_up(_BROKEN)
            return False
        if taken < len(data) or connection.backlog:
            self._rest += data[taken:]
            self._rest_wanted.set()
        return True

    async def _send_rest(self, connection: Connection) -> None:
        while True:
            await self._rest_wanted.wait()
            self._rest_wanted = trio.Event()
            # It stays in place until it has left: whatever comes meanwhile queues up behind it.
            while True:
                leaving = self._rest
                try:
                    await connection.send_all(leaving)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    self.give_up(_BROKEN)
                    break
                self._rest = self._rest[len(leaving) :]
                if not self._rest:
                    break

    async def _converse(self, connection: Connection) -> str:
        await trio.lowlevel.checkpoint()
        self._begin()
        why = None if self._write(http2.greeting()) else _BROKEN
        why = why or self._send_keep_warm()
        while why is None:
            data = await self._receive(connection)
            if data is None:
                why = self._on_silence()
            elif not data:
                why = "closed by the exchange"
            else:
                why = self._read_frames(data)
        return why

    def _on_silence(self) -> str | None:
        if self._broken:
            return self._broken
        if not self._streams:
            return self._send_keep_warm()
        stream, oldest = next(iter(self._streams.items()))
        why = f"no answer within {self._limits.answer_s:g} s"
        if self._heard_ns <= oldest.sent_ns:
            return why
        # Others were answered meanwhile: the connection lives, and only this one is given up.
        del self._streams[stream]
        self._tell(oldest, None, why)
        self._wait_for_next()
        return None

    def _wait_for_next(self) -> None:
        if self._streams:
            oldest = next(iter(self._streams.values()))
            age_s = (self._clock.monotonic_ns() - oldest.sent_ns) / 1e9
            wait_s = self._limits.answer_s - age_s
        else:
            wait_s, self._first_warm_s = self._first_warm_s, self._limits.keep_warm_s
        self._wait_until(trio.current_time() + max(0.0, wait_s))

    def _read_frames(self, data: bytes) -> str | None:
        """Take what came; return why the connection cannot go on, if it cannot."""
        self._heard_ns = self._clock.monotonic_ns()
        self._received_bytes += len(data)
        if self._received_bytes > WIDEN_AFTER_BYTES:
            self._write(http2.wider(self._received_bytes))
            self._received_bytes = 0
        try:
            for frame in self._reader.take(data):
                why = self._on_frame(frame)
                if why is not None:
                    return why
        except (BadFrame, hpack.HPACKError, ValueError) as error:
            return one_line(f"the connection broke within an answer: {error}")
        return None

    def _on_frame(self, frame: Frame) -> str | None:
        kind = frame.kind
        if self._block_of and kind != http2.CONTINUATION:
            raise BadFrame("headers were cut into")
        if kind == http2.HEADERS:
            self._block, self._block_of = frame.content(), frame.stream
            return self._on_block(frame, ends=bool(frame.flags & http2.END_STREAM))
        if kind == http2.CONTINUATION:
            self._block += frame.payload
            return self._on_block(frame, ends=False)
        if kind == http2.DATA:
            return self._on_data(frame)
        if kind == http2.GOAWAY:
            return "closed by the exchange"
        if kind == http2.RST_STREAM:
            self._end_of_stream(frame.stream, "the exchange gave the request up")
        elif kind == http2.SETTINGS and not frame.flags & http2.ACK:
            self._on_settings(frame.settings())
        elif kind == http2.PING and not frame.flags & http2.ACK:
            self._write(http2.frame(http2.PING, http2.ACK, 0, frame.payload))
        elif kind == http2.WINDOW_UPDATE and not frame.stream:
            self._window += frame.number()
        return None

    def _on_settings(self, settings: dict[int, int]) -> None:
        offered = settings.get(http2.MAX_CONCURRENT_STREAMS, self._streams_max)
        self._streams_max = min(IN_FLIGHT_MAX, offered)
        self._stream_window = settings.get(http2.INITIAL_WINDOW_SIZE, self._stream_window)
        self._write(http2.frame(http2.SETTINGS, http2.ACK, 0))

    def _on_block(self, frame: Frame, *, ends: bool) -> str | None:
        if ends:
            self._ends = True
        if len(self._block) > BODY_BYTES_MAX:
            raise BadFrame("headers without end")
        if not frame.flags & http2.END_HEADERS:
            return None
        stream, self._block_of = self._block_of, 0
        # Every block must be decoded, whoever it is for: the table is the connection's.
        fields = dict(self._decoder.decode(self._block, raw=True))
        in_flight = self._streams.get(stream)
        if in_flight is not None and b":status" in fields:
            in_flight.status = int(fields[b":status"])
        if self._ends:
            self._ends = False
            self._end_of_stream(stream, None)
        return None

    def _on_data(self, frame: Frame) -> str | None:
        in_flight = self._streams.get(frame.stream)
        if in_flight is not None:
            in_flight.body += frame.content()
            if len(in_flight.body) > BODY_BYTES_MAX:
                return f"an answer of more than {BODY_BYTES_MAX} bytes"
            if frame.flags & http2.END_STREAM:
                self._end_of_stream(frame.stream, None)
        return None

    def _end_of_stream(self, stream: int, failure: str | None) -> None:
        in_flight = self._streams.pop(stream, None)
        if in_flight is None:
            return
        if failure is None and not in_flight.status:
            failure = "an answer without a status"
        if failure is None:
            self._failures = 0
            self._proven = True
        self._wait_for_next()
        self._tell(in_flight, None if failure else in_flight.status, failure)

    def _abandon(self, why: str) -> None:
        streams, self._streams = self._streams, {}
        for in_flight in streams.values():
            self._tell(in_flight, None, why)
