"""The exchange's REST service for everything that is no single order.

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
from arb.core.money import CountE2, MoneyE6
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
    costs_of,
    event_of,
    fee_change_of,
    limits_of,
    listed_order_of,
    milestone_of,
    position_of,
    queue_position_of,
    series_of,
    settlement_of,
    status_of,
)
from arb.kalshi.rate import AccountLimits, EndpointCosts, RateBudget
from arb.kalshi.sign import RequestSigner
from arb.kalshi.wire_orders import CREATE_PATH
from arb.kalshi.wire_private import fill_of

T = TypeVar("T")

API_PATH = "/trade-api/v2"

# What the exchange allows on one page; larger limits are refused.
EVENTS_PER_PAGE = 200
ROWS_PER_PAGE = 1000
MILESTONES_PER_PAGE = 500

# A URL of some 3 KB; the exchange refused one of about 800 tickers.
TICKERS_PER_URL = 100

# A cursor that the exchange does not know answers with the first page again, for ever; no list
# that we read has this many pages.
PAGES_MAX = 200

_TOO_MANY = 429

# Public reads may come from a cache with the date they were put there.
_NEVER_CACHED = ("/portfolio", "/account/limits")

QUEUE_POSITIONS_PATH = "/portfolio/orders/queue_positions"

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
    half an account is worse than none. ``on_date`` hears the ``Date`` of answers, and between
    which two readings of the monotonic clock each was written.
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
        on_date: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self._http = http
        self._signer = signer
        self._clock = clock
        self._base_url = normalised_api_base(base_url)
        self._path = Endpoint.parse(self._base_url).path
        self._budget = budget
        self._on_bad = on_bad
        self._on_date = on_date
        self.bad: Counter[Fault] = Counter()

    async def exchange_status(self) -> ExchangeStatus:
        """Return whether the exchange is up and trades."""
        return await self.one("/exchange/status", status_of)

    async def series(self, ticker: str) -> Series:
        """Return a series with its fees."""
        return await self.one(
            f"/series/{ticker}", lambda all_: series_of(object_of(all_, "series"))
        )

    async def fee_changes(self, series_ticker: str) -> list[FeeChange]:
        """Return the announced fee changes of a series."""
        path = "/series/fee_changes"
        rows = await self.one(
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

    async def events_named(self, event_tickers: Sequence[str]) -> list[ListedEvent]:
        """Return events by their tickers, whatever their status; one that is unknown is left out.

        A long list goes in several requests: some 800 tickers are too long a URL for the exchange.
        """
        page = Page("/events", "events", EVENTS_PER_PAGE)
        found: list[ListedEvent] = []
        for start in range(0, len(event_tickers), TICKERS_PER_URL):
            tickers = ",".join(event_tickers[start : start + TICKERS_PER_URL])
            params = [("tickers", tickers), ("with_nested_markets", "true")]
            found += self._usable(await self._rows(page, params), event_of)
        return found

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
        return await self.one("/portfolio/balance", balance_of)

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
        return await self.one("/account/limits", limits_of)

    async def endpoint_costs(self) -> EndpointCosts:
        """Return what requests cost in tokens."""
        return await self.one("/account/endpoint_costs", costs_of)

    async def queue_positions(self, tickers: Sequence[str]) -> dict[str, CountE2]:
        """Return how many contracts stand before each of our resting orders, by order id."""
        path, names = QUEUE_POSITIONS_PATH, [("market_tickers", ",".join(tickers))]
        rows = await self.one(path, lambda all_: list_of(all_, "queue_positions"), names)
        return dict(self._read(path, queue_position_of, row) for row in rows)

    async def cancel_all(self) -> None:
        """Cancel every order of the account on every shard, a person's own ones too.

        What is placed within the next minute may be cancelled as well.
        """
        await self.write("DELETE", CREATE_PATH)

    async def user_data_ms(self) -> int:
        """Return the moment up to which the account's reads are complete, in Unix ms."""
        path = "/exchange/user_data_timestamp"
        return await self.one(path, lambda all_: time_ms_of(all_, "as_of_time"))

    async def one(self, path: str, read: Callable[[Fields], T], params: Params = ()) -> T:
        """Return what ``read`` makes of one answer, for which it may raise `Malformed`."""
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
            await self._budget.read(path)
        answer = await self._answer("GET", path, params)
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise RestError(f"GET {path}: no JSON: {one_line(answer.body, 80)}") from None

    async def write(
        self, method: str, path: str, content: object = None, params: Params = ()
    ) -> Fields:
        """Ask for a change that is no order, paid for like one; return what it was answered.

        Raises `RestError`, after which it may have been made all the same.
        """
        if self._budget is not None:
            await self._budget.write(method, path)
        body = None if content is None else orjson.dumps(content)
        answer = await self._answer(method, path, params, body)
        try:
            return as_object(orjson.loads(answer.body or b"{}"), "answer")
        except (orjson.JSONDecodeError, Malformed):
            text = one_line(answer.body, 80)
            raise RestError(f"{method} {path}: no JSON object: {text}") from None

    async def _answer(
        self, method: str, path: str, params: Params, body: bytes | None = None
    ) -> HttpAnswer:
        headers = self._signer.headers(method, self._path + path, self._clock.wall_ms())
        if body is not None:
            headers = (*headers, ("Content-Type", "application/json"))
        asked_ns = self._clock.monotonic_ns()
        try:
            answer = await self._http.request(
                method, self._base_url + path, params=params, headers=headers, content=body
            )
        except HttpFailed as failed:
            raise RestError(one_line(failed)) from None
        if path.startswith(_NEVER_CACHED):
            self._note_date(answer, asked_ns)
        if answer.status == _TOO_MANY:
            self._refused(method, path)
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers
            error = error_of(answer.status, answer.body)
            text = f"{method} {path}: HTTP {answer.status} {error.code}: {error.text}"
            raise RestError(one_line(text), answer.status, error.code)
        return answer

    def _note_date(self, answer: HttpAnswer, asked_ns: int) -> None:
        if self._on_date is not None and "date" in answer.headers:
            self._on_date(answer.headers["date"], asked_ns, self._clock.monotonic_ns())

    def _refused(self, method: str, path: str) -> None:
        if self._budget is None:
            return
        if method == "GET":
            self._budget.refused_read(path)
        else:
            self._budget.refused_write(0)

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
    except (TypeError, AttributeError):
        raise Malformed(Fault.WRONG_TYPE, content) from None
