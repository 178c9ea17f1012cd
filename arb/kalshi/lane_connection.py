"""One order lane: a connection that is kept warm, with one request in flight at most."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import h11
import trio

from arb.io.clock import Clock
from arb.io.connection import Connection
from arb.io.net import Network
from arb.io.text import one_line
from arb.io.url import Endpoint
from arb.kalshi.lane_request import Answer, Limits

# The answer to a batch of orders is the largest and stays below this by far.
BODY_BYTES_MAX = 1024 * 1024

# Orders that left together are answered together, and their lanes would be kept warm in the same
# moment ever after: whoever would be the last free one waits so long, a few answers.
_WARM_LATER_S = 0.25

_BROKEN = "the connection broke in a send"

# Beyond this a backoff has long reached its longest pause.
_DOUBLINGS_MAX = 20

# h11 must know of a request to read its answer, and of it only the method matters, and that only
# for HEAD and CONNECT. So one stands for all, and costs an order nothing.
_ANY_REQUEST = h11.Request(method="GET", target="/", headers=[("Host", "any")])


@attrs.define
class _InFlight:
    """A request that is out, and what of its answer has come. A quiet one keeps the lane warm."""

    tag: object
    quiet: bool
    sent_ns: int
    status: int = 0
    body: bytearray = attrs.field(factory=bytearray)


class Lane:
    """Connects, reconnects, keeps warm; `send` writes in the caller's turn."""

    # What the server must agree to speak over TLS; without any it is HTTP/1.1.
    alpn: tuple[str, ...] = ()

    def __init__(
        self,
        number: int,
        network: Network,
        place: Endpoint,
        clock: Clock,
        *,
        keep_warm: bytes,
        first_warm_s: float,
        limits: Limits,
        can_spare: Callable[[Lane], bool],
        answered: Callable[[Answer], object],
    ) -> None:
        self.number = number
        self.last_error: str | None = None
        self._network = network
        self._place = place
        self._clock = clock
        self._keep_warm = keep_warm
        self._first_warm_s = first_warm_s
        self._limits = limits
        self._can_spare = can_spare
        self._answered = answered
        self._connection: Connection | None = None
        self._in_flight: _InFlight | None = None
        self._proven = False
        self._broken = ""
        self._failures = 0
        self._deadline_s = math.inf
        self._scope = trio.CancelScope()
        self._rest = b""
        self._rest_wanted = trio.Event()

    @property
    def is_up(self) -> bool:
        """Say whether the connection stands and has answered."""
        return self._connection is not None and self._proven and not self._broken

    @property
    def is_free(self) -> bool:
        """Say whether a request can be sent now."""
        return self.is_up and self._in_flight is None

    @property
    def has_order(self) -> bool:
        """Say whether a request that somebody waits for is out."""
        return self._in_flight is not None and not self._in_flight.quiet

    def send(self, tag: object, data: bytes, *, quiet: bool = False) -> int | None:
        """Write a request in this turn; return when, or None when the lane could not take it.

        What the kernel did not take at once the lane's own task sends.
        """
        connection = self._connection
        if connection is None:
            return None
        try:
            taken = connection.send_now(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # Nothing of it has left.
            self.give_up(_BROKEN)
            return None
        sent_ns = self._clock.monotonic_ns()
        self._in_flight = _InFlight(tag, quiet, sent_ns)
        if taken < len(data) or connection.backlog:
            self._rest = data[taken:]
            self._rest_wanted.set()
        self._wait_until(trio.current_time() + self._limits.answer_s)
        return sent_ns

    def give_up(self, why: str) -> None:
        """Send nothing more on this connection; what is out is unknown as soon as may be."""
        # The reader wakes up, finds this, and makes way for another connection.
        self._broken = why
        self._scope.cancel(reason=why)

    def _wait_until(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._scope.deadline = deadline_s

    async def run(self) -> None:
        """Keep the lane up until cancelled."""
        while True:
            self.last_error = await self._live_once()
            await trio.sleep(self._pause_s())

    def _pause_s(self) -> float:
        # Never none at all: a server that answers once and hangs up would be called without end.
        doublings = min(max(0, self._failures - 1), _DOUBLINGS_MAX)
        return min(self._limits.reconnect_max_s, self._limits.reconnect_first_s * 2.0**doublings)

    async def _live_once(self) -> str:
        self._failures += 1
        why = "the lane was closed"
        connection = await self._connect()
        if isinstance(connection, str):
            return connection
        self._connection, self._broken = connection, ""
        self._rest, self._rest_wanted = b"", trio.Event()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._send_rest, connection)
                why = await self._read(connection)
                nursery.cancel_scope.cancel(reason="the lane's connection has ended")
        finally:
            self._connection = None
            self._proven = False
            self._abandon(why)
            with trio.move_on_after(self._limits.connect_s, shield=True):
                await trio.aclose_forcefully(connection)
        return why

    async def _connect(self) -> Connection | str:
        await trio.lowlevel.checkpoint()
        place = self._place
        try:
            with trio.fail_after(self._limits.connect_s):
                connection = await self._network.connect(
                    place.host, place.port, tls=place.tls, alpn=self.alpn
                )
        except trio.TooSlowError:
            return f"{place.authority}: no connection within {self._limits.connect_s:g} s"
        except OSError as error:
            return one_line(f"{place.authority}: {error}")
        # An order that a dead line keeps in the kernel would leave after the lane was given up,
        # on prices of then, for as long as its signature holds.
        connection.discard_at_close()
        return connection

    async def _send_rest(self, connection: Connection) -> None:
        while True:
            await self._rest_wanted.wait()
            self._rest_wanted = trio.Event()
            try:
                await connection.send_all(self._rest)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self.give_up(_BROKEN)

    async def _read(self, connection: Connection) -> str:
        try:
            why = await self._converse(connection)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            why = one_line(f"the connection broke: {error}")
        await trio.lowlevel.checkpoint()
        return why

    async def _converse(self, connection: Connection) -> str:
        await trio.lowlevel.checkpoint()
        protocol = h11.Connection(h11.CLIENT)
        # The first answer proves the whole way to the exchange before an order takes it.
        why = self._send_keep_warm()
        while why is None:
            data = await self._receive(connection)
            why = self._on_silence() if data is None else self._take(protocol, data)
        return why

    async def _receive(self, connection: Connection) -> bytes | None:
        if self._broken:
            # Given up while no scope stood that could be cancelled.
            return None
        with trio.CancelScope(deadline=self._deadline_s) as self._scope:
            return await connection.receive_some()
        return None

    def _on_silence(self) -> str | None:
        if self._broken:
            return self._broken
        if self._in_flight is not None:
            return f"no answer within {self._limits.answer_s:g} s"
        if not self._can_spare(self):
            self._wait_until(trio.current_time() + _WARM_LATER_S)
            return None
        return self._send_keep_warm()

    def _send_keep_warm(self) -> str | None:
        sent = self.send(None, self._keep_warm, quiet=True)
        return None if sent is not None else _BROKEN

    def _take(self, protocol: h11.Connection, data: bytes) -> str | None:
        """Read on; return why the connection cannot go on, if it cannot."""
        if self._in_flight is None:
            return "closed by the exchange" if not data else "the exchange spoke out of turn"
        if protocol.our_state is h11.IDLE:
            protocol.send(_ANY_REQUEST)
            protocol.send(h11.EndOfMessage())
        try:
            protocol.receive_data(data)
            return self._take_events(protocol, self._in_flight)
        except h11.RemoteProtocolError as error:
            return one_line(f"the connection broke within an answer: {error}")

    def _take_events(self, protocol: h11.Connection, in_flight: _InFlight) -> str | None:
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.ConnectionClosed):
                return "closed by the exchange"
            if isinstance(event, h11.Response):
                in_flight.status = event.status_code
            elif isinstance(event, h11.Data):
                in_flight.body += event.data
                if len(in_flight.body) > BODY_BYTES_MAX:
                    return f"an answer of more than {BODY_BYTES_MAX} bytes"
            elif isinstance(event, h11.EndOfMessage):
                return self._end_of_answer(protocol, in_flight)

    def _end_of_answer(self, protocol: h11.Connection, in_flight: _InFlight) -> str | None:
        self._failures = 0
        closing = protocol.their_state is not h11.DONE
        spare = protocol.trailing_data[0]
        if not closing:
            protocol.start_next_cycle()
            self._proven = True
        else:
            # The lane must not be chosen while the answer is told.
            self._proven = False
        self._in_flight = None
        wait_s, self._first_warm_s = self._first_warm_s, self._limits.keep_warm_s
        self._wait_until(trio.current_time() + wait_s)
        self._tell(in_flight, in_flight.status, None)
        if closing:
            return "closed by the exchange"
        return "the exchange spoke out of turn" if spare else None

    def _abandon(self, why: str) -> None:
        in_flight, self._in_flight = self._in_flight, None
        if in_flight is not None:
            self._tell(in_flight, None, why)

    def _tell(self, in_flight: _InFlight, status: int | None, failure: str | None) -> None:
        if not in_flight.quiet:
            self._answered(
                Answer(
                    in_flight.tag,
                    status,
                    bytes(in_flight.body) if failure is None else b"",
                    in_flight.sent_ns,
                    self._clock.monotonic_ns(),
                    failure,
                )
            )

    def __repr__(self) -> str:
        state = "down" if not self.is_up else "free" if self.is_free else "busy"
        return f"<Lane {self.number} {state}{f' ({self.last_error})' if self.last_error else ''}>"
