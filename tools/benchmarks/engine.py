"""A whole engine to measure: the real tree of actors between fake connections."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import orjson
import trio

from actors import Address, Context, System, open_system
from arb.core.adoption import AdoptedAccount
from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.events import Fill, Liquidity, Side
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.permission import TradingState
from arb.engine.board import Board
from arb.engine.journal_keeper import JournalKeeper
from arb.engine.kalshi_gateway import CHANNELS, KalshiGateway
from arb.engine.live_book_feed import LiveBookFeed
from arb.engine.messages import Frame
from arb.engine.names import BOOK_FEED, ODDS_FEED
from arb.engine.odds_feed import OddsFeedActor
from arb.engine.offload import IN_THREADS
from arb.engine.order_desk import Exchange
from arb.engine.parts import Parts
from arb.engine.tree import engine_tree
from arb.feeds.odds_api_wire import PROVIDER, parse_frame
from arb.io.clock import SystemClock
from arb.io.http import Http
from arb.io.net import SocketNetwork
from arb.io.url import Endpoint
from arb.io.websocket import open_socket
from arb.journal.records import RecordKind, account_data, fill_data, intent_data
from arb.journal.writer import DiskFile, Journal
from arb.kalshi.lane import OrderLanes
from arb.kalshi.listing import ListedPosition
from arb.kalshi.rate import RateBudget
from arb.kalshi.sign import load_signer
from arb.kalshi.signatures_ahead import SignaturesAhead
from arb.kalshi.wire import CREATE_PATH
from arb.settings import Settings
from arb.sim.credentials import make_member_key
from tools.benchmarks.exchange import (
    CASH_E6,
    ENDLESS,
    FrameLink,
    FrameSocket,
    NearClock,
    Sink,
    StillAccount,
)
from tools.benchmarks.waiting import until
from tools.benchmarks.world import (
    FAVOURITE_ASK_E4,
    BookMessages,
    OddsMessages,
    World,
    make_world,
)

BASE_URL = "http://127.0.0.1/trade-api/v2"

# Positions that stand, each with its resting sale, so that risk has something to add up. The
# settings allow five markets at once: one is the measured order's, one may await its answer.
HELD = 3
HELD_E2 = CountE2(10_00)

# More than a benchmark sends: how fast orders may follow each other is not what is measured.
ORDERS_PER_S_MAX = 1_000

SOCKET_FRAMES_MAX = 10_000
READY_TIMEOUT_S = 20.0
POLL_S = 0.02


@attrs.frozen
class Rig:
    """One engine at work, the messages to feed it, and the sink that its orders go to."""

    world: World
    parts: Parts
    system: System
    sink: Sink
    signatures: SignaturesAhead
    books: BookMessages
    odds: OddsMessages
    book_socket: FrameSocket

    @property
    def odds_feed(self) -> Address:
        """Return where odds frames are told to."""
        return self.system.address(ODDS_FEED)

    @property
    def book_feed(self) -> Address:
        """Return where book frames are told to."""
        return self.system.address(BOOK_FEED)

    def frame(self, raw: str, received_ns: int | None = None) -> Frame:
        """Return a frame as a connection's task makes it."""
        clock = self.parts.clock
        now_ns = clock.monotonic_ns() if received_ns is None else received_ns
        return Frame(raw, clock.wall_ms(), now_ns)

    def odds_change(self) -> str:
        """Return the next change of a price, stamped now."""
        return self.odds.change(self.parts.clock.wall_ms())


