"""What both sides list at one moment, and the catalogue that follows from it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from arb.core.fees import FeeSchedule, UnknownFees
from arb.core.games import Game, KalshiGame, Matches, OddsEvent, Reason, Source, Unmatched
from arb.core.grid import PriceGrid
from arb.core.listing import Catalogue, Listing, MarketStatus
from arb.core.lone_games import lone_game
from arb.core.matching import match_games
from arb.core.teams import TeamTable
from arb.core.tickers import event_of
from arb.kalshi.listing import FeeChange, Series
from arb.kalshi.wire import EventFee, MarketLifecycle

# What a message of a market's life makes of its status. No message tells of a market that opens
# at its hour, nor of one that closes at it.
STATUS_AFTER: Mapping[str, MarketStatus] = {
    "activated": MarketStatus.ACTIVE,
    "deactivated": MarketStatus.INACTIVE,
    "determined": MarketStatus.DETERMINED,
    "settled": MarketStatus.FINALIZED,
}

NOT_LISTED = "Kalshi does not list the game any more"

# What a sale's fees are taken for where they are of an unknown kind: the dearest of the known ones,
# at the multiplier of most series, so that a sale that must pay its fees does not ask too little.
FEES_UNKNOWN = FeeSchedule("quadratic_with_combo_maker_fees")


@attrs.frozen
class Terms:
    """What is listed of one market by itself: its grid, its shard, its status and its close."""

    grid: PriceGrid
    exchange_index: int
    status: MarketStatus = MarketStatus.ACTIVE
    close_ms: int | None = None


@attrs.frozen
class OwnFees:
    """What an event overrides of its series' fees, None where it does not."""

    fee_type: str | None
    fee_multiplier_e4: int | None


@attrs.frozen
class Listed:
    """What Kalshi lists: games, each market's terms, and what trading them costs and will cost.

    ``series`` is by series ticker, ``own_fees`` by event ticker; ``fee_changes`` ascend by time.
    """

    games: tuple[KalshiGame, ...]
    terms: Mapping[str, Terms]
    series: Mapping[str, Series]
    own_fees: Mapping[str, OwnFees] = attrs.field(factory=dict)
    fee_changes: tuple[FeeChange, ...] = ()

    def fees(self, event_ticker: str, now_ms: int) -> FeeSchedule:
        """Return what a trade in an event costs at a moment; raises `UnknownFees`."""
        name = series_of(event_ticker)
        usual = self.series.get(name)
        if usual is None:
            raise UnknownFees(f"nothing is known of the fees of {name}")
        fee_type, multiplier_e4 = usual.fee_type, usual.fee_multiplier_e4
        for change in self.fee_changes:
            if change.ticker == name and change.at_ms <= now_ms:
                fee_type, multiplier_e4 = change.fee_type, change.fee_multiplier_e4
        own = self.own_fees.get(event_ticker)
        if own is not None:
            fee_type = own.fee_type if own.fee_type is not None else fee_type
            if own.fee_multiplier_e4 is not None:
                multiplier_e4 = own.fee_multiplier_e4
        return FeeSchedule(fee_type, multiplier_e4)

    def next_fees_ms(self, now_ms: int) -> int | None:
        """Return when fees change next, Unix milliseconds, None where nothing is announced."""
        return min((each.at_ms for each in self.fee_changes if each.at_ms > now_ms), default=None)

    def with_changes_of(self, before: Listed, since_ms: int, now_ms: int) -> Listed:
        """Return this with fee changes that were announced before and came into force lately.

        The exchange announces only what is to come, and its series may still be cached as before.
        """
        known = {(each.ticker, each.at_ms) for each in self.fee_changes}
        lately = [
            each
            for each in before.fee_changes
            if since_ms <= each.at_ms <= now_ms and (each.ticker, each.at_ms) not in known
        ]
        changes = sorted((*lately, *self.fee_changes), key=lambda each: each.at_ms)
        return attrs.evolve(self, fee_changes=tuple(changes))

    def after(self, message: MarketLifecycle | EventFee) -> Listed:
        """Return what is listed after a message of the exchange, itself where that is the same."""
        if isinstance(message, EventFee):
            own = dict(self.own_fees)
            own.pop(message.event_ticker, None)
            if message.fee_type is not None or message.fee_multiplier_e4 is not None:
                own[message.event_ticker] = OwnFees(message.fee_type, message.fee_multiplier_e4)
            return attrs.evolve(self, own_fees=own)
        terms = self.terms.get(message.ticker)
        changed = None if terms is None else _after(terms, message)
        if changed == terms or changed is None:
            return self
        return attrs.evolve(self, terms={**self.terms, message.ticker: changed})


