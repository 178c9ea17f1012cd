"""One request to a provider's REST service: JSON, or one line that says what was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from arb.feeds.base import FeedError
from arb.io.http import Http, HttpAnswer, HttpFailed
from arb.io.text import one_line
from arb.io.url import without_secret
from arb.io.websocket import TOO_MANY_REQUESTS

_OK = 200

Pairs = Sequence[tuple[str, str]]


async def ask(
    http: Http,
    place: str,
    url: str,
    *,
    key: str,
    method: str = "GET",
    params: Pairs = (),
    headers: Pairs = (),
    content: bytes | None = None,
) -> HttpAnswer:
    """Return an answer of status 200; raises `FeedError`, whose line has no key in it.

    ``place`` is what a person is told it was, such as ``OpticOdds fixtures``.
    """
    try:
        answer = await http.request(method, url, params=params, headers=headers, content=content)
    except HttpFailed as failed:
        raise FeedError(one_line(without_secret(f"{place}: {failed}", key))) from None
    if answer.status != _OK:
        text = f"{place}: HTTP {answer.status}: {one_line(answer.body)}"
        throttled = answer.status == TOO_MANY_REQUESTS
        raise FeedError(one_line(without_secret(text, key)), throttled=throttled)
    return answer


def content_of(answer: HttpAnswer, place: str, key: str) -> Any:
    """Return what an answer's JSON holds; raises `FeedError`."""
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        text = f"{place}: no JSON: {one_line(answer.body)}"
        raise FeedError(one_line(without_secret(text, key))) from None
