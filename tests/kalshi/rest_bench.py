"""The REST client over a small server, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from arb.io.clock import VirtualClock
from arb.io.http import Http
from arb.kalshi.rest import Rest
from tests.io.http_server import URL, Asked, HttpServer, Reply, http_served
from tests.kalshi.keys import PlainSigner

EPOCH_MS = 1_786_000_000_000

Pages = Callable[[str, dict[str, str]], object]


@asynccontextmanager
async def rest_over(pages: Pages, **options: Any) -> AsyncIterator[tuple[Rest, HttpServer]]:
    """Serve JSON by path and query; a `Reply` is sent as it is."""

    def answer(asked: Asked) -> Reply:
        parts = urlsplit(asked.target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        content = pages(parts.path.removeprefix("/trade-api/v2"), query)
        return content if isinstance(content, Reply) else Reply(body=orjson.dumps(content))

    async with http_served(answer) as (network, server), Http(network) as http:
        yield Rest(http, PlainSigner(), VirtualClock(EPOCH_MS), URL, **options), server
