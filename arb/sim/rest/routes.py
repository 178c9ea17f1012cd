"""Which request is answered by which function."""

from __future__ import annotations

from collections.abc import Callable

from arb.sim.rest import (
    candles,
    fee_changes,
    groups,
    history,
    milestones,
    orders,
    payments,
    portfolio,
    public,
    schedule,
    shard_transfers,
    subaccounts,
    targets,
)
from arb.sim.rest.call import Call
from arb.sim.serving.http import Response, Route

_ORDERS = "/portfolio/events/orders"
_FIRST = "/portfolio/orders"
_GROUP = "/portfolio/order_groups/{group_id}"
_SHARDS = "/portfolio/intra_exchange_instance"

Handle = Callable[[Call], Response]

ROUTES: list[Route[Handle]] = [
    Route("GET", "/exchange/status", public.exchange_status, public=True),
    Route("GET", "/exchange/schedule", schedule.schedule, public=True),
    Route("GET", "/exchange/user_data_timestamp", public.user_data_timestamp, public=True),
    Route("GET", "/series/fee_changes", fee_changes.series_changes, public=True),
    Route("GET", "/events/fee_changes", fee_changes.event_changes, public=True),
    Route("GET", "/series", public.series_list, public=True),
    Route("GET", "/series/{ticker}", public.series_one, public=True),
    Route("GET", "/events", public.events_list, public=True),
    Route("GET", "/events/{ticker}", public.events_one, public=True),
    Route("GET", "/markets/trades", public.trades, public=True),
    Route("GET", "/markets/candlesticks", candles.several, public=True),
    Route("GET", "/markets/orderbooks", public.orderbooks, public=True),
    Route("GET", "/markets", public.markets_list, public=True),
    Route("GET", "/markets/{ticker}", public.markets_one, public=True),
    Route("GET", "/markets/{ticker}/orderbook", public.orderbook, public=True),
    Route(
        "GET",
        "/series/{series_ticker}/markets/{ticker}/candlesticks",
        candles.one_market,
        public=True,
    ),
    Route("GET", "/milestones", milestones.milestones_list, public=True),
    Route("GET", "/milestones/{milestone_id}", milestones.milestones_one, public=True),
    Route("GET", "/structured_targets", targets.targets_list, public=True),
    Route("GET", "/structured_targets/{target_id}", targets.targets_one, public=True),
    Route("GET", "/historical/cutoff", history.cutoff, public=True),
    Route("GET", "/historical/markets", history.markets, public=True),
    Route("GET", "/historical/markets/{ticker}", history.market, public=True),
    Route("GET", "/historical/trades", history.trades, public=True),
    Route("GET", "/historical/fills", history.fills),
    Route("GET", "/historical/orders", history.orders),
    Route("GET", "/historical/positions", history.positions),
    Route("POST", _ORDERS, orders.create),
    Route("DELETE", _ORDERS, orders.cancel_everything),
    Route("POST", f"{_ORDERS}/batched", orders.create_batch),
    Route("DELETE", f"{_ORDERS}/batched", orders.cancel_batch),
    Route("DELETE", f"{_ORDERS}/{{order_id}}", orders.cancel_by_id),
    Route("POST", f"{_ORDERS}/{{order_id}}/amend", orders.amend_by_id),
    Route("POST", f"{_ORDERS}/{{order_id}}/decrease", orders.decrease_by_id),
    Route("GET", f"{_FIRST}/queue_positions", portfolio.queue_positions),
    Route("GET", _FIRST, portfolio.orders_list),
    Route("GET", f"{_FIRST}/{{order_id}}", portfolio.orders_one),
    Route("GET", f"{_FIRST}/{{order_id}}/queue_position", portfolio.queue_position),
    Route("POST", _FIRST, orders.first_version),
    Route("POST", f"{_FIRST}/batched", orders.first_version),
    Route("DELETE", f"{_FIRST}/batched", orders.first_version),
    Route("DELETE", f"{_FIRST}/{{order_id}}", orders.first_version),
    Route("POST", f"{_FIRST}/{{order_id}}/amend", orders.first_version),
    Route("POST", f"{_FIRST}/{{order_id}}/decrease", orders.first_version),
    Route("POST", "/portfolio/order_groups/create", groups.create_group),
    Route("GET", "/portfolio/order_groups", groups.list_groups),
    Route("GET", _GROUP, groups.one_group),
    Route("DELETE", _GROUP, groups.delete_group),
    Route("PUT", f"{_GROUP}/limit", groups.limit_group),
    Route("PUT", f"{_GROUP}/reset", groups.reset_group),
    Route("PUT", f"{_GROUP}/trigger", groups.trigger_group),
    Route("GET", "/portfolio/fills", portfolio.fills),
    Route("GET", "/portfolio/positions", portfolio.positions),
    Route("GET", "/portfolio/balance", portfolio.balance),
    Route("GET", "/portfolio/settlements", portfolio.settlements),
    Route("GET", "/portfolio/deposits", payments.deposits),
    Route("GET", "/portfolio/withdrawals", payments.withdrawals),
    Route("POST", "/portfolio/subaccounts", subaccounts.create),
    Route("GET", "/portfolio/subaccounts/balances", subaccounts.balances),
    Route("POST", "/portfolio/subaccounts/transfer", subaccounts.transfer),
    Route("GET", "/portfolio/subaccounts/transfers", subaccounts.transfers),
    Route("GET", "/portfolio/subaccounts/netting", subaccounts.netting),
    Route("PUT", "/portfolio/subaccounts/netting", subaccounts.set_netting),
    Route("POST", f"{_SHARDS}_transfer", shard_transfers.transfer),
    Route("GET", f"{_SHARDS}_transfers", shard_transfers.transfers),
    Route("GET", f"{_SHARDS}_transfers/{{transfer_id}}", shard_transfers.transfer_one),
    Route("GET", "/portfolio/target_balance_allocation", shard_transfers.target_allocation),
    Route("GET", "/account/limits", portfolio.account_limits),
    Route("GET", "/account/endpoint_costs", portfolio.endpoint_costs, public=True),
]
