"""The exchange's REST service for everything that is not an order.

Public reads are cached for some 15 s on the exchange's side: good for discovery, never as a
live book.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs
import orjson

from arb.core.events import Fill
from arb.core.money import MoneyE6
from arb.io.clock import Clock
from arb.io.http import Http, HttpAnswer, HttpFailed
from arb.io.iso import ms_iso
from arb.io.text import one_line
from arb.io.url import Endpoint
from arb.kalshi.answers import error_of
from arb.kalshi.fields import Fault, Fields, Malformed, as_object, list_of, object_of, time_ms_of
from arb.kalshi.listing import (
    Balance,
    ExchangeStatus,
    FeeChange,
    ListedEvent,
    ListedOrder,
    ListedPosition,
    Milestone,
    Series,
    Settlement,
    balance_of,
    event_of,
    fee_change_of,
    limits_of,
    listed_order_of,
    milestone_of,
    position_of,
    series_of,
    settlement_of,
    status_of,
)
from arb.kalshi.rate import AccountLimits, RateBudget
from arb.kalshi.sign import RequestSigner
from arb.kalshi.wire_private import fill_of

T = TypeVar("T")

API_PATH = "/trade-api/v2"

# What the exchange allows on one page; larger limits are refused.
EVENTS_PER_PAGE = 200
ROWS_PER_PAGE = 1000
MILESTONES_PER_PAGE = 500

# A cursor that the exchange does not know answers with the first page again, for ever; no list
# that we read has this many pages.
PAGES_MAX = 200

_TOO_MANY = 429

Params = Sequence[tuple[str, str]]


class RestError(Exception):
    """A read that failed: one line with what was asked and why it failed."""

    def __init__(self, text: str, status: int | None = None, code: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


@attrs.frozen
class Page:
    """How a list is asked for: its path, the name of its rows, and how many fit a page."""

    path: str
    rows: str
    limit: int = ROWS_PER_PAGE


def normalised_api_base(url: str) -> str:
    """Return an API address with its path, whether it was given with or without; no slash last."""
    base = url.rstrip("/")
    return base if base.endswith(API_PATH) else base + API_PATH


class Rest:
    """A client for the exchange's lists and the account's state; raises `RestError` throughout.

    What is wrong with single rows of public lists is counted in ``bad`` and told to ``on_bad``,
    and the other rows are used; what is wrong with the account's own state is an error, because
    half an account is worse than none.
    """

    def __init__(
        self,
        http: Http,
        signer: RequestSigner,
        clock: Clock,
        base_url: str,
        *,
        budget: RateBudget | None = None,
        on_bad: Callable[[Malformed], None] | None = None,
    ) -> None:
        self._http = http
        self._signer = signer
        self._clock = clock
        self._base_url = normalised_api_base(base_url)
        self._path = Endpoint.parse(self._base_url).path
        self._budget = budget
        self._on_bad = on_bad
        self.bad: Counter[Fault] = Counter()

    async def exchange_status(self) -> ExchangeStatus:
        """Return whether the exchange is up and trades."""
        return await self._one("/exchange/status", status_of)

    async def series(self, ticker: str) -> Series:
        """Return a series with its fees."""
        return await self._one(
            f"/series/{ticker}", lambda all_: series_of(object_of(all_, "series"))
        )

    async def fee_changes(self, series_ticker: str) -> list[FeeChange]:
        """Return the announced fee changes of a series."""
        path = "/series/fee_changes"
        rows = await self._one(
            path,
            lambda all_: list_of(all_, "series_fee_change_arr"),
            [("series_ticker", series_ticker)],
        )
        return [self._read(path, fee_change_of, row) for row in rows]

    async def events(self, series_ticker: str, status: str = "open") -> list[ListedEvent]:
        """Return the events of a series with their markets; ``status`` is the filter's word."""
        page = Page("/events", "events", EVENTS_PER_PAGE)
        params = [
            ("series_ticker", series_ticker),
            ("status", status),
            ("with_nested_markets", "true"),
        ]
        return self._usable(await self._rows(page, params), event_of)

    async def milestones(
        self, *, competition: str | None = None, kind: str | None = None, from_ms: int | None = None
    ) -> list[Milestone]:
        """Return scheduled games from a moment on, ours if none is given: half a day ago."""
        start_ms = self._clock.wall_ms() - _HALF_A_DAY_MS if from_ms is None else from_ms
        params = [("category", "Sports"), ("minimum_start_date", ms_iso(start_ms))]
        params += [("competition", competition)] if competition is not None else []
        params += [("type", kind)] if kind is not None else []
        page = Page("/milestones", "milestones", MILESTONES_PER_PAGE)
        return self._usable(await self._rows(page, params), milestone_of)

    async def balance(self) -> MoneyE6:
        """Return the account's cash, exactly."""
        return (await self.balances()).cash_e6

    async def balances(self) -> Balance:
        """Return the account's cash in all and by shard."""
        return await self._one("/portfolio/balance", balance_of)

    async def positions(self) -> list[ListedPosition]:
        """Return every position that is not settled."""
        page = Page("/portfolio/positions", "market_positions")
        return await self._strictly(page, position_of)

    async def open_orders(self) -> list[ListedOrder]:
        """Return the orders that rest."""
        return await self.orders([("status", "resting")])

    async def orders(self, params: Params = ()) -> list[ListedOrder]:
        """Return orders by the exchange's own filters, the newest first."""
        return await self._strictly(Page("/portfolio/orders", "orders"), listed_order_of, params)

    async def order_by_client_id(
        self, client_order_id: str, *, ticker: str | None = None, since_ms: int | None = None
    ) -> ListedOrder | None:
        """Return the order with our id, None where the list does not have it (yet).

        The exchange cannot be asked for it, so the list is read, narrowed where it can be.
        """
        params = [("ticker", ticker)] if ticker is not None else []
        for order in await self.orders([*params, *_since(since_ms)]):
            if order.client_order_id == client_order_id:
                return order
        return None

    async def fills(self, since_ms: int | None = None) -> list[Fill]:
        """Return fills since a moment in Unix milliseconds, the newest first, without our ids."""
        params = _since(since_ms)
        return await self._strictly(Page("/portfolio/fills", "fills"), fill_of, params)

    async def settlements(self, since_ms: int | None = None) -> list[Settlement]:
        """Return settlements since a moment in Unix milliseconds."""
        page = Page("/portfolio/settlements", "settlements")
        return await self._strictly(page, settlement_of, _since(since_ms))

    async def limits(self) -> AccountLimits:
        """Return the account's rate limits."""
        return await self._one("/account/limits", limits_of)

    async def user_data_ms(self) -> int:
        """Return the moment up to which the account's reads are complete, in Unix ms."""
        path = "/exchange/user_data_timestamp"
        return await self._one(path, lambda all_: time_ms_of(all_, "as_of_time"))

    async def _one(self, path: str, read: Callable[[Fields], T], params: Params = ()) -> T:
        return self._read(path, read, await self._get(path, params))

    async def _strictly(
        self, page: Page, read: Callable[[Fields], T], params: Params = ()
    ) -> list[T]:
        return [self._read(page.path, read, row) for row in await self._rows(page, params)]

    def _usable(self, rows: Sequence[object], read: Callable[[Fields], T]) -> list[T]:
        found: list[T] = []
        for row in rows:
            try:
                found.append(_checked(read, row))
            except Malformed as bad:
                self.bad[bad.reason] += 1
                if self._on_bad is not None:
                    self._on_bad(bad)
        return found

    def _read(self, path: str, read: Callable[[Fields], T], content: object) -> T:
        try:
            return _checked(read, content)
        except Malformed as bad:
            raise RestError(f"GET {path}: {bad}") from None

    async def _rows(self, page: Page, params: Params) -> list[object]:
        rows: list[object] = []
        cursor = ""
        for _ in range(PAGES_MAX):
            more = [("cursor", cursor)] if cursor else []
            content = await self._get(page.path, [*params, ("limit", str(page.limit)), *more])
            rows += self._read(page.path, lambda all_: list_of(all_, page.rows), content)
            cursor = self._read(page.path, lambda all_: str(all_.get("cursor") or ""), content)
            if not cursor:
                return rows
        raise RestError(f"GET {page.path}: more than {PAGES_MAX} pages")

    async def _get(self, path: str, params: Params) -> object:
        if self._budget is not None:
            await self._budget.read()
        answer = await self._answer(path, params)
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise RestError(f"GET {path}: no JSON: {one_line(answer.body, 80)}") from None

    async def _answer(self, path: str, params: Params) -> HttpAnswer:
        headers = self._signer.headers("GET", self._path + path, self._clock.wall_ms())
        try:
            answer = await self._http.request(
                "GET", self._base_url + path, params=params, headers=headers
            )
        except HttpFailed as failed:
            raise RestError(one_line(failed)) from None
        if answer.status == _TOO_MANY and self._budget is not None:
            self._budget.refused_read()
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers
            error = error_of(answer.status, answer.body)
            text = f"GET {path}: HTTP {answer.status} {error.code}: {error.text}"
            raise RestError(one_line(text), answer.status, error.code)
        return answer

    def __repr__(self) -> str:
        return f"<Rest {self._base_url}>"


_MS_PER_S = 1000
_HALF_A_DAY_MS = 12 * 3600 * _MS_PER_S


def _since(since_ms: int | None) -> list[tuple[str, str]]:
    # The exchange's filter is in whole seconds; cut, so that nothing is missed.
    return [] if since_ms is None else [("min_ts", str(since_ms // _MS_PER_S))]


def _checked(read: Callable[[Fields], T], content: object) -> T:
    try:
        return read(as_object(content, "answer"))
    except KeyError as missing:
        raise Malformed(Fault.MISSING_FIELD, f"{missing} in {one_line(content)}") from None
    except (TypeError, AttributeError, RecursionError):
        raise Malformed(Fault.WRONG_TYPE, content) from None
