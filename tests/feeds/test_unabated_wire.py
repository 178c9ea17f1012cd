"""Unabated's snapshot and lines to quotes: by id, in sequence, taken away, damaged."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import Quote, QuoteOrigin
from arb.core.games import OddsEvent
from arb.feeds.base import FORGOTTEN_AFTER_MS
from arb.feeds.unabated_wire import TOO_MANY_LINES, UnabatedReader

AT_MS = 1_749_217_800_000
LATER_MS = AT_MS + FORGOTTEN_AFTER_MS + 1
GAME = OddsEvent("unabated", "940356", "nba", "New York Knicks", "Boston Celtics", 1749254400000)


def line(number: int, price: object, sequence: object = 1, **more: object) -> dict[str, Any]:
    """Return a line of book 91: number 10 is the away side's, 11 the home side's."""
    return {
        "marketLineId": number,
        "marketSourceId": 91,
        "price": price,
        "statusId": 1,
        "sequenceNumber": sequence,
        "disabled": False,
        "modifiedOn": "2025-06-06T13:00:00.592989Z",
        **more,
    }


def market(**more: object) -> dict[str, Any]:
    """Return the moneyline of one game, at one book."""
    sides = {
        f"si{side}": {"sideIndex": side, "marketSourceLines": {"91": line(10 + side, price)}}
        for side, price in ((0, 130), (1, -150))
    }
    return {
        "eventId": 940356,
        "eventStart": "2025-06-07T00:00:00Z",
        "statusId": 1,
        "betTypeId": 1,
        "eventTeams": {"0": {"teamId": 75}, "1": {"teamId": 84}},
        "sides": sides,
        **more,
    }


def another(number: int) -> dict[str, Any]:
    """Return the moneyline of another game, with lines of its own."""
    sides = {
        f"si{side}": {"sideIndex": side, "marketSourceLines": {"91": line(number + side, price)}}
        for side, price in ((0, 130), (1, -150))
    }
    return market(eventId=number, sides=sides)


def odds(*markets: object, state: str = "pregame") -> dict[str, Any]:
    """Return a snapshot's odds."""
    keyed = {str(number): each for number, each in enumerate(markets)}
    return {"nba": {"leagueId": 3, "periodTypes": {"game": {"periodTypeId": 1, state: keyed}}}}


def reader(*books: str) -> UnabatedReader:
    """Return a reader that knows names, and no line yet."""
    made = UnabatedReader(books)
    teams = [{"id": 75, "name": "Boston Celtics"}, {"id": 84, "name": "New York Knicks"}]
    made.learn([{"id": 91, "name": "DraftKings"}, {"name": "none"}, 7], teams)
    return made


def known() -> UnabatedReader:
    """Return a reader that has read the snapshot."""
    made = reader()
    made.snapshot(odds(market()), AT_MS)
    return made


def frame(*rows: object) -> bytes:
    """Return a frame of the socket."""
    update = {"leagueId": 3, "messageTimestamp": 1_749_217_799, "marketLines": rows}
    return orjson.dumps({"type": "data", "payload": {"data": {"marketLineUpdate": update}}})


def quotes(made: UnabatedReader, *rows: object) -> tuple[Quote, ...]:
    """Read lines in which nothing is wrong."""
    parsed = made.message(frame(*rows), AT_MS)
    assert parsed.bad == ()
    return parsed.quotes


def test_a_snapshot_lists_games_and_prices() -> None:
    """Side 1 is at home; the price is as old as its last change."""
    events, parsed = reader().snapshot(odds(market()), AT_MS)
    (quote,) = parsed.quotes

    assert events == [GAME]
    assert (quote.home, quote.away) == (1 + 100 / 150, 2.3)
    assert (quote.book, quote.event_id, quote.origin) == (
        "DraftKings",
        "940356",
        QuoteOrigin.POLL,
    )
    assert (quote.source_ms, quote.live) == (1_749_214_800_592, False)


def test_a_game_that_is_played_is_live() -> None:
    """The snapshot's state says so."""
    _, parsed = reader().snapshot(odds(market(statusId=2), state="live"), AT_MS)

    assert parsed.quotes[0].live


@pytest.mark.parametrize("more", [{"betTypeId": 2}, {"statusId": 3}])
def test_other_markets_and_games_that_are_over_are_left_out(more: dict[str, object]) -> None:
    """Only the moneyline of games to come or live."""
    events, parsed = reader().snapshot(odds(market(**more)), AT_MS)

    assert (events, parsed.quotes, parsed.bad) == ([], (), ())


def test_books_that_nobody_asked_for_are_left_out() -> None:
    """The list of books is kept to; spelling in capitals or not is the same."""
    assert reader("FanDuel").snapshot(odds(market()), AT_MS)[1].quotes == ()
    assert len(reader("draftkings").snapshot(odds(market()), AT_MS)[1].quotes) == 1


def test_a_line_is_known_by_its_id_and_keeps_the_other_side() -> None:
    """A change of one side is a whole price, dated by the gateway too."""
    (quote,) = quotes(known(), line(11, -160, 5))

    assert (quote.home, quote.away) == (1.625, 2.3)
    assert (quote.gateway_ms, quote.origin) == (1_749_217_799_000, QuoteOrigin.STREAM)


def test_what_comes_again_or_late_says_nothing() -> None:
    """The sequence number orders a line; lines of other markets are counted."""
    made = known()
    quotes(made, line(11, -160, 5))

    assert quotes(made, line(11, -300, 4)) == quotes(made, line(11, -300, 5)) == ()
    assert made.message(frame(line(77, 100)), AT_MS).notices[0].kind == "lines of other kinds"


