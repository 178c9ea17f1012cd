"""`pykalshi`, a client that others wrote: REST, and its feed over the WebSocket."""

from __future__ import annotations

import asyncio
import contextlib

from driving import SERIES, Ready, did, eventually, ready
from pykalshi import AsyncKalshiClient, KalshiClient, MarketStatus, TimeInForce

PATIENCE_S = 10.0


def main() -> None:
    given = ready()
    with KalshiClient(
        api_key_id=given.key_id, private_key_path=given.key_path, api_base=given.rest
    ) as client:
        markets = client.get_markets(status=MarketStatus.OPEN, series_ticker=SERIES)
        did("markets", count=len(markets))
        market = markets[0]
        book = market.get_orderbook()
        did("book", book=str(book)[:60])
        did("balance", cents=client.portfolio.get_balance().balance)
        order = client.portfolio.place_order(
            market, book_side="bid", price_dollars="0.02", count_fp="5"
        )
        did("place", order_id=order.order_id, remaining=order.remaining_count_fp)
        order.amend(price_dollars="0.03")
        did("amend", price=order.yes_price_dollars)
        order.decrease(reduce_by_fp="2")
        did("decrease", remaining=order.remaining_count_fp)
        order.cancel()
        did("cancel")
        asyncio.run(listen(given, market.ticker, client))


async def listen(given: Ready, ticker: str, client: KalshiClient) -> None:
    other = AsyncKalshiClient(
        api_key_id=given.key_id, private_key_path=given.key_path, api_base=given.rest
    )
    feed = other.feed()
    # The client knows Kalshi's two addresses and takes a third nowhere else.
    feed._ws_url = given.ws
    seen: asyncio.Queue[str] = asyncio.Queue()
    feed.on("orderbook_delta", lambda message: seen.put_nowait(type(message).__name__))
    feed.on("fill", lambda message: seen.put_nowait(f"fill {message.order_id}"))
    feed.subscribe("orderbook_delta", market_ticker=ticker)
    feed.subscribe("fill")
    async with feed:
        reader = asyncio.create_task(drain(feed))
        did("ws_book", first=await asyncio.wait_for(seen.get(), PATIENCE_S))
        taken = await asyncio.to_thread(
            lambda: client.portfolio.place_order(
                ticker,
                book_side="bid",
                price_dollars="0.99",
                count_fp="1",
                time_in_force=TimeInForce.IOC,
            )
        )
        async with asyncio.timeout(PATIENCE_S):
            while await seen.get() != f"fill {taken.order_id}":
                pass
        did("ws_fill")
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reader
    fills = eventually(lambda: client.portfolio.get_fills(limit=10))
    did("fills", count=len(fills))


async def drain(feed: object) -> None:
    async for _ in feed:  # type: ignore[attr-defined]
        pass


if __name__ == "__main__":
    main()
