"""Unabated: a snapshot by REST, AppSync's GraphQL socket for changes, and a query for the gap.

The order is the provider's: snapshot, socket, and on its acknowledgement what changed in between,
at most a minute back. What fills the gap is handed out as the stream's first message.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import orjson
import trio

from arb.core.events import Quote
from arb.core.games import OddsEvent
from arb.feeds.asking import ask, content_of
from arb.feeds.base import FeedError, NoteBad, Parsed, unheard
from arb.feeds.unabated_wire import LEAGUES, PROVIDER, UnabatedReader
from arb.io.clock import Clock
from arb.io.http import Http
from arb.io.net import Network
from arb.io.text import one_line
from arb.io.url import Endpoint
from arb.io.websocket import ConnectFailed, Socket, SocketClosed, open_socket

SUBPROTOCOL = "graphql-ws"

# From our first word to the acknowledged subscription; a healthy one takes a second.
START_TIMEOUT_S = 10.0

_FIELDS = (
    "leagueId marketSourceGroup messageTimestamp marketLines { marketId marketLineId"
    " marketSourceId price statusId sequenceNumber disabled modifiedOn }"
)


class Unabated:
    """One account's feed; satisfies `OddsFeed`."""

    provider = PROVIDER

    def __init__(
        self,
        http: Http,
        network: Network,
        clock: Clock,
        rest_url: str,
        ws_url: str,
        api_key: str,
        *,
        books: Sequence[str],
        on_bad: NoteBad = unheard,
    ) -> None:
        self._http = http
        self._network = network
        self._clock = clock
        self._rest_url = rest_url.rstrip("/")
        self._ws_url = ws_url
        self._api_key = api_key
        self._on_bad = on_bad
        self._sports: tuple[str, ...] = ()
        self._named: set[str] = set()
        self._reader = UnabatedReader(books)
        self._updated_ms: int | None = None

    async def events(self, sports: Sequence[str]) -> list[OddsEvent]:
        """Return the games of some leagues that are to come or live; raises `FeedError`."""
        return (await self._read(sports))[0]

    async def snapshot(self, event_ids: Sequence[str]) -> list[Quote]:
        """Return every book's price of some games as they stand; raises `FeedError`."""
        wanted = frozenset(event_ids)
        _, quotes = await self._read(self._sports)
        return [quote for quote in quotes if quote.event_id in wanted]

    async def _read(self, sports: Sequence[str]) -> tuple[list[OddsEvent], list[Quote]]:
        await trio.lowlevel.checkpoint()
        events: list[OddsEvent] = []
        quotes: list[Quote] = []
        oldest_ms: int | None = None
        for sport in sports:
            _league_id(sport)
            if sport not in self._named:
                sources = await self._rows(f"market/{sport}/straight/sources")
                self._reader.learn(sources, await self._rows(f"team/{sport}"))
                self._named.add(sport)
            data = await self._get(f"market/{sport}/straight/odds")
            if not isinstance(data, dict) or not isinstance(data.get("odds"), dict):
                raise FeedError(f"Unabated {sport}: no odds: {one_line(data, 80)}")
            found, parsed = self._reader.snapshot(data["odds"], self._clock.wall_ms())
            events += found
            quotes += parsed.quotes
            for bad in parsed.bad:
                self._on_bad(bad)
            updated_ms = data.get("lastUpdated")
            if type(updated_ms) is int:
                oldest_ms = updated_ms if oldest_ms is None else min(oldest_ms, updated_ms)
        self._updated_ms = oldest_ms
        return events, quotes

    async def _rows(self, path: str) -> list[Any]:
        rows = await self._get(path)
        if not isinstance(rows, list):
            raise FeedError(f"Unabated {path}: no list: {one_line(rows, 80)}")
        return rows

    async def _get(self, path: str) -> Any:
        place = f"Unabated {path}"
        headers = [("x-api-key", self._api_key)]
        answer = await ask(
            self._http, place, f"{self._rest_url}/{path}", key=self._api_key, headers=headers
        )
        content = content_of(answer, place, self._api_key)
        # Some answers come wrapped, others bare.
        return content["data"] if isinstance(content, dict) and "data" in content else content

    def subscribe(self, sports: Sequence[str]) -> None:
        """Ask for the changes of some leagues, from the next `connect` on."""
        for sport in sports:
            _league_id(sport)
        self._sports = tuple(sports)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[FilledStream]:
        """Subscribe, and fill the gap since the snapshot; raises `ConnectFailed`."""
        host = Endpoint.parse(self._ws_url).authority
        authorization = {"host": host, "Authorization": self._api_key}
        query = urlencode({"header": _base64(authorization), "payload": _base64({})})
        url = f"{self._ws_url}?{query}"
        async with open_socket(self._network, url, subprotocols=(SUBPROTOCOL,)) as socket:
            try:
                with trio.fail_after(START_TIMEOUT_S):
                    await self._start(socket, authorization)
                    gap = await self._gap()
            except (SocketClosed, FeedError) as error:
                raise ConnectFailed(None, str(error), throttled=error.throttled) from None
            except trio.TooSlowError:
                raise ConnectFailed(None, f"no subscription within {START_TIMEOUT_S:g} s") from None
            yield FilledStream(socket, gap)

    async def _start(self, socket: Socket, authorization: dict[str, str]) -> None:
        await socket.send(_text({"type": "connection_init"}))
        await _until(socket, "connection_ack")
        query = f"subscription {{ marketLineUpdate({self._filters}) {{ {_FIELDS} }} }}"
        extensions = {"authorization": {**authorization, "x-amz-user-agent": "aws-amplify/2.0.8"}}
        payload = {"data": _text({"query": query, "variables": {}}), "extensions": extensions}
        await socket.send(_text({"id": "1", "type": "start", "payload": payload}))
        await _until(socket, "start_ack")

    async def _gap(self) -> bytes | None:
        if self._updated_ms is None:
            return None
        since = f"{self._filters}, since: {self._updated_ms}"
        query = f"query {{ marketLineUpdates({since}) {{ {_FIELDS} }} }}"
        place = Endpoint.parse(self._ws_url)
        scheme = "https" if place.tls else "http"
        answer = await ask(
            self._http,
            "Unabated gap",
            f"{scheme}://{place.authority}{place.path.removesuffix('/realtime')}",
            key=self._api_key,
            method="POST",
            headers=[("Authorization", self._api_key), ("Content-Type", "application/json")],
            content=orjson.dumps({"query": query}),
        )
        return answer.body

    @property
    def _filters(self) -> str:
        leagues = ",".join(str(LEAGUES[sport]) for sport in self._sports)
        return f"leagueIds: [{leagues}], marketTypeIds: [1]"

    def parse(self, raw: str | bytes, received_ms: int) -> Parsed:
        """Read one message of the stream; never raises."""
        return self._reader.message(raw, received_ms)

    def memory(self) -> list[Any]:
        """Return what the reader knows of prices."""
        return self._reader.memory()

    def __repr__(self) -> str:
        return f"<Unabated {self._rest_url} {self._reader!r}>"