@pytest.mark.parametrize("more", [{"statusId": 2}, {"disabled": True}])
def test_a_line_that_is_not_offered_is_no_price(more: dict[str, object]) -> None:
    """One side is enough; the next line that is offered brings it back."""
    made = known()
    (gone,) = quotes(made, line(11, -160, 5, **more))
    (back,) = quotes(made, line(11, -160, 6))

    assert (gone.suspended, back.suspended) == (True, False)


def test_what_fills_a_gap_is_read_as_changes_are() -> None:
    """The query's answer holds several updates; none is nothing."""
    update = {"messageTimestamp": None, "marketLines": [line(11, -170, 9)]}
    parsed = known().message(orjson.dumps({"data": {"marketLineUpdates": [update]}}), AT_MS)
    empty = known().message(b'{"data":{"marketLineUpdates":[]}}', AT_MS)

    assert [quote.gateway_ms for quote in parsed.quotes] == [None]
    assert (empty.quotes, empty.bad) == ((), ())


@pytest.mark.parametrize(
    "damage",
    [
        {"modifiedOn": "soon"},
        {"sequenceNumber": "x"},
        {"marketLineId": []},
    ],
)
def test_a_damaged_line_costs_itself_alone(damage: dict[str, object]) -> None:
    """Each is counted with its reason; the others of the frame are used."""
    parsed = known().message(frame({**line(11, -160, 5), **damage}, 7, line(10, 140, 5)), AT_MS)

    assert len(parsed.bad) == 2
    assert [quote.away for quote in parsed.quotes] == [2.4]


@pytest.mark.parametrize("price", [None, 0, 50, "x", True])
def test_a_price_that_cannot_be_read_takes_its_side_away(price: object) -> None:
    """It is counted as bad, and the price before it is none until that side is told anew."""
    made = known()
    parsed = made.message(frame(line(11, price, 5)), AT_MS)
    (still,) = quotes(made, line(10, 140, 5))
    (back,) = quotes(made, line(11, -150, 6))

    assert [quote.suspended for quote in (*parsed.quotes, still, back)] == [True, True, False]
    assert len(parsed.bad) == 1
    assert made.message(frame(line(11, price, 5)), AT_MS).quotes == ()


@pytest.mark.parametrize("bad", [7, {}, {**market(), "sides": 5}, {**market(), "eventTeams": {}}])
def test_a_damaged_market_costs_itself_alone(bad: object) -> None:
    """The others of the snapshot are used."""
    events, parsed = reader().snapshot(odds(bad, market()), AT_MS)

    assert (len(events), len(parsed.bad), len(parsed.quotes)) == (1, 1, 1)


@pytest.mark.parametrize(
    "raw, reason",
    [
        ("{", "not JSON"),
        ("[]", "no lines"),
        ('{"type":"data","payload":7}', "no lines"),
        ('{"type":"error"}', "the provider's error"),
    ],
)
def test_damaged_messages_are_counted(raw: str, reason: str) -> None:
    """A message that holds no lines is bad as a whole."""
    assert [bad.reason for bad in known().message(raw, AT_MS).bad] == [reason]


def test_signs_of_life_are_notices() -> None:
    """Another kind of message is said to be unknown."""
    raws = ('{"type":"ka"}', '{"type":"news"}')

    assert [known().message(raw, 0).notices[0].kind for raw in raws] == ["ka", "unknown type"]


def test_what_is_not_offered_for_a_day_is_let_go_of() -> None:
    """There is always another game; its lines, its prices and its memory are all that is left."""
    made = known()
    made.snapshot(odds(another(20)), LATER_MS)

    assert repr(made) == "<UnabatedReader 2 lines, 1 books>"
    assert [event_id for event_id, *_ in made.memory()] == ["20"]
    assert made.message(frame(line(11, -160, 5)), AT_MS).notices[0].text == "1"


def test_a_snapshot_that_came_back_short_costs_no_line() -> None:
    """Neither one without the game nor the next with it makes an old price look new."""
    made = known()
    quotes(made, line(11, -160, 5))
    made.snapshot(odds(another(20)), LATER_MS - 2)
    (moved,) = quotes(made, line(11, -170, 6))
    _, again = made.snapshot(odds(market(), another(20)), LATER_MS)

    assert round(moved.home, 3) == 1.588
    assert {quote.home for quote in again.quotes if quote.event_id == "940356"} == {moved.home}


def test_lines_without_room_are_counted_and_the_others_read_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever is known stays known: the limit keeps new ones out, and says how many."""
    monkeypatch.setattr("arb.feeds.unabated_wire.LINES_MAX", 3)
    made = known()
    _, parsed = made.snapshot(odds(market(), another(20)), AT_MS + 1)

    assert [(bad.reason, bad.example) for bad in parsed.bad] == [
        (TOO_MANY_LINES, "1 lines of Boston Celtics at New York Knicks")
    ]
    assert [quote.suspended for quote in parsed.quotes] == [False, True]


@given(st.text(), st.recursive(st.none() | st.integers(), lambda s: st.dictionaries(st.text(), s)))
def test_nothing_makes_it_raise(text: str, value: object) -> None:
    """Whatever comes is a value."""
    known().message(text, 0)
    reader().snapshot(value, 0)
    reader().snapshot({"nba": value}, 0)
    reader().snapshot(odds(value), 0)
