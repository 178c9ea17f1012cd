"""What the judge has seen of the books' subscription: whose changes the exchange will tell."""

from __future__ import annotations

from typing import Any, cast

import attrs
import orjson
import pytest
import trio

from arb.faults.frames import text_frame
from arb.faults.judge_books import SeenBooks
from arb.faults.judge_subscription import CommandReader, SeenSubscription
from arb.kalshi.wire import (
    LIFECYCLE,
    ORDER_BOOK,
    add_markets_command,
    delete_markets_command,
    get_snapshot_command,
    subscribe_command,
)

ASKED = b"GET /ws HTTP/1.1\r\n\r\n"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
ONE, TWO = "ONE", "TWO"
JUST_AFTER_S = 0.001


@attrs.define
class Wire:
    """The books' connection of one engine, by name only."""

    seen: SeenBooks = attrs.field(factory=SeenBooks)
    name: Any = "first"

    @property
    def subscription(self) -> SeenSubscription:
        """Return what the judge makes of it."""
        return self.seen.subscription

    def open(self, name: str) -> None:
        """Open a connection."""
        self.name = cast("Any", name)
        self.subscription.sending(self.name, ASKED)
        self.seen.received(self.name, UPGRADED)

    def ask(self, command: str) -> None:
        """Let a command leave."""
        self.subscription.sending(self.name, text_frame(command.encode()).raw)

    def say(self, kind: str, number: int, body: object, **more: object) -> None:
        """Let the exchange answer."""
        message = {"id": number, "type": kind, "msg": body, **more}
        self.seen.received(self.name, text_frame(orjson.dumps(message)).raw)

    async def left(self, ticker: str) -> bool:
        """Tell whether nobody tells a market's changes, a moment later."""
        await trio.sleep(JUST_AFTER_S)
        return self.subscription.was_left_before(ticker, trio.current_time())


@pytest.fixture
async def wire() -> Wire:
    """Return a connection whose books are subscribed to, of one market."""
    made = Wire()
    made.open("first")
    made.ask(subscribe_command(1, (LIFECYCLE,)))
    made.ask(subscribe_command(2, (ORDER_BOOK,), [ONE]))
    made.say("subscribed", 1, {"channel": LIFECYCLE, "sid": 1})
    assert await made.left(ONE)
    made.say("subscribed", 2, {"channel": ORDER_BOOK, "sid": 2})
    assert not await made.left(ONE)
    return made


async def test_a_snapshot_that_was_asked_for_confirms_nothing(
    wire: Wire, autojump_clock: object
) -> None:
    """Neither does an addition before its answer, nor one that is refused."""
    wire.ask(add_markets_command(3, 2, [TWO]))
    wire.ask(get_snapshot_command(4, 2, [TWO]))
    wire.say("orderbook_snapshot", 4, {"market_ticker": TWO}, sid=2, seq=1)
    assert await wire.left(TWO)
    wire.say("error", 3, {"code": 27, "msg": "Too many requests"})
    wire.say("ok", 3, {}, sid=2, seq=2)
    assert await wire.left(TWO)


async def test_an_answer_says_what_is_followed(wire: Wire, autojump_clock: object) -> None:
    """By its list, or where it has none, by what was asked; another subscription's says nothing."""
    wire.ask(add_markets_command(3, 2, [TWO]))
    wire.say("ok", 9, {"market_tickers": [TWO]}, sid=1, seq=1)
    assert await wire.left(TWO)
    wire.say("ok", 3, {}, sid=2, seq=1)
    assert not await wire.left(TWO)
    wire.ask(delete_markets_command(4, 2, [ONE]))
    wire.say("ok", 4, {"market_tickers": [TWO]}, sid=2, seq=2)
    assert not wire.subscription.was_left_before(ONE, trio.current_time())
    assert (await wire.left(ONE), await wire.left(TWO)) == (True, False)


async def test_a_new_connection_has_confirmed_nothing(wire: Wire, autojump_clock: object) -> None:
    """What was asked over the old one is not answered over this one."""
    wire.ask(add_markets_command(3, 2, [TWO]))
    wire.open("second")
    assert await wire.left(ONE)
    wire.say("subscribed", 3, {"channel": ORDER_BOOK, "sid": 2})
    assert await wire.left(TWO)
    assert "0 followed" in repr(wire.subscription)


def test_commands_are_read_however_their_bytes_are_cut() -> None:
    """They begin behind the request to upgrade; what is no text is none."""
    reader = CommandReader()
    ping = b"\x89\x00"
    data = ASKED + ping + text_frame(b'{"id":1}').raw + text_frame(b'{"id":2}').raw
    assert "upgrade" in repr(reader)
    found = [each for byte in data for each in reader.feed(bytes((byte,)))]
    assert found == [{"id": 1}, {"id": 2}]
    assert "frames" in repr(reader)
