"""Readings of all prices: how soon one that failed is tried again."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from actors import ActorSpec, Context, SupervisorSpec, open_system
from arb.core.events import Quote
from arb.core.games import OddsEvent
from arb.engine.link import Link
from arb.engine.names import RISK
from arb.engine.odds_feed import READ_AGAIN_S, LiveOddsFeed
from arb.feeds.base import FeedError, Parsed, Updates
from tests.engine.market_bench import Note, bench_parts

INTERVAL_S = 20.0


class Silence:
    """A stream on which nothing ever comes."""

    @property
    def last_proof_s(self) -> float:
        """Return that it was heard just now."""
        return trio.current_time()

    async def receive(self) -> str:
        """Return nothing, ever."""
        await trio.sleep_forever()
        raise AssertionError("for ever has ended")


@attrs.define
class Failing:
    """A provider whose first readings fail, and who notes when it is read."""

    failures: int
    throttled: bool = False
    provider: str = "p"
    read_s: list[float] = attrs.field(factory=list)

    async def snapshot(self, event_ids: Sequence[str]) -> list[Quote]:
        """Fail as often as is wished."""
        del event_ids
        await trio.lowlevel.checkpoint()
        self.read_s.append(trio.current_time())
        if len(self.read_s) <= self.failures:
            raise FeedError("an answer that is no JSON", throttled=self.throttled)
        return []

    async def events(self, sports: Sequence[str]) -> list[OddsEvent]:
        """Return no games."""
        del sports
        await trio.lowlevel.checkpoint()
        return []

    def subscribe(self, sports: Sequence[str]) -> None:
        """Want nothing."""

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Updates]:
        """Open a stream on which nothing comes."""
        await trio.lowlevel.checkpoint()
        yield Silence()

    def parse(self, raw: str | bytes, received_ms: int) -> Parsed:
        """Read nothing."""
        del raw, received_ms
        return Parsed()

    def memory(self) -> Any:
        """Remember nothing."""
        return None


async def waits_s(provider: Failing, seconds: float) -> list[float]:
    """Let a feed read a provider for some time; returns how long it waited between readings."""
    parts = bench_parts()
    names = (RISK, *(listing.ticker for listing in parts.catalogue.listings))
    others = [ActorSpec(name, lambda ctx: Note(ctx, [])) for name in names]

    def feed(ctx: Context) -> LiveOddsFeed:
        link = Link("Odds", provider.connect, parts.board, random.Random(1))
        return LiveOddsFeed(ctx, parts, provider, link, int(INTERVAL_S * 1000))

    tree = SupervisorSpec("root", [*others, ActorSpec("odds", feed)])
    async with open_system(tree, rng=random.Random(1)):
        await trio.sleep(seconds)
    later = zip(provider.read_s[1:], provider.read_s, strict=False)
    return [round(one - before, 3) for one, before in later]


@pytest.mark.parametrize(
    "provider, expected",
    [
        (Failing(0), [INTERVAL_S]),
        (Failing(3), [READ_AGAIN_S, 2 * READ_AGAIN_S, 4 * READ_AGAIN_S, INTERVAL_S]),
        (Failing(9), [2.0, 4.0, 8.0, 16.0, INTERVAL_S, INTERVAL_S]),
        (Failing(2, throttled=True), [INTERVAL_S, INTERVAL_S]),
    ],
)
async def test_a_reading_that_failed_is_tried_again_soon(
    autojump_clock: trio.testing.MockClock, provider: Failing, expected: list[float]
) -> None:
    """Later each time, and never sooner than a provider wants that says it is read too often."""
    del autojump_clock
    assert await waits_s(provider, sum(expected) + 1.0) == expected
