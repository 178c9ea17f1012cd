"""OpticOdds' rows to quotes: sides by name, one alone, twice, out of order, locked, damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import Quote, QuoteOrigin
from arb.core.games import OddsEvent
from arb.feeds.base import FORGOTTEN_AFTER_MS
from arb.feeds.opticodds_wire import OpticOddsReader

GAME = OddsEvent("opticodds", "F1", "mlb", "Chicago Cubs", "Pittsburgh Pirates", 0)
AT_MS = 1_730_079_535_000


def reader() -> OpticOddsReader:
    """Return a reader that knows one fixture."""
    made = OpticOddsReader()
    made.learn([GAME], AT_MS)
    return made


def row(name: str, price: object, **more: Any) -> dict[str, Any]:
    """Return one side of FanDuel's price."""
    return {
        "fixture_id": "F1",
        "sportsbook": "FanDuel",
        "market": "Moneyline",
        "name": name,
        "price": price,
        "is_main": True,
        "is_live": False,
        "timestamp": 1730079534.5,
        **more,
    }


def event(*rows: object, kind: str = "odds") -> str:
    """Return an event as the stream sends it."""
    data = orjson.dumps({"data": rows, "entry_id": "1730079534820-2", "type": kind}).decode()
    return f"event: {kind}\nid: 1730079534820-2\nretry: 5000\ndata: {data}"


def both(home: object = -150, away: object = 130, **more: Any) -> str:
    """Return an event with both sides."""
    return event(row("Chicago Cubs", home, **more), row("Pittsburgh Pirates", away, **more))


def quotes(made: OpticOddsReader, raw: str) -> tuple[Quote, ...]:
    """Read one event in which nothing is wrong."""
    parsed = made.event(raw, AT_MS)
    assert parsed.bad == ()
    return parsed.quotes


def test_two_sides_are_one_quote() -> None:
    """Names decide which side is which; both stamps of the provider are kept."""
    (quote,) = quotes(reader(), both(is_live=True))

    assert (quote.home, quote.away) == (1 + 100 / 150, 2.3)
    assert (quote.source_ms, quote.gateway_ms, quote.received_ms) == (
        1_730_079_534_500,
        1_730_079_534_820,
        AT_MS,
    )
    assert (quote.live, quote.suspended, quote.origin) == (True, False, QuoteOrigin.STREAM)


def test_a_side_that_comes_alone_keeps_the_other() -> None:
    """A change of one side is a whole price; before the other is known there is none."""
    made = reader()
    (first,) = quotes(made, event(row("Chicago Cubs", -150)))
    quotes(made, both())
    (later,) = quotes(made, event(row("Chicago Cubs", -160, timestamp=1730079535.0)))

    assert first.suspended
    assert (later.home, later.away) == (1.625, 2.3)


def test_what_comes_twice_or_late_says_nothing() -> None:
    """The same row again, and an older one, are no quote."""
    made = reader()
    quotes(made, both())

    assert quotes(made, both()) == ()
    assert quotes(made, both(-300, timestamp=1730079530.0)) == ()


def test_a_lock_takes_the_price_away_until_it_is_told_anew() -> None:
    """One locked side is enough."""
    made = reader()
    quotes(made, both())
    (locked,) = quotes(made, event(row("Chicago Cubs", -150), kind="locked-odds"))
    (back,) = quotes(made, event(row("Chicago Cubs", -150)))

    assert (locked.suspended, back.suspended) == (True, False)


def test_a_fixture_that_is_not_offered_for_a_day_is_let_go_of() -> None:
    """Its prices go with it; a list that came back short costs neither."""
    made = reader()
    quotes(made, both())
    other = attrs.evolve(GAME, event_id="F2")
    made.learn([other], AT_MS + FORGOTTEN_AFTER_MS)
    assert repr(made) == "<OpticOddsReader 2 fixtures, 1 prices>"

    made.learn([other], AT_MS + FORGOTTEN_AFTER_MS + 1)
    assert repr(made) == "<OpticOddsReader 1 fixtures, 0 prices>"
    assert quotes(made, both(timestamp=1730079535.0)) == ()


