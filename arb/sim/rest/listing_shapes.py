"""Series, events, markets, books and trades as JSON objects of the REST interface."""

from __future__ import annotations

from arb.core.money import count_text, price_text
from arb.sim.exchange.account import ONE_DOLLAR_E4
from arb.sim.exchange.fees import FeeSchedule
from arb.sim.exchange.grid import Grid
from arb.sim.exchange.markets import Event, Market, Series
from arb.sim.exchange.values import BookSide, Trade
from arb.sim.rest.words import Json, prices
from arb.sim.timing import MS_PER_HOUR, iso, iso_seconds


def series_body(series: Series) -> Json:
    """Return a series with its fee."""
    return {
        "additional_prohibitions": ["Current and former players, coaches, and staff."],
        "categories": ["Sports"],
        "category": "Sports",
        "contract_terms_url": f"https://example.invalid/{series.ticker}-terms.pdf",
        "contract_url": f"https://example.invalid/{series.ticker}.pdf",
        "exchange_index": series.exchange_index,
        "fee_multiplier": multiplier_number(series.fees),
        "fee_type": series.fees.fee_type.value,
        "frequency": "custom",
        "product_metadata": {"scope": "Game"},
        "settlement_sources": _sources(),
        "tags": [series.tag],
        "ticker": series.ticker,
        "title": series.title,
    }


def multiplier_number(fees: FeeSchedule) -> int | float:
    """Return a fee multiplier as JSON shows it: 1, 0.5."""
    multiplier = fees.multiplier_e4 / ONE_DOLLAR_E4
    return int(multiplier) if multiplier.is_integer() else multiplier


def event_body(event: Event) -> Json:
    """Return an event without its markets; a fee of its own is told where it has one."""
    body: Json = (
        {}
        if event.fee_override is None
        else {
            "fee_multiplier_override": multiplier_number(event.fee_override),
            "fee_type_override": event.fee_override.fee_type.value,
        }
    )
    return body | {
        "category": "Sports",
        "collateral_return_type": "MECNET",
        "event_ticker": event.ticker,
        "exchange_index": event.series.exchange_index,
        "last_updated_ts": iso(event.updated_ms),
        "mutually_exclusive": True,
        "product_metadata": {
            "competition": event.series.competition,
            "competition_scope": "Game",
        },
        "series_ticker": event.series.ticker,
        "settlement_sources": _sources(),
        "strike_period": "",
        "sub_title": event.sub_title,
        "title": event.title,
    }


def market_body(market: Market) -> Json:
    """Return a market as its own endpoint, lists and events show it."""
    expected_ms = market.event.start_ms + 3 * MS_PER_HOUR
    body: Json = {
        "can_close_early": True,
        "close_time": iso_seconds(market.close_ms),
        "created_time": iso(market.open_ms),
        "custom_strike": {market.event.series.target_field: market.target_id},
        "early_close_condition": "This market will close and expire after a winner is declared.",
        "event_ticker": market.event.ticker,
        "exchange_index": market.exchange_index,
        "expected_expiration_time": iso_seconds(expected_ms),
        "expiration_time": iso_seconds(market.close_ms),
        "expiration_value": market.winner_label,
        "last_price_dollars": price_text(market.last_price_e4),
        "latest_expiration_time": iso_seconds(market.close_ms),
        # In no contract since 3.31.0; a client published in October still asks for it.
        "liquidity_dollars": "0.0000",
        "market_type": "binary",
        "no_sub_title": market.label,
        "notional_value_dollars": "1.0000",
        "occurrence_datetime": iso_seconds(expected_ms),
        "open_interest_fp": count_text(market.open_interest_e2),
        "open_time": iso_seconds(market.open_ms),
        "previous_price_dollars": "0.0000",
        "previous_yes_ask_dollars": "0.0000",
        "previous_yes_bid_dollars": "0.0000",
        "price_level_structure": market.grid.label,
        "price_ranges": ranges_body(market.grid),
        "result": market.result,
        "rules_primary": f"If {market.label} wins the {market.event.title} game, then the market "
        "resolves to Yes.",
        "rules_secondary": "",
        "settlement_bounds_type": "default",
        "settlement_timer_seconds": market.event.series.timer_s,
        "status": market.status.value,
        "strike_type": "structured",
        "subtitle": market.label,
        "ticker": market.ticker,
        "title": f"{market.label} wins",
        "updated_time": iso(market.updated_ms),
        "volume_24h_fp": count_text(market.volume_e2),
        "volume_fp": count_text(market.volume_e2),
        "yes_sub_title": market.label,
    }
    return body | _quotes(market) | _settled(market)


