"""One Kalshi market with all that is fixed about it while the engine runs."""

from __future__ import annotations

import attrs

from arb.core.fees import FeeSchedule
from arb.core.games import Game, Unmatched
from arb.core.grid import PriceGrid


@attrs.frozen
class Listing:
    """A market of a matched game: its grid, its fees and its shard."""

    ticker: str
    game: Game
    grid: PriceGrid
    fees: FeeSchedule
    exchange_index: int

    @property
    def sibling(self) -> str:
        """Return the game's other market."""
        return self.game.sibling_of(self.ticker)

    @property
    def is_home(self) -> bool:
        """Tell whether this market pays for the home team's win."""
        return self.ticker == self.game.home_ticker

    @property
    def team(self) -> str:
        """Return the name of the team whose win this market pays for."""
        return self.game.team_of(self.ticker).name


@attrs.frozen
class Catalogue:
    """Every market the engine may trade, and every game that could not be matched."""

    listings: tuple[Listing, ...]
    unmatched: tuple[Unmatched, ...] = ()

    @property
    def games(self) -> tuple[Game, ...]:
        """Return each game once, in the order of its first market."""
        return tuple({listing.game.game_id: listing.game for listing in self.listings}.values())

    def by_ticker(self) -> dict[str, Listing]:
        """Return the listings by market ticker."""
        return {listing.ticker: listing for listing in self.listings}
