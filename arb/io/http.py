"""Plain HTTP requests with limits on everything, for all that is not an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import attrs
import httpx
import trio

from arb.io.http_transport import CLOSE_TIMEOUT_S, SeamTransport
from arb.io.net import Network
from arb.io.text import one_line
from arb.io.url import masked_url, without_secret

# From the first byte asked to the last received; a healthy answer takes 10 to 300 ms.
REQUEST_TIMEOUT_S = 10.0

# Waiting for a free connection, for a new one, and for the next piece of an answer.
POOL_TIMEOUT_S = 2.0
CONNECT_TIMEOUT_S = 5.0
PIECE_TIMEOUT_S = 5.0

Params = Sequence[tuple[str, str]]

_TIMEOUT = httpx.Timeout(
    connect=CONNECT_TIMEOUT_S, read=PIECE_TIMEOUT_S, write=PIECE_TIMEOUT_S, pool=POOL_TIMEOUT_S
)


class HttpFailed(Exception):
    """No answer came: one line with where and why, without the query, which may hold a key."""


@attrs.frozen
class HttpAnswer:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)


class Http:
    """An HTTP client over the network seam. Redirects are not followed; nothing is retried."""

    def __init__(self, network: Network, *, transport: SeamTransport | None = None) -> None:
        self._transport = transport or SeamTransport(network)
        self._client = httpx.AsyncClient(
            transport=self._transport,
            timeout=_TIMEOUT,
            # Uncompressed, so that the limit on a body limits what it unpacks to as well.
            headers={"User-Agent": "arb", "Accept-Encoding": "identity"},
            # Proxies and .netrc of the environment would go round the seam.
            trust_env=False,
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        headers: Sequence[tuple[str, str]] = (),
        content: bytes | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> HttpAnswer:
        """Send one request and read the whole answer; raises `HttpFailed`."""
        request = self._client.build_request(
            method, url, params=list(params) or None, headers=list(headers), content=content
        )
        place = f"{method} {masked_url(url)}"
        try:
            with trio.fail_after(timeout_s):
                response = await self._client.send(request)
        except trio.TooSlowError:
            raise HttpFailed(f"{place}: no answer within {timeout_s:g} s") from None
        except httpx.HTTPError as error:
            secrets = [value for _, value in params]
            raise HttpFailed(f"{place}: {without_secret(_why(error), *secrets)}") from None
        return HttpAnswer(response.status_code, dict(response.headers), response.content)

    @property
    def pools_rebuilt(self) -> int:
        """Return how often the connection pool was found poisoned."""
        return self._transport.rebuilt

    def give_up(self) -> None:
        """Use no connection of until now any more; requests that are under way fail."""
        self._transport.give_up()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *_: object) -> None:
        with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            await self._client.aclose()

    def __repr__(self) -> str:
        return f"<Http {self._transport!r}>"


def _why(error: httpx.HTTPError) -> str:
    words = one_line(error)
    kind = type(error).__name__
    return f"{kind}: {words}" if words else kind
