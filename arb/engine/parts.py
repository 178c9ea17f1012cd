"""What the actors of one engine share: settings, clock, board, journal and the list of markets.

Everything here outlives the actors. Only the journal, the board, the switches and the brakes are
written to, each by the rule in its own file. The catalogue is replaced as a whole by the discovery
actor alone, and the settings by the risk manager alone; the rest never changes while the engine
runs.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from actors import Address, Context
from arb.core.brakes import Brakes
from arb.core.commands import OrderIntent
from arb.core.evaluate import Evaluator
from arb.core.events import Liquidity
from arb.core.exit_parameters import Exits
from arb.core.in_play import limits_in_force
from arb.core.listing import Catalogue, Listing
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.parameters import Execution, Risk, Strategy
from arb.core.risk import Refusal, review_listing
from arb.engine.board import Board
from arb.engine.decision_log import DecisionLog
from arb.engine.game_odds import GameOdds
from arb.engine.halt_file import HaltFile
from arb.engine.listed import Found
from arb.engine.names import ODDS_FEED, TAPE
from arb.engine.switches import Switches
from arb.io.clock import Clock
from arb.journal.writer import Journal
from arb.settings import Settings


@attrs.define
class Parts:
    """What every actor of one engine is given.

    ``earlier`` returns the installations of this machine whose engines do not run at the moment.
    ``settings`` is all that is in force; its sections that decide stand beside it, for actors that
    ask on the way to every order.
    """

    clock: Clock
    board: Board
    journal: Journal
    catalogue: Catalogue
    settings: Settings
    installation: str
    orders_stand_on_book: bool = True
    taped: bool = False
    odds_feeds: tuple[str, ...] = (ODDS_FEED,)
    found: Found | None = None
    decisions: DecisionLog | None = None
    halt_file: HaltFile | None = None
    earlier: Callable[[], tuple[str, ...]] = tuple
    switches: Switches = attrs.field(factory=Switches)
    brakes: Brakes = attrs.field(factory=Brakes)
    strategy: Strategy = attrs.field(init=False)
    risk: Risk = attrs.field(init=False)
    execution: Execution = attrs.field(init=False)
    exits: Exits = attrs.field(init=False)
    evaluator: Evaluator = attrs.field(init=False)
    _listings: dict[str, Listing] = attrs.field(init=False)
    _odds: dict[str, GameOdds] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Index the listings, which are asked for on the way to every order."""
        self._listings = self.catalogue.by_ticker()
        self.retune(self.settings)

    def retune(self, settings: Settings) -> None:
        """Replace the settings in force, for all actors at once: no evaluation sees half of it."""
        self.settings = settings
        self.strategy, self.risk = settings.strategy, settings.risk
        self.execution, self.exits = settings.execution, settings.exits
        self.evaluator = Evaluator(self.strategy, self.risk, self.execution)

    def relist(self, found: Found | None, catalogue: Catalogue) -> None:
        """Replace the catalogue and what it was made of; who must act on it is told `Relisted`."""
        self.found = found
        self.catalogue = catalogue
        self._listings = catalogue.by_ticker()
        for gone in self._odds.keys() - {game.game_id for game in catalogue.games}:
            del self._odds[gone]

    def odds_of(self, game_id: str) -> GameOdds:
        """Return what the sportsbooks say of a game, the same for both of its markets."""
        odds = self._odds.get(game_id)
        if odds is None:
            odds = self._odds[game_id] = GameOdds.of(self.strategy)
        return odds

    def listing(self, ticker: str) -> Listing | None:
        """Return a market's listing, or None where it is not traded."""
        return self._listings.get(ticker)

    def shard(self, ticker: str) -> int | None:
        """Return the shard of the exchange that a market is on, None where it is not traded."""
        listing = self._listings.get(ticker)
        return listing.exchange_index if listing is not None else None

    def rival(self, ticker: str) -> str | None:
        """Return the other market of the same game, None for a market that is not traded."""
        listing = self._listings.get(ticker)
        return listing.sibling if listing is not None else None

    def shut(self, intent: OrderIntent) -> Refusal | None:
        """Return why the market of a wish takes no such order now, or None if it does."""
        listing, now_ms = self._listings.get(intent.ticker), self.clock.wall_ms()
        is_live = listing is not None and self._is_live(listing)
        return review_listing(
            intent, listing, now_ms, in_play=self.strategy.in_play, is_live=is_live
        )

    def why_not_entered(self, listing: Listing) -> str | None:
        """Say why nothing may be bought in a market now, None where it may."""
        now_ms, in_play = self.clock.wall_ms(), self.strategy.in_play
        return listing.why_not_entered(now_ms, in_play=in_play, is_live=self._is_live(listing))

    def has_begun(self, listing: Listing) -> bool:
        """Tell whether a game is played by now, as its start or any sportsbook says."""
        return listing.has_begun(self.clock.wall_ms()) or self._is_live(listing)

    def _is_live(self, listing: Listing) -> bool:
        odds = self._odds.get(listing.game.game_id)
        return odds is not None and odds.is_live

    def limits(self, ticker: str) -> Risk:
        """Return the limits in force for a market: lower ones once its game has begun."""
        listing = self._listings.get(ticker)
        has_begun = listing is not None and self.has_begun(listing)
        return limits_in_force(self.switches.limits(self.risk), has_begun=has_begun)

    def fee_e6(
        self, ticker: str, price_e4: PriceE4, count_e2: CountE2, liquidity: Liquidity
    ) -> MoneyE6:
        """Return the fee of a trade; 0 for a market that is not traded, which cannot be entered."""
        listing = self._listings.get(ticker)
        if listing is None:
            return MoneyE6(0)
        return listing.fees.fee_e6(price_e4, count_e2, liquidity)

    def tape_of(self, ctx: Context) -> Address | None:
        """Return the tape's address, None where nothing is recorded."""
        return ctx.find(TAPE) if self.taped else None

    def __repr__(self) -> str:
        return f"<Parts {len(self._listings)} markets, {self.journal!r}>"
