"""The discovery actor of a live engine: reads both sides' lists, and lets go of what is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import attrs
import trio

from actors import ActorError, Context
from actors.supervisor import Supervisor
from arb.core.games import OddsEvent
from arb.core.listing import MarketStatus
from arb.core.teams import TeamTable
from arb.core.tickers import event_of
from arb.engine.catalogue import CACHED_S, MS_PER_S, Discovery
from arb.engine.discovery import header_of, listed_by_exchange
from arb.engine.listed import Found
from arb.engine.messages import ReadListings, StillThere
from arb.engine.names import DISCOVERY, MARKETS, RISK
from arb.engine.parts import Parts
from arb.feeds.base import FeedError, OddsPoll
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError
from arb.tape.format import Feed, Record, header_line

# A slate of games is listed in one go: its messages lead to one reading, not to thirty.
READ_SOON_S = 2.0

# Between two readings, failed ones too: twelve requests to Kalshi, of twenty a second that the
# lowest tier allows, and eight to the provider, which allows 5,000 an hour.
READ_PAUSE_S = 15.0

# Some tries in a row, with what a slow one takes: one or two that fail are no alarm.
READING_LATE_MS = 120_000

UNDONE = "the lists of games have not been read"

# A provider's list that comes back short once must not take a game's actors down.
LEFT_OUT_READINGS = 3

ASK_TIMEOUT_S = 1.0


@attrs.frozen
class LetGo:
    """Nothing of ours is left in these events, which are over."""

    event_tickers: frozenset[str]


class LiveDiscovery(Discovery):
    """Reads both sides' lists at intervals and when something has happened."""

    def __init__(
        self,
        ctx: Context,
        parts: Parts,
        teams: TeamTable,
        rest: Rest,
        odds: OddsPoll,
        sports: Iterable[str],
        interval_ms: int,
    ) -> None:
        super().__init__(ctx, parts, teams)
        self._rest = rest
        self._odds = odds
        self._sports = tuple(sports)
        self._board = parts.board
        self._interval_s = interval_ms / MS_PER_S
        self._within_ms = interval_ms + READING_LATE_MS
        self._wanted = trio.Event()
        self._again_s = float("inf")
        self._tape = parts.tape_of(ctx)
        self._left_out: dict[str, int] = {}
        self._ours: frozenset[str] = frozenset()
        self._taken = trio.Event()
        more: dict[type, Callable[[Any], None]] = {
            Found: self._on_found,
            LetGo: self._on_let_go,
        }
        self._handlers.update(more)
        if ctx.generation > 1:
            # What was said while nobody listened is in the lists by now.
            self.want_reading("discovery has restarted")

    def want_reading(self, why: str) -> None:
        """Read soon, and once more when no cache can be from before."""
        self._again_s = trio.current_time() + CACHED_S
        self._wanted.set()

    def _on_read_listings(self, wish: ReadListings) -> None:
        self._ours |= wish.ours
        super()._on_read_listings(wish)

    async def run(self) -> None:
        """Read for ever, and let go of what is over."""
        self._board.expect(DISCOVERY, UNDONE, self._within_ms)
        # An engine that has begun with what it holds alone is to trade as soon as it can.
        trades = any(each.left_out is None for each in self._parts.catalogue.listings)
        wait_s = self._interval_s if trades else 0.0
        while True:
            await self._until_due(wait_s)
            read = await self._read()
            if read:
                await self._let_go_of_what_is_over()
                await self._remove_actors()
                self._board.done(DISCOVERY)
            await trio.sleep(READ_PAUSE_S)
            wait_s = max(0.0, self._interval_s - READ_PAUSE_S) if read else 0.0

    async def _until_due(self, wait_s: float) -> None:
        again_s = self._again_s - trio.current_time()
        with trio.move_on_after(min(wait_s, max(0.0, again_s))):
            await self._wanted.wait()
            await trio.sleep(READ_SOON_S)
        self._wanted = trio.Event()
        if self._again_s <= trio.current_time():
            self._again_s = float("inf")

    async def _read(self) -> bool:
        known = {each.game.event_ticker for each in self._parts.catalogue.listings}
        known |= {event_of(ticker) for ticker in self._ours}
        before, whole = self._parts.found, True
        try:
            listed = await listed_by_exchange(self._rest, self._sports, sorted(known))
        except RestError as error:
            return self._not_read(error)
        try:
            offered: Sequence[OddsEvent] = await self._odds.events(self._sports)
        except FeedError as error:
            # What is held is sold by what the exchange lists, whoever offers odds for it.
            offered, whole = before.offered if before is not None else (), self._not_read(error)
        self._board.counts["listings_read"] += whole
        await self._tell_self(Found.of(self._teams, listed, offered, before))
        return whole

    def _not_read(self, error: Exception) -> bool:
        self._board.say("ENGINE", f"games not read again: {error}", level="warning")
        self._board.not_done(DISCOVERY, str(error))
        return False

    async def _let_go_of_what_is_over(self) -> None:
        over = self._over()
        if not over:
            return
        tickers = tuple(ticker for each in over.values() for ticker in each)
        try:
            held = await self.ctx.find(RISK).ask(StillThere(tickers), timeout_s=ASK_TIMEOUT_S)
        except ActorError:
            # Risk is away; what is over will be over at the next reading, too.
            return
        flat = frozenset(event for event, each in over.items() if held.isdisjoint(each))
        if flat:
            await self._tell_self(LetGo(flat))

    def _over(self) -> dict[str, list[str]]:
        """Return the markets of each event that is settled, or was left out for some readings."""
        over: dict[str, list[str]] = {}
        playing: set[str] = set()
        for listing in self._parts.catalogue.listings:
            event = listing.game.event_ticker
            over.setdefault(event, []).append(listing.ticker)
            left_out = self._left_out.get(event, 0) >= LEFT_OUT_READINGS
            if not left_out and listing.status is not MarketStatus.FINALIZED:
                playing.add(event)
        return {event: tickers for event, tickers in over.items() if event not in playing}

    async def _tell_self(self, message: Found | LetGo) -> None:
        # Through our own mailbox: what it leads to may come back here in this very turn.
        self._taken = trio.Event()
        self.ctx.address.tell(message)
        with trio.move_on_after(ASK_TIMEOUT_S):
            await self._taken.wait()

    async def _remove_actors(self) -> None:
        markets = cast("Supervisor", self.ctx.system.find(MARKETS))
        for ticker in list(markets.children):
            if self._parts.listing(ticker) is None:
                await self.ctx.system.remove(ticker)
                self._board.markets.pop(ticker, None)
                self._board.latency_us.pop(ticker, None)
                if self._parts.decisions is not None:
                    self._parts.decisions.forget(ticker)

    # In a handler's turn.

    def _on_found(self, found: Found) -> None:
        self._forget_old_messages()
        listed = found.listed
        for _, message in self._recent:
            listed = listed.after(message)
        before = self._parts.found
        if before is not None:
            now_ms = self._parts.clock.wall_ms()
            since_ms = now_ms - CACHED_S * MS_PER_S
            listed = listed.with_changes_of(before.listed, since_ms, now_ms)
        found = attrs.evolve(found, listed=listed)
        if self._tape is not None and found != before:
            self._record(found)
        ours, self._ours = self._ours, frozenset()
        self._take_up(found, ours)
        self._count_left_out()
        self._taken.set()

    def _record(self, found: Found) -> None:
        now_ms = self._parts.clock.wall_ms()
        raw = header_line(header_of(found, now_ms)).decode()
        if self._tape is not None:
            self._tape.tell(Record(now_ms, Feed.LISTING, "arb", raw))

    def _count_left_out(self) -> None:
        left_out = {
            each.game.event_ticker for each in self._parts.catalogue.listings if each.left_out
        }
        self._left_out = {each: self._left_out.get(each, 0) + 1 for each in sorted(left_out)}

    def _on_let_go(self, over: LetGo) -> None:
        found, before = self._parts.found, self._parts.catalogue
        if found is not None:
            listings = tuple(
                each for each in before.listings if each.game.event_ticker not in over.event_tickers
            )
            catalogue = attrs.evolve(before, listings=listings)
            self._apply(found.without(over.event_tickers), catalogue)
        self._taken.set()
