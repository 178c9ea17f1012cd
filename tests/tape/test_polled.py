"""Readings on a tape: written, read again, and what a broken one says."""

from __future__ import annotations

import pytest

from arb.core.events import Quote, QuoteOrigin
from arb.core.games import OddsEvent
from arb.feeds.opticodds_wire import OpticOddsReader
from arb.feeds.providers import tape_parser
from arb.feeds.unabated_wire import UnabatedReader
from arb.settings.sections import PROVIDERS
from arb.tape.polled import Reading, parse_reading, reading_text

QUOTES = (
    Quote("p", "1", "Pinnacle", 1.8, 2.1, 5, 7, QuoteOrigin.POLL),
    Quote("p", "2", "FanDuel", 2.0, 2.0, 5, 7, QuoteOrigin.POLL, 3.5, None, True, True),
)


def test_a_reading_comes_back_as_it_was() -> None:
    """Every field of every quote, and the memory as JSON has it."""
    again = parse_reading(reading_text(Reading(QUOTES, [1, "a"])), "p")

    assert again == Reading(QUOTES, [1, "a"])


@pytest.mark.parametrize(
    "raw",
    [
        "{",
        "[]",
        '{"quotes": []}',
        '{"quotes": [[1]], "memory": null}',
        '{"quotes": [["1","b","x",2.0,null,1,2,false,false]], "memory": null}',
        '{"quotes": [[1,"b",2.0,2.0,null,1,2,false,false]], "memory": null}',
    ],
)
def test_a_broken_reading_says_so(raw: str) -> None:
    """Whatever is wrong is a `ValueError` in one line."""
    with pytest.raises(ValueError, match="a reading"):
        parse_reading(raw, "p")


def test_a_reader_that_restores_a_memory_knows_what_the_other_did() -> None:
    """A change of one side alone is a whole price."""
    event = OddsEvent("opticodds", "F", "mlb", "Home Team", "Away Team", 0)
    first = OpticOddsReader()
    first.learn([event], 0)
    rows = [
        {
            "market": "Moneyline",
            "is_main": True,
            "fixture_id": "F",
            "sportsbook": "Pinnacle",
            "name": name,
            "timestamp": 1.0,
            "price": price,
        }
        for name, price in (("Home Team", -150), ("Away Team", 130))
    ]
    first.rows(rows, 2_000)
    second = OpticOddsReader()
    second.restore(first.memory())
    change = {**rows[1], "timestamp": 2.0, "price": 140}
    (quote,) = second.rows([change], 2_000).quotes

    assert (round(quote.home, 3), quote.away, quote.suspended) == (1.667, 2.4, False)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_memory_that_is_none_is_refused_where_one_is_needed(provider: str) -> None:
    """A damaged tape says so; who needs no memory takes any."""
    parser = tape_parser(provider, [])
    if provider in {"opticodds", "unabated"}:
        with pytest.raises(ValueError, match="no memory of prices"):
            parser.restore(5)
    else:
        parser.restore(5)


def test_an_empty_memory_forgets() -> None:
    """What came after it on the tape comes from a new connection."""
    reader = UnabatedReader()
    reader.restore([["1", 90, "Pinnacle", [1.8, 2.1], [1, 1], 5, False, [7, None]]])
    assert repr(reader) == "<UnabatedReader 1 lines, 0 books>"
    reader.restore([])
    assert reader.memory() == []
