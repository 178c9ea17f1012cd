"""One market's real actor between stand-ins that note what they are told."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs

from actors import Actor, ActorSpec, Context, Strategy, SupervisorSpec, System, open_system
from arb.core.commands import AmendIntent, CancelOrder, OrderIntent, Purpose
from arb.core.events import GameQuotes, Quote, Side, Top
from arb.core.exits import Holding, OpenOrder
from arb.core.listing import Catalogue
from arb.core.money import CountE2, PriceE4
from arb.core.orders import OrderState
from arb.core.parameters import Execution
from arb.engine.board import Board
from arb.engine.market import Market
from arb.engine.names import BOOK_FEED, ODDS_FEED, RISK
from arb.engine.parts import Parts
from arb.io.clock import Clock, VirtualClock
from arb.journal.writer import Journal, MemoryFile
from arb.settings import Settings
from tests.core.order_factory import BOS, GAME, NYY, listing

EPOCH_MS = 1_000_000


class StillClock:
    """A clock that stands, for what needs no time to pass."""

    def wall_ms(self) -> int:
        """Return nothing."""
        return 0

    def monotonic_ns(self) -> int:
        """Return nothing."""
        return 0


class Note(Actor):
    """Notes every message."""

    def __init__(self, ctx: Context, notes: list[Any]) -> None:
        super().__init__(ctx)
        self.notes = notes

    def receive(self, message: object) -> None:
        """Note it."""
        self.notes.append(message)


@attrs.define
class Bench:
    """A market at work, what it has told whom, and the means to tell it something."""

    system: System
    parts: Parts
    told: dict[str, list[Any]]

    def tell(self, message: object) -> None:
        """Tell the market."""
        self.system.address(NYY).tell(message)

    def wishes(self) -> list[OrderIntent | AmendIntent]:
        """Return what it has wished of the risk manager."""
        return [each for each in self.told[RISK] if isinstance(each, (OrderIntent, AmendIntent))]

    def cancels(self) -> list[CancelOrder]:
        """Return what it has wanted cancelled."""
        return [each for each in self.told[RISK] if isinstance(each, CancelOrder)]

    def now_ms(self) -> int:
        """Return the wall clock."""
        return self.parts.clock.wall_ms()

    def quote(
        self, home: float, *books: str, away: float | None = None, live: bool = False
    ) -> None:
        """Let some books price the home team, the away team at the fair opposite."""
        away = 1 / (1 - 1 / home) if away is None else away
        quotes = tuple(
            Quote("p", "e", book, home, away, self.now_ms(), self.now_ms(), live=live)
            for book in books
        )
        self.tell(GameQuotes(GAME.game_id, quotes, self.parts.clock.monotonic_ns()))

    def top(
        self,
        bid: int | None,
        ask: int | None,
        *,
        usable: bool = True,
        ticker: str = NYY,
        ask_size: int = 10_000,
        received_ns: int | None = None,
    ) -> None:
        """Show a top of the book."""
        made = Top(
            ticker,
            None if bid is None else PriceE4(bid),
            CountE2(0 if bid is None else 10_000),
            None if ask is None else PriceE4(ask),
            CountE2(0 if ask is None else ask_size),
            usable,
            self.now_ms(),
            self.parts.clock.monotonic_ns() if received_ns is None else received_ns,
        )
        self.tell(made)

    def hold(self, count_e2: int, *orders: OpenOrder, heard: int | None = None) -> None:
        """Tell it its holding; by default everything it has wished has been heard."""
        heard = len(self.wishes()) if heard is None else heard
        self.tell(Holding(NYY, CountE2(count_e2), PriceE4(4_000), orders, 0, heard))

    async def ready(self, fair: float = 0.5) -> None:
        """Bring it to where the next change of a price triggers: three books, top, nothing held."""
        self.hold(0)
        self.quote(1 / (1 - fair), "a", "b", "c")


def open_order(
    name: str = "o1",
    purpose: Purpose = Purpose.ENTRY,
    price: int = 4_000,
    stake: int = 500,
    state: OrderState = OrderState.RESTING,
    created_ms: int = EPOCH_MS,
    order_id: str | None = "x1",
    expires_s: int | None = 10**6,
) -> OpenOrder:
    """Describe an order at stake."""
    side = Side.BID if purpose is Purpose.ENTRY else Side.ASK
    return OpenOrder(
        name,
        order_id,
        purpose,
        side,
        PriceE4(price),
        CountE2(stake),
        CountE2(stake),
        state,
        False,
        created_ms,
        expires_s,
    )


def bench_parts(execution: Execution | None = None, clock: Clock | None = None) -> Parts:
    """Make the parts of an engine of one game."""
    clock = VirtualClock(EPOCH_MS) if clock is None else clock
    return Parts(
        clock=clock,
        board=Board(clock),
        journal=Journal(MemoryFile(), clock),
        catalogue=Catalogue((listing(NYY), listing(BOS))),
        settings=Settings(execution=Execution() if execution is None else execution),
        installation="test",
    )


def note(name: str, into: list[Any]) -> ActorSpec:
    """Describe a stand-in."""
    return ActorSpec(name, lambda ctx: Note(ctx, into), direct=True)


@asynccontextmanager
async def open_bench(
    execution: Execution | None = None, clock: Clock | None = None
) -> AsyncIterator[Bench]:
    """Open a bench."""
    parts = bench_parts(execution, clock)
    told: dict[str, list[Any]] = {RISK: [], BOOK_FEED: [], ODDS_FEED: []}
    notes = [note(name, into) for name, into in told.items()]
    market = ActorSpec(NYY, lambda ctx: Market(ctx, parts, listing(NYY)), direct=True)
    tree = SupervisorSpec("root", strategy=Strategy.ONE_FOR_ONE, children=(*notes, market))
    async with open_system(tree, rng=random.Random(1)) as system:
        yield Bench(system, parts, told)
