"""A real order desk, with real clients, at a simulated exchange whose token buckets are on."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from arb.core.commands import Amendment, CancelOrder, OrderIntent
from arb.core.events import OrderAccepted, OrderEvent
from arb.core.listing import Catalogue, Listing
from arb.core.money import CountE2, PriceE4
from arb.core.parameters import Execution
from arb.engine.board import Board
from arb.engine.lookups import Lookups
from arb.engine.order_desk import Exchange, OrderDesk
from arb.engine.parts import Parts
from arb.io.clock import VirtualClock
from arb.io.http import Http
from arb.io.memory import MemoryNetwork
from arb.journal.writer import Journal, JournalFile, MemoryFile
from arb.kalshi.exchange_clock import ExchangeClock
from arb.kalshi.lane import OrderLanes
from arb.kalshi.rate import RateBudget
from arb.kalshi.rest import Rest
from arb.kalshi.sign import Signer
from arb.kalshi.signatures_ahead import SignaturesAhead, in_place
from arb.kalshi.wire import CREATE_PATH
from arb.settings import Settings
from arb.sim.exchange.account import Account
from arb.sim.exchange.placing import place
from arb.sim.exchange.values import BookSide, Order, OrderRequest
from arb.sim.serving.http import Request, Response, json_response
from arb.sim.simulation import Simulation, SimulationSettings
from tests.core.order_factory import ENTRY, listing
from tests.engine.conftest import Member

EPOCH_MS = 1_795_343_226_907
ROOT = "/trade-api/v2"
URL = f"http://exchange:80{ROOT}"
SERIES = ("KXNFLGAME", "KXNBAGAME", "KXMLBGAME", "KXNHLGAME")

# Far below every market of the world, so that nothing fills.
LOW = PriceE4(100)


@attrs.define
class DeskBench:
    """The desk, what it reported and told, and the exchange's side of it."""

    world: Simulation
    parts: Parts
    desk: OrderDesk
    rest: Rest
    budget: RateBudget
    signatures: SignaturesAhead
    lanes: OrderLanes
    reports: list[OrderEvent]
    told: list[Any]
    statuses: Counter[tuple[str, int]]
    numbered: int = 0

    @property
    def account(self) -> Account:
        """Return the exchange's own ledger of us."""
        return self.world.member

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Return the markets, the first of which are on several shards."""
        return self.parts.catalogue.listings

    def on_shard(self, exchange_index: int) -> Listing:
        """Return a market of a shard."""
        return next(each for each in self.listings if each.exchange_index == exchange_index)

    def place(self, wish: OrderIntent = ENTRY, at: Listing | None = None, **changes: Any) -> str:
        """Place an order, low by default, and return our id of it."""
        self.numbered += 1
        name = f"arb-test-{self.numbered}"
        changes = {"ticker": (at or self.listings[0]).ticker, "price_e4": LOW, **changes}
        self.desk.place(name, attrs.evolve(wish, count_e2=CountE2(100), **changes))
        return name

    def cancel(self, name: str, why: str = "a test") -> None:
        """Cancel an order; the desk knows its id, or will."""
        order = next((o for o in self.account.history.values() if o.client_order_id == name), None)
        ticker = order.ticker if order is not None else self.listings[0].ticker
        self.desk.cancel(CancelOrder(name, None, ticker, CountE2(100), why))

    def cancel_by_id(self, name: str, count_e2: int) -> None:
        """Cancel an order by the exchange's id, as whoever has one does."""
        order = self.account.resting[self.account.client_order_ids[name]]
        wish = CancelOrder(name, order.order_id, order.ticker, CountE2(count_e2), "a test")
        self.desk.cancel(wish)

    def fill(self, name: str, count_e2: int) -> None:
        """Fill so much of an order; nobody here hears of it."""
        meet(self.world, self.account.resting[self.account.client_order_ids[name]], count_e2)

    def amend(self, name: str, price_e4: int) -> None:
        """Move an order."""
        known = self.desk.known(name)
        assert known is not None
        order = self.account.resting[known.order_id]
        self.desk.amend(
            Amendment(
                name,
                known.order_id,
                known.ticker,
                ENTRY.side if order.side == "bid" else ENTRY.side.other,
                PriceE4(price_e4),
                known.count_e2,
                0,
            )
        )

    def of(self, name: str) -> list[OrderEvent]:
        """Return what was reported of an order."""
        return [event for event in self.reports if event.client_order_id == name]

    def resting(self) -> set[str]:
        """Return our ids of what rests."""
        return {order.client_order_id for order in self.account.resting.values()}

    def sells(self, name: str) -> bool:
        """Say whether an order that rests is a sale."""
        return self.account.resting[self.account.client_order_ids[name]].side == "ask"

    def refused_429(self) -> int:
        """Return how many requests the exchange has refused for coming too often."""
        return sum(count for (_, status), count in self.statuses.items() if status == 429)

    async def until(self, happened: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait in virtual time until something is so; fails the test if it never is."""
        with trio.fail_after(seconds):
            while not happened():  # noqa: ASYNC110 - the exchange does not say when
                await trio.sleep(0.001)

    async def rest_orders(self, count: int) -> list[str]:
        """Have so many orders rest, at whatever pace the budget allows."""
        names: list[str] = []
        while len(names) < count:
            name = self.place(at=self.listings[len(names) % len(self.listings)])
            await self.until(lambda name=name: bool(self.of(name)))  # type: ignore[misc]
            if isinstance(self.of(name)[0], OrderAccepted):
                names.append(name)
            else:
                await trio.sleep(0.02)
        return names


def meet(world: Simulation, order: Order, count_e2: int) -> None:
    """Have somebody trade with an order that rests, after everybody else has left its book."""
    for other in list(world.venue.markets[order.ticker].book.orders()):
        if other is not order:
            world.venue.take_off_book(other, other.change)
    somebody = world.venue.open_account("somebody", {}, bottomless=True)
    side = BookSide.ASK if order.side is BookSide.BID else BookSide.BID
    place(world.venue, somebody, OrderRequest(order.ticker, side, count_e2, order.price_e4))


def not_read(serve: Callable[[Request], Response], asked: Request) -> Response:
    """Serve orders and cancels, and nothing that is read."""
    return json_response(503, {}) if asked.method == "GET" else serve(asked)


@asynccontextmanager
async def open_desk(
    member: Member,
    *,
    execution: Execution | None = None,
    file: JournalFile | None = None,
    world: Simulation | None = None,
    answer_s: float = 0.0,
) -> AsyncIterator[DeskBench]:
    """Open a desk at a world that stands still, its lanes up and its order groups made.

    The exchange takes ``answer_s`` to answer anything.
    """
    clock = VirtualClock(EPOCH_MS)
    if world is None:
        world = Simulation(SimulationSettings(seed=5, games=4, enforce_limits=True), clock)
    signer = Signer(world.admit(member.public), "rsa", member.sign)
    world.step(1.0)
    statuses: Counter[tuple[str, int]] = Counter()
    serve = world.exchange.rest

    def counted(request: Request) -> Response:
        response = serve(request)
        statuses[request.method, response.status] += 1
        return attrs.evolve(response, delay_s=answer_s)

    world.exchange.rest = counted  # type: ignore[assignment]
    async with trio.open_nursery() as nursery:
        network = MemoryNetwork(nursery)
        network.listen("exchange", 80, world.exchange.serve_stream)
        async with Http(network) as http:
            budget = RateBudget(clock)
            exchange_clock = ExchangeClock(clock)
            rest = Rest(http, signer, clock, URL, budget=budget, on_date=exchange_clock.note_date)
            signatures = SignaturesAhead(
                signer, clock, (("POST", CREATE_PATH),), root=ROOT, off_loop=in_place
            )
            order_lanes = OrderLanes(network, URL, signatures, clock)
            parts = await _parts(rest, clock, execution, file)
            reports: list[OrderEvent] = []
            told: list[Any] = []
            desk = OrderDesk(
                parts,
                Exchange(order_lanes, rest, None, signatures, budget, exchange_clock),  # type: ignore[arg-type]
                Lookups(rest, clock, parts.board, reports.append),
                told.append,
                reports.append,
                lambda seconds: nursery.start_soon(_woken, bench.desk, seconds),
            )
            bench = DeskBench(
                world,
                parts,
                desk,
                rest,
                budget,
                signatures,
                order_lanes,
                reports,
                told,
                statuses,
            )
            order_lanes.on_answer = desk.answered
            for run in (order_lanes.run, desk.groups.run, signatures.run):
                nursery.start_soon(run)
            for each in parts.catalogue.listings:
                desk.groups.want(each.exchange_index)
            await trio.sleep(1)
            budget.apply(await rest.limits(), await rest.endpoint_costs())
            yield bench
        nursery.cancel_scope.cancel()


async def _woken(desk: OrderDesk, seconds: float) -> None:
    await trio.sleep(seconds)
    desk.cancels.woken()


async def _parts(
    rest: Rest, clock: VirtualClock, execution: Execution | None, file: JournalFile | None
) -> Parts:
    markets = [
        market
        for series in SERIES
        for event in await rest.events(series)
        for market in event.markets
    ]
    listings = [
        attrs.evolve(listing(market.ticker), exchange_index=market.exchange_index)
        for market in markets
    ]
    assert {each.exchange_index for each in listings} == {0, 3}
    return Parts(
        clock=clock,
        board=Board(clock),
        journal=Journal(MemoryFile() if file is None else file, clock),
        catalogue=Catalogue(tuple(listings)),
        settings=Settings(execution=Execution() if execution is None else execution),
        installation="test",
    )
