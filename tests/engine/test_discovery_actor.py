"""The discovery actor alone: whom it tells, what it makes and removes, and what it puts on tape."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from actors import Actor, ActorSpec, Context, Strategy, SupervisorSpec, System, open_system
from arb.core.games import OddsEvent
from arb.core.listing import MarketStatus
from arb.engine.catalogue import Discovery, FeesDue
from arb.engine.listed import Found, Listed, Terms
from arb.engine.live_discovery import LiveDiscovery
from arb.engine.messages import Relisted, StillThere
from arb.engine.names import BOOK_FEED, DISCOVERY, MARKETS, ODDS_FEED, RISK, TAPE
from arb.engine.parts import Parts
from arb.io.teams_file import packaged_teams
from arb.kalshi.listing import ListedEvent, ListedMarket, Milestone, Series
from arb.kalshi.wire import EventFee, MarketLifecycle
from arb.tape.format import Feed, Record, parse_header
from tests.engine.market_bench import bench_parts, note
from tests.engine.test_listed import CAR, EVENT, HALF, LISTED, OFFER, START_MS, WAS, found


class Holder(Actor):
    """Risk's stand-in: says what is left, or fails to."""

    def __init__(self, ctx: Context, left: set[str] | None) -> None:
        super().__init__(ctx)
        self.left = left

    def receive(self, message: object) -> object:
        """Answer what discovery asks."""
        if isinstance(message, StillThere):
            if self.left is None:
                raise RuntimeError("away")
            return frozenset(message.tickers) & self.left
        return None


@attrs.define
class Lists:
    """Both sides' lists, as a reading finds them."""

    events_: list[ListedEvent]
    offers: list[OddsEvent]

    async def milestones(self) -> list[Milestone]:
        """Return when the game starts."""
        await trio.lowlevel.checkpoint()
        return [Milestone((EVENT,), START_MS + 3_600_000, "", "")]

    async def series(self, ticker: str) -> Series:
        """Return the fees."""
        await trio.lowlevel.checkpoint()
        return LISTED.series[ticker]

    async def fee_changes(self, _ticker: str) -> list[object]:
        """Return what is announced: nothing."""
        await trio.lowlevel.checkpoint()
        return []

    async def events(self, wanted: Any) -> list[Any]:
        """Return the open events of a series, or what the provider offers."""
        await trio.lowlevel.checkpoint()
        return list(self.events_) if isinstance(wanted, str) else list(self.offers)

    async def events_named(self, _tickers: Sequence[str]) -> list[ListedEvent]:
        """Return what became of others: nothing is known of them."""
        await trio.lowlevel.checkpoint()
        return []


def event(status: str = "active") -> ListedEvent:
    """List the usual game."""
    markets = tuple(
        ListedMarket(
            ticker, EVENT, ticker[-3:], "", status, LISTED.terms[WAS].grid, 0, START_MS + 10**9
        )
        for ticker in (WAS, CAR)
    )
    return ListedEvent(EVENT, "KXNFLGAME", "", markets)


@attrs.define
class Bench:
    """A discovery actor at work, and what it has told whom."""

    system: System
    parts: Parts
    told: dict[str, list[Any]]

    def tell(self, message: object) -> None:
        """Tell it something."""
        self.system.address(DISCOVERY).tell(message)

    def actors(self) -> list[str]:
        """Return the names of the markets' actors."""
        return [n.name for n in self.system.snapshot() if n.path.startswith(f"{MARKETS}/")]


@asynccontextmanager
async def bench(
    lists: Lists | None = None,
    left: AbstractSet[str] | None = frozenset(),
    begin: Found | None = None,
) -> AsyncIterator[Bench]:
    """Open a bench; without lists nothing is read."""
    parts = bench_parts()
    parts.taped = True
    begin = (
        Found.of(packaged_teams(), attrs.evolve(LISTED, games=()), ()) if begin is None else begin
    )
    parts.relist(begin, begin.catalogue(parts.clock.wall_ms()))
    told: dict[str, list[Any]] = {BOOK_FEED: [], ODDS_FEED: [], TAPE: []}

    def discovery(ctx: Context) -> Discovery:
        if lists is None:
            return Discovery(ctx, parts, packaged_teams())
        rest: Any = lists
        return LiveDiscovery(ctx, parts, packaged_teams(), rest, rest, ("nfl",), 60_000)

    tree = SupervisorSpec(
        "root",
        strategy=Strategy.ONE_FOR_ONE,
        children=(
            *(note(name, into) for name, into in told.items()),
            ActorSpec(RISK, lambda ctx: Holder(ctx, None if left is None else set(left))),
            SupervisorSpec(MARKETS, strategy=Strategy.ONE_FOR_ONE),
            ActorSpec(DISCOVERY, discovery, direct=True),
        ),
    )
    async with open_system(tree, rng=random.Random(1)) as system:
        yield Bench(system, parts, told)


def hears_of_changes(bench: Bench, name: str) -> int:
    """Count how often a feed was told of another catalogue."""
    return sum(isinstance(each, Relisted) for each in bench.told[name])


