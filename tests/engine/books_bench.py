"""The books of a rig's engine beside the exchange's own, and what it asks of the exchange."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from arb.core.events import Side
from arb.sim.exchange.values import BookSide
from arb.sim.websocket.subscriptions import Channel
from tests.engine.conftest import Rig


def assert_books_are_the_exchanges(rig: Rig) -> None:
    """Compare every level of every book with the exchange's own."""
    books = rig.instance("books")._books
    assert books.broken() == ()
    for ticker, book in books._books.items():
        market = rig.simulation.venue.market(ticker)
        for side in BookSide:
            assert dict(book.levels(Side(side.value))) == dict(market.book.levels(side))


def commands(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Note every command that the exchange receives from now on."""
    heard: list[dict[str, Any]] = []
    kind: Any = type(rig.session(Channel.BOOK))
    real = kind.received

    def received(session: Any, text: str) -> None:
        heard.append(orjson.loads(text))
        real(session, text)

    monkeypatch.setattr(kind, "received", received)
    return heard
