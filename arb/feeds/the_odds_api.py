"""The Odds API: polled, one request a sport, within a budget of credits.

It has no stream. What is polled is handed out as the updates of one, so that the engine and a
tape treat it as any other provider; there is nothing else to confirm prices with.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import attrs
import trio

from arb.core.events import Quote
from arb.core.games import OddsEvent
from arb.feeds.asking import ask
from arb.feeds.base import FeedError, Parsed
from arb.feeds.the_odds_api_wire import MARKET, PROVIDER, SPORTS, TheOddsApiReader, events_of
from arb.io.http import Http, HttpAnswer
from arb.io.websocket import TRY_AGAIN_LATER, ConnectFailed, SocketClosed

S_PER_DAY = 86_400.0

# An answer that nobody took for so long is no update any more: it would look confirmed just now.
KEPT_S = 10.0

# When the account says that its credits are used up: a new month begins some time.
USED_UP_PAUSE_S = 3_600.0

_REMAINING = "x-requests-remaining"


@attrs.define
class Pace:
    """When the next request may be made, by Trio's time: evenly within the budget.

    ``credits_per_day`` None is a provider that costs nothing; ``interval_s`` is the least time
    between requests however many credits there are.
    """

    cost: int
    interval_s: float
    credits_per_day: int | None
    due_s: float = 0.0

    @property
    def spacing_s(self) -> float:
        """Return the time between two requests."""
        if self.credits_per_day is None:
            return self.interval_s
        return max(self.interval_s, S_PER_DAY * self.cost / self.credits_per_day)

    def spend(self, now_s: float) -> None:
        """Count one request; those that came before they were due are made up for."""
        self.due_s = max(self.due_s, now_s) + self.spacing_s

    def note_remaining(self, text: str | None, now_s: float) -> None:
        """Take what the account says is left of its month."""
        if text is not None and text.isascii() and text.isdecimal() and int(text) < self.cost:
            self.due_s = max(self.due_s, now_s + USED_UP_PAUSE_S)


class TheOddsApi:
    """One account's feed; satisfies `OddsFeed`."""

    provider = PROVIDER

    def __init__(
        self,
        http: Http,
        rest_url: str,
        api_key: str,
        *,
        books: Sequence[str],
        regions: Sequence[str],
        poll_interval_s: float,
        credits_per_day: int | None,
    ) -> None:
        self._http = http
        self._rest_url = rest_url.rstrip("/")
        self._api_key = api_key
        self._regions = tuple(regions)
        self._sports: tuple[str, ...] = ()
        self._reader = TheOddsApiReader(books)
        self._answers: dict[str, bytes] = {}
        self._waiting: list[tuple[float, bytes]] = []
        self._next = 0
        self._interval_s = poll_interval_s
        # One market in each region.
        self.pace = Pace(len(self._regions), poll_interval_s, credits_per_day)

    async def events(self, sports: Sequence[str]) -> list[OddsEvent]:
        """Return the games of some leagues as last polled; raises `FeedError`.

        Only a league that was never polled is asked for, because asking costs credits.
        """
        await trio.lowlevel.checkpoint()
        found: list[OddsEvent] = []
        for sport in sports:
            if sport not in self._answers:
                answer = await self._ask(sport)
                self._waiting.append((trio.current_time(), answer.body))
            found += events_of(self._answers[sport])[0]
        return found

    async def snapshot(self, event_ids: Sequence[str]) -> list[Quote]:
        """Return nothing: all that can be read is read as updates, within the budget."""
        await trio.lowlevel.checkpoint()
        return []

    def subscribe(self, sports: Sequence[str]) -> None:
        """Poll some leagues from the next `connect` on, each within ``poll_interval_s``."""
        for sport in sports:
            _key_of(sport)
        self._sports = tuple(sports)
        self.pace.interval_s = self._interval_s / max(1, len(self._sports))

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Polls]:
        """Poll once, and go on for the length of a block; raises `ConnectFailed`."""
        polls = Polls(self)
        try:
            await polls.begin()
        except FeedError as error:
            raise ConnectFailed(None, str(error), throttled=error.throttled) from None
        yield polls

    async def next_answer(self) -> bytes:
        """Wait until a request is due and return its answer; raises `FeedError`."""
        while self._waiting:
            since_s, body = self._waiting.pop(0)
            if trio.current_time() - since_s <= KEPT_S:
                return body
        await trio.sleep_until(self.pace.due_s)
        sport = self._sports[self._next % len(self._sports)]
        self._next += 1
        return (await self._ask(sport)).body

    def parse(self, raw: str | bytes, received_ms: int) -> Parsed:
        """Read one answer; never raises."""
        return self._reader.answer(raw, received_ms)

    def memory(self) -> None:
        """Return nothing: a message says all that there is to know."""

    async def _ask(self, sport: str) -> HttpAnswer:
        key = _key_of(sport)
        # Counted before it is known whether it was answered: what is lost may have cost.
        self.pace.spend(trio.current_time())
        answer = await ask(
            self._http,
            f"The Odds API {key}",
            f"{self._rest_url}/sports/{key}/odds",
            key=self._api_key,
            params=[
                ("apiKey", self._api_key),
                ("regions", ",".join(self._regions)),
                ("markets", MARKET),
                ("oddsFormat", "decimal"),
                ("dateFormat", "iso"),
            ],
        )
        self.pace.note_remaining(answer.headers.get(_REMAINING), trio.current_time())
        self._answers[sport] = answer.body
        return answer

    def __repr__(self) -> str:
        return f"<TheOddsApi {self._rest_url} every {self.pace.spacing_s:.1f} s>"


class Polls:
    """What is polled, as a stream."""

    def __init__(self, feed: TheOddsApi) -> None:
        self._feed = feed
        self._first: bytes | None = None
        self.last_proof_s = 0.0

    async def begin(self) -> None:
        """Get the first answer, which shows that there is a provider; raises `FeedError`."""
        self._first = await self._answer()

    async def receive(self) -> bytes:
        """Return the next answer; raises `SocketClosed`."""
        if self._first is not None:
            await trio.lowlevel.checkpoint()
            first, self._first = self._first, None
            return first
        try:
            return await self._answer()
        except FeedError as error:
            code = TRY_AGAIN_LATER if error.throttled else None
            raise SocketClosed(str(error), code) from None

    async def _answer(self) -> bytes:
        body = await self._feed.next_answer()
        self.last_proof_s = trio.current_time()
        return body

    def __repr__(self) -> str:
        return f"<Polls of {self._feed!r}>"


def _key_of(sport: str) -> str:
    key = SPORTS.get(sport)
    if key is None:
        raise FeedError(f"unknown sport {sport!r}; known are {', '.join(sorted(SPORTS))}")
    return key