async def test_a_reading_makes_actors_and_tells_the_feeds_once(autojump_clock: object) -> None:
    """Where nothing is traded it is read at once; alike again changes nothing, once on tape."""
    async with bench(Lists([event()], [OFFER])) as one:
        await trio.sleep(200)

        assert one.parts.board.counts["listings_read"] == 4
        assert sorted(one.actors()) == [CAR, WAS]
        assert hears_of_changes(one, BOOK_FEED) == hears_of_changes(one, ODDS_FEED) == 1
        (record,) = one.told[TAPE]
        assert isinstance(record, Record)
        assert record.feed is Feed.LISTING
        assert [each.event_ticker for each in parse_header(record.raw.encode()).events] == [EVENT]


async def test_a_settled_game_goes_when_risk_has_nothing_in_it(autojump_clock: object) -> None:
    """While something is left in one of its markets both stay."""
    for left, stays in ((frozenset({CAR}), True), (frozenset[str](), False)):
        async with bench(Lists([event("finalized")], [OFFER]), left, found()) as one:
            await trio.sleep(100)
            assert (one.parts.listing(WAS) is not None) is stays
            assert one.actors() == ([WAS, CAR] if stays else [])


async def test_a_game_is_kept_while_nobody_knows_what_is_held(autojump_clock: object) -> None:
    """Risk that fails instead of answering is asked again at the next reading."""
    async with bench(Lists([event("finalized")], [OFFER]), None, found()) as one:
        await trio.sleep(200)
        assert one.parts.listing(WAS) is not None


async def test_a_game_that_nobody_offers_goes_after_three_readings(autojump_clock: object) -> None:
    """Not after one, which may be a fault of the provider's."""
    async with bench(Lists([event()], []), begin=found()) as one:
        await trio.sleep(70)
        assert one.parts.board.counts["listings_read"] == 1
        assert one.parts.catalogue.by_ticker()[WAS].left_out is not None
        await trio.sleep(130)
        assert one.parts.listing(WAS) is None
        assert one.actors() == []
        assert [each.id for each in one.parts.catalogue.unmatched] == [EVENT]


async def test_an_actor_without_a_listing_is_removed(autojump_clock: object) -> None:
    """A change that was cut short by a failure is made up for by the next reading."""
    async with bench(Lists([event()], [OFFER])) as one:
        one.system.spawn(MARKETS, note("KXNFLGAME-OLD", []))
        await trio.sleep(100)
        assert sorted(one.actors()) == [CAR, WAS]


async def test_announced_fees_come_into_force_by_themselves(autojump_clock: object) -> None:
    """At their moment the markets have them, without a reading or a message."""
    begin = attrs.evolve(LISTED, fee_changes=(attrs.evolve(HALF, at_ms=1_000_000 + 30_000),))
    async with bench(begin=found(begin)) as one:
        one.tell(EventFee("KXNBAGAME-X", None, 0))
        await trio.sleep(29.9)
        usual = one.parts.catalogue.by_ticker().get(WAS)
        assert usual is not None
        assert usual.fees.multiplier_e4 == 10_000
        one.tell(MarketLifecycle(WAS, "activated"))
        await trio.sleep(0.2)
        assert one.parts.catalogue.by_ticker()[WAS].fees.multiplier_e4 == 5_000
        assert hears_of_changes(one, BOOK_FEED) == 1


async def test_without_lists_messages_are_taken_all_the_same(autojump_clock: object) -> None:
    """A message of a market that is listed is taken up; nonsense is a dead letter."""
    async with bench(begin=found()) as one:
        one.tell(MarketLifecycle(WAS, "deactivated"))
        one.tell(MarketLifecycle("KXNFLGAME-NEW-X", "created"))
        one.tell(FeesDue())
        one.tell("nonsense")
        await trio.sleep(60)
        one.tell(MarketLifecycle(CAR, "deactivated"))

        listings = one.parts.catalogue.by_ticker()
        assert {each.status for each in listings.values()} == {MarketStatus.INACTIVE}
        letters = {each.reason for each in one.system.snapshot().dead_letters}
        assert "not for discovery" in letters
        assert len(one.system.find(DISCOVERY)._receive.__self__._recent) == 1  # type: ignore[attr-defined]


async def test_nothing_is_known_before_anything_was_found(autojump_clock: object) -> None:
    """Parts that were made of a catalogue alone, as in a bench, stay as they are."""
    async with bench() as one:
        one.parts.found = None
        before = one.parts.catalogue
        one.tell(MarketLifecycle(WAS, "deactivated"))
        one.tell(EventFee(EVENT, None, 0))
        one.tell(FeesDue())
        assert one.parts.catalogue is before


def test_terms_are_active_unless_told() -> None:
    """What an old tape says of a market is that it trades."""
    assert Terms(LISTED.terms[WAS].grid, 0).status is MarketStatus.ACTIVE
    assert isinstance(LISTED, Listed)
