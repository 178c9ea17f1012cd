"""The life of a market: pauses, the close, determination and settlement, in the real order.

After the final whistle the close time is moved to now, the market closes, about a minute later it
is determined, and after the settlement timer it is finalized and pays.
"""

from __future__ import annotations

from arb.core.money import price_text
from arb.sim.exchange.account import ONE_DOLLAR_E4, Account, Settlement
from arb.sim.exchange.grid import Grid
from arb.sim.exchange.markets import Event, Market, MarketStatus
from arb.sim.exchange.netting import return_collateral
from arb.sim.exchange.values import Change
from arb.sim.exchange.venue import Venue
from arb.sim.timing import MS_PER_S

_TRADED = (MarketStatus.ACTIVE, MarketStatus.INACTIVE)


def announce(venue: Venue, market: Market) -> None:
    """List a market and say so."""
    venue.list_market(market)
    venue.market_moved(
        market,
        "created",
        exchange_index=market.exchange_index,
        open_ts=market.open_ms // MS_PER_S,
        close_ts=market.close_ms // MS_PER_S,
        price_level_structure=market.grid.label,
    )


def pause_market(venue: Venue, market: Market) -> None:
    """Stop trading in one market; orders that asked for it are cancelled, others stay."""
    market.status = MarketStatus.INACTIVE
    for order in market.book.orders():
        if order.request.cancel_on_pause:
            venue.take_off_book(order, Change.HALT)
    venue.market_moved(market, "deactivated", is_deactivated=True)


def resume_market(venue: Venue, market: Market) -> None:
    """Let one market trade again; everything that still rests in it is cancelled."""
    for order in market.book.orders():
        venue.take_off_book(order, Change.HALT)
    market.status = MarketStatus.ACTIVE
    venue.market_moved(market, "activated", is_deactivated=False)


def pause_trading(venue: Venue, *, whole_exchange: bool = False) -> None:
    """Stop trading everywhere; with ``whole_exchange`` cancels are refused too."""
    venue.trading_active = False
    for order in list(venue.resting_orders()):
        if order.request.cancel_on_pause:
            venue.take_off_book(order, Change.HALT)
    venue.exchange_active = not whole_exchange


def resume_trading(venue: Venue) -> None:
    """Let the exchange trade again; what rested, rests."""
    venue.trading_active = venue.exchange_active = True


def follow_pauses(venue: Venue) -> None:
    """Pause and resume what the conditions say, when they change."""
    conditions = venue.conditions
    wanted = (conditions.trading_paused or conditions.exchange_paused, conditions.exchange_paused)
    if wanted != venue.paused_by_condition:
        venue.paused_by_condition = wanted
        resume_trading(venue)
        if wanted[0]:
            pause_trading(venue, whole_exchange=wanted[1])
    if conditions.paused_markets != venue.markets_paused_by_condition:
        for ticker in conditions.paused_markets - venue.markets_paused_by_condition:
            if venue.markets[ticker].status is MarketStatus.ACTIVE:
                pause_market(venue, venue.markets[ticker])
        for ticker in venue.markets_paused_by_condition - conditions.paused_markets:
            if venue.markets[ticker].status is MarketStatus.INACTIVE:
                resume_market(venue, venue.markets[ticker])
        venue.markets_paused_by_condition = set(conditions.paused_markets)


def postpone(venue: Venue, event: Event, by_ms: int) -> None:
    """Move a game's start; its milestone and the close of its markets move with it."""
    event.start_ms += by_ms
    event.moved_ms = venue.clock.wall_ms()
    for market in venue.markets_of(event.ticker):
        market.close_ms += by_ms
        venue.market_moved(market, "close_date_updated", close_ts=market.close_ms // MS_PER_S)


def change_grid(venue: Venue, market: Market, grid: Grid) -> None:
    """Give a market another price grid while it trades."""
    market.grid = grid
    venue.market_moved(market, "price_level_structure_updated", price_level_structure=grid.label)


def close(venue: Venue, market: Market) -> None:
    """Move the close time to now and stop trading; no event tells of the status itself."""
    market.close_ms = venue.clock.wall_ms()
    venue.market_moved(market, "close_date_updated", close_ts=market.close_ms // MS_PER_S)
    market.status = MarketStatus.CLOSED


def sweep_closed(venue: Venue) -> None:
    """Close what has reached its time, and cancel what still rests in closed markets.

    The exchange does the latter shortly after a close; no event tells of the former.
    """
    now_ms = venue.clock.wall_ms()
    for market in venue.markets.values():
        if market.close_ms <= now_ms and market.status in _TRADED:
            market.status = MarketStatus.CLOSED
        if market.status is MarketStatus.CLOSED:
            for order in market.book.orders():
                venue.take_off_book(order, Change.CLOSE)


def determine(venue: Venue, market: Market, value_e4: int, winner_label: str) -> None:
    """State the result: 1 dollar is yes, 0 is no, anything between is scalar."""
    words = {ONE_DOLLAR_E4: "yes", 0: "no"}
    market.value_e4, market.result = value_e4, words.get(value_e4, "scalar")
    market.winner_label = winner_label
    market.status = MarketStatus.DETERMINED
    venue.market_moved(
        market,
        "determined",
        determination_ts=venue.clock.wall_ms() // MS_PER_S,
        result=market.result,
        settlement_value=price_text(value_e4),
    )


def settle(venue: Venue, market: Market) -> None:
    """Pay every position of a determined market and finalize it."""
    now_ms = venue.clock.wall_ms()
    market.settled_ms = now_ms
    market.status = MarketStatus.FINALIZED
    market.open_interest_e2 = 0
    for account in venue.accounts.values():
        _settle_account(venue, account, market, now_ms)
    venue.market_moved(market, "settled", settled_ts=now_ms // MS_PER_S)


def _settle_account(venue: Venue, account: Account, market: Market, now_ms: int) -> None:
    position = account.positions.get(market.ticker)
    if position is None or position.count_e2 == 0 or market.value_e4 is None:
        return
    own_e4 = market.value_e4 if position.count_e2 > 0 else ONE_DOLLAR_E4 - market.value_e4
    revenue_e6 = abs(position.count_e2) * own_e4
    shard = market.exchange_index
    account.about_to_change(position, now_ms)
    account.pay(shard, revenue_e6, now_ms)
    account.settlements.append(
        Settlement(
            market.ticker,
            market.event.ticker,
            shard,
            market.result,
            market.value_e4,
            position.count_e2,
            position.cost_e6,
            position.fees_e6,
            revenue_e6,
            now_ms,
        )
    )
    position.realised_e6 += revenue_e6 - position.cost_e6
    position.count_e2 = position.cost_e6 = 0
    position.updated_ms = account.updated_ms = now_ms
    return_collateral(venue, account, market.event)
    for listener in list(venue.listeners):
        listener.position_changed(account.name, position)