@asynccontextmanager
async def open_rig(markets: int, folder: Path) -> AsyncIterator[Rig]:
    """Start an engine with so many markets, every book and every price known, ready to trade."""
    signer = load_signer("benchmark", make_member_key(folder).path)
    world = make_world(markets)
    sink = Sink()
    clock = SystemClock()
    journal = Journal(DiskFile(folder / "journal"), clock)
    # Small worlds hold less, so that one game at least is left to trade.
    held = world.favourites[: min(HELD, markets // 2 - 1)]
    _write_purchases(journal, held)
    parts = _parts(world, journal, clock)
    root = Endpoint.parse(BASE_URL).path
    signatures = SignaturesAhead(
        signer, clock, (("POST", CREATE_PATH),), root=root, off_loop=IN_THREADS.sign
    )
    async with Http(SocketNetwork()) as http:
        account = StillAccount(http, signer, clock, BASE_URL)
        account.held = tuple(_held(ticker) for ticker in held)
        book_socket = FrameSocket(SOCKET_FRAMES_MAX)

        def gateway(ctx: Context) -> KalshiGateway:
            lanes = OrderLanes(sink, BASE_URL, signatures, clock)
            link = _link("account", _account_socket(), parts)
            budget = RateBudget(clock, ENDLESS)
            exchange = Exchange(lanes, account, link, signatures, budget, NearClock(clock))
            return KalshiGateway(ctx, parts, exchange)

        tree = engine_tree(
            parts,
            journal=lambda ctx: JournalKeeper(ctx, parts.board, journal, IN_THREADS.call),
            gateway=gateway,
            book_feed=lambda ctx: LiveBookFeed(ctx, parts, _link("books", book_socket, parts)),
            odds_feeds={
                ODDS_FEED: lambda ctx: OddsFeedActor(ctx, parts, PROVIDER, parse_frame),
            },
        )
        async with open_system(tree, rng=random.Random(0)) as system:
            books, odds = BookMessages(world), OddsMessages(world, quiet=len(held))
            rig = Rig(world, parts, system, sink, signatures, books, odds, book_socket)
            await _make_ready(rig, len(held))
            yield rig
    journal.close()


def _write_purchases(journal: Journal, tickers: Sequence[str]) -> None:
    """Have an earlier run buy what is held: only what our own orders bought is put on sale."""
    cost_e6 = len(tickers) * HELD_E2 * FAVOURITE_ASK_E4
    account = AdoptedAccount(MoneyE6(CASH_E6 + cost_e6), (), ())
    journal.append(RecordKind.ACCOUNT, account_data(account))
    for number, ticker in enumerate(tickers, start=1):
        name = f"arb-bench-{number:08x}"
        wish = OrderIntent(
            ticker=ticker,
            game_id=ticker,
            purpose=Purpose.ENTRY,
            side=Side.BID,
            price_e4=PriceE4(FAVOURITE_ASK_E4),
            count_e2=HELD_E2,
            liquidity=Liquidity.TAKER,
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
            post_only=False,
            trigger_ns=0,
            fair=0.5,
        )
        bought = Fill(
            trade_id=f"bought-{number}",
            order_id=f"x-{number}",
            client_order_id=name,
            ticker=ticker,
            side=Side.BID,
            price_e4=wish.price_e4,
            count_e2=HELD_E2,
            fee_e6=MoneyE6(0),
            liquidity=Liquidity.TAKER,
            at_ms=0,
        )
        journal.append(RecordKind.INTENT, intent_data(name, wish))
        journal.append(RecordKind.FILL, fill_data(bought))


def _parts(world: World, journal: Journal, clock: SystemClock) -> Parts:
    settings = Settings()
    # Read once: the sink keeps no list of what rests.
    execution = attrs.evolve(settings.execution, reconcile_interval_ms=3_600_000)
    risk = attrs.evolve(settings.risk, max_orders_per_second=ORDERS_PER_S_MAX)
    return Parts(
        clock=clock,
        board=Board(clock),
        journal=journal,
        catalogue=world.catalogue,
        settings=attrs.evolve(settings, risk=risk, execution=execution),
        installation="bench",
    )


def _link(name: str, socket: FrameSocket, parts: Parts) -> FrameLink:
    link = FrameLink(
        name,
        lambda: open_socket(SocketNetwork(), "ws://127.0.0.1/"),
        parts.board,
        random.Random(0),
    )
    link.socket = socket
    return link


def _account_socket() -> FrameSocket:
    """Return a private connection that says it is subscribed, and nothing else."""
    socket = FrameSocket(len(CHANNELS))
    for sid, channel in enumerate(CHANNELS, start=1):
        said = {"type": "subscribed", "id": 1, "msg": {"channel": channel, "sid": sid}}
        socket.frames.send_nowait(orjson.dumps(said).decode())
    return socket


def _held(ticker: str) -> ListedPosition:
    return ListedPosition(ticker, HELD_E2, MoneyE6(HELD_E2 * FAVOURITE_ASK_E4), MoneyE6(0))


async def _make_ready(rig: Rig, held: int) -> None:
    """Tell the engine every book and every price, and wait until it trades and its sales rest."""
    now_ms = rig.parts.clock.wall_ms()
    for raw in rig.books.snapshots():
        await rig.book_socket.frames.send(raw)
    for raw in (*rig.odds.first(now_ms), *rig.odds.first(now_ms)):
        # The second time confirms: what came first is a new set of books, which triggers nothing.
        await _tell_odds(rig, raw)
    with trio.fail_after(READY_TIMEOUT_S):
        while not _trades(rig):
            # The book feed looks whether all books are whole when it has received something.
            await rig.book_socket.frames.send(rig.books.delta())
            await trio.sleep(POLL_S)
        for raw in rig.odds.settle(rig.parts.clock.wall_ms()):
            await _tell_odds(rig, raw)
        await until(lambda: rig.sink.exits >= held)


async def _tell_odds(rig: Rig, raw: str) -> None:
    rig.odds_feed.tell(rig.frame(raw))
    await trio.lowlevel.checkpoint()


def _trades(rig: Rig) -> bool:
    account = rig.parts.board.account
    return account is not None and account.state is TradingState.RUNNING
