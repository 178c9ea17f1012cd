"""The discovery actor: it alone changes the catalogue, and tells whoever must act on the change.

A change is made in one turn: markets that are new get their actors, the catalogue is replaced,
feeds and changed markets are told. It is always the difference between what is listed and what
is there, so that a turn that was cut short by a failure is made up for by the next one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from actors import Actor, Context, UnknownActor
from arb.core.listing import Catalogue
from arb.core.teams import TeamTable
from arb.engine.discovery import found_on_tape
from arb.engine.listed import Found, keeping, series_of, with_ours
from arb.engine.messages import Frame, ReadListings, Relisted
from arb.engine.names import BOOK_FEED, MARKETS, market_name
from arb.engine.parts import Parts
from arb.engine.tree import market
from arb.kalshi.wire import EventFee, MarketLifecycle
from arb.tape.format import parse_header

MS_PER_S = 1000

# Messages of a market's life after which games may have come or gone.
NEWS = frozenset({"created", "activated", "settled"})

# Messages of a market's life that the next one may undo.
PAUSES = frozenset({"activated", "deactivated"})

# Public reads are cached on the exchange's side for some 15 s: a list that is read after a message
# may be from before it. So what messages said lately stands.
CACHED_S = 20
CACHED_NS = CACHED_S * 1_000_000_000


@attrs.frozen
class FeesDue:
    """Fees that were announced are in force now."""


class Discovery(Actor):
    """Takes up what is listed, and what the exchange says of markets it knows."""

    def __init__(self, ctx: Context, parts: Parts, teams: TeamTable) -> None:
        super().__init__(ctx)
        self._parts = parts
        self._teams = teams
        # What the exchange said lately, by our own clock: a cached reading may not know it yet.
        self._recent: deque[tuple[int, MarketLifecycle | EventFee]] = deque()
        self._fees_due_ms: int | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            Frame: self._on_frame,
            MarketLifecycle: self._on_life,
            EventFee: self._on_fees,
            ReadListings: self._on_read_listings,
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

    def _on_frame(self, frame: Frame) -> None:
        """Take what a tape says was listed from here on."""
        try:
            header = parse_header(frame.raw.encode())
        except ValueError as damaged:
            self._parts.board.note_bad("Tape", f"a listing cannot be read: {damaged}", frame.raw)
            return
        self._take_up(found_on_tape(self._teams, header))

    # What the exchange says of one market or event.

    def _on_life(self, message: MarketLifecycle) -> None:
        found = self._listing_of(message.ticker, message)
        if found is None:
            return
        if message.event_type in NEWS:
            self.want_reading(f"{message.ticker} {message.event_type}")
        if message.ticker in found.listed.terms:
            self._say(f"{message.ticker}: {message.event_type.replace('_', ' ')}")
            self._take_up(found.after(message))

    def _on_fees(self, message: EventFee) -> None:
        found = self._listing_of(message.event_ticker, message)
        if found is not None:
            self._say(f"{message.event_ticker}: fees changed")
            self._take_up(found.after(message))

    def _listing_of(self, name: str, message: MarketLifecycle | EventFee) -> Found | None:
        """Return what is listed, if this is of a league that we watch: the channel tells of all."""
        found = self._parts.found
        if found is None or series_of(name) not in found.listed.series:
            return None
        self._recent.append((self._parts.clock.monotonic_ns(), message))
        self._forget_old_messages()
        return found

    def _forget_old_messages(self) -> None:
        since_ns = self._parts.clock.monotonic_ns() - CACHED_NS
        while self._recent and self._recent[0][0] < since_ns:
            self._recent.popleft()

    def _say(self, text: str) -> None:
        self._parts.board.say("KALSHI", text)

    def _on_read_listings(self, wish: ReadListings) -> None:
        if wish.missed:
            self._forget_pauses()
        self.want_reading(wish.why)

    def _forget_pauses(self) -> None:
        # A market that was paused may trade again: what a reading says is newer. What is over
        # stays over, and fees that were told are dearer to get wrong than to hold on to.
        self._recent = deque(each for each in self._recent if not _is_pause(each[1]))

    def _on_fees_due(self, _due: FeesDue) -> None:
        self._fees_due_ms = None
        if self._parts.found is not None:
            self._take_up(self._parts.found)

    # The change itself.

    def _take_up(self, found: Found, ours: Iterable[str] = ()) -> None:
        now_ms, listed = self._parts.clock.wall_ms(), found.listed
        before = with_ours(self._parts.catalogue, ours, listed, self._teams, now_ms)
        self._apply(found, keeping(before, found.catalogue(now_ms), listed))
        self._await_fees()

    def _apply(self, found: Found, catalogue: Catalogue) -> None:
        parts = self._parts
        before = parts.catalogue
        self._give_actors(catalogue)
        parts.relist(found, catalogue)
        if catalogue == before:
            return
        for name in (BOOK_FEED, *parts.odds_feeds):
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


def _is_pause(message: MarketLifecycle | EventFee) -> bool:
    return isinstance(message, MarketLifecycle) and message.event_type in PAUSES
