"""Orders, fills, positions, settlements and balances as JSON objects of the REST interface."""

from __future__ import annotations

from arb.core.money import count_text, money_text
from arb.sim.exchange.account import Position, Settlement
from arb.sim.exchange.values import Fill, Order
from arb.sim.exchange.venue import Venue
from arb.sim.rest.words import Json, direction, dollars_text, prices
from arb.sim.timing import MS_PER_S, iso, iso_seconds

_E6_PER_CENT = 10_000


def order_body(venue: Venue, order: Order) -> Json:
    """Return an order as the order list shows it."""
    account = venue.accounts[order.account]
    body: Json = {
        "client_order_id": order.client_order_id,
        "created_time": iso(order.created_ms),
        "exchange_index": venue.markets[order.ticker].exchange_index,
        "fill_count_fp": count_text(order.filled_e2),
        "initial_count_fp": count_text(order.initial_e2),
        "last_update_time": iso(order.updated_ms),
        "maker_fees_dollars": money_text(order.maker_fees_e6),
        "maker_fill_cost_dollars": money_text(order.maker_cost_e6),
        "order_id": order.order_id,
        "remaining_count_fp": count_text(order.remaining_e2),
        "self_trade_prevention_type": order.request.self_trade.value,
        "status": order.status.value,
        "subaccount_number": 0,
        "taker_fees_dollars": money_text(order.taker_fees_e6),
        "taker_fill_cost_dollars": money_text(order.taker_cost_e6),
        "ticker": order.ticker,
        "type": "limit",
        "user_id": account.user_id,
    }
    if order.expires_s is not None:
        body["expiration_time"] = iso_seconds(order.expires_s * MS_PER_S)
    if order.request.group_id is not None:
        body["order_group_id"] = order.request.group_id
    if order.request.cancel_on_pause:
        body["cancel_order_on_pause"] = True
    return body | direction(order.side) | prices(order.price_e4)


def fill_body(venue: Venue, fill: Fill) -> Json:
    """Return a fill; the client order id is not part of it since March 2026."""
    body: Json = {
        "count_fp": count_text(fill.count_e2),
        "created_time": iso(fill.at_ms),
        "exchange_index": venue.markets[fill.ticker].exchange_index,
        "fee_cost": money_text(fill.fee_e6),
        "fill_id": fill.trade_id,
        "is_taker": fill.is_taker,
        "market_ticker": fill.ticker,
        "order_id": fill.order_id,
        "subaccount_number": 0,
        "ticker": fill.ticker,
        "trade_id": fill.trade_id,
        "ts": fill.at_ms // MS_PER_S,
    }
    return body | direction(fill.side) | prices(fill.price_e4)


def position_body(venue: Venue, position: Position) -> Json:
    """Return one market's position; fees are not part of the exposure."""
    return {
        "exchange_index": venue.markets[position.ticker].exchange_index,
        "fees_paid_dollars": money_text(position.fees_e6),
        "last_updated_ts": iso(position.updated_ms),
        "market_exposure_dollars": money_text(position.cost_e6),
        "position_fp": count_text(position.count_e2),
        "realized_pnl_dollars": money_text(position.realised_e6),
        "ticker": position.ticker,
        "total_traded_dollars": money_text(position.traded_e6),
    }


def event_position_body(event_ticker: str, positions: list[Position]) -> Json:
    """Return the sum of an event's positions."""
    return {
        "event_exposure_dollars": money_text(sum(one.cost_e6 for one in positions)),
        "event_ticker": event_ticker,
        "fees_paid_dollars": money_text(sum(one.fees_e6 for one in positions)),
        "realized_pnl_dollars": money_text(sum(one.realised_e6 for one in positions)),
        "total_cost_dollars": money_text(sum(one.traded_e6 for one in positions)),
        "total_cost_shares_fp": count_text(sum(one.volume_e2 for one in positions)),
    }


def settlement_body(settlement: Settlement) -> Json:
    """Return what a market's end paid; revenue and value are whole cents."""
    yes = settlement.count_e2 > 0
    count, cost = count_text(abs(settlement.count_e2)), money_text(settlement.cost_e6)
    return {
        "event_ticker": settlement.event_ticker,
        "exchange_index": settlement.exchange_index,
        "fee_cost": money_text(settlement.fees_e6),
        "market_result": settlement.result,
        "no_count_fp": "0.00" if yes else count,
        "no_total_cost_dollars": "0.000000" if yes else cost,
        "revenue": settlement.revenue_e6 // _E6_PER_CENT,
        "settled_time": iso(settlement.at_ms),
        "ticker": settlement.ticker,
        "value": settlement.value_e4 // 100,
        "yes_count_fp": count if yes else "0.00",
        "yes_total_cost_dollars": cost if yes else "0.000000",
    }


def balance_body(cash_e6: dict[int, int], portfolio_e6: int, now_ms: int) -> Json:
    """Return the cash of all shards, cents cut off; it is stamped with the moment of the read."""
    total_e6 = sum(cash_e6.values())
    return {
        "balance": total_e6 // _E6_PER_CENT,
        "balance_breakdown": [
            {"balance": dollars_text(one_e6), "exchange_index": shard}
            for shard, one_e6 in sorted(cash_e6.items())
        ],
        "balance_dollars": dollars_text(total_e6),
        "portfolio_value": portfolio_e6 // _E6_PER_CENT,
        "updated_ts": now_ms // MS_PER_S,
    }
