"""Which markets there are to trade: read from Kalshi, from a tape, and written to one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from arb.core.games import KalshiGame
from arb.core.listing import MarketStatus
from arb.core.teams import TeamTable
from arb.engine.listed import Found, Listed, OwnFees, Terms, series_of
from arb.feeds.odds_api_wire import PROVIDER
from arb.kalshi.listing import FeeChange, ListedEvent, Series
from arb.kalshi.rest import Rest
from arb.kalshi.rest_calls import RestError
from arb.tape.format import TapeEvent, TapeFeeChange, TapeHeader, TapeMarket, TapeSeries

# The series of game winners, by league as the settings name it.
SERIES = {
    "nfl": "KXNFLGAME",
    "nba": "KXNBAGAME",
    "mlb": "KXMLBGAME",
    "nhl": "KXNHLGAME",
}


NOT_FOUND = 404


async def listed_by_exchange(
    rest: Rest, leagues: Sequence[str], known: Collection[str] = ()
) -> Listed:
    """Read the open game-winner events of some leagues; raises what `Rest` raises.

    A league whose series the exchange does not have at the time has no games. ``known`` events
    are read too, open or not and of whatever league, so that somebody learns what became of them.
    """
    starts_ms = {
        event_ticker: milestone.start_ms
        for milestone in await rest.milestones()
        for event_ticker in milestone.event_tickers
    }
    series: dict[str, Series] = {}
    changes: list[FeeChange] = []
    events: list[ListedEvent] = []
    for league in leagues:
        one = await _series(rest, SERIES[league])
        if one is None:
            continue
        series[one.ticker] = one
        changes += await rest.fee_changes(one.ticker)
        events += await rest.events(one.ticker)
    open_ = {event.event_ticker for event in events}
    events += await rest.events_named([ticker for ticker in known if ticker not in open_])
    others = {series_of(ticker) for ticker in known} - {SERIES[league] for league in leagues}
    for other in sorted(others):
        one = await _series(rest, other)
        if one is not None:
            series[one.ticker] = one
            changes += await rest.fee_changes(one.ticker)
    return _listed(events, series, changes, starts_ms)


def _listed(
    events: Sequence[ListedEvent],
    series: dict[str, Series],
    changes: Sequence[FeeChange],
    starts_ms: dict[str, int],
) -> Listed:
    return Listed(
        tuple(
            KalshiGame(
                event.event_ticker,
                tuple(market.ticker for market in event.markets),
                starts_ms.get(event.event_ticker),
            )
            for event in events
        ),
        {
            market.ticker: Terms(
                market.price_grid,
                market.exchange_index,
                MarketStatus(market.status),
                market.close_ms,
            )
            for event in events
            for market in event.markets
        },
        series,
        {
            event.event_ticker: OwnFees(event.fee_type, event.fee_multiplier_e4)
            for event in events
            if event.fee_type is not None or event.fee_multiplier_e4 is not None
        },
        tuple(sorted(changes, key=lambda change: change.at_ms)),
    )


async def _series(rest: Rest, ticker: str) -> Series | None:
    try:
        return await rest.series(ticker)
    except RestError as error:
        if error.status == NOT_FOUND:
            return None
        raise


def listed_on_tape(header: TapeHeader) -> Listed:
    """Return what a tape's header lists."""
    return Listed(
        header.kalshi_games(),
        {
            market.ticker: Terms(
                market.grid, market.exchange_index, MarketStatus(market.status), market.close_ms
            )
            for event in header.events
            for market in event.markets
        },
        {
            each.ticker: Series(each.ticker, each.fee_type, each.fee_multiplier_e4)
            for each in header.series
        },
        {
            event.event_ticker: OwnFees(event.fee_type, event.fee_multiplier_e4)
            for event in header.events
            if event.fee_type is not None or event.fee_multiplier_e4 is not None
        },
        tuple(
            FeeChange(each.series_ticker, each.fee_type, each.fee_multiplier_e4, each.at_ms)
            for each in header.fee_changes
        ),
    )


def found_on_tape(teams: TeamTable, header: TapeHeader) -> Found:
    """Match what both sides list by a tape's header, or by a later listing of it."""
    return Found.of(teams, listed_on_tape(header), header.odds_events)


def providers_on_tape(header: TapeHeader) -> tuple[str, ...]:
    """Return whose odds a tape holds, in the order in which their games are listed."""
    found = dict.fromkeys(event.provider for event in header.odds_events)
    return tuple(found) or (PROVIDER,)


def header_of(found: Found, begins_ms: int) -> TapeHeader:
    """Describe what both sides list, so that a replay finds the same markets by itself."""
    listed = found.listed
    return TapeHeader(
        source="recorded by arb",
        begins_ms=begins_ms,
        series=tuple(
            TapeSeries(each.ticker, each.fee_type, each.fee_multiplier_e4)
            for each in listed.series.values()
        ),
        events=tuple(_tape_event(game, listed) for game in listed.games),
        odds_events=found.offered,
        fee_changes=tuple(
            TapeFeeChange(each.ticker, each.fee_type, each.fee_multiplier_e4, each.at_ms)
            for each in listed.fee_changes
        ),
    )


def _tape_event(game: KalshiGame, listed: Listed) -> TapeEvent:
    own = listed.own_fees.get(game.event_ticker, OwnFees(None, None))
    markets = []
    for ticker in game.market_tickers:
        terms = listed.terms[ticker]
        markets.append(
            TapeMarket(ticker, terms.grid, terms.exchange_index, terms.status.value, terms.close_ms)
        )
    return TapeEvent(
        game.event_ticker,
        series_of(game.event_ticker),
        tuple(markets),
        game.start_ms,
        own.fee_type,
        own.fee_multiplier_e4,
    )
