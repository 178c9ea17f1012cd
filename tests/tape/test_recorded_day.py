"""The recorded day as a tape: what its CSV says is what the frames say."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import orjson
import pytest

from arb.core.book import Book
from arb.core.matching import match_games
from arb.core.odds import american_from_text, american_to_decimal, decimal_to_american
from arb.io.iso import iso_ms
from arb.io.teams_file import packaged_teams
from arb.kalshi.wire import BookDelta, BookSnapshot, Subscribed, parse_frame
from arb.tape.format import Feed, Record, TapeHeader
from arb.tape.import_games import Imported, import_games
from arb.tape.reader import TapeReader

TABLE = packaged_teams()


def read(tape: Path) -> tuple[TapeHeader, list[Record]]:
    with TapeReader(tape) as reader:
        return reader.header, list(reader)


DAY = "recorded-games/mlb-2025-08-23.csv"


@pytest.fixture(scope="module")
def day(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Imported, Path, Path]:
    """The recorded day, imported."""
    tape = tmp_path_factory.mktemp("day") / "day.tape"
    return import_games(shared_data / DAY, tape, TABLE), tape, shared_data / DAY


def test_the_recorded_day_has_its_moments_markets_and_rows(
    day: tuple[Imported, Path, Path],
) -> None:
    """134 moments, 28 markets of 14 games, 3,752 rows, four books each, nothing left out."""
    made, tape, _ = day
    assert (made.moments, made.markets, made.games, made.rows) == (134, 28, 14, 3_752)
    assert made.odds_frames == 134 * 14 + 1
    assert made.prices == 134 * 14 * 4
    assert (made.bad, made.crossed, made.one_sided) == (0, 0, 0)
    header, _ = read(tape)
    matches = match_games(TABLE, header.kalshi_games(), header.odds_events)
    assert matches.unmatched == ()
    assert len({ticker for game in matches.games for ticker in game.tickers}) == 28


def test_the_recorded_day_is_the_same_tape_each_time(
    day: tuple[Imported, Path, Path], tmp_path: Path
) -> None:
    """Two imports of one file make the same bytes."""
    _, tape, path = day
    import_games(path, tmp_path / "again.tape", TABLE)
    assert (tmp_path / "again.tape").read_bytes() == tape.read_bytes()


def test_the_recorded_days_books_show_the_csvs_asks(day: tuple[Imported, Path, Path]) -> None:
    """Read as live frames are, the books give each row's ask and a dollar less the other's."""
    _, tape, path = day
    books: dict[str, Book] = {}
    tops: dict[tuple[int, str], tuple[int | None, int | None]] = {}
    sequence = 0
    for record in read(tape)[1]:
        if record.feed is Feed.ODDS:
            for ticker, book in books.items():
                tops[record.at_ms, ticker] = (book.top().bid_e4, book.top().ask_e4)
            continue
        frame = parse_frame(record.raw)
        if isinstance(frame, Subscribed):
            continue
        assert isinstance(frame, BookSnapshot | BookDelta)
        sequence += 1
        assert frame.seq == sequence
        book = books.setdefault(frame.ticker, Book(frame.ticker))
        if isinstance(frame, BookSnapshot):
            book.apply_snapshot(frame.bids, frame.asks)
        else:
            assert book.apply_delta(frame.side, frame.price_e4, frame.delta_e2)
    asks = _asks(path)
    assert set(tops) == set(asks)
    for (at_ms, ticker), ask_e4 in asks.items():
        event = ticker.rpartition("-")[0]
        (other,) = (one for one in books if one.startswith(event) and one != ticker)
        assert tops[at_ms, ticker] == (10_000 - asks[at_ms, other], ask_e4)


def _asks(path: Path) -> dict[tuple[int, str], int]:
    with path.open(encoding="utf-8") as file:
        return {
            (iso_ms(row["ts_utc"]), row["market_ticker"]): round(
                float(row["kalshi_yes_ask_dollars"]) * 10_000
            )
            for row in csv.DictReader(file)
        }


def test_the_recorded_days_odds_are_the_csvs_odds(day: tuple[Imported, Path, Path]) -> None:
    """Every book's price of both teams comes back as the American odds of the CSV, at its time."""
    _, tape, path = day
    header, records = read(tape)
    events = {event.event_id: event for event in header.odds_events}
    found: dict[tuple[int, str, str], int] = {}
    for record in records:
        if record.feed is Feed.ODDS:
            for line in record.raw.split("\n"):
                message = orjson.loads(line)
                for market in message.get("markets", ()):
                    event, (odds,) = events[message["id"]], market["odds"]
                    for side, team in (("home", event.home), ("away", event.away)):
                        key = (record.at_ms, team, message["bookie"])
                        found[key] = decimal_to_american(float(odds[side]))
    names = {"fanduel": "FanDuel", "draftkings": "DraftKings"}
    names |= {"betmgm": "BetMGM", "espnbet": "ESPN BET"}
    expected = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for column, book in names.items():
                decimal = american_to_decimal(american_from_text(row[column]))
                key = (iso_ms(row["ts_utc"]), row["team"], book)
                expected[key] = decimal_to_american(decimal)
    assert len(expected) == 3_752 * 4
    assert found == expected


def test_the_recorded_days_moments_are_books_then_one_odds_frame_a_game(
    day: tuple[Imported, Path, Path],
) -> None:
    """Within a moment no book frame follows an odds frame, and each game has one frame of four."""
    _, tape, _ = day
    order: dict[int, list[Feed]] = defaultdict(list)
    for record in read(tape)[1]:
        order[record.at_ms].append(record.feed)
        if record.feed is Feed.ODDS and '"welcome"' not in record.raw:
            messages = [orjson.loads(line) for line in record.raw.split("\n")]
            assert len(messages) == 4
            assert len({message["id"] for message in messages}) == 1
            assert len({message["bookie"] for message in messages}) == 4
    assert len(order) == 134
    for feeds in order.values():
        assert feeds == sorted(feeds, key=list(Feed).index)
        assert feeds.count(Feed.ODDS) >= 14
