"""One Kalshi market as it is listed now, and the catalogue of them all.

Both are frozen: what changes while the engine runs (a pause, a close, a fee, a grid, a start
time) is a new listing in a new catalogue.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.fees import FeeSchedule
from arb.core.games import Game, Unmatched
from arb.core.grid import PriceGrid


class MarketStatus(StrEnum):
    """A market's status as its payload spells it; the words of the filter are others."""

    INITIALIZED = "initialized"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"
    DETERMINED = "determined"
    DISPUTED = "disputed"
    AMENDED = "amended"
    FINALIZED = "finalized"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> MarketStatus:
        """Take a word that the exchange has not published for one that forbids trading."""
        return cls.UNKNOWN


_WORDS = {
    MarketStatus.INITIALIZED: "the market is not open yet",
    MarketStatus.INACTIVE: "Kalshi has paused the market",
    MarketStatus.CLOSED: "the market is closed",
    MarketStatus.DETERMINED: "the game is decided",
    MarketStatus.DISPUTED: "the game's result is disputed",
    MarketStatus.AMENDED: "the game's result was amended",
    MarketStatus.FINALIZED: "the market is settled",
    MarketStatus.UNKNOWN: "the market's status is not known here",
}


HAS_BEGUN = "the game has begun"
SHOWN_LIVE = "a sportsbook shows the game as live"


@attrs.frozen
class Listing:
    """A market of a matched game: its grid, its fees, its shard, and where it is in its life.

    ``close_ms`` is Unix milliseconds. ``left_out`` says why nothing new is begun in a market that
    was matched once and is not any more; what is held in it is still sold.
    """

    ticker: str
    game: Game
    grid: PriceGrid
    fees: FeeSchedule
    exchange_index: int
    status: MarketStatus = MarketStatus.ACTIVE
    close_ms: int | None = None
    left_out: str | None = None

    def shut(self, now_ms: int) -> str | None:
        """Say why the exchange takes no order in this market now, None where it does."""
        if self.status is not MarketStatus.ACTIVE:
            return _WORDS[self.status]
        if self.close_ms is not None and now_ms >= self.close_ms:
            return _WORDS[MarketStatus.CLOSED]
        return None

    def has_begun(self, now_ms: int) -> bool:
        """Tell whether the game is played by now, as far as its scheduled start says."""
        return now_ms >= self.game.start_ms

    def why_not_entered(self, now_ms: int, *, in_play: bool, is_live: bool) -> str | None:
        """Say why nothing may be bought in this market now, None where it may.

        ``in_play`` says whether a person wants to trade on after the game has begun, ``is_live``
        whether a sportsbook says that it has, whatever its scheduled start.
        """
        begun = None
        if not in_play:
            begun = HAS_BEGUN if self.has_begun(now_ms) else SHOWN_LIVE if is_live else None
        return self.shut(now_ms) or self.left_out or begun

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
