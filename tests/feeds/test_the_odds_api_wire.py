"""The Odds API's answers to quotes: any order, books that vanish, prices no book takes, damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import QuoteOrigin
from arb.core.games import OddsEvent
from arb.feeds.base import FORGOTTEN_AFTER_MS
from arb.feeds.the_odds_api_wire import TOO_MANY_GAMES, TheOddsApiReader, events_of

AT_MS = 1_692_800_000_000
LATER_MS = AT_MS + FORGOTTEN_AFTER_MS + 1


def book(home: object = 1.8, away: object = 2.05, title: str = "DraftKings") -> dict[str, Any]:
    """Return one book's entry, the away team first."""
    outcomes = [{"name": "Cardinals", "price": away}, {"name": "Pirates", "price": home}]
    market = {"key": "h2h", "last_update": "2023-08-23T05:04:45Z", "outcomes": outcomes}
    return {"key": "x", "title": title, "last_update": "2023-08-23T09:00:00Z", "markets": [market]}


def game(*books: object, **more: object) -> dict[str, Any]:
    """Return one game's row."""
    return {
        "id": "3da2",
        "sport_key": "baseball_mlb",
        "commence_time": "2023-08-23T16:35:00Z",
        "home_team": "Pirates",
        "away_team": "Cardinals",
        "bookmakers": list(books),
        **more,
    }


def body(*rows: object) -> bytes:
    """Return an answer."""
    return orjson.dumps(rows)


def test_outcomes_are_read_by_name() -> None:
    """The market's own stamp dates the price, not the scrape's."""
    (quote,) = TheOddsApiReader().answer(body(game(book())), AT_MS).quotes

    assert (quote.home, quote.away, quote.draw) == (1.8, 2.05, None)
    assert (quote.event_id, quote.book, quote.origin) == ("3da2", "DraftKings", QuoteOrigin.POLL)
    assert quote.source_ms == 1_692_767_085_000
    assert (quote.live, quote.suspended) == (False, False)


def test_a_game_that_has_begun_is_live_and_a_draw_is_kept() -> None:
    """The start decides; a third outcome makes the price a three-way one."""
    entry = book()
    entry["markets"][0]["outcomes"].append({"name": "Draw", "price": 3.5})
    (quote,) = TheOddsApiReader().answer(body(game(entry)), AT_MS + 10**8).quotes

    assert (quote.live, quote.draw) == (True, 3.5)


def test_a_book_that_vanishes_is_suspended_until_it_is_back() -> None:
    """Once, and not for another game."""
    reader = TheOddsApiReader()
    reader.answer(body(game(book(), book(title="FanDuel"))), AT_MS)
    parsed = reader.answer(body(game(book()), game(book(), id="other")), AT_MS)
    again = reader.answer(body(game(book())), AT_MS)
    back = reader.answer(body(game(book(), book(title="FanDuel"))), AT_MS)

    assert [each.book for each in parsed.quotes if each.suspended] == ["FanDuel"]
    assert not [each for each in (*again.quotes, *back.quotes) if each.suspended]


def test_a_game_that_is_not_offered_for_a_day_is_let_go_of() -> None:
    """There is always another one, and an answer of no games lets go of them, too."""
    reader = TheOddsApiReader()
    reader.answer(body(game(book())), AT_MS)
    reader.answer(body(game(book(), id="other", sport_key="icehockey_nhl")), LATER_MS)
    assert repr(reader) == "<TheOddsApiReader 1 games>"

    reader.answer(body(), LATER_MS + FORGOTTEN_AFTER_MS + 1)
    assert repr(reader) == "<TheOddsApiReader 0 games>"


def test_an_answer_that_came_back_short_hides_no_book_that_vanishes() -> None:
    """The game is back without one of its books: that price is taken away all the same."""
    reader = TheOddsApiReader()
    reader.answer(body(game(book(), book(title="FanDuel"))), AT_MS)
    reader.answer(body(game(book(), id="other")), LATER_MS - 2)
    parsed = reader.answer(body(game(book())), LATER_MS - 1)

    assert [each.book for each in parsed.quotes if each.suspended] == ["FanDuel"]


