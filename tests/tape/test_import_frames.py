"""The makers of frames show themselves honestly."""

from __future__ import annotations

from arb.core.money import CountE2, PriceE4
from arb.tape.import_frames import BookFrames, BookOdds, BookPrices, OddsFrames


def test_makers_say_how_far_they_are() -> None:
    """Text forms hold the number of markets, the sequence and the number of prices."""
    books, odds = BookFrames(CountE2(100)), OddsFrames()
    books.snapshot("A", BookPrices(None, PriceE4(5_000)))
    odds.prices("1", [BookOdds("x", 100, -110), BookOdds("y", 100, -110)], 0)
    assert repr(books) == "<BookFrames 1 markets, sequence 1>"
    assert repr(odds) == "<OddsFrames 2 prices>"
