"""An engine's connections to the world outside, and its tree of actors on top of them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import attrs

from actors import Context, SupervisorSpec
from arb.core.ledger import Ledger
from arb.core.money import MoneyE6
from arb.core.teams import TeamTable
from arb.engine.attendance import Attendance
from arb.engine.control import ControlServer
from arb.engine.discovery import header_of
from arb.engine.gateway import Gateway
from arb.engine.journal_keeper import JournalKeeper
from arb.engine.kalshi_gateway import SOURCE as ACCOUNT
from arb.engine.kalshi_gateway import KalshiGateway
from arb.engine.link import Link
from arb.engine.live_book_feed import LiveBookFeed
from arb.engine.live_discovery import LiveDiscovery
from arb.engine.names import GATEWAY, odds_feed_name
from arb.engine.odds_feed import SOURCE as ODDS
from arb.engine.odds_feed import LiveOddsFeed
from arb.engine.offload import IN_THREADS, Offloads
from arb.engine.order_desk import Exchange
from arb.engine.paper_exchange import PaperExchange
from arb.engine.paper_gateway import PaperGateway
from arb.engine.parts import Parts
from arb.engine.snapshot import Photographer
from arb.engine.steering import Control, EngineSteering
from arb.engine.stopping import StopRequest
from arb.engine.subscribed_books import SOURCE as BOOKS
from arb.engine.subscribed_books import NoteBad
from arb.engine.tape import Tape
from arb.engine.tree import Build, engine_tree
from arb.engine.world_hand import WorldHand
from arb.feeds.base import Bad, OddsFeed, OddsPoll
from arb.feeds.providers import Offers, Seams, make_feed
from arb.io.clock import Clock
from arb.io.http import Http
from arb.io.net import Network
from arb.io.url import Endpoint
from arb.io.websocket import Socket, open_socket
from arb.kalshi.exchange_clock import ExchangeClock
from arb.kalshi.fields import Malformed
from arb.kalshi.lane import Limits, OrderLanes
from arb.kalshi.rate import RateBudget
from arb.kalshi.rest import Rest
from arb.kalshi.sign import Signer
from arb.kalshi.signatures_ahead import SignaturesAhead
from arb.kalshi.wire import CREATE_PATH
from arb.settings import Mode, OddsPlace, Settings
from arb.tape.format import TapeHeader

MS_PER_S = 1000

# Where a row of Kalshi's public lists came from, for who counts bad input.
LISTS = "Kalshi lists"

# The same of what is polled of an odds provider; what is wrong in a stream is told with it.
ODDS_POLLS = "Odds polls"

# What a paper account starts with.
PAPER_CASH_E6 = MoneyE6(10_000_000_000)


@attrs.frozen
class Venues:
    """Where the exchange and the odds are, and the keys to both; ``name`` files the state.

    ``world`` reaches the simulated world itself, where this engine has started it.
    """

    name: str
    rest_url: str
    ws_url: str
    key_id: str = attrs.field(repr=False)
    private_key_path: Path
    odds: tuple[OddsPlace, ...]
    world: WorldHand | None = None


@attrs.frozen
class Connections:
    """The clients of one engine, all over one network seam."""

    venues: Venues
    network: Network
    clock: Clock
    signer: Signer
    rest: Rest
    odds: OddsPoll
    feeds: tuple[OddsFeed, ...]
    budget: RateBudget
    exchange_clock: ExchangeClock
    pools: tuple[Http, ...] = ()


@asynccontextmanager
async def connections(
    venues: Venues,
    settings: Settings,
    network: Network,
    clock: Clock,
    signer: Signer,
    note_bad: NoteBad | None = None,
) -> AsyncIterator[Connections]:
    """Make the clients of one engine over one network; ``note_bad`` hears of rows left out."""

    def bad_row(bad: Malformed) -> None:
        if note_bad is not None:
            note_bad(LISTS, bad.reason, bad.text)

    def bad_odds(bad: Bad) -> None:
        if note_bad is not None:
            note_bad(ODDS_POLLS, bad.reason, bad.example)

    async with Http(network) as http, Http(network) as odds_http:
        budget, exchange_clock = RateBudget(clock), ExchangeClock(clock)
        rest = Rest(
            http,
            signer,
            clock,
            venues.rest_url,
            budget=budget,
            on_bad=bad_row,
            on_date=exchange_clock.note_date,
        )
        seams = Seams(odds_http, network, clock, bad_odds)
        feeds = tuple(make_feed(seams, place, settings) for place in venues.odds)
        yield Connections(
            venues,
            network,
            clock,
            signer,
            rest,
            Offers(feeds),
            feeds,
            budget,
            exchange_clock,
            (http, odds_http),
        )


@attrs.frozen
class LiveTree:
    """Builds the tree of an engine that is connected to real or simulated venues."""

    parts: Parts
    connections: Connections
    settings: Settings
    mode: Mode
    stop: StopRequest
    photographer: Photographer
    socket_path: Path | None
    rng: random.Random
    offloads: Offloads = IN_THREADS
    tape: Path | None = None
    teams: TeamTable = attrs.field(kw_only=True)
    attendance: Attendance = attrs.field(factory=Attendance, kw_only=True)

    def spec(self) -> SupervisorSpec:
        """Return the tree."""
        return engine_tree(
            self.parts,
            journal=self._journal,
            gateway=self._gateway,
            book_feed=self._book_feed,
            odds_feeds=self._odds_feeds(),
            control=self._control if self.socket_path is not None else None,
            tape=self._tape if self.tape is not None else None,
            discovery=self._discovery,
        )

    def _journal(self, ctx: Context) -> JournalKeeper:
        parts = self.parts
        return JournalKeeper(ctx, parts.board, parts.journal, self.offloads.sync)

    def _gateway(self, ctx: Context) -> Gateway:
        if self.mode is Mode.PAPER:
            recovered = self.parts.journal.recover()
            account = recovered.ledger if recovered.has_account else Ledger(PAPER_CASH_E6)
            exchange = PaperExchange(account, self.parts.clock)
            return PaperGateway(ctx, self.parts, exchange, self.connections.rest.market_ends)
        made = self.connections
        root = Endpoint.parse(made.venues.rest_url).path
        signer = SignaturesAhead(
            made.signer,
            made.clock,
            (("POST", CREATE_PATH),),
            root=root,
            off_loop=self.offloads.sign,
        )
        lanes = OrderLanes(
            made.network,
            made.venues.rest_url,
            signer,
            made.clock,
            lanes=self.settings.execution.order_lanes,
            protocol=self.settings.execution.lane_protocol,
            limits=Limits(answer_s=self.settings.execution.request_timeout_ms / MS_PER_S),
        )
        link = self._kalshi_link(ACCOUNT)
        real = Exchange(
            lanes, made.rest, link, signer, made.budget, made.exchange_clock, made.pools
        )
        return KalshiGateway(ctx, self.parts, real)

    def _book_feed(self, ctx: Context) -> LiveBookFeed:
        watchers = (GATEWAY,) if self.mode is Mode.PAPER else ()
        link = self._kalshi_link(BOOKS)
        return LiveBookFeed(ctx, self.parts, link, watchers=watchers)

    def _odds_feeds(self) -> dict[str, Build]:
        providers = [place.provider for place in self.connections.venues.odds]
        return {
            odds_feed_name(feed.provider, providers): partial(self._odds_feed, feed, place)
            for feed, place in zip(
                self.connections.feeds, self.connections.venues.odds, strict=True
            )
        }

    def _odds_feed(self, feed: OddsFeed, place: OddsPlace, ctx: Context) -> LiveOddsFeed:
        feed.subscribe(self.settings.odds_feed.sports)
        first = place is self.connections.venues.odds[0]
        name = ODDS if first else f"{ODDS} {feed.provider}"
        link = Link(name, feed.connect, self.parts.board, self.rng, secret=place.key, yields=True)
        return LiveOddsFeed(ctx, self.parts, feed, link, self.settings.odds_feed.poll_interval_ms)

    def _control(self, ctx: Context) -> Control:
        if self.socket_path is None:
            raise ValueError("no control without a socket")
        steering = EngineSteering(
            self.photographer,
            self.stop,
            ctx.system,
            world=self.connections.venues.world,
            off_loop=self.offloads.call,
        )
        return Control(ctx, ControlServer(steering, self.socket_path, self.attendance))

    def _tape(self, ctx: Context) -> Tape:
        if self.tape is None:
            raise ValueError("no tape without a path")
        return Tape(ctx, self.tape, self._header)

    def _header(self) -> TapeHeader:
        if self.parts.found is None:
            raise ValueError("no tape without games")
        return header_of(self.parts.found, self.parts.clock.wall_ms())

    def _discovery(self, ctx: Context) -> LiveDiscovery:
        return LiveDiscovery(
            ctx,
            self.parts,
            self.teams,
            self.connections.rest,
            self.connections.odds,
            self.settings.odds_feed.sports,
            self.settings.engine.discovery_interval_ms,
        )

    def _kalshi_link(self, name: str) -> Link[Socket]:
        made = self.connections
        url = made.venues.ws_url
        path = Endpoint.parse(url).path

        def opens() -> AbstractAsyncContextManager[Socket]:
            signed = made.signer.headers("GET", path, made.clock.wall_ms())
            return open_socket(made.network, url, headers=signed)

        return Link(name, opens, self.parts.board, self.rng)
