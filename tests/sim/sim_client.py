"""Hand-written clients of the simulated servers, and worlds small enough to see through."""

from __future__ import annotations

import base64
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import attrs
import h11
import orjson
import trio
import trio.testing
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from trio_websocket import ConnectionRejected, WebSocketConnection, wrap_client_stream

from arb.sim.conditions import ExchangeConditions, OrderAnswer
from arb.sim.exchange.account import Account
from arb.sim.exchange.markets import Market
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Lifetime, OrderRequest, Placed, SelfTrade
from arb.sim.exchange.venue import Venue
from arb.sim.websocket.server import ExchangeServer
from arb.sim.world.games import Game
from arb.sim.world.leagues import MLB, NFL, League
from arb.sim.world.listing import list_game
from tests.sim.published_contract import check_frame, check_response

EPOCH_MS = 1_795_000_000_000
HOUR_MS = 3_600_000
KEY = rsa.generate_private_key(65_537, 2_048)
PREFIX = "/trade-api/v2"
SOCKET_PATH = "/trade-api/ws/v2"
HTML = "text/html"

Json = dict[str, Any]


@attrs.define
class HandClock:
    """A clock that moves when it is told to."""

    now_ms: int = EPOCH_MS

    def wall_ms(self) -> int:
        return self.now_ms


def game_of(league: League = NFL, game_id: int = 1, start_ms: int = EPOCH_MS + HOUR_MS) -> Game:
    """Return a game between a league's first two teams."""
    home, away = league.teams[:2]
    return Game(game_id, league, home, away, start_ms, start_ms + 3 * HOUR_MS)


@attrs.define
class Bench:
    """An exchange with one game and nobody in it but whom a test sends."""

    clock: HandClock
    venue: Venue
    home: Market
    away: Market
    member: Account
    maker: Account

    def later(self, ms: int = 2_000) -> None:
        """Let so much time pass that private reads have caught up."""
        self.clock.now_ms += ms

    def place(
        self,
        account: Account,
        side: BookSide,
        price_e4: int,
        count_e2: int,
        lifetime: Lifetime = Lifetime.GOOD_TILL_CANCELED,
        self_trade: SelfTrade = SelfTrade.TAKER_AT_CROSS,
        **more: Any,
    ) -> Placed:
        """Place an order in the home market."""
        ticker = more.pop("ticker", self.home.ticker)
        request = OrderRequest(ticker, side, count_e2, price_e4, lifetime, self_trade, **more)
        return place(self.venue, account, request)


def make_bench(league: League = MLB, cash_e6: int = 1_000_000_000) -> Bench:
    """Return a bench; baseball trades on shard 3 with half fees, football on shard 0."""
    clock = HandClock()
    venue = Venue(clock, random.Random("bench"), ExchangeConditions())
    home, away = list_game(venue, game_of(league), clock.wall_ms())
    shards = {0: cash_e6, 3: cash_e6}
    member = venue.open_account("member", shards)
    maker = venue.open_account("maker", shards)
    return Bench(clock, venue, home, away, member, maker)


def signed(method: str, path: str, key_id: str, wall_ms: int) -> list[tuple[str, str]]:
    """Return the three headers; the query is not signed."""
    text = f"{wall_ms}{method}{path.partition('?')[0]}".encode()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    signature = base64.b64encode(KEY.sign(text, pss, hashes.SHA256())).decode()
    return [
        ("KALSHI-ACCESS-KEY", key_id),
        ("KALSHI-ACCESS-TIMESTAMP", str(wall_ms)),
        ("KALSHI-ACCESS-SIGNATURE", signature),
    ]