@pytest.mark.parametrize(
    "more",
    [
        {"market": "1st Half Moneyline"},
        {"is_main": False},
        {"fixture_id": "F2"},
    ],
)
def test_other_rows_are_passed_over(more: dict[str, object]) -> None:
    """Other markets, alternates and unknown fixtures are counted, not used."""
    parsed = reader().event(event(row("Chicago Cubs", -150, **more)), AT_MS)

    assert (parsed.quotes, parsed.bad) == ((), ())
    assert parsed.notices[0].kind == "rows of other kinds"


@pytest.mark.parametrize(
    "damage",
    [
        {"price": []},
        {"name": "Draw"},
        {"timestamp": None},
        {"sportsbook": 7},
        {"sportsbook": None},
        {"name": []},
    ],
)
def test_a_damaged_row_costs_itself_alone(damage: dict[str, object]) -> None:
    """Each is counted with its reason; the other rows of the event are used."""
    made = reader()
    quotes(made, both())
    good = row("Pittsburgh Pirates", 140, timestamp=1730079536.0)
    parsed = made.event(event({**row("Chicago Cubs", -150), **damage}, 7, good), AT_MS)

    assert len(parsed.bad) == 2
    assert [quote.away for quote in parsed.quotes] == [2.4]


@pytest.mark.parametrize("price", [None, 0, 50, "x", True, 110.5])
def test_a_price_that_cannot_be_read_takes_its_side_away(price: object) -> None:
    """It is counted as bad, and the price before it is none until that side is told anew."""
    made = reader()
    quotes(made, both())
    parsed = made.event(event(row("Chicago Cubs", price, timestamp=1730079534.6)), AT_MS)
    (still,) = quotes(made, event(row("Pittsburgh Pirates", 140, timestamp=1730079534.7)))
    (back,) = quotes(made, event(row("Chicago Cubs", -150, timestamp=1730079534.8)))

    assert [quote.suspended for quote in (*parsed.quotes, still, back)] == [True, True, False]
    assert len(parsed.bad) == 1


def test_a_late_price_that_cannot_be_read_takes_nothing_away() -> None:
    """What is older than what is known says nothing, and is counted all the same."""
    made = reader()
    quotes(made, both())
    parsed = made.event(event(row("Chicago Cubs", None, timestamp=1730079530.0)), AT_MS)

    assert (len(parsed.bad), parsed.quotes) == (1, ())


@pytest.mark.parametrize(
    "raw, reason",
    [
        ("event: odds\ndata: {", "not JSON"),
        ("event: odds\ndata: []", "no list of odds"),
        ('event: odds\ndata: {"data":5}', "no list of odds"),
    ],
)
def test_damaged_events_are_counted(raw: str, reason: str) -> None:
    """An event that holds no rows is bad as a whole."""
    assert [bad.reason for bad in reader().event(raw, AT_MS).bad] == [reason]


def test_unknown_kinds_are_noticed() -> None:
    """Signs of life are notices; another kind of event is said to be unknown."""
    kinds = [
        reader().event(raw, 0).notices[0].kind
        for raw in ("event: connected\ndata: ok go", "event: ping\ndata: now", "data: x")
    ]
    assert kinds == ["connected", "ping", "unknown type"]


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    """Whatever comes is a value."""
    reader().event(f"event: odds\ndata: {text}", 0)
    reader().event(text, 0)


def test_the_documented_stream_is_read(shared_data: Path) -> None:
    """The sample's events are read; its markets are none of ours."""
    text = (shared_data / "odds" / "samples" / "opticodds_stream.sse").read_text()
    parsed = [reader().event(each, 0) for each in text.strip().split("\n\n")]

    assert [each.bad for each in parsed] == [()] * 5
    assert "rows of other kinds" in {notice.kind for each in parsed for notice in each.notices}
