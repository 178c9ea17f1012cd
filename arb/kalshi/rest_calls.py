"""Requests to the exchange's REST service: signed, paid for, read page by page, and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs
import orjson

from arb.io.clock import Clock
from arb.io.http import Http, HttpAnswer, HttpFailed
from arb.io.text import one_line
from arb.io.url import Endpoint
from arb.kalshi.answers import error_of
from arb.kalshi.fields import Fault, Fields, Malformed, as_object, list_of
from arb.kalshi.rate import RateBudget
from arb.kalshi.sign import RequestSigner

T = TypeVar("T")

API_PATH = "/trade-api/v2"

# What the exchange allows on one page; larger limits are refused.
ROWS_PER_PAGE = 1000

# A cursor that the exchange does not know answers with the first page again, for ever; no list
# that we read has this many pages.
PAGES_MAX = 200

_TOO_MANY = 429

# Public reads may come from a cache with the date they were put there.
_NEVER_CACHED = ("/portfolio", "/account/limits")

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


class RestCalls:
    """One account's way to the REST service; what it asks and reads is for subclasses.

    Rows that cannot be read are counted in ``bad`` and told to ``on_bad``. ``on_date`` hears the
    ``Date`` of answers, and between which two readings of the monotonic clock each was written.
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

    async def one(self, path: str, read: Callable[[Fields], T], params: Params = ()) -> T:
        """Return what ``read`` makes of one answer, for which it may raise `Malformed`."""
        return self.read(path, read, await self._get(path, params))

    async def strictly(
        self, page: Page, read: Callable[[Fields], T], params: Params = ()
    ) -> list[T]:
        """Return every row of a list; raises `RestError` where one cannot be read."""
        return [self.read(page.path, read, row) for row in await self.rows(page, params)]

    def usable(self, rows: Sequence[object], read: Callable[[Fields], T]) -> list[T]:
        """Return what can be read of some rows, and count the others."""
        found: list[T] = []
        for row in rows:
            try:
                found.append(_checked(read, row))
            except Malformed as bad:
                self.bad[bad.reason] += 1
                if self._on_bad is not None:
                    self._on_bad(bad)
        return found

    def read(self, path: str, read: Callable[[Fields], T], content: object) -> T:
        """Read a piece of an answer; raises `RestError` where it cannot be."""
        try:
            return _checked(read, content)
        except Malformed as bad:
            raise RestError(f"GET {path}: {bad}") from None

    async def rows(self, page: Page, params: Params) -> list[object]:
        """Return the rows of a list as they came, following its cursor to the end."""
        rows: list[object] = []
        cursor = ""
        for _ in range(PAGES_MAX):
            more = [("cursor", cursor)] if cursor else []
            content = await self._get(page.path, [*params, ("limit", str(page.limit)), *more])
            rows += self.read(page.path, lambda all_: list_of(all_, page.rows), content)
            cursor = self.read(page.path, lambda all_: str(all_.get("cursor") or ""), content)
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

    def pay_ahead(self, method: str, path: str) -> float:
        """Pay for a `write` before others spend what there is; return in how many seconds it may.

        It is then ``paid``.
        """
        return self._budget.pay_ahead(method, path) if self._budget is not None else 0.0

    async def write(
        self,
        method: str,
        path: str,
        content: object = None,
        params: Params = (),
        *,
        paid: bool = False,
    ) -> Fields:
        """Ask for a change that is no order, paid for like one; return what it was answered.

        Raises `RestError`, after which it may have been made all the same.
        """
        if self._budget is not None and not paid:
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
        return f"<{type(self).__name__} {self._base_url}>"


def _checked(read: Callable[[Fields], T], content: object) -> T:
    try:
        return read(as_object(content, "answer"))
    except KeyError as missing:
        raise Malformed(Fault.MISSING_FIELD, f"{missing} in {one_line(content)}") from None
    except (TypeError, AttributeError, RecursionError):
        raise Malformed(Fault.WRONG_TYPE, content) from None
