"""`kalshi-client` 0.1.6 of 2024, a client that others wrote: its reads still work."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from driving import SERIES, did, ready
from kalshi_client.client import KalshiClient


def main() -> None:
    given = ready()
    key = load_pem_private_key(given.pem.encode(), password=None)
    client = KalshiClient(given.key_id, key, exchange_api_base=given.rest)
    markets = client.get_markets(series_ticker=SERIES, status="open")["markets"]
    did("markets", count=len(markets))
    book = client.get_orderbook(markets[0]["ticker"])
    did("book", names=sorted(book))
    did("balance", cents=client.get_balance()["balance"])
    did("orders", count=len(client.get_orders()["orders"]))
    did("fills", count=len(client.get_fills()["fills"]))


if __name__ == "__main__":
    main()
