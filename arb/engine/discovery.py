"""Which markets there are to trade: Kalshi's games and the feed's games, matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from arb.core.fees import FeeSchedule
from arb.core.games import KalshiGame, OddsEvent
from arb.core.grid import PriceGrid
from arb.core.listing import Catalogue, Listing
from arb.core.matching import match_games
from arb.core.teams import TeamTable
from arb.kalshi.listing import ListedEvent, Series
from arb.kalshi.rest import Rest, RestError
from arb.tape.format import TapeHeader

# The series of game winners, by league as the settings name it.
SERIES = {
    "nfl": "KXNFLGAME",
    "nba": "KXNBAGAME",
    "mlb": "KXMLBGAME",
    "nhl": "KXNHLGAME",
}


NOT_FOUND = 404


@attrs.frozen
class Terms:
    """What is fixed about a market: its price grid, its fees and its shard."""

    grid: PriceGrid
    fees: FeeSchedule
    exchange_index: int


@attrs.frozen
class Listed:
    """What Kalshi lists: its games and each market's terms."""

    games: tuple[KalshiGame, ...]
    terms: Mapping[str, Terms]


async def listed_by_exchange(rest: Rest, leagues: Sequence[str]) -> Listed:
    """Read the open game-winner events of some leagues; raises what `Rest` raises.

    A league whose series the exchange does not have at the time has no games.
    """
    starts_ms = {
        event_ticker: milestone.start_ms
        for milestone in await rest.milestones()
        for event_ticker in milestone.event_tickers
    }
    games: list[KalshiGame] = []
    terms: dict[str, Terms] = {}
    for league in leagues:
        series = await _series(rest, SERIES[league])
        if series is None:
            continue
        usual = FeeSchedule(series.fee_type, series.fee_multiplier_e4)
        for event in await rest.events(series.ticker):
            tickers = tuple(market.ticker for market in event.markets)
            start_ms = starts_ms.get(event.event_ticker)
            games.append(KalshiGame(event.event_ticker, tickers, start_ms))
            fees = _fees_of(event, usual)
            for market in event.markets:
                terms[market.ticker] = Terms(market.price_grid, fees, market.exchange_index)
    return Listed(tuple(games), terms)


async def _series(rest: Rest, ticker: str) -> Series | None:
    try:
        return await rest.series(ticker)
    except RestError as error:
        if error.status == NOT_FOUND:
            return None
        raise


def _fees_of(event: ListedEvent, usual: FeeSchedule) -> FeeSchedule:
    """Return an event's own fees where it has some, else its series'."""
    if event.fee_type is None and event.fee_multiplier_e4 is None:
        return usual
    multiplier_e4 = event.fee_multiplier_e4
    return FeeSchedule(
        event.fee_type if event.fee_type is not None else usual.fee_type,
        multiplier_e4 if multiplier_e4 is not None else usual.multiplier_e4,
    )


def listed_on_tape(header: TapeHeader) -> Listed:
    """Return what a tape's header lists."""
    fees = {
        series.ticker: FeeSchedule(series.fee_type, series.fee_multiplier_e4)
        for series in header.series
    }
    terms = {
        market.ticker: Terms(market.grid, fees[event.series_ticker], market.exchange_index)
        for event in header.events
        for market in event.markets
    }
    return Listed(header.kalshi_games(), terms)


def catalogue_of(table: TeamTable, listed: Listed, offered: Sequence[OddsEvent]) -> Catalogue:
    """Match the games of both sides, and describe each market of those that match."""
    matches = match_games(table, listed.games, offered)
    listings = []
    for game in matches.games:
        for ticker in game.tickers:
            terms = listed.terms[ticker]
            listings.append(Listing(ticker, game, terms.grid, terms.fees, terms.exchange_index))
    return Catalogue(tuple(listings), matches.unmatched)
