"""An exchange at the engine's own seams: it takes what it is handed, and notes when.

Everything inward of the network is the engine's real code. What is left out is the kernel, TLS
and the exchange's own time.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence

import orjson
import trio

from arb.core.events import Fill
from arb.core.money import MoneyE6
from arb.engine.link import Link
from arb.io.connection import Connection
from arb.io.url import Endpoint
from arb.io.websocket import Socket
from arb.kalshi.exchange_clock import ExchangeClock
from arb.kalshi.fields import Fields
from arb.kalshi.listing import Balance, ListedOrder, ListedPosition
from arb.kalshi.money_moves import ListedSettlement, MarketEnd
from arb.kalshi.rate import AccountLimits, EndpointCosts
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import Params
from arb.kalshi.token_bucket import BucketLimit

CASH_E6 = MoneyE6(10_000_000_000)

# Orders are measured as fast as they can be made; no account has such limits.
ENDLESS = AccountLimits("endless", BucketLimit(10**9, 10**9), BucketLimit(10**9, 10**9))

_HEAD = "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Sink:
    """The far end of every order lane: notes each order's moment, and answers it a turn later.

    Purchases are answered as not filled, so that no limit is ever reached; sales rest.
    """

    def __init__(self) -> None:
        self.handed_ns: deque[int] = deque()
        self.entries = 0
        self.unanswered = 0
        self.exits = 0
        self.last_request = b""
        self.methods: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Sink {self.entries} purchases, {self.exits} sales>"

    async def connect(
        self, host: str, port: int, *, tls: bool, alpn: Sequence[str] = ()
    ) -> Connection:
        """Open a lane's connection."""
        await trio.lowlevel.checkpoint()
        return SinkConnection(self)

    def take(self, data: bytes, now_ns: int) -> bytes:
        """Take one request, and return its answer."""
        head, _, body = data.partition(b"\r\n\r\n")
        self.methods[head.partition(b" ")[0].decode()] += 1
        if not body:
            return _answer("200 OK", {})
        order = orjson.loads(body)
        if "client_order_id" not in order:
            # An exit moves; where to is not kept.
            return _answer("200 OK", {"order_id": "moved"})
        self.last_request = data
        return self._placed(order, now_ns)

    def _placed(self, order: dict[str, str], now_ns: int) -> bytes:
        is_entry = order["side"] == "bid"
        if is_entry:
            self.entries += 1
            self.handed_ns.append(now_ns)
        else:
            self.exits += 1
        answer = {
            "order_id": f"x{self.entries + self.exits}",
            "client_order_id": order["client_order_id"],
            "fill_count": "0.00",
            "remaining_count": "0.00" if is_entry else order["count"],
        }
        return _answer("201 Created", answer)


def _answer(status: str, content: dict[str, str]) -> bytes:
    body = orjson.dumps(content)
    return (_HEAD % (status, len(body))).encode() + body


class SinkConnection(Connection):
    """One lane's connection."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._send, self._receive = trio.open_memory_channel[bytes](16)

    def send_now(self, data: bytes) -> int:
        """Take all of it; this is the moment at which an order counts as handed over."""
        now_ns = time.perf_counter_ns()
        self._sink.unanswered += 1
        self._send.send_nowait(self._sink.take(data, now_ns))
        return len(data)

    @property
    def readable(self) -> bool:
        """Say that nothing waits: an answer is read as it comes."""
        return False

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return the next answer."""
        answer = await self._receive.receive()
        # The lane handles it in this very turn.
        self._sink.unanswered -= 1
        return answer

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Take all of it."""
        await trio.lowlevel.checkpoint()
        self.send_now(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        """Return at once."""
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Close the answers' way."""
        self._send.close()
        await trio.lowlevel.checkpoint()


class NearClock(ExchangeClock):
    """The clock of an exchange whose reads lag behind nothing."""

    def earliest_ns(self, exchange_ms: int) -> int:
        """Return this moment."""
        del exchange_ms
        return self._clock.monotonic_ns()


class StillAccount(Rest):
    """An account whose cash and positions stay as they are, and which has an order group."""

    held: tuple[ListedPosition, ...] = ()

    async def user_data_ms(self) -> int:
        """Return this moment."""
        await trio.lowlevel.checkpoint()
        return self._clock.wall_ms()

    async def balances(self) -> Balance:
        """Return the cash."""
        await trio.lowlevel.checkpoint()
        return Balance(CASH_E6, {0: CASH_E6})

    async def settlements(self, since_ms: int | None = None) -> list[ListedSettlement]:
        """Return no settlement."""
        await trio.lowlevel.checkpoint()
        return []

    async def market_ends(self, tickers: Sequence[str]) -> list[MarketEnd]:
        """Return none: every market goes on."""
        await trio.lowlevel.checkpoint()
        return []

    async def positions(self) -> list[ListedPosition]:
        """Return what is held."""
        await trio.lowlevel.checkpoint()
        return list(self.held)

    async def open_orders(self) -> list[ListedOrder]:
        """Return no order: there is none when the engine starts, and it is not asked again."""
        await trio.lowlevel.checkpoint()
        return []

    async def fills(self, since_ms: int | None = None, *, ticker: str | None = None) -> list[Fill]:
        """Return no fill."""
        await trio.lowlevel.checkpoint()
        return []

    async def limits(self) -> AccountLimits:
        """Return limits that are never reached."""
        await trio.lowlevel.checkpoint()
        return ENDLESS

    async def endpoint_costs(self) -> EndpointCosts:
        """Return the documented costs."""
        await trio.lowlevel.checkpoint()
        return EndpointCosts()

    async def write(
        self,
        method: str,
        path: str,
        content: object = None,
        params: Params = (),
        *,
        paid: bool = False,
    ) -> Fields:
        """Make an order group."""
        await trio.lowlevel.checkpoint()
        return {"order_group_id": "3b23c1c7-f4ef-4f0d-8b9a-9e53c61f1a0d"}


class FrameSocket(Socket):
    """A WebSocket whose frames come from this process; there is room for ``waiting_max``."""

    def __init__(self, waiting_max: int) -> None:
        super().__init__(Endpoint.parse("ws://127.0.0.1/"))
        self.frames, self._frames = trio.open_memory_channel[str](waiting_max)

    async def receive(self) -> str:
        """Return the next frame."""
        return await self._frames.receive()

    async def send(self, text: str | bytes) -> None:
        """Let a command go unheard."""
        await trio.lowlevel.checkpoint()


class FrameLink(Link[Socket]):
    """A link that is up from the start and stays up."""

    socket: FrameSocket

    async def run(self, serve: Callable[[Socket], Awaitable[None]]) -> None:
        """Serve the one socket."""
        await serve(self.socket)
