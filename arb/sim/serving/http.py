"""Requests and responses of the simulated servers, and the table that finds a handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import attrs
import orjson
import trio

JSON = "application/json"

T = TypeVar("T")


@attrs.frozen
class Request:
    """One HTTP request; header names are lower case, ``path`` has no query."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""

    def text(self, name: str, default: str = "") -> str:
        """Return a query parameter, the first where it is repeated."""
        values = self.query.get(name)
        return values[0] if values else default

    def texts(self, name: str) -> list[str]:
        """Return a query parameter that may be repeated or hold commas."""
        return [part for value in self.query.get(name, []) for part in value.split(",") if part]


@attrs.frozen
class Response:
    """One HTTP response, after ``delay_s``.

    ``hang_up`` closes the connection instead of answering, ``silent`` leaves it open and says
    nothing, ``twice`` sends the same bytes two times. ``later`` is asked for the response to send
    once the delay is over.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON
    delay_s: float = 0.0
    hang_up: bool = False
    silent: bool = False
    twice: bool = False
    later: Callable[[], Response] | None = None


async def ready(response: Response) -> Response:
    """Return what is to be sent, once its delays are over."""
    while True:
        if response.delay_s:
            await trio.sleep(response.delay_s)
        if response.later is None:
            return response
        response = response.later()


def make_request(method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
    """Build a request from its line, its headers and its body."""
    parts = urlsplit(target)
    return Request(
        method, unquote(parts.path), parse_qs(parts.query, keep_blank_values=True), headers, body
    )


def json_response(status: int, value: object, **headers: str) -> Response:
    """Return a response with a JSON body; header names take ``_`` for ``-``."""
    named = tuple((name.replace("_", "-"), text) for name, text in headers.items())
    return Response(status, orjson.dumps(value), named)


@attrs.frozen
class Route(Generic[T]):
    """One row of a route table; ``{name}`` in the pattern captures a segment."""

    method: str
    pattern: str
    handle: T
    public: bool = False


class Router(Generic[T]):
    """Finds the route of a method and a path."""

    def __init__(self, routes: list[Route[T]]) -> None:
        self._routes = [(route, tuple(route.pattern.strip("/").split("/"))) for route in routes]

    def __repr__(self) -> str:
        return f"Router({len(self._routes)} routes)"

    def find(self, method: str, path: str) -> tuple[Route[T], dict[str, str]] | None:
        """Return the first matching route with what its pattern captured."""
        segments = tuple(path.strip("/").split("/"))
        for route, pattern in self._routes:
            if route.method == method and len(pattern) == len(segments):
                captured = _capture(pattern, segments)
                if captured is not None:
                    return route, captured
        return None


Handler = Callable[[Request], Response]


def _capture(pattern: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    captured: dict[str, str] = {}
    for wanted, segment in zip(pattern, segments, strict=True):
        if wanted.startswith("{"):
            captured[wanted[1:-1]] = segment
        elif wanted != segment:
            return None
    return captured