class FilledStream:
    """A socket's messages after what filled the gap before them."""

    def __init__(self, socket: Socket, gap: bytes | None) -> None:
        self._socket = socket
        self._gap = gap

    @property
    def last_proof_s(self) -> float:
        """Return Trio's time at which the socket was last heard."""
        return self._socket.last_proof_s

    async def receive(self) -> str | bytes:
        """Return the next message; raises `SocketClosed`."""
        if self._gap is not None:
            await trio.lowlevel.checkpoint()
            gap, self._gap = self._gap, None
            return gap
        return await self._socket.receive()

    def __repr__(self) -> str:
        return f"<FilledStream {self._socket!r}>"


async def _until(socket: Socket, wanted: str) -> None:
    """Read until a message of a type comes; raises `SocketClosed` where the provider refuses."""
    while True:
        raw = await socket.receive()
        try:
            message = orjson.loads(raw)
        except orjson.JSONDecodeError:
            continue
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == wanted:
            return
        if kind in {"connection_error", "error"}:
            raise SocketClosed(f"the provider refuses: {one_line(message.get('payload'), 80)}")


def _league_id(sport: str) -> int:
    found = LEAGUES.get(sport)
    if found is None:
        raise FeedError(f"unknown sport {sport!r}; known are {', '.join(sorted(LEAGUES))}")
    return found


def _text(value: object) -> str:
    return orjson.dumps(value).decode()


def _base64(value: object) -> str:
    return base64.b64encode(orjson.dumps(value)).decode()
