"""Unabated's lines of before the start, those of a played game, and lines that take over."""

from __future__ import annotations

from typing import Any

from arb.core.events import Quote
from arb.feeds.base import Parsed
from arb.feeds.unabated_wire import UnabatedReader
from tests.feeds.test_unabated_wire import AT_MS, frame, line, market, odds, quotes, reader


def listed(first: int, home: int, away: int, sequence: int, **more: Any) -> dict[str, Any]:
    """Return the moneyline of the one game at book 91, whose away line is ``first``."""
    sides = {
        f"si{side}": {
            "sideIndex": side,
            "marketSourceLines": {"91": line(first + side, price, sequence)},
        }
        for side, price in ((0, away), (1, home))
    }
    return market(sides=sides, **more)


def both_states(pregame: object, live: object) -> dict[str, Any]:
    """Return a snapshot's odds with what is listed in either state."""
    game = {"periodTypeId": 1, "pregame": {"a": pregame}, "live": {"b": live}}
    return {"nba": {"leagueId": 3, "periodTypes": {"game": game}}}


BEFORE = listed(10, -150, 130, 900)
PLAYED = listed(20, -300, 250, 5, statusId=2)


def taken(made: UnabatedReader, snapshot: dict[str, Any]) -> Parsed:
    """Read a snapshot of the one game in which nothing is wrong."""
    events, parsed = made.snapshot(snapshot, AT_MS)
    assert (len(events), parsed.bad) == (1, ())
    return parsed


def said(parsed: Parsed) -> list[tuple[float, bool, bool]]:
    """Return what quotes say of home, whether they are live, and whether suspended."""
    return [(round(each.home, 3), each.live, each.suspended) for each in parsed.quotes]


def test_lines_of_before_the_start_do_not_count_once_live_ones_are_listed() -> None:
    """They may be left open with numbers far ahead; whichever side moves, it is the live one."""
    made = reader()
    assert said(taken(made, both_states(BEFORE, PLAYED))) == [(1.333, True, False)]

    (moved,) = quotes(made, line(21, -400, 6))
    assert (moved.home, moved.away, moved.live) == (1.25, 3.5, True)
    left_open = made.message(frame(line(11, -100, 901)), AT_MS)
    assert (left_open.quotes, left_open.notices[0].kind) == ((), "lines of other kinds")


def test_a_game_that_begins_leaves_its_earlier_lines() -> None:
    """What was known of them says nothing any more, also where only they are listed later."""
    made = reader()
    assert said(taken(made, odds(BEFORE))) == [(1.667, False, False)]
    assert said(taken(made, both_states(BEFORE, PLAYED))) == [(1.333, True, False)]

    assert quotes(made, line(22, 100, 6)) == quotes(made, line(11, -200, 902)) == ()
    assert taken(made, odds(BEFORE)).quotes == ()
    assert repr(made) == "<UnabatedReader 2 lines, 1 books>"


def test_lines_of_before_the_start_count_until_live_ones_are_listed() -> None:
    """A live market without a line of ours prices nothing yet."""
    empty = {**PLAYED, "sides": {}}

    assert said(taken(reader(), both_states(BEFORE, empty))) == [(1.667, False, False)]


def test_a_book_without_live_lines_has_its_price_taken_away() -> None:
    """Its last price is of before the start."""
    made = reader()
    made.learn([{"id": 92, "name": "FanDuel"}], [])
    sides = {
        f"si{side}": {
            "sideIndex": side,
            "marketSourceLines": {
                str(source): {**line(number + side, price), "marketSourceId": source}
                for source, number in ((91, 10), (92, 30))
            },
        }
        for side, price in ((0, 130), (1, -150))
    }
    taken(made, odds(market(sides=sides)))
    parsed = taken(made, both_states(market(sides=sides), PLAYED))

    found: dict[str, Quote] = {quote.book: quote for quote in parsed.quotes}
    assert {book: quote.suspended for book, quote in found.items()} == {
        "DraftKings": False,
        "FanDuel": True,
    }


def test_lines_may_keep_their_ids_when_a_game_begins() -> None:
    """They are the live ones then, with whatever number."""
    made = reader()
    taken(made, odds(BEFORE))
    again = listed(10, -300, 250, 3, statusId=2)

    assert said(taken(made, odds(again, state="live"))) == [(1.333, True, False)]
    assert [quote.home for quote in quotes(made, line(11, -400, 4))] == [1.25]


def test_a_line_that_takes_over_begins_its_own_numbers() -> None:
    """What the one before said later is nobody's price."""
    made = reader()
    taken(made, odds(BEFORE))
    assert said(taken(made, odds(listed(40, -200, 170, 1)))) == [(1.5, False, False)]

    assert quotes(made, line(11, -100, 901)) == ()
    assert [quote.home for quote in quotes(made, line(41, -250, 2))] == [1.4]


def test_another_reader_takes_over_both_states() -> None:
    """A tape's memory says which lines are whose."""
    made, other = reader(), UnabatedReader()
    taken(made, odds(PLAYED, state="live"))
    other.restore(made.memory())

    assert other.memory() == made.memory()
    assert said(other.message(frame(line(21, -400, 6)), AT_MS)) == [(1.25, True, False)]
    assert other.snapshot(odds(BEFORE), AT_MS)[1].quotes == ()


def test_a_state_that_cannot_be_read_costs_itself_alone() -> None:
    """The other state of the league is read on."""
    broken = both_states(BEFORE, PLAYED)
    broken["nba"]["periodTypes"]["game"]["live"] = [7]
    _, parsed = reader().snapshot(broken, AT_MS)

    assert said(parsed) == [(1.667, False, False)]
    assert len(parsed.bad) == 1
