"""`kyro` 0.1.2, a client that others wrote for the first order endpoints: it reads, no more."""

from __future__ import annotations

import asyncio

from driving import SERIES, did, new_id, ready
from kyro import RestClient
from kyro._auth import _create_signer, _load_private_key
from kyro._config import KyroConfig
from kyro.exceptions import KyroError
from kyro.rest.api import orders


async def main() -> None:
    given = ready()
    signer = _create_signer(given.key_id, _load_private_key(given.key_path))
    async with RestClient(KyroConfig(base_url=given.rest, auth_signer=signer)) as client:
        found = await client.get("/markets", params={"series_ticker": SERIES, "status": "open"})
        ticker = found["markets"][0]["ticker"]
        did("markets", count=len(found["markets"]))
        book = await client.get(f"/markets/{ticker}/orderbook")
        did("book", yes=len(book["orderbook_fp"]["yes_dollars"]))
        did("balance", dollars=(await client.get("/portfolio/balance"))["balance_dollars"])
        try:
            await orders.create_order(
                client, ticker=ticker, side="yes", action="buy", client_order_id=new_id(), count=1
            )
        except KyroError as error:
            did("gone", error=str(error)[:80])


if __name__ == "__main__":
    asyncio.run(main())
