"""`kalshi-sdk` 22.4.0, a client that others wrote: REST and WebSocket."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from driving import SERIES, did, eventually, new_id, ready
from kalshi import (
    AmendOrderV2Request,
    CreateOrderV2Request,
    DecreaseOrderV2Request,
    KalshiAuth,
    KalshiClient,
    KalshiConfig,
)
from kalshi.ws import KalshiWebSocket


def main() -> None:
    given = ready()
    config = KalshiConfig(base_url=given.rest, ws_base_url=given.ws)
    auth = KalshiAuth.from_key_path(given.key_id, given.key_path)
    with KalshiClient(auth=auth, config=config) as client:
        markets = list(client.markets.list(status="open", series_ticker=SERIES))
        did("markets", count=len(markets))
        ticker = markets[0].ticker
        book = client.markets.orderbook(ticker)
        did("book", yes=len(book.yes), no=len(book.no))
        did("balance", cents=client.portfolio.balance().balance)
        orders(client, ticker)
        asyncio.run(listen(config, auth, client, ticker))


def wish(ticker: str, price: str, count: str, lifetime: str) -> CreateOrderV2Request:
    return CreateOrderV2Request(
        ticker=ticker,
        client_order_id=new_id(),
        side="bid",
        count=Decimal(count),
        price=Decimal(price),
        time_in_force=lifetime,
        self_trade_prevention_type="taker_at_cross",
    )


def orders(client: KalshiClient, ticker: str) -> None:
    placed = client.orders.create_v2(request=wish(ticker, "0.02", "5", "good_till_canceled"))
    did("place", order_id=placed.order_id, remaining=placed.remaining_count)
    amended = client.orders.amend_v2(
        placed.order_id,
        request=AmendOrderV2Request(
            ticker=ticker, side="bid", price=Decimal("0.03"), count=Decimal(4)
        ),
    )
    did("amend", remaining=amended.remaining_count)
    reduced = client.orders.decrease_v2(
        placed.order_id, request=DecreaseOrderV2Request(reduce_to=Decimal(3))
    )
    did("decrease", remaining=reduced.remaining_count)
    did("orders", count=len(list(client.orders.list(status="resting"))))
    did("cancel", reduced_by=client.orders.cancel_v2(placed.order_id).reduced_by)


async def listen(config: KalshiConfig, auth: KalshiAuth, client: KalshiClient, ticker: str) -> None:
    socket = KalshiWebSocket(auth=auth, config=config)
    async with socket.connect() as session, asyncio.timeout(20):
        # Books last: the client drops whatever arrives while it subscribes to something else.
        fills = await session.subscribe_fill()
        books = await session.subscribe_orderbook_delta(tickers=[ticker])
        first = await anext(books)
        second = await anext(books)
        did("ws_book", first=type(first).__name__, second=type(second).__name__)
        request = wish(ticker, "0.99", "1", "immediate_or_cancel")
        taken = await asyncio.to_thread(lambda: client.orders.create_v2(request=request))
        heard = await anext(fills)
        did("ws_fill", same=heard.msg.order_id == taken.order_id)
    read = eventually(lambda: list(client.portfolio.fills(order_id=taken.order_id)))
    did("fills", count=len(read))


if __name__ == "__main__":
    main()