@attrs.frozen
class Answer:
    """A response as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@attrs.define
class HttpConnection:
    """One kept-alive HTTP connection over any stream; checks what it gets by the contract."""

    stream: trio.abc.Stream
    checked: bool = True
    _h11: h11.Connection = attrs.field(factory=lambda: h11.Connection(h11.CLIENT))

    @property
    def pending(self) -> bytes:
        """Return what came after the last answer and belongs to none."""
        return bytes(self._h11.trailing_data[0])

    async def send(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> Answer | None:
        """Send a request and return its answer, None when the connection was closed instead."""
        lines = [("host", "sim"), ("content-length", str(len(body))), *headers]
        head = h11.Request(method=method, target=target, headers=lines)
        data = (self._h11.send(head) or b"") + (self._h11.send(h11.Data(data=body)) or b"")
        await self.stream.send_all(data + (self._h11.send(h11.EndOfMessage()) or b""))
        answer = await self._answer()
        if answer is not None and self.checked and answer.headers.get("content-type") != HTML:
            check_response(method, target, answer.status, answer.body)
        return answer

    async def _answer(self) -> Answer | None:
        status, headers, body = 0, dict[str, str](), b""
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError:
                return None
            if event is h11.NEED_DATA:
                self._h11.receive_data(bytes(await self.stream.receive_some(65_536)))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._h11.start_next_cycle()
                return Answer(status, headers, body)
            else:
                return None


@attrs.define
class Socket:
    """A WebSocket client that reads JSON frames, the exchange's checked by the contract."""

    connection: WebSocketConnection
    checked: bool

    async def command(self, command_id: int, name: str, **params: Any) -> None:
        message: Json = {"id": command_id, "cmd": name}
        if params:
            message["params"] = params
        await self.connection.send_message(orjson.dumps(message).decode())

    async def text(self) -> str:
        with trio.fail_after(60):
            message = await self.connection.get_message()
        assert isinstance(message, str)
        return message

    async def frame(self) -> Json:
        text = await self.text()
        if self.checked:
            check_frame(text)
        found: Json = orjson.loads(text)
        return found

    async def frames(self, count: int) -> list[Json]:
        return [await self.frame() for _ in range(count)]

    async def until(self, kind: str) -> Json:
        """Return the next frame of a type, others skipped."""
        while True:
            found = await self.frame()
            if found["type"] == kind:
                return found


Serve = Callable[[trio.abc.Stream], Awaitable[None]]


def connect(nursery: trio.Nursery, serve: Serve) -> trio.abc.Stream:
    """Return our end of a connection in memory whose other end is being served."""
    ours, theirs = trio.testing.memory_stream_pair()
    nursery.start_soon(serve, theirs)
    return ours


@asynccontextmanager
async def open_socket(
    stream: trio.abc.Stream, path: str, headers: list[tuple[str, str]]
) -> AsyncIterator[Socket]:
    """Open a WebSocket over a stream that will be accepted."""
    async with trio.open_nursery() as nursery:
        named = [(name.encode(), value.encode()) for name, value in headers]
        # The library works on any stream; its annotation knows of sockets alone.
        socket = cast("trio.SocketStream", stream)
        connection = await wrap_client_stream(nursery, socket, "sim", path, extra_headers=named)
        yield Socket(connection, checked=path == SOCKET_PATH)
        with trio.move_on_after(1):
            await connection.aclose()
        nursery.cancel_scope.cancel()


async def rejection(
    stream: trio.abc.Stream, path: str, headers: list[tuple[str, str]]
) -> tuple[int, bytes]:
    """Return status and body with which an upgrade is refused."""
    refused: list[ConnectionRejected] = []
    try:
        async with open_socket(stream, path, headers):
            pass
    except* ConnectionRejected as group:
        refused.extend(one for one in group.exceptions if isinstance(one, ConnectionRejected))
    (one,) = refused
    return one.status_code, one.body or b""


@attrs.define
class Member:
    """A signed client of an exchange server, over one kept-alive connection in memory."""

    server: ExchangeServer
    nursery: trio.Nursery
    key_id: str = "member-key"
    http: HttpConnection = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.server.keys.add(self.key_id, KEY.public_key(), "member")
        self.reconnect()

    def reconnect(self) -> None:
        self.http = HttpConnection(connect(self.nursery, self.server.serve_stream))

    def headers(self, method: str, path: str) -> list[tuple[str, str]]:
        return signed(method, path, self.key_id, self.server.venue.clock.wall_ms())

    async def call_or_none(self, method: str, path: str, body: Any = None) -> Answer | None:
        """Send a signed request; None when the server hung up instead of answering."""
        target = PREFIX + path
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        self.http.checked = not self._spoiled()
        return await self.http.send(method, target, self.headers(method, target), raw)

    def _spoiled(self) -> bool:
        conditions = self.server.venue.conditions
        answers = (conditions.order_answer, conditions.cancel_answer, conditions.amend_answer)
        return OrderAnswer.EMPTY_SUCCESS in answers

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        answer = await self.call_or_none(method, path, body)
        assert answer is not None
        return answer

    async def get(self, path: str) -> Any:
        """Return the body of a read that must succeed."""
        answer = await self.call("GET", path)
        assert answer.status == 200, answer.body
        return answer.json

    def socket(self) -> AbstractAsyncContextManager[Socket]:
        """Open a signed WebSocket on a connection of its own."""
        path = SOCKET_PATH
        stream = connect(self.nursery, self.server.serve_stream)
        return open_socket(stream, path, self.headers("GET", path))


def order_wish(ticker: str, side: str, price: str, count: str, **more: Any) -> Json:
    """Return the body of an order with what is required in it."""
    wish = {
        "ticker": ticker,
        "side": side,
        "price": price,
        "count": count,
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }
    return wish | more
