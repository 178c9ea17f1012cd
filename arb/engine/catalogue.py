"""The discovery actor: it alone changes the catalogue, and tells whoever must act on the change.

A change is made in one turn: markets that are new get their actors, the catalogue is replaced,
feeds and changed markets are told. It is always the difference between what is listed and what
is there, so that a turn that was cut short by a failure is made up for by the next one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, cast

import attrs
import trio

from actors import Actor, ActorError, Context, UnknownActor
from actors.supervisor import Supervisor
from arb.core.listing import Catalogue, MarketStatus
from arb.core.teams import TeamTable
from arb.engine.discovery import header_of, listed_by_exchange, listed_on_tape
from arb.engine.listed import Found, keeping, series_of
from arb.engine.messages import Frame, ReadListings, Relisted, StillThere
from arb.engine.names import BOOK_FEED, MARKETS, ODDS_FEED, RISK, market_name
from arb.engine.parts import Parts
from arb.engine.tree import market
from arb.feeds.base import FeedError, OddsPoll
from arb.kalshi.rest import Rest, RestError
from arb.kalshi.wire import EventFee, MarketLifecycle
from arb.tape.format import Feed, Record, header_line, parse_header

MS_PER_S = 1000

# Messages of a market's life after which games may have come or gone.
NEWS = frozenset({"created", "activated", "settled"})

# A slate of games is listed in one go: its messages lead to one reading, not to thirty.
READ_SOON_S = 2.0

# Public reads are cached on the exchange's side for some 15 s: one that was made because of a
# message may be from before it. So it is made once more, and what messages said lately stands.
CACHED_S = 20.0

# A reading that failed is tried again after this, however far off the next regular one is.
RETRY_S = 5.0

# A provider's list that comes back short once must not take a game's actors down.
LEFT_OUT_READINGS = 3

ASK_TIMEOUT_S = 1.0


@attrs.frozen
class LetGo:
    """Nothing of ours is left in these events, which are over."""

    event_tickers: frozenset[str]


@attrs.frozen
class FeesDue:
    """Fees that were announced are in force now."""


class Discovery(Actor):
    """Takes up what is listed, and what the exchange says of markets it knows."""

    def __init__(self, ctx: Context, parts: Parts, teams: TeamTable) -> None:
        super().__init__(ctx)
        self._parts = parts
        self._teams = teams
        self._tape = parts.tape_of(ctx)
        self._left_out: dict[str, int] = {}
        # What the exchange said lately, by our own clock: a cached reading may not know it yet.
        self._recent: deque[tuple[int, MarketLifecycle | EventFee]] = deque()
        self._taken = trio.Event()
        self._fees_due_ms: int | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            Found: self._on_found,
            Frame: self._on_frame,
            MarketLifecycle: self._on_life,
            EventFee: self._on_fees,
            ReadListings: self._on_read_listings,
            LetGo: self._on_let_go,
            FeesDue: self._on_fees_due,
        }

    async def start(self) -> None:
        """Wait for fees that were announced before."""
        self._await_fees()

    def receive(self, message: object) -> None:
        """Handle one message; what nobody sends here goes to the dead letters."""
        handler = self._handlers.get(type(message))
        if handler is None:
            self.ctx.dead_letter(message, "not for discovery")
            return
        handler(message)

    def want_reading(self, why: str) -> None:
        """Read the lists soon; whoever has nothing to read them from leaves it."""

    # What is read.

    def _on_found(self, found: Found) -> None:
        now_ns = self._parts.clock.monotonic_ns()
        while self._recent and now_ns - self._recent[0][0] > CACHED_S * 1e9:
            self._recent.popleft()
        listed = found.listed
        for _, message in self._recent:
            listed = listed.after(message)
        before = self._parts.found
        if before is not None:
            now_ms = self._parts.clock.wall_ms()
            since_ms = now_ms - int(CACHED_S * MS_PER_S)
            listed = listed.with_changes_of(before.listed, since_ms, now_ms)
        found = attrs.evolve(found, listed=listed)
        if self._tape is not None and found != before:
            self._record(found)
        self._take_up(found)
        self._count_left_out()
        self._taken.set()

    def _on_frame(self, frame: Frame) -> None:
        """Take what a tape says was listed from here on."""
        try:
            header = parse_header(frame.raw.encode())
        except ValueError as damaged:
            self._parts.board.note_bad("Tape", f"a listing cannot be read: {damaged}", frame.raw)
            return
        self._take_up(Found.of(self._teams, listed_on_tape(header), header.odds_events))

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

    # What the exchange says of one market or event.

    def _on_life(self, message: MarketLifecycle) -> None:
        found = self._listing_of(message.ticker, message)
        if found is None:
            return
        if message.event_type in NEWS:
            self.want_reading(f"{message.ticker} {message.event_type}")
        if message.ticker in found.listed.terms:
            self._say(f"{message.ticker}: {message.event_type.replace('_', ' ')}")
            self._take_up(attrs.evolve(found, listed=found.listed.after(message)))

    def _on_fees(self, message: EventFee) -> None:
        found = self._listing_of(message.event_ticker, message)
        if found is not None:
            self._say(f"{message.event_ticker}: fees changed")
            self._take_up(attrs.evolve(found, listed=found.listed.after(message)))

    def _listing_of(self, name: str, message: MarketLifecycle | EventFee) -> Found | None:
        """Return what is listed, if this is of a league that we watch: the channel tells of all."""
        found = self._parts.found
        if found is None or series_of(name) not in found.listed.series:
            return None
        self._recent.append((self._parts.clock.monotonic_ns(), message))
        return found

    def _say(self, text: str) -> None:
        self._parts.board.say("KALSHI", text)

    def _on_read_listings(self, wish: ReadListings) -> None:
        self.want_reading(wish.why)

    def _on_let_go(self, over: LetGo) -> None:
        found, before = self._parts.found, self._parts.catalogue
        if found is not None:
            listings = tuple(
                each for each in before.listings if each.game.event_ticker not in over.event_tickers
            )
            catalogue = attrs.evolve(before, listings=listings)
            self._apply(found.without(over.event_tickers), catalogue)
        self._taken.set()

    def _on_fees_due(self, _due: FeesDue) -> None:
        self._fees_due_ms = None
        if self._parts.found is not None:
            self._take_up(self._parts.found)

    # The change itself.

    def _take_up(self, found: Found) -> None:
        now = found.catalogue(self._parts.clock.wall_ms())
        self._apply(found, keeping(self._parts.catalogue, now, found.listed))
        self._await_fees()

    def _apply(self, found: Found, catalogue: Catalogue) -> None:
        parts = self._parts
        before = parts.catalogue
        self._give_actors(catalogue)
        parts.relist(found, catalogue)
        if catalogue == before:
            return
        for name in (BOOK_FEED, ODDS_FEED):
            self.ctx.find(name).tell(Relisted())
        known = before.by_ticker()
        for listing in catalogue.listings:
            if known.get(listing.ticker, listing) != listing:
                self.ctx.find(market_name(listing.ticker)).tell(Relisted())
        self._say_what_changed(before, catalogue)

    def _give_actors(self, catalogue: Catalogue) -> None:
        for listing in catalogue.listings:
            try:
                self.ctx.find(market_name(listing.ticker))
            except UnknownActor:
                self.ctx.system.spawn(MARKETS, market(self._parts, listing))

    def _say_what_changed(self, before: Catalogue, now: Catalogue) -> None:
        old = {game.game_id for game in before.games}
        new = {game.game_id for game in now.games}
        for word, games in (("new", new - old), ("over", old - new)):
            if games:
                self._parts.board.say("ENGINE", f"games {word}: {', '.join(sorted(games))}")

    def _await_fees(self) -> None:
        found, now_ms = self._parts.found, self._parts.clock.wall_ms()
        due_ms = found.listed.next_fees_ms(now_ms) if found is not None else None
        if due_ms is not None and (self._fees_due_ms is None or due_ms < self._fees_due_ms):
            self._fees_due_ms = due_ms
            self.ctx.after((due_ms - now_ms) / MS_PER_S, FeesDue())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self._parts.catalogue.listings)} markets>"


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
        self._interval_s = interval_ms / MS_PER_S
        self._wanted = trio.Event()
        self._again_s = float("inf")
        if ctx.generation > 1:
            # What was said while nobody listened is in the lists by now.
            self.want_reading("discovery has restarted")

    def want_reading(self, why: str) -> None:
        """Read soon, and once more when no cache can be from before."""
        self._again_s = trio.current_time() + CACHED_S
        self._wanted.set()

    async def run(self) -> None:
        """Read for ever, and let go of what is over."""
        wait_s = self._interval_s
        while True:
            await self._until_due(wait_s)
            read = await self._read()
            if read:
                await self._let_go_of_what_is_over()
                await self._remove_actors()
            wait_s = self._interval_s if read else min(RETRY_S, self._interval_s)

    async def _until_due(self, wait_s: float) -> None:
        now_s = trio.current_time()
        if self._again_s <= now_s:
            self._again_s = float("inf")
        with trio.move_on_after(min(wait_s, self._again_s - now_s)):
            await self._wanted.wait()
            await trio.sleep(READ_SOON_S)
        self._wanted = trio.Event()

    async def _read(self) -> bool:
        known = {each.game.event_ticker for each in self._parts.catalogue.listings}
        try:
            listed = await listed_by_exchange(self._rest, self._sports, sorted(known))
            offered = await self._odds.events(self._sports)
        except (RestError, FeedError) as error:
            self._parts.board.say("ENGINE", f"games not read again: {error}", level="warning")
            return False
        self._parts.board.counts["listings_read"] += 1
        await self._tell_self(Found.of(self._teams, listed, offered, self._parts.found))
        return True

    async def _let_go_of_what_is_over(self) -> None:
        over: dict[str, list[str]] = {}
        for game in self._parts.catalogue.games:
            if self._is_over(game.event_ticker):
                over[game.event_ticker] = list(game.tickers)
        if not over:
            return
        tickers = tuple(ticker for each in over.values() for ticker in each)
        try:
            risk = self.ctx.find(RISK)
            held = await risk.ask(StillThere(tickers), timeout_s=ASK_TIMEOUT_S)
        except ActorError:
            # Risk is away; what is over will be over at the next reading, too.
            return
        flat = frozenset(event for event, each in over.items() if held.isdisjoint(each))
        if flat:
            await self._tell_self(LetGo(flat))

    def _is_over(self, event_ticker: str) -> bool:
        if self._left_out.get(event_ticker, 0) >= LEFT_OUT_READINGS:
            return True
        return all(
            each.status is MarketStatus.FINALIZED
            for each in self._parts.catalogue.listings
            if each.game.event_ticker == event_ticker
        )

    async def _tell_self(self, message: Found | LetGo) -> None:
        # Through our own mailbox: what it leads to may come back here in this very turn.
        self._taken = trio.Event()
        self.ctx.address.tell(message)
        await self._taken.wait()

    async def _remove_actors(self) -> None:
        markets = cast("Supervisor", self.ctx.system.find(MARKETS))
        for ticker in list(markets.children):
            if self._parts.listing(ticker) is None:
                await self.ctx.system.remove(ticker)
                self._parts.board.markets.pop(ticker, None)
                self._parts.board.latency_us.pop(ticker, None)
