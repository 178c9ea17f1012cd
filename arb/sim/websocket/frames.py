"""The messages of the exchange's WebSocket channels as JSON objects."""

from __future__ import annotations

from arb.core.money import count_text, money_text, price_text
from arb.sim.exchange.account import ONE_DOLLAR_E4, Account, Position
from arb.sim.exchange.groups import GroupEvent
from arb.sim.exchange.markets import Event, Market
from arb.sim.exchange.values import (
    BookSide,
    Change,
    Fill,
    LevelChange,
    LifecycleEvent,
    Order,
    Trade,
)
from arb.sim.rest.listing_shapes import multiplier_number, ranges_body
from arb.sim.rest.words import Json
from arb.sim.timing import MS_PER_S, iso, iso_seconds

# The contract has no word for a person's own cancel, nor for that of an order group.
_UNSPOKEN = frozenset({Change.NONE, Change.CANCEL, Change.GROUP})


def side_word(side: BookSide) -> str:
    """Return the outcome whose bids stand on this side of the YES book."""
    return "yes" if side is BookSide.BID else "no"


def level_price(side: BookSide, price_e4: int, *, use_yes_price: bool) -> str:
    """Write a level's price: NO levels on their own scale, or on the YES scale when asked."""
    own_scale = side is BookSide.ASK and not use_yes_price
    return price_text(ONE_DOLLAR_E4 - price_e4 if own_scale else price_e4)


def snapshot_message(market: Market, *, use_yes_price: bool) -> Json:
    """Return a whole book; the key of an empty side is absent."""
    message: Json = {
        "market_ticker": market.ticker,
        "market_id": market.market_id,
        "clock": market.clock,
    }
    for side in BookSide:
        levels = market.book.levels(side)
        if levels:
            message[f"{side_word(side)}_dollars_fp"] = [
                [level_price(side, price_e4, use_yes_price=use_yes_price), count_text(size_e2)]
                for price_e4, size_e2 in reversed(levels)
            ]
    return message


def delta_message(
    market: Market, change: LevelChange, account: str, *, use_yes_price: bool
) -> Json:
    """Return a level's change; one's own order is named in it, others' are not."""
    message: Json = {
        "market_ticker": market.ticker,
        "market_id": market.market_id,
        "clock": change.clock,
        "price_dollars": level_price(change.side, change.price_e4, use_yes_price=use_yes_price),
        "delta_fp": count_text(change.delta_e2),
        "side": side_word(change.side),
        "ts": iso(change.at_ms),
        "ts_ms": change.at_ms,
    }
    own = next((name for owner, name in change.owners if owner == account and name), None)
    if own is not None:
        message["client_order_id"] = own
    return message


def ticker_message(market: Market, now_ms: int) -> Json:
    """Return a market's touch, last price and volumes."""
    bid_e4 = market.book.best_e4(BookSide.BID)
    ask_e4 = market.book.best_e4(BookSide.ASK)
    last_size_e2 = market.trades[-1].count_e2 if market.trades else 0
    return {
        "market_id": market.market_id,
        "market_ticker": market.ticker,
        "price_dollars": price_text(market.last_price_e4),
        "yes_bid_dollars": price_text(bid_e4 or 0),
        "yes_ask_dollars": price_text(ONE_DOLLAR_E4 if ask_e4 is None else ask_e4),
        "volume_fp": count_text(market.volume_e2),
        "open_interest_fp": count_text(market.open_interest_e2),
        "dollar_volume": market.volume_e2 // 100,
        "dollar_open_interest": market.open_interest_e2 // 100,
        "yes_bid_size_fp": count_text(market.book.size_e2(BookSide.BID, bid_e4)),
        "yes_ask_size_fp": count_text(market.book.size_e2(BookSide.ASK, ask_e4)),
        "last_trade_size_fp": count_text(last_size_e2),
        "ts": now_ms // MS_PER_S,
        "ts_ms": now_ms,
        "time": iso(now_ms),
    }


def trade_message(trade: Trade) -> Json:
    """Return a public trade."""
    return {
        "trade_id": trade.trade_id,
        "market_ticker": trade.ticker,
        "yes_price_dollars": price_text(trade.price_e4),
        "no_price_dollars": price_text(ONE_DOLLAR_E4 - trade.price_e4),
        "count_fp": count_text(trade.count_e2),
        "taker_side": side_word(trade.taker_side),
        "taker_outcome_side": side_word(trade.taker_side),
        "taker_book_side": trade.taker_side.value,
        "is_block_trade": False,
        "ts": trade.at_ms // MS_PER_S,
        "ts_ms": trade.at_ms,
    }


