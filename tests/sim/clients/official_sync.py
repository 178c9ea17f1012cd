"""Kalshi's own client for Python, generated from the contract: `kalshi_python_sync` 3.34.0."""

from __future__ import annotations

import kalshi_python_sync as kalshi
from driving import SERIES, did, eventually, new_id, ready


def main() -> None:
    given = ready()
    config = kalshi.Configuration(host=given.rest)
    config.api_key_id, config.private_key_pem = given.key_id, given.pem
    client = kalshi.KalshiClient(config)
    markets = client.get_markets(status="open", series_ticker=SERIES).markets
    did("markets", count=len(markets))
    ticker = markets[0].ticker
    book = client.get_market_orderbook(ticker).orderbook_fp
    did("book", yes=len(book.yes_dollars), no=len(book.no_dollars))
    did("balance", dollars=client.get_balance().balance_dollars)
    client.get_events(limit=5, with_nested_markets=True)
    client.get_milestones(limit=5)
    client.get_exchange_schedule()
    client.get_structured_targets()
    did("listings")
    orders(client, ticker)
    fill(client, ticker)
    did("limits", tier=client.get_account_api_limits().usage_tier)


def orders(client: kalshi.KalshiClient, ticker: str) -> None:
    placed = client.create_order_v2(
        ticker=ticker,
        client_order_id=new_id(),
        side="bid",
        count="5.00",
        price="0.0200",
        time_in_force="good_till_canceled",
        self_trade_prevention_type="taker_at_cross",
    )
    did("place", order_id=placed.order_id, remaining=placed.remaining_count)
    amended = client.amend_order_v2(
        order_id=placed.order_id, ticker=ticker, side="bid", price="0.0300", count="4.00"
    )
    did("amend", remaining=amended.remaining_count)
    reduced = client.decrease_order_v2(order_id=placed.order_id, reduce_to="3.00")
    did("decrease", remaining=reduced.remaining_count)
    did("orders", count=len(client.get_orders(status="resting").orders))
    did("cancel", reduced_by=client.cancel_order_v2(order_id=placed.order_id).reduced_by)


def fill(client: kalshi.KalshiClient, ticker: str) -> None:
    taken = client.create_order_v2(
        ticker=ticker,
        client_order_id=new_id(),
        side="bid",
        count="1.00",
        price="0.9900",
        time_in_force="immediate_or_cancel",
        self_trade_prevention_type="taker_at_cross",
    )
    fills = eventually(lambda: client.get_fills(order_id=taken.order_id).fills)
    did("fills", count=len(fills), fee=fills[0].fee_cost)
    positions = eventually(lambda: client.get_positions(ticker=ticker).market_positions)
    did("positions", count=len(positions))


if __name__ == "__main__":
    main()
