"""What the judge has seen of the odds: when a game's price last can have changed for the engine."""

from __future__ import annotations

from typing import Any, cast

import orjson
import pytest
import trio

from arb.faults.frames import text_frame
from arb.faults.judge_books import SeenOdds

UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
GAME = "61"


class Wires:
    """The stream and the readings of one engine, by name only."""

    def __init__(self) -> None:
        """Begin with a stream that has just been opened."""
        self.seen = SeenOdds()
        self.seen.received(cast("Any", "stream"), UPGRADE, 0)

    def say(self, home: str, at_ms: int) -> None:
        """Let the stream say a price."""
        odds = [{"home": home, "away": "2.0"}]
        said = {"type": "updated", "id": GAME, "bookie": "X", "markets": [{"odds": odds}]}
        self.seen.received(cast("Any", "stream"), text_frame(orjson.dumps(said)).raw, at_ms)

    def read(self, status: int, at_ms: int) -> None:
        """Let a reading over HTTP be answered."""
        self.seen.read(cast("Any", "rest"), b"HTTP/1.1 %d \r\n\r\n[]" % status, at_ms)


@pytest.fixture
async def wires() -> Wires:
    """Return the wires of an engine, in a running loop."""
    await trio.lowlevel.checkpoint()
    return Wires()


async def test_a_price_that_is_said_again_is_no_change(wires: Wires) -> None:
    """Only what differs from what the stream said last is news."""
    for at_ms, home in enumerate(("1.8", "1.9", "1.9"), start=1):
        wires.say(home, at_ms)
        await trio.lowlevel.checkpoint()

    assert wires.seen.newest_ms(GAME) == 2


async def test_after_a_reading_the_stream_brings_news(wires: Wires) -> None:
    """The reading may have said otherwise: back to the price before is a change."""
    wires.say("1.8", 1)
    wires.read(200, 2)
    await trio.lowlevel.checkpoint()
    assert wires.seen.newest_ms(GAME) == 2

    wires.say("1.8", 3)
    assert wires.seen.newest_ms(GAME) == 3


async def test_a_reading_that_fails_says_nothing(wires: Wires) -> None:
    """What the stream said stays what is known."""
    wires.say("1.8", 1)
    wires.read(503, 2)
    wires.say("1.8", 3)
    await trio.lowlevel.checkpoint()

    assert wires.seen.newest_ms(GAME) == 1
