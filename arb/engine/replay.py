"""A recorded day through the same actors, by the tape's clock."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import orjson
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors import Address, Context, open_system
from arb.core.games import OddsEvent
from arb.core.ledger import Ledger
from arb.core.money import MoneyE6
from arb.core.teams import TeamTable
from arb.engine.board import Board
from arb.engine.book_feed import BookFeed
from arb.engine.catalogue import Discovery
from arb.engine.discovery import found_on_tape, providers_on_tape
from arb.engine.journal_keeper import JournalKeeper
from arb.engine.messages import Frame, PolledQuotes, StopTrading
from arb.engine.names import (
    BOOK_FEED,
    DISCOVERY,
    GATEWAY,
    ODDS_FEED,
    RISK,
    odds_feed_name,
    odds_feed_names,
)
from arb.engine.odds_feed import OddsFeedActor
from arb.engine.offload import IN_PLACE
from arb.engine.paper_exchange import PaperExchange
from arb.engine.paper_gateway import PaperGateway
from arb.engine.parts import Parts
from arb.engine.report import trading_report
from arb.engine.tree import engine_tree
from arb.feeds.providers import tape_parser
from arb.io.clock import NS_PER_MS, VirtualClock
from arb.journal.writer import Journal, MemoryFile
from arb.settings import Settings
from arb.tape.format import Feed, Record, TapeError
from arb.tape.polled import parse_reading
from arb.tape.reader import TapeReader

# What a replay starts with, as a new account of the simulated world does.
CASH_E6 = MoneyE6(10_000_000_000)

# After the last frame, long enough for every timer of an order to have run out.
AFTERWARDS_S = 2.0

MS_PER_S = 1000

# What comes of one provider, and goes to its actor alone.
OF_ODDS = frozenset({Feed.ODDS, Feed.POLLED})

STOP_TIMEOUT_S = 5.0


@attrs.frozen
class Replay:
    """One tape, the settings it is traded under, and how fast time goes."""

    tape: Path
    settings: Settings
    teams: TeamTable
    speed: float | None = None
    skip_bad: bool = False

    def run(self) -> dict[str, Any]:
        """Play the tape and return what came of it; raises `TapeError`.

        Without a speed, time jumps from frame to frame as soon as nothing is left to do.
        """
        clock = (
            MockClock(autojump_threshold=0) if self.speed is None else MockClock(rate=self.speed)
        )
        return trio.run(self._play, clock=clock)

    async def _play(self) -> dict[str, Any]:
        with TapeReader(self.tape, skip_bad=self.skip_bad) as reader:
            clock = VirtualClock(reader.header.begins_ms)
            found = found_on_tape(self.teams, reader.header)
            parts = Parts(
                clock=clock,
                board=Board(clock),
                journal=Journal(MemoryFile(), clock),
                catalogue=found.catalogue(clock.wall_ms()),
                found=found,
                settings=self.settings,
                installation="replay",
                orders_stand_on_book=False,
                odds_feeds=odds_feed_names(providers_on_tape(reader.header)),
            )
            frames = await self._trade(parts, reader)
        return self._result(parts, frames, reader)

    async def _trade(self, parts: Parts, reader: TapeReader) -> int:
        exchange = PaperExchange(Ledger(CASH_E6), parts.clock)
        events = reader.header.odds_events
        providers = providers_on_tape(reader.header)
        tree = engine_tree(
            parts,
            journal=lambda ctx: JournalKeeper(ctx, parts.board, parts.journal, IN_PLACE.call),
            gateway=lambda ctx: PaperGateway(ctx, parts, exchange),
            book_feed=lambda ctx: BookFeed(ctx, parts, watchers=(GATEWAY,)),
            odds_feeds={
                odds_feed_name(each, providers): partial(_odds_feed, parts, each, events)
                for each in providers
            },
            discovery=lambda ctx: Discovery(ctx, parts, self.teams),
        )
        async with open_system(tree, rng=random.Random(0)) as system:
            feeds = {
                Feed.BOOKS: system.address(BOOK_FEED),
                Feed.ODDS: system.address(ODDS_FEED),
                Feed.POLLED: system.address(ODDS_FEED),
                Feed.LISTING: system.address(DISCOVERY),
            }
            odds = {each: system.address(odds_feed_name(each, providers)) for each in providers}
            frames = await _feed(reader, feeds, odds)
            await trio.sleep(AFTERWARDS_S)
            await system.address(RISK).ask(
                StopTrading(cancel_exits=False), timeout_s=STOP_TIMEOUT_S
            )
        return frames

    def _result(self, parts: Parts, frames: int, reader: TapeReader) -> dict[str, Any]:
        result = {
            "frames": frames,
            "quotes": parts.board.counts["quotes"],
            "markets": len(parts.catalogue.listings),
            "unmatched": len(parts.catalogue.unmatched),
            "bad_lines": reader.bad,
            **trading_report(parts),
        }
        said = orjson.dumps(result, option=orjson.OPT_SORT_KEYS)
        result["state_hash"] = hashlib.sha256(said).hexdigest()
        return result


def _odds_feed(
    parts: Parts, provider: str, events: Sequence[OddsEvent], ctx: Context
) -> OddsFeedActor:
    parser = tape_parser(provider, events)
    return OddsFeedActor(ctx, parts, provider, parser.parse, restore=parser.restore)


async def _feed(
    reader: TapeReader, feeds: Mapping[Feed, Address], odds: Mapping[str, Address]
) -> int:
    begins_ms = reader.header.begins_ms
    start_s = trio.current_time()
    frames, now_ms = 0, begins_ms
    for record in reader:
        if record.at_ms != now_ms:
            now_ms = record.at_ms
            await trio.sleep_until(start_s + (now_ms - begins_ms) / MS_PER_S)
            # Timers of the same moment go first: else chance would decide, run by run.
            await wait_all_tasks_blocked()
        told = odds.get(record.source) if record.feed in OF_ODDS else None
        (told or feeds[record.feed]).tell(_message(record, begins_ms))
        frames += 1
    return frames


def _message(record: Record, begins_ms: int) -> Frame | PolledQuotes:
    received_ns = (record.at_ms - begins_ms) * NS_PER_MS
    if record.feed is not Feed.POLLED:
        return Frame(record.raw, record.at_ms, received_ns)
    try:
        reading = parse_reading(record.raw, record.source)
    except ValueError as error:
        raise TapeError(f"{record.source} at {record.at_ms}: {error}") from None
    return PolledQuotes(reading.quotes, received_ns, reading.memory)
