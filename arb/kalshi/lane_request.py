"""Requests as a lane sends them, and answers as it gives them back. Pure."""

from __future__ import annotations

import attrs

from arb.io.url import Endpoint
from arb.kalshi.sign import RequestSigner

STATUS_PATH = "/exchange/status"


@attrs.frozen
class Request:
    """What to send; ``path`` is relative to the API's root and may carry a query.

    ``tag`` comes back with the answer and means nothing to the lane.
    """

    tag: object
    method: str
    path: str
    body: bytes = b""


@attrs.frozen
class Answer:
    """What became of a request; without a ``status`` nobody knows, and ``failure`` says why."""

    tag: object
    status: int | None
    body: bytes
    sent_ns: int
    answered_ns: int
    failure: str | None = None


@attrs.frozen
class Limits:
    """How long a lane waits, in seconds."""

    # TCP and TLS together; a healthy exchange takes 30 ms.
    connect_s: float = 5.0
    # Orders are answered in 5 to 50 ms. What takes a hundred times that is looked up instead.
    answer_s: float = 5.0
    # Load balancers close what is idle for a minute, and a connection forgets its speed sooner.
    # Three lanes cost 6 of the 200 read tokens a second that the lowest tier has.
    keep_warm_s: float = 5.0
    # Reconnecting backs off from the first to the second; an answer begins anew.
    reconnect_first_s: float = 0.1
    reconnect_max_s: float = 5.0


class RequestBytes:
    """Builds requests to one service, its constant headers prepared."""

    def __init__(self, place: Endpoint, signer: RequestSigner) -> None:
        self._root = place.path.rstrip("/")
        self._signer = signer
        host = f"Host: {place.authority}\r\nUser-Agent: arb\r\nAccept: application/json\r\n"
        self._constant = f" HTTP/1.1\r\n{host}Content-Type: application/json\r\n"
        self.keep_warm = f"GET {self._root}{STATUS_PATH} HTTP/1.1\r\n{host}\r\n".encode()

    def build(self, request: Request, wall_ms: int) -> bytes:
        """Return the whole request, signed; raises `ValueError` for a path that is none."""
        method, path, body = request.method, self._root + request.path, request.body
        if " " in path or not path.isprintable():
            raise ValueError(f"{path!r} cannot stand in a request line")
        head = f"{method} {path}{self._constant}"
        for name, value in self._signer.headers(method, path, wall_ms):
            head += f"{name}: {value}\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
