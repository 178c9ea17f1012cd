"""What a client sees of a simulated world, kind by kind: to compare one with and without a fault.

Everything runs in virtual time, so that two worlds of one seed look the same to the last byte.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import attrs
import orjson
import trio
from trio_websocket import ConnectionClosed, ConnectionRejected

from arb.io.clock import VirtualClock
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Lifetime, OrderRequest, Placed, SelfTrade
from arb.sim.simulation import Simulation, SimulationSettings
from arb.sim.switchboard import Switchboard
from tests.sim.sim_client import (
    EPOCH_MS,
    KEY,
    HttpConnection,
    Member,
    Socket,
    connect,
    open_socket,
)

ORDERS = "/portfolio/events/orders"
STEP_S = 0.05
# Beyond every lag of the table.
WATCH_S = 8.0
PATIENCE_S = 20.0
# Longer than determination and settlement, each a minute and an hour at most at this speed.
GAME_OVER_S = 100.0
SPEED = 20.0

Seen = list[Any]
Hand = Callable[[], object]


@attrs.define
class Stage:
    """A small world, a client in it, and a hand that acts in the middle of what is looked at."""

    nursery: trio.Nursery
    simulation: Simulation
    board: Switchboard
    member: Member
    act: Hand

    @property
    def ticker(self) -> str:
        """Return a market of the game that ends first."""
        fixture = self.simulation.world.ends_first()
        assert fixture is not None
        return fixture.game.home_ticker

    def place(self, side: BookSide, price_e4: int, **more: Any) -> Placed:
        """Place an order of the member's past every interface."""
        request = OrderRequest(
            self.ticker,
            side,
            500,
            price_e4,
            more.pop("lifetime", Lifetime.GOOD_TILL_CANCELED),
            SelfTrade.TAKER_AT_CROSS,
            **more,
        )
        return place(self.simulation.venue, self.simulation.member, request)

    async def pass_time(self, seconds: float) -> None:
        """Let the world move for so long."""
        for _ in range(round(seconds / STEP_S)):
            await trio.sleep(STEP_S)
            self.simulation.step(STEP_S)

    async def asked(self, method: str, path: str, body: Any = None) -> Seen:
        """Return what came of a request: status, body, and after how long."""
        began_s = trio.current_time()
        answer = None
        with trio.move_on_after(PATIENCE_S):
            answer = await self.member.call_or_none(method, path, body)
        took_s = round(trio.current_time() - began_s, 3)
        twice = self.member.http.pending if answer is not None else b""
        said = (answer.status, answer.body) if answer is not None else None
        self.member.reconnect()
        return [said, took_s, twice]


def make_stage(nursery: trio.Nursery) -> Stage:
    """Return a world of two games, nothing switched in it."""
    clock = VirtualClock(EPOCH_MS - round(trio.current_time() * 1_000))
    simulation = Simulation(SimulationSettings(games=2, speed=SPEED), clock)
    simulation.admit(KEY.public_key())
    member = Member(simulation.exchange, nursery)
    return Stage(nursery, simulation, Switchboard(simulation, clock), member, lambda: None)


async def see_orders(stage: Stage) -> Seen:
    """Buy at the ask, and look at the answer and at the account."""
    stage.act()
    wish = {
        "ticker": stage.ticker,
        "side": "bid",
        "price": "0.99",
        "count": "5.00",
        "time_in_force": "immediate_or_cancel",
        "self_trade_prevention_type": "taker_at_cross",
    }
    seen = await stage.asked("POST", ORDERS, wish)
    account = stage.simulation.member
    return [*seen, len(account.orders()), account.position(stage.ticker).count_e2]


async def see_cancels(stage: Stage) -> Seen:
    """Cancel an order that rests."""
    order = stage.place(BookSide.BID, 100).order
    stage.act()
    path = f"{ORDERS}/{order.order_id}?market_ticker={stage.ticker}"
    return [*await stage.asked("DELETE", path), order.status]


async def see_amends(stage: Stage) -> Seen:
    """Move an order that rests."""
    order = stage.place(BookSide.BID, 100).order
    stage.act()
    change = {"ticker": stage.ticker, "side": "bid", "price": "0.02", "count": "5.00"}
    path = f"{ORDERS}/{order.order_id}/amend"
    return [*await stage.asked("POST", path, change), order.price_e4]


async def see_rest(stage: Stage) -> Seen:
    """Buy something, and two seconds later read everything."""
    stage.act()
    stage.place(BookSide.BID, 9_900, lifetime=Lifetime.IMMEDIATE_OR_CANCEL)
    await trio.sleep(2.0)
    paths = ("orders", "fills", "positions", "balance")
    return [await stage.asked("GET", f"/portfolio/{path}") for path in paths]


async def see_sockets(stage: Stage) -> Seen:
    """Listen to books, and come back when the connection breaks."""
    return await _listened(stage, ["orderbook_delta"], lambda: None)