def fill_message(market: Market, fill: Fill) -> Json:
    """Return one's own fill."""
    word = side_word(fill.side)
    message: Json = {
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "market_ticker": fill.ticker,
        "exchange_index": market.exchange_index,
        "is_taker": fill.is_taker,
        "side": word,
        "yes_price_dollars": price_text(fill.price_e4),
        "count_fp": count_text(fill.count_e2),
        "fee_cost": money_text(fill.fee_e6),
        "action": "buy",
        "ts": fill.at_ms // MS_PER_S,
        "ts_ms": fill.at_ms,
        "post_position_fp": count_text(fill.position_after_e2),
        "purchased_side": word,
        "outcome_side": word,
        "book_side": fill.side.value,
        "subaccount": 0,
    }
    if fill.client_order_id:
        message["client_order_id"] = fill.client_order_id
    return message


def order_message(market: Market, account: Account, order: Order) -> Json:
    """Return one's own order after a change."""
    word = side_word(order.side)
    message: Json = {
        "order_id": order.order_id,
        "user_id": account.user_id,
        "ticker": order.ticker,
        "exchange_index": market.exchange_index,
        "status": order.status.value,
        "side": word,
        "is_yes": order.side is BookSide.BID,
        "outcome_side": word,
        "book_side": order.side.value,
        "yes_price_dollars": price_text(order.price_e4),
        "fill_count_fp": count_text(order.filled_e2),
        "remaining_count_fp": count_text(order.remaining_e2),
        "initial_count_fp": count_text(order.initial_e2),
        "taker_fill_cost_dollars": money_text(order.taker_cost_e6),
        "maker_fill_cost_dollars": money_text(order.maker_cost_e6),
        "taker_fees_dollars": money_text(order.taker_fees_e6),
        "maker_fees_dollars": money_text(order.maker_fees_e6),
        "client_order_id": order.client_order_id,
        "self_trade_prevention_type": order.request.self_trade.value,
        "created_time": iso(order.created_ms),
        "created_ts_ms": order.created_ms,
        "last_updated_ts_ms": order.updated_ms,
        "subaccount_number": 0,
    }
    if order.request.group_id is not None:
        message["order_group_id"] = order.request.group_id
    if order.expires_s is not None:
        message["expiration_time"] = iso_seconds(order.expires_s * MS_PER_S)
        message["expiration_ts_ms"] = order.expires_s * MS_PER_S
    if order.change not in _UNSPOKEN:
        message["last_update_reason"] = order.change.value
    return message


def position_message(account: Account, position: Position) -> Json:
    """Return one's own position in a market."""
    return {
        "user_id": account.user_id,
        "market_ticker": position.ticker,
        "position_fp": count_text(position.count_e2),
        "position_cost_dollars": money_text(position.cost_e6),
        "realized_pnl_dollars": money_text(position.realised_e6),
        "fees_paid_dollars": money_text(position.fees_e6),
        "position_fee_cost_dollars": money_text(position.fees_e6),
        "volume_fp": count_text(position.volume_e2),
    }


def lifecycle_message(market: Market, event: LifecycleEvent) -> Json:
    """Return a market's change of life; a new grid goes out with its ranges."""
    message: Json = {"market_ticker": event.ticker, "event_type": event.event_type}
    message.update(event.fields)
    if "price_level_structure" in message:
        message["price_ranges"] = ranges_body(market.grid)
    if event.event_type == "created":
        message["additional_metadata"] = {
            "name": market.label,
            "title": f"{market.label} wins",
            "yes_sub_title": market.label,
            "no_sub_title": market.label,
            "rules_primary": "",
            "rules_secondary": "",
            "can_close_early": True,
            "event_ticker": market.event.ticker,
            "expected_expiration_ts": market.event.start_ms // MS_PER_S,
            "strike_type": "structured",
        }
    return message


def event_message(event: Event) -> Json:
    """Return a newly listed event."""
    return {
        "event_ticker": event.ticker,
        "exchange_index": event.series.exchange_index,
        "title": event.title,
        "subtitle": event.sub_title,
        "collateral_return_type": "MECNET",
        "series_ticker": event.series.ticker,
    }


def event_fee_message(event: Event) -> Json:
    """Return an event's own fee; both are null where its series' counts again."""
    override = event.fee_override
    return {
        "event_ticker": event.ticker,
        "fee_type_override": None if override is None else override.fee_type.value,
        "fee_multiplier_override": None if override is None else multiplier_number(override),
    }


def group_message(event: GroupEvent) -> Json:
    """Return what became of an order group; its limit is told when it is new."""
    message: Json = {
        "event_type": event.event_type,
        "order_group_id": event.group_id,
        "ts_ms": event.at_ms,
    }
    if event.limit_e2 is not None:
        message["contracts_limit_fp"] = count_text(event.limit_e2)
    return message
