"""One run of the engine, from its settings to its report."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from actors import System, open_system
from arb.core.ledger import Ledger
from arb.core.risk import client_order_prefix
from arb.core.teams import TeamTable
from arb.engine.account import AccountLock, AccountTaken, account_name
from arb.engine.attendance import Attendance, heed
from arb.engine.board import Board, LogLine
from arb.engine.decision_log import DecisionLog
from arb.engine.embedded_world import WorldFailed, embedded_world
from arb.engine.ending import end_trading
from arb.engine.first_games import FirstGames, GamesReader
from arb.engine.halt_file import HaltFile
from arb.engine.last_resort import LastResort
from arb.engine.live import Connections, LiveTree, Venues, connections
from arb.engine.log_file import LogFile
from arb.engine.loop_watch import LoopWatch
from arb.engine.names import odds_feed_names
from arb.engine.parts import Parts
from arb.engine.place import Place, PlaceTaken
from arb.engine.report import trading_report
from arb.engine.snapshot import Photographer
from arb.engine.stopping import StopRequest
from arb.engine.tree_watch import TreeWatch
from arb.engine.unattended import unattended
from arb.feeds.base import FeedError
from arb.io.clock import SystemClock
from arb.io.groups import innermost
from arb.io.net import SocketNetwork
from arb.io.rendezvous import (
    SOCKET_NAME,
    RunningEngine,
    engine_directory,
    remove_card,
    write_card,
)
from arb.journal.frames import JournalDamaged
from arb.journal.records import NotARecord, RecordKind
from arb.journal.writer import Journal, JournalFailed
from arb.kalshi.rest_calls import RestError
from arb.kalshi.sign import PASSPHRASE_VARIABLE, KeyFileError, load_signer
from arb.settings import Mode, Settings, SettingsError, odds_places, venue
from arb.version import VERSION

# The last of the five seconds that a stop may take: the orders come first, then the tree.
LAST_LOOK_TIMEOUT_S = 1.0
LAST_LOOK_EVERY_S = 0.1

# Python collects after 700 new objects by default, half a millisecond each time with 200 markets,
# and goes through all of them, 52 ms, every hundredth time. What trading leaves behind is freed
# by its count; cycles are rare, so they may wait longer.
COLLECT_AFTER = (20_000, 20, 50)

# The exchange or the feed may be away for a moment when the engine starts.
DISCOVERY_TRIES = 5
DISCOVERY_PAUSE_S = 2.0


class EngineFailed(Exception):
    """The engine could not start or go on; says why in one line."""


@attrs.frozen
class RunConfig:
    """What to run: settings, mode, and what the command line said.

    An ``attended`` engine was started with a console, which is missed when it disappears.
    """

    settings: Settings
    mode: Mode
    teams: TeamTable
    state_root: Path
    seed: int | None = None
    speed: float = 1.0
    seconds: float | None = None
    attended: bool = False
    on_log: Callable[[LogLine], None] | None = None
    on_ready: Callable[[Path], None] | None = None


async def run_engine(config: RunConfig, stop: StopRequest) -> dict[str, Any]:
    """Run until somebody asks to stop or time is up, and return the report.

    Raises `EngineFailed`, or `SettingsError` where a setting is to blame. A request to stop
    before trading has begun ends the start at once.
    """
    engine = Engine(config, stop)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.give_up_start_when_asked)
            await engine.run()
            nursery.cancel_scope.cancel()
    except* (WorldFailed, PlaceTaken, AccountTaken, KeyFileError, RestError, FeedError) as group:
        raise EngineFailed(str(innermost(group))) from group
    except* (JournalDamaged, NotARecord, JournalFailed, OSError) as group:
        raise EngineFailed(str(innermost(group))) from group
    except* (SettingsError, EngineFailed) as group:
        raise innermost(group) from None
    finally:
        engine.last_resort.call_off()
    return engine.report


class Engine:
    """One run: makes everything, trades until asked to stop, and says what came of it."""

    def __init__(self, config: RunConfig, stop: StopRequest) -> None:
        self._config = config
        self._stop = stop
        self._clock = SystemClock()
        self._started_ms = self._clock.wall_ms()
        self._rng = random.Random(config.seed)
        self._start = trio.CancelScope()
        self._trading = False
        self._attendance = Attendance()
        self.last_resort = LastResort()
        self.report: dict[str, Any] = {"mode": config.mode.value, "stopped": "before trading"}

    async def give_up_start_when_asked(self) -> None:
        """Cancel the start if a request to stop comes before trading."""
        await self._stop.wait()
        if not self._trading:
            self._start.cancel()

    async def run(self) -> None:
        """Run, and leave the report behind."""
        with self._start:
            async with self._venues() as venues:
                directory = engine_directory(
                    self._config.state_root, self._config.mode.value, venues.name
                )
                with Place(directory) as place, self._account(venues):
                    await self._run_in(place, venues)

    def _account(self, venues: Venues) -> AbstractContextManager[object]:
        # In the simulated world the account is the engine's own, and on paper no order leaves.
        if self._config.mode in (Mode.SIM, Mode.PAPER):
            return nullcontext()
        return AccountLock(venues.rest_url, venues.key_id)

    @asynccontextmanager
    async def _venues(self) -> AsyncIterator[Venues]:
        config = self._config
        if config.mode is not Mode.SIM:
            yield _venues_of(config.settings, config.mode)
            return
        async with embedded_world(seed=config.seed, speed=config.speed) as world:
            yield Venues(
                world.name,
                world.rest_url,
                world.ws_url,
                world.key_id,
                world.private_key_path,
                tuple(world.odds[each] for each in config.settings.odds_feed.provider),
                world.hand,
            )

    async def _run_in(self, place: Place, venues: Venues) -> None:
        settings = self._config.settings
        passphrase = os.environ.get(PASSPHRASE_VARIABLE)
        signer = load_signer(venues.key_id, venues.private_key_path, passphrase)
        log_file = LogFile(place.log_path, settings.engine.log_level)
        board = Board(self._clock, partial(_say, log_file.write, self._config.on_log))
        say = partial(board.say, "ENGINE", level="warning")
        decisions = DecisionLog(place.decisions_path, self._clock, say)
        with closing(log_file), closing(decisions):
            async with (
                connections(
                    venues, settings, SocketNetwork(), self._clock, signer, board.note_bad
                ) as made,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(log_file.run)
                nursery.start_soon(decisions.run)
                journal, recovered = place.begin_journal(
                    self._clock, self._config.mode, settings.engine.fsync
                )
                with closing(journal):
                    if journal.snapshot_trouble is not None:
                        say(journal.snapshot_trouble)
                    games = await self._discover(made, board, recovered.ledger)
                    parts = self._parts(place, board, journal, games)
                    parts.decisions = decisions
                    watch = LoopWatch(
                        board,
                        partial(_say, log_file.write_now, self._config.on_log),
                        trio.lowlevel.current_trio_token(),
                        settings.engine.blocked_exit_ms,
                    )
                    await self._trade(place, parts, made, watch)
                nursery.cancel_scope.cancel()

    def _parts(self, place: Place, board: Board, journal: Journal, games: FirstGames) -> Parts:
        settings = self._config.settings
        return Parts(
            clock=self._clock,
            board=board,
            journal=journal,
            catalogue=games.catalogue,
            found=games.found,
            settings=settings,
            installation=place.installation(),
            orders_stand_on_book=self._config.mode is not Mode.PAPER,
            taped=settings.engine.record_tape,
            odds_feeds=odds_feed_names(settings.odds_feed.provider),
            halt_file=HaltFile.with_reserve(place.halt_path),
            earlier=place.earlier,
        )

    async def _discover(self, made: Connections, board: Board, ledger: Ledger) -> FirstGames:
        sports = self._config.settings.odds_feed.sports
        reader = GamesReader(made, sports, self._config.teams, board)
        for attempt in range(1, DISCOVERY_TRIES + 1):
            try:
                games = await reader.read(ledger)
            except (RestError, FeedError) as error:
                if attempt == DISCOVERY_TRIES:
                    raise EngineFailed(
                        f"no games were read: {error}; check the address, the keys and the"
                        " network (arb settings shows what is used), then start again"
                    ) from error
                board.say("ENGINE", f"games not read: {error}", level="warning")
                await trio.sleep(DISCOVERY_PAUSE_S)
            else:
                break
        else:
            raise EngineFailed("no games were read")
        if not games.catalogue.listings and not ledger.our_tickers():
            found = games.found
            raise EngineFailed(
                f"no game to trade: Kalshi lists {len(found.listed.games)} and the odds feed"
                f" {len(found.offered)}, and none match (see: arb match --help)"
            )
        board.say("ENGINE", games.text)
        return games

    async def _trade(self, place: Place, parts: Parts, made: Connections, watch: LoopWatch) -> None:
        config = self._config
        photographer = Photographer(
            parts, config.mode.value, place.directory.name, self._started_ms
        )
        tree = LiveTree(
            parts,
            made,
            config.settings,
            config.mode,
            self._stop,
            photographer,
            place.directory / SOCKET_NAME,
            self._rng,
            tape=place.tape_path(self._started_ms) if parts.taped else None,
            teams=config.teams,
            attendance=self._attendance,
        )
        self._trading = True
        tree_watch = TreeWatch(parts.board)
        async with (
            open_system(
                tree.spec(), rng=self._rng, on_event=tree_watch.hear, watchdog=watch.spec()
            ) as system,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(tree_watch.run, system)
            _spare_the_collector()
            self._announce(place)
            reason = await self._until_stop(system, parts)
            self.last_resort.begin()
            parts.board.say("ENGINE", f"stopping: {reason}")
            await end_trading(system, self._stop, config.settings.execution.exits_at_stop)
            parts.journal.append(RecordKind.STOP, {"reason": reason})
            nursery.cancel_scope.cancel()
        remove_card(place.directory)
        self.report = {
            "mode": config.mode.value,
            "world": place.directory.name,
            "seconds": round((self._clock.wall_ms() - self._started_ms) / 1000, 3),
            "stopped": reason,
            **trading_report(parts),
            "entries_resting_at_stop": await self._entries_resting(parts, made),
        }

    def _announce(self, place: Place) -> None:
        card = RunningEngine(
            place.directory,
            os.getpid(),
            self._config.mode.value,
            place.directory.name,
            VERSION,
            self._started_ms,
        )
        write_card(place.directory, card)
        if self._config.on_ready is not None:
            self._config.on_ready(place.directory)

    async def _until_stop(self, system: System, parts: Parts) -> str:
        """Wait for a request, the end of time, or the tree's own end, which is a failure."""
        seconds = self._config.seconds
        ended: list[str] = []

        async def watch(scope: trio.CancelScope) -> None:
            await system.wait()
            ended.append("the tree of actors has ended")
            scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, nursery.cancel_scope)
            if self._config.attended:
                nursery.start_soon(heed, self._attendance, *unattended(parts, system, self._stop))
            with trio.move_on_after(seconds if seconds is not None else float("inf")):
                await self._stop.wait()
            nursery.cancel_scope.cancel()
        if ended and self._stop.reason is None:
            raise EngineFailed(ended[0])
        return self._stop.reason or f"{seconds:g} seconds are over"

    async def _entries_resting(self, parts: Parts, made: Connections) -> int | None:
        """Ask the exchange which of our entries still rest; None if it does not say."""
        if self._config.mode is Mode.PAPER:
            return 0
        prefix = client_order_prefix(parts.installation)
        holdings = parts.board.holdings.values()
        exits = {order.client_order_id for holding in holdings for order in holding.exits}
        resting: int | None = None
        with trio.move_on_after(LAST_LOOK_TIMEOUT_S):
            try:
                # Its list shows an order for some 400 ms after its cancel was acknowledged.
                while resting != 0:
                    orders = await made.rest.open_orders()
                    resting = sum(
                        (order.client_order_id or "").startswith(prefix)
                        and order.client_order_id not in exits
                        for order in orders
                    )
                    await trio.sleep(LAST_LOOK_EVERY_S if resting else 0)
            except RestError:
                return None
        return resting

    def __repr__(self) -> str:
        return f"<Engine {self._config.mode} {'trading' if self._trading else 'starting'}>"


def _say(
    write: Callable[[LogLine], None], on_log: Callable[[LogLine], None] | None, line: LogLine
) -> None:
    write(line)
    if on_log is not None:
        on_log(line)


def _spare_the_collector() -> None:
    """Leave what lives as long as the engine out of every collection, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _venues_of(settings: Settings, mode: Mode) -> Venues:
    exchange = venue(settings, mode)
    return Venues(
        account_name(exchange.api_key.reveal()),
        exchange.rest_url,
        exchange.ws_url,
        exchange.api_key.reveal(),
        exchange.key_file,
        odds_places(settings),
    )