async def see_books(stage: Stage) -> Seen:
    """Listen to all books but one, which is added later."""
    *first, last = sorted(stage.simulation.venue.markets)
    stage.nursery.start_soon(_act_soon, stage)
    stage.nursery.start_soon(stage.pass_time, WATCH_S)

    async def add_later(socket: Socket) -> None:
        await trio.sleep(2.0)
        with suppress(ConnectionClosed, trio.BrokenResourceError):
            params = {"sid": 1, "action": "add_markets", "market_tickers": [last]}
            await socket.command(2, "update_subscription", **params)

    async def subscribe(socket: Socket) -> None:
        await socket.command(1, "subscribe", channels=["orderbook_delta"], market_tickers=first)
        stage.nursery.start_soon(add_later, socket)

    return await _frames(stage.member.socket, subscribe)


async def see_private(stage: Stage) -> Seen:
    """Listen to what becomes of a purchase and of an order that rests."""

    def trade() -> None:
        stage.place(BookSide.BID, 9_900, lifetime=Lifetime.IMMEDIATE_OR_CANCEL)
        stage.place(BookSide.BID, 100)

    return await _listened(stage, ["fill", "user_orders"], trade)


async def see_trading(stage: Stage) -> Seen:
    """Let a game end among the others, and look whether a market and a cancel are taken."""
    order = stage.place(BookSide.BID, 100).order
    ticker = stage.ticker
    stage.act()
    await stage.pass_time(STEP_S)
    status = await stage.asked("GET", "/exchange/status")
    market = await stage.asked("GET", f"/markets/{ticker}")
    cancelled = await stage.asked("DELETE", f"{ORDERS}/{order.order_id}?market_ticker={ticker}")
    stage.simulation.world.end_first(stage.simulation.clock.wall_ms())
    for _ in range(3):
        await trio.sleep(GAME_OVER_S)
        stage.simulation.world.referee.step(stage.simulation.clock.wall_ms())
    markets = stage.simulation.venue.markets.values()
    ends = [(each.ticker, each.status, each.value_e4) for each in markets]
    return [status, market, cancelled[0], order.status, ends]


async def see_odds(stage: Stage) -> Seen:
    """Listen to odds, read them, and come back when the connection breaks."""
    simulation = stage.simulation
    key = simulation.odds_key
    stage.nursery.start_soon(_act_soon, stage)
    stage.nursery.start_soon(stage.pass_time, WATCH_S)

    def connected() -> trio.abc.Stream:
        return connect(stage.nursery, simulation.odds.serve_stream)

    seen = await _frames(lambda: open_socket(connected(), f"/v3/ws?apiKey={key}&markets=ML", []))
    path = f"/v3/events?apiKey={key}&sport=baseball"
    answer = await HttpConnection(connected()).send("GET", path, [])
    game_id = min(simulation.world.fixtures)
    path = f"/v3/odds?apiKey={key}&eventId={game_id}&bookmakers=DraftKings"
    odds = await HttpConnection(connected()).send("GET", path, [])
    return [seen, answer, odds]


PROBES: dict[str, Callable[[Stage], Awaitable[Seen]]] = {
    "orders": see_orders,
    "cancels": see_cancels,
    "amends": see_amends,
    "REST": see_rest,
    "sockets": see_sockets,
    "books": see_books,
    "private": see_private,
    "trading": see_trading,
    "odds": see_odds,
}


async def _act_soon(stage: Stage) -> None:
    await trio.sleep(1.0)
    stage.act()


async def _listened(stage: Stage, channels: list[str], trade: Hand) -> Seen:
    """Return every frame of some channels with its moment."""
    tickers = sorted(stage.simulation.venue.markets)
    stage.nursery.start_soon(_act_soon, stage)
    stage.nursery.start_soon(stage.pass_time, WATCH_S)

    async def act_later() -> None:
        await trio.sleep(2.0)
        trade()

    stage.nursery.start_soon(act_later)

    async def subscribe(socket: Socket) -> None:
        await socket.command(1, "subscribe", channels=channels, market_tickers=tickers)

    return await _frames(stage.member.socket, subscribe)


async def _frames(
    opened: Callable[[], Any], greet: Callable[[Socket], Awaitable[None]] | None = None
) -> Seen:
    seen: Seen = []
    began_s = trio.current_time()

    def note(what: Any) -> None:
        seen.append((round(trio.current_time() - began_s, 3), what))

    # Not at the end of a step, whose frames might come before or after.
    with trio.move_on_after(WATCH_S - STEP_S / 2):
        while True:
            try:
                async with opened() as socket:
                    if greet is not None:
                        await greet(socket)
                    while True:
                        note(_told(await socket.connection.get_message()))
            except* ConnectionRejected as group:
                note([each.status_code for each in _leaves(group)])
            except* (ConnectionClosed, trio.BrokenResourceError):
                note("closed")
            await trio.sleep(0.5)
    return seen


def _leaves(group: BaseExceptionGroup[Any]) -> list[Any]:
    found: list[Any] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found


def _told(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
