"""The games that an engine begins with: those that match, and those in which something is ours."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from arb.core.games import OddsEvent
from arb.core.ledger import Ledger
from arb.core.listing import Catalogue
from arb.core.teams import TeamTable
from arb.core.tickers import event_of
from arb.engine.board import Board
from arb.engine.discovery import listed_by_exchange
from arb.engine.listed import Found, keeping, with_ours
from arb.engine.live import Connections
from arb.feeds.base import FeedError


@attrs.frozen
class FirstGames:
    """What both sides list, and every market that the engine looks after from the start."""

    found: Found
    catalogue: Catalogue

    @property
    def text(self) -> str:
        """Say in one line how many games there are to trade, and what else there is."""
        listings, unmatched = self.catalogue.listings, len(self.catalogue.unmatched)
        traded = {each.game.game_id for each in listings if each.left_out is None}
        held = {each.game.game_id for each in listings} - traded
        also = f", {len(held)} of them held" if held else ""
        return f"{len(traded)} games matched, {unmatched} left out{also}"


@attrs.frozen
class GamesReader:
    """Reads the games that an engine begins with, once a call."""

    made: Connections
    sports: Sequence[str]
    teams: TeamTable
    board: Board

    async def read(self, ledger: Ledger) -> FirstGames:
        """Return what both sides list, with every market in which a ledger has something of ours.

        A provider that cannot be read is done without where anything is ours: recovery, sales and
        what a person wants closed do not wait for odds. Otherwise raises `FeedError`; `RestError`
        where the exchange cannot be read.
        """
        ours = ledger.our_tickers()
        events = sorted({event_of(ticker) for ticker in ours})
        listed = await listed_by_exchange(self.made.rest, self.sports, events)
        offered = await self._offered(anything_is_ours=bool(ours))
        found = Found.of(self.teams, listed, offered)
        now_ms = self.made.clock.wall_ms()
        held = with_ours(Catalogue(()), ours, listed, self.teams, now_ms)
        return FirstGames(found, keeping(held, found.catalogue(now_ms), listed))

    async def _offered(self, *, anything_is_ours: bool) -> Sequence[OddsEvent]:
        try:
            return await self.made.odds.events(self.sports)
        except FeedError as error:
            if not anything_is_ours:
                raise
            text = f"games not read, only what is held is looked after: {error}"
            self.board.say("ENGINE", text, level="warning")
            return ()