@attrs.frozen
class Found:
    """What both sides list, and which of their games are the same."""

    listed: Listed
    offered: tuple[OddsEvent, ...]
    matches: Matches

    @classmethod
    def of(
        cls,
        table: TeamTable,
        listed: Listed,
        offered: Sequence[OddsEvent],
        before: Found | None = None,
    ) -> Found:
        """Match the games of both sides, unless they are the same as ``before``."""
        games = tuple(offered)
        if before is not None and (before.listed.games, before.offered) == (listed.games, games):
            return cls(listed, games, before.matches)
        return cls(listed, games, match_games(table, listed.games, games))

    def catalogue(self, now_ms: int) -> Catalogue:
        """Describe each market of the games that match, as it is listed at a moment."""
        listings: list[Listing] = []
        unmatched = list(self.matches.unmatched)
        for game in self.matches.games:
            try:
                fees = self.listed.fees(game.event_ticker, now_ms)
            except UnknownFees as unknown:
                unmatched.append(_of_unknown_fees(game, str(unknown)))
                continue
            listings += [
                _listing(game, self.listed.terms[each], fees, each) for each in game.tickers
            ]
        return Catalogue(tuple(listings), tuple(unmatched))

    def after(self, message: MarketLifecycle | EventFee) -> Found:
        """Return what is found after a message of the exchange: the same games on other terms.

        Itself where nothing changes: the exchange tells of all markets, of which few are listed.
        """
        name = message.event_ticker if isinstance(message, EventFee) else message.ticker
        if series_of(name) not in self.listed.series:
            return self
        listed = self.listed.after(message)
        return self if listed is self.listed else attrs.evolve(self, listed=listed)

    def without(self, event_tickers: Collection[str]) -> Found:
        """Return the same without some of Kalshi's games, which are over."""
        listed = attrs.evolve(
            self.listed,
            games=tuple(
                each for each in self.listed.games if each.event_ticker not in event_tickers
            ),
        )
        games = tuple(each for each in self.matches.games if each.event_ticker not in event_tickers)
        matches = attrs.evolve(self.matches, games=games)
        return attrs.evolve(self, listed=listed, matches=matches)


def series_of(ticker: str) -> str:
    """Return the series of an event or a market: what stands before the first dash."""
    return ticker.partition("-")[0]


def keeping(before: Catalogue, now: Catalogue, listed: Listed) -> Catalogue:
    """Return a catalogue with every market that was in the one before, and why it is left out.

    A market may hold a position or an order of ours: it goes only when somebody has looked.
    """
    known = now.by_ticker()
    why = {each.id: each.reason for each in now.unmatched if each.what is Source.KALSHI}
    kept = []
    for listing in before.listings:
        if listing.ticker in known:
            continue
        reason = why.get(listing.game.event_ticker)
        terms = listed.terms.get(listing.ticker)
        left_out = NOT_LISTED if reason is None else f"not traded any more: {reason}"
        latest = listing
        if terms is not None:
            latest = _listing(listing.game, terms, listing.fees, listing.ticker)
        kept.append(attrs.evolve(latest, left_out=left_out))
    return attrs.evolve(now, listings=(*now.listings, *kept))


def with_ours(
    before: Catalogue, ours: Iterable[str], listed: Listed, table: TeamTable, now_ms: int
) -> Catalogue:
    """Return a catalogue with both markets of each game in which something of ours has no listing.

    For `keeping`, which says why they are left out where no game matches. What Kalshi does not
    list, or names in a way that cannot be read, stays without one.
    """
    known = before.by_ticker()
    events = {event_of(ticker) for ticker in ours if ticker not in known}
    games = [lone_game(table, each) for each in listed.games if each.event_ticker in events]
    added = [
        _listing(game, listed.terms[ticker], _fees(listed, game, now_ms), ticker)
        for game in games
        if game is not None
        for ticker in game.tickers
        if ticker not in known
    ]
    return attrs.evolve(before, listings=(*before.listings, *added))


def _fees(listed: Listed, game: Game, now_ms: int) -> FeeSchedule:
    try:
        return listed.fees(game.event_ticker, now_ms)
    except UnknownFees:
        return FEES_UNKNOWN


def _listing(game: Game, terms: Terms, fees: FeeSchedule, ticker: str) -> Listing:
    return Listing(
        ticker, game, terms.grid, fees, terms.exchange_index, terms.status, terms.close_ms
    )


def _after(terms: Terms, message: MarketLifecycle) -> Terms:
    status = STATUS_AFTER.get(message.event_type, terms.status)
    close_ms = message.close_ms if message.close_ms is not None else terms.close_ms
    grid = message.price_grid if message.price_grid is not None else terms.grid
    return attrs.evolve(terms, status=status, close_ms=close_ms, grid=grid)


def _of_unknown_fees(game: Game, text: str) -> Unmatched:
    text = f"{game.away.name} at {game.home.name}: {text}"
    return Unmatched(Source.KALSHI, game.event_ticker, Reason.UNKNOWN_FEES, text)
