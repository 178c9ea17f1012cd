"""Kalshi's own asynchronous client, generated from the contract: `kalshi_python_async` 3.34.0."""

from __future__ import annotations

import asyncio

import kalshi_python_async as kalshi
from driving import SERIES, did, new_id, ready


async def main() -> None:
    given = ready()
    config = kalshi.Configuration(host=given.rest)
    config.api_key_id, config.private_key_pem = given.key_id, given.pem
    client = kalshi.KalshiClient(config)
    try:
        await trade(client)
    finally:
        await client.close()


async def trade(client: kalshi.KalshiClient) -> None:
    markets = (await client.get_markets(status="open", series_ticker=SERIES)).markets
    did("markets", count=len(markets))
    ticker = markets[0].ticker
    book = (await client.get_market_orderbook(ticker)).orderbook_fp
    did("book", yes=len(book.yes_dollars), no=len(book.no_dollars))
    did("balance", dollars=(await client.get_balance()).balance_dollars)
    wish = {
        "ticker": ticker,
        "side": "bid",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }
    placed = await client.create_order_v2(
        **wish, client_order_id=new_id(), count="5.00", price="0.0200"
    )
    did("place", order_id=placed.order_id, remaining=placed.remaining_count)
    amended = await client.amend_order_v2(
        order_id=placed.order_id, ticker=ticker, side="bid", price="0.0300", count="4.00"
    )
    did("amend", remaining=amended.remaining_count)
    gone = await client.cancel_order_v2(order_id=placed.order_id)
    did("cancel", reduced_by=gone.reduced_by)
    wish["time_in_force"] = "immediate_or_cancel"
    taken = await client.create_order_v2(
        **wish, client_order_id=new_id(), count="1.00", price="0.9900"
    )
    fills = (await client.get_fills(order_id=taken.order_id)).fills
    did("fills", count=len(fills), fee=fills[0].fee_cost)


if __name__ == "__main__":
    asyncio.run(main())
