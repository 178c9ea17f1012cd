"""odds-api.io's messages: documented ones and damaged ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.events import Quote, QuoteOrigin
from arb.feeds import odds_api_wire
from arb.feeds.odds_api_wire import parse_frame, sequence_of, snapshot_quotes

NOW_MS = 1_755_528_773_100

UPDATED: dict[str, Any] = {
    "type": "updated",
    "timestamp": "2025-08-18T14:52:52.983Z",
    "id": "63017989",
    "bookie": "Bet365",
    "url": "https://www.bet365.com/...",
    "markets": [
        {
            "name": "Totals",
            "updatedAt": "2025-08-18T14:52:52Z",
            "odds": [{"hdp": 2.5, "over": "1.90", "under": "1.90"}],
        },
        {
            "name": "ML",
            "updatedAt": "2025-08-18T14:52:52Z",
            "odds": [{"home": "1.44", "draw": "3.50", "away": "12.00", "max": 500}],
        },
    ],
}


def moneyline(**odds: object) -> dict[str, Any]:
    """Return an update with these odds."""
    return {**UPDATED, "markets": [{"name": "ML", "odds": [odds]}]}


def frame(*messages: object) -> str:
    """Return messages as the socket sends them: one a line."""
    return "\n".join(json.dumps(message) for message in messages)


def test_an_update_is_one_quote_of_one_book() -> None:
    """Both sides, the draw, the price's stamp and the gateway's are read."""
    parsed = parse_frame(frame(UPDATED), NOW_MS)

    assert parsed.quotes == (
        Quote(
            provider="odds-api-io",
            event_id="63017989",
            book="Bet365",
            home=1.44,
            away=12.0,
            source_ms=1_755_528_772_000,
            received_ms=NOW_MS,
            origin=QuoteOrigin.STREAM,
            draw=3.5,
            gateway_ms=1_755_528_772_983,
        ),
    )
    assert (parsed.bad, parsed.notices) == ((), ())


def test_several_objects_in_one_frame_are_several_messages() -> None:
    """Lines are split, ends of lines of either kind and empty lines do no harm."""
    text = frame(UPDATED, {**UPDATED, "bookie": "FanDuel"}).replace("\n", "\r\n") + "\n\n"

    for raw in (text, text.encode()):
        assert [quote.book for quote in parse_frame(raw, NOW_MS).quotes] == ["Bet365", "FanDuel"]


def test_ids_and_odds_may_be_numbers() -> None:
    """Both forms of id and of odds mean the same."""
    numbers = {**moneyline(home=1.9, away=2), "id": 100}
    (quote,) = parse_frame(frame(numbers), NOW_MS).quotes

    assert (quote.event_id, quote.home, quote.away, quote.draw) == ("100", 1.9, 2.0, None)


def test_without_a_stamp_the_quote_is_as_old_as_its_message() -> None:
    """The gateway's time stands in for the price's, and our own for both."""
    (quote,) = parse_frame(frame(moneyline(home="1.9", away="2.0")), NOW_MS).quotes
    assert quote.source_ms == quote.gateway_ms == 1_755_528_772_983

    bare = {name: value for name, value in UPDATED.items() if name != "timestamp"}
    bare["markets"] = [{"name": "ML", "odds": [{"home": "1.9", "away": "2.0"}]}]
    (quote,) = parse_frame(frame(bare), NOW_MS).quotes
    assert (quote.source_ms, quote.gateway_ms) == (NOW_MS, None)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "deleted", "id": 5, "bookie": "FanDuel"},
        {"type": "no_markets", "id": "5", "bookie": "FanDuel", "markets": []},
        {"type": "updated", "id": 5, "bookie": "FanDuel", "markets": [{"name": "ML", "odds": []}]},
    ],
)
def test_a_price_taken_away_is_a_suspended_quote(message: dict[str, Any]) -> None:
    """The book must not support a fair value from now on."""
    (quote,) = parse_frame(frame(message), NOW_MS).quotes

    assert (quote.event_id, quote.book, quote.suspended) == ("5", "FanDuel", True)
    assert quote.source_ms == NOW_MS


def test_other_messages_are_noticed() -> None:
    """Greetings, unknown types and other markets carry no quote and are no error."""
    spread = {**UPDATED, "markets": [{"name": "Spread", "odds": []}]}
    parsed = parse_frame(
        frame(
            {"type": "welcome", "message": "Connected", "warning": "slow"},
            {"type": "from the future"},
            spread,
            {"type": "score", "id": 1},
        ),
        NOW_MS,
    )

    assert [notice.kind for notice in parsed.notices] == [
        "welcome",
        "unknown type",
        "no moneyline",
        "score",
    ]
    assert parsed.notices[0].text == "Connected, slow"
    assert (parsed.bad, parsed.needs_snapshot) == ((), False)


def test_a_lost_track_asks_for_a_snapshot() -> None:
    """resync_required means that every price must be read again."""
    message = {"type": "resync_required", "reason": "replay_limit_exceeded"}

    assert parse_frame(frame(message), NOW_MS).needs_snapshot


@pytest.mark.parametrize(
    "message, reason",
    [
        (moneyline(home="1.00", away="2.0"), "decimal odds are not above 1"),
        (moneyline(home="0", away="2.0"), "decimal odds are not above 1"),
        (moneyline(home="-1.9", away="2.0"), "odds are not a number"),
        (moneyline(home="NaN", away="2.0"), "odds are not a number"),
        (moneyline(home="", away="2.0"), "odds are not a number"),
        (moneyline(home=None, away="2.0"), "odds are not a number"),
        (moneyline(home=True, away="2.0"), "odds are not a number"),
        (moneyline(home=["1.9"], away="2.0"), "odds are not a number"),
        (moneyline(away="2.0"), "odds are not a number"),
        (moneyline(home="1.9", away="2.0", draw="1"), "decimal odds are not above 1"),
        (moneyline(home="1e5", away="2.0"), "odds are not a number"),
        ({**UPDATED, "markets": [{"name": "ML"}]}, "odds are no list"),
        ({**UPDATED, "markets": [{"name": "ML", "odds": ["1.9"]}]}, "odds are no object"),
    ],
)
def test_a_price_that_cannot_be_read_takes_the_one_before_away(
    message: dict[str, Any], reason: str
) -> None:
    """A null, a 0 or a 1.00 is counted as bad, and the book supports nothing from now on."""
    parsed = parse_frame(frame(message), NOW_MS)

    assert [bad.reason for bad in parsed.bad] == [reason]
    (quote,) = parsed.quotes
    assert (quote.event_id, quote.book) == (str(UPDATED["id"]), UPDATED["bookie"])
    assert (quote.suspended, quote.origin) == (True, QuoteOrigin.STREAM)


@pytest.mark.parametrize(
    "message, reason",
    [
        ({**UPDATED, "markets": None}, "markets are no list"),
        ({**UPDATED, "markets": ["ML"]}, "a market is no object"),
        (
            {**UPDATED, "markets": [{"name": "ML", "updatedAt": "now", "odds": []}]},
            "a time cannot be read",
        ),
        ({**UPDATED, "timestamp": 5}, "a time cannot be read"),
        ({**UPDATED, "timestamp": "2025-08-18T14:52:52"}, "a time cannot be read"),
        ({**UPDATED, "id": None}, "the id is neither a text nor a whole number"),
        ({**UPDATED, "id": 1.5}, "the id is neither a text nor a whole number"),
        ({**UPDATED, "id": True}, "the id is neither a text nor a whole number"),
        ({**UPDATED, "id": ""}, "the id is neither a text nor a whole number"),
        ({**UPDATED, "bookie": 5}, "no bookie"),
        ({"type": "deleted", "id": 5}, "no bookie"),
        ({"id": 5}, "no type"),
        ({"type": 5}, "no type"),
        ([UPDATED], "not an object"),
        ("text", "not an object"),
    ],
)
def test_a_bad_piece_disturbs_nothing_else(message: object, reason: str) -> None:
    """It is counted with its reason and an example; what stands before and after it is read."""
    good = {**UPDATED, "bookie": "FanDuel"}
    parsed = parse_frame(frame(good, message, good), NOW_MS)

    assert [bad.reason for bad in parsed.bad] == [reason]
    assert 0 < len(parsed.bad[0].example) <= 200
    assert [quote.book for quote in parsed.quotes] == ["FanDuel", "FanDuel"]


def test_a_broken_line_is_one_bad_piece() -> None:
    """What is no JSON is bad by itself."""
    parsed = parse_frame(frame(UPDATED) + '\n{"type": "upd', NOW_MS)

    assert [bad.reason for bad in parsed.bad] == ["not JSON"]
    assert len(parsed.quotes) == 1


def test_a_frame_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame with more lines than any provider sends is one bad piece."""
    monkeypatch.setattr(odds_api_wire, "LINES_PER_FRAME_MAX", 2)

    parsed = parse_frame("{}\n{}\n{}", NOW_MS)
    assert [bad.reason for bad in parsed.bad] == ["too many lines in a frame"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(st.sampled_from(["type", "timestamp", "id", "bookie", "markets"]), JSON)
def test_any_value_in_any_place_is_read_or_bad(name: str, value: object) -> None:
    """The parser never raises, and every line gives one piece; a bad price suspends as well."""
    parsed = parse_frame(json.dumps({**UPDATED, name: value}), NOW_MS)

    quotes = [quote for quote in parsed.quotes if not (parsed.bad and quote.suspended)]
    assert len(quotes) + len(parsed.bad) + len(parsed.notices) == 1


@given(st.sampled_from(["name", "updatedAt", "odds", "home", "away", "draw"]), JSON)
def test_any_value_in_a_market_is_read_or_bad(name: str, value: object) -> None:
    """Neither does it raise for what stands deeper, from the socket or from REST."""
    odds = {"home": "1.9", "away": "2.0", name: value}
    market = {"name": "ML", "odds": [odds], name: value}
    parse_frame(json.dumps({**UPDATED, "markets": [market]}), NOW_MS)
    snapshot_quotes({"id": 1, "bookmakers": {"Bet365": [market]}}, NOW_MS)


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_noise_is_read_or_bad(raw: str | bytes) -> None:
    """Whatever comes, it is a value."""
    parse_frame(raw, NOW_MS)
    sequence_of(raw)


def test_the_last_sequence_number_of_a_frame() -> None:
    """It is found where there is one, in either form of frame."""
    text = frame({"seq": 10}, {"type": "x"}, {"seq": 12}, {"seq": "13"}) + "\nbroken"

    assert sequence_of(text) == sequence_of(text.encode()) == 12
    assert sequence_of("") is None
    assert sequence_of("[]") is None


def test_a_snapshot_has_every_book_of_a_game() -> None:
    """Polled quotes confirm books; a bad book costs itself alone."""
    good = [
        {"name": "ML", "updatedAt": "2025-08-18T14:52:52Z", "odds": [{"home": "1.71", "away": 2.2}]}
    ]
    event = {
        "id": 88001,
        "bookmakers": {
            "Bet365": good,
            "Broken": [{"name": "ML", "odds": [{"home": "0.5", "away": "2"}]}],
            "Worse": "x",
            "Worst": ["x"],
            "NoMoneyline": [{"name": "Spread", "odds": []}],
            "Suspended": [{"name": "ML", "odds": []}],
        },
    }
    parsed = snapshot_quotes(event, NOW_MS)

    quote, broken, suspended = parsed.quotes
    assert (quote.event_id, quote.book, quote.home, quote.away) == ("88001", "Bet365", 1.71, 2.2)
    assert (quote.origin, quote.source_ms) == (QuoteOrigin.POLL, 1_755_528_772_000)
    assert (broken.book, broken.suspended, broken.origin) == ("Broken", True, QuoteOrigin.POLL)
    assert (suspended.book, suspended.suspended) == ("Suspended", True)
    assert [bad.reason for bad in parsed.bad] == [
        "decimal odds are not above 1",
        "markets are no list",
        "a market is no object",
    ]


@pytest.mark.parametrize("event", [None, [], {"id": 1}, {"id": 1, "bookmakers": []}])
def test_a_snapshot_of_no_game_is_bad(event: object) -> None:
    """What is no event, or has no books, is one bad piece."""
    assert len(snapshot_quotes(event, NOW_MS).bad) == 1


def test_the_sample_messages_are_read(shared_data: Path) -> None:
    """Every documented message gives a piece and none is bad."""
    raw = (shared_data / "odds" / "samples" / "odds_api_io_ws.jsonl").read_text()
    parsed = parse_frame(raw, NOW_MS)

    assert parsed.bad == ()
    books = [quote.book for quote in parsed.quotes if quote.book != "Kalshi"]
    assert books == ["Bet365", "FanDuel", "FanDuel"]
    assert parsed.needs_snapshot
    assert sequence_of(raw) == 14
    assert len(parsed.quotes) + len(parsed.notices) == len(raw.splitlines())
    assert all(orjson.loads(line) for line in raw.splitlines())