def ranges_body(grid: Grid) -> list[Json]:
    """Return a grid's ranges."""
    return [
        {
            "end": price_text(part.end_e4),
            "start": price_text(part.start_e4),
            "step": price_text(part.step_e4),
        }
        for part in grid.ranges
    ]


def orderbook_body(market: Market, depth: int = 0) -> Json:
    """Return both sides' bids, ascending with the best last, NO on its own scale."""
    yes = market.book.levels(BookSide.BID)
    no = [(ONE_DOLLAR_E4 - price, size) for price, size in market.book.levels(BookSide.ASK)]
    return {
        f"{name}_dollars": [
            [price_text(price), count_text(size)]
            for price, size in reversed(levels[:depth] if depth else levels)
        ]
        for name, levels in (("no", no), ("yes", yes))
    }


def milestone_body(event: Event) -> Json:
    """Return the milestone of a game, which alone carries its start time."""
    return {
        "category": "Sports",
        "details": {
            "away_team_id": event.away_target_id,
            "home_team_id": event.home_target_id,
            "status": "scheduled",
        },
        "id": event.milestone_id,
        "last_updated_ts": iso(event.updated_ms),
        "notification_message": f"{event.title} is about to start",
        "primary_event_tickers": [event.ticker],
        "related_event_tickers": [event.ticker],
        "source_ids": {},
        "start_date": iso_seconds(event.start_ms),
        "title": event.title,
        "type": event.series.milestone_type,
    }


def trade_body(trade: Trade) -> Json:
    """Return a public trade."""
    outcome = "yes" if trade.taker_side is BookSide.BID else "no"
    body: Json = {
        "count_fp": count_text(trade.count_e2),
        "created_time": iso(trade.at_ms),
        "is_block_trade": False,
        "taker_book_side": trade.taker_side.value,
        "taker_outcome_side": outcome,
        "taker_side": outcome,
        "ticker": trade.ticker,
        "trade_id": trade.trade_id,
    }
    return body | prices(trade.price_e4)


def _quotes(market: Market) -> Json:
    bid_e4 = market.book.best_e4(BookSide.BID)
    ask_e4 = market.book.best_e4(BookSide.ASK)
    # An empty side shows these placeholders, and so does every finished market.
    shown_bid_e4 = 0 if bid_e4 is None else bid_e4
    shown_ask_e4 = ONE_DOLLAR_E4 if ask_e4 is None else ask_e4
    return {
        "no_ask_dollars": price_text(ONE_DOLLAR_E4 - shown_bid_e4),
        "no_bid_dollars": price_text(ONE_DOLLAR_E4 - shown_ask_e4),
        "yes_ask_dollars": price_text(shown_ask_e4),
        "yes_ask_size_fp": count_text(market.book.size_e2(BookSide.ASK, ask_e4)),
        "yes_bid_dollars": price_text(shown_bid_e4),
        "yes_bid_size_fp": count_text(market.book.size_e2(BookSide.BID, bid_e4)),
    }


def _settled(market: Market) -> Json:
    body: Json = {}
    if market.value_e4 is not None:
        body["settlement_value_dollars"] = price_text(market.value_e4)
    if market.settled_ms is not None:
        body["settlement_ts"] = iso(market.settled_ms)
    return body


def _sources() -> list[Json]:
    return [{"name": "the Governing League", "url": "https://example.invalid/"}]
