"""Kalshi's first client, `kalshi_python` 2.1.4 of 2025, whose order endpoints are gone."""

from __future__ import annotations

import kalshi_python as kalshi
from driving import SERIES, did, ready


def main() -> None:
    given = ready()
    config = kalshi.Configuration(host=given.rest)
    config.api_key_id, config.private_key_pem = given.key_id, given.pem
    client = kalshi.KalshiClient(config)
    did("balance", cents=client.get_balance().balance)
    # Its models ask for prices in cents, which left the exchange in January 2026; the answers
    # themselves arrive.
    raw = client.get_markets_without_preload_content(status="open", series_ticker=SERIES)
    did("markets", status=raw.status, size=len(raw.data))
    try:
        client.create_order(
            ticker="ANY", side="yes", action="buy", count=1, type="limit", yes_price=1
        )
    except kalshi.exceptions.ApiException as error:
        did("gone", status=error.status, code="deprecated_v1_order_endpoint" in str(error.body))


if __name__ == "__main__":
    main()