def test_games_without_room_are_counted_and_the_others_read_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody would notice when a book of theirs vanishes, so they are not priced."""
    monkeypatch.setattr("arb.feeds.the_odds_api_wire.GAMES_MAX", 1)
    reader = TheOddsApiReader()
    reader.answer(body(game(book(), book(title="FanDuel"))), AT_MS)
    parsed = reader.answer(body(game(book(), id="other"), game(book())), AT_MS)

    assert [(bad.reason, bad.example) for bad in parsed.bad] == [
        (TOO_MANY_GAMES, "Cardinals at Pirates")
    ]
    assert [(each.event_id, each.suspended) for each in parsed.quotes] == [
        ("3da2", False),
        ("3da2", True),
    ]


@pytest.mark.parametrize(
    "entry",
    [
        book(1.001, 24.0),
        {**book(), "markets": []},
        {**book(), "markets": [{"key": "spreads"}]},
        {**book(), "markets": [{"key": "h2h", "last_update": None, "outcomes": []}]},
    ],
)
def test_a_price_nobody_takes_or_half_of_one_is_none(entry: dict[str, Any]) -> None:
    """Extremes, other markets and missing sides are suspended prices."""
    (quote,) = TheOddsApiReader().answer(body(game(entry)), AT_MS).quotes

    assert quote.suspended


def test_books_that_nobody_asked_for_are_left_out() -> None:
    """With a list, all that are not on it; which books count is for the settings to say."""
    rows = body(game(book(), book(title="Kalshi"), book(title="Bovada")))
    parsed = TheOddsApiReader(["draftkings"]).answer(rows, AT_MS)

    assert [quote.book for quote in parsed.quotes] == ["DraftKings"]
    assert [notice.text for notice in parsed.notices] == ["Kalshi", "Bovada"]


@pytest.mark.parametrize(
    "entry",
    [7, {}, {**book(), "title": 5}, book(0.5), book("x"), book(True), {**book(), "markets": 5}],
)
def test_a_damaged_book_costs_itself_alone(entry: object) -> None:
    """The others of the game are used."""
    parsed = TheOddsApiReader().answer(body(game(entry, book(title="FanDuel"))), AT_MS)

    assert len(parsed.bad) == 1
    assert [quote.book for quote in parsed.quotes] == ["FanDuel"]


@pytest.mark.parametrize(
    "row", [7, {}, game(id=5), game(id=""), game(commence_time="soon"), game(bookmakers=[1])]
)
def test_a_damaged_game_costs_itself_alone(row: object) -> None:
    """The others of the answer are used."""
    parsed = TheOddsApiReader().answer(body(row, game(book(), id="good")), AT_MS)

    assert (len(parsed.bad), len(parsed.quotes)) == (1, 1)


def test_games_are_listed() -> None:
    """What is no game of ours is counted."""
    games, bad = events_of(body(game(), game(sport_key="curling"), 7))

    assert games == [
        OddsEvent("the-odds-api", "3da2", "mlb", "Pirates", "Cardinals", 1_692_808_500_000)
    ]
    assert len(bad) == 2
    assert [len(each) for each in (*events_of(b"{"), *events_of(b"{}"))] == [0, 1, 0, 1]


@given(st.binary())
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    """Whatever comes is a value."""
    TheOddsApiReader().answer(raw, 0)
    events_of(raw)


def test_the_recorded_answer_is_read(shared_data: Path) -> None:
    """Two books of one game."""
    raw = (shared_data / "odds" / "samples" / "the_odds_api_v4_h2h.json").read_bytes()
    parsed = TheOddsApiReader().answer(raw, AT_MS)

    assert [(each.book, each.home, each.away) for each in parsed.quotes] == [
        ("DraftKings", 2.02, 1.82),
        ("PointsBet (US)", 2.05, 1.8),
    ]
    assert [game.home for game in events_of(raw)[0]] == ["Pittsburgh Pirates"]
