"""Recorded prices made into frames, checked by reading the frames back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest

from arb.io.iso import iso_ms
from arb.io.teams_file import packaged_teams
from arb.tape.csv_rows import CsvRows
from arb.tape.format import Feed, Record, TapeError, TapeHeader
from arb.tape.import_games import Imported, import_games
from arb.tape.reader import TapeReader

TABLE = packaged_teams()
HEADER = "ts_utc,league,market_ticker,team,kalshi_yes_ask_dollars,fanduel,draftkings"
WSH = "mlb,KXMLBGAME-25AUG23WSHPHI-WSH,Washington Nationals"
PHI = "mlb,KXMLBGAME-25AUG23WSHPHI-PHI,Philadelphia Phillies"
KC = "mlb,KXMLBGAME-25AUG23KCDET-KC,Kansas City Royals"
FIRST, SECOND, THIRD = (f"2025-08-23T15:0{minute}:00.500Z" for minute in (0, 2, 4))
GOOD = [f"{FIRST},{WSH},0.31,210,", f"{FIRST},{PHI},0.7,-255,-250"]


def source(folder: Path, lines: Iterable[str], header: str = HEADER) -> Path:
    path = folder / "day.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def make(folder: Path, lines: Iterable[str], **options: bool) -> tuple[Imported, Path]:
    tape = folder / "day.tape"
    return import_games(source(folder, lines), tape, TABLE, **options), tape


def read(tape: Path) -> tuple[TapeHeader, list[Record]]:
    with TapeReader(tape) as reader:
        return reader.header, list(reader)


def frames(tape: Path, feed: Feed) -> list[Any]:
    """All JSON objects of one feed."""
    records = [record for record in read(tape)[1] if record.feed is feed]
    return [orjson.loads(line) for record in records for line in record.raw.split("\n")]


def deltas(tape: Path) -> list[tuple[str, str, str, str]]:
    found = [one["msg"] for one in frames(tape, Feed.BOOKS) if one["type"] == "orderbook_delta"]
    return [
        (one["market_ticker"][-3:], one["side"], one["price_dollars"], one["delta_fp"])
        for one in found
    ]


def test_one_moment_is_a_subscription_snapshots_and_prices(tmp_path: Path) -> None:
    """The first moment gives both books whole, and then the odds of both sides together."""
    made, tape = make(tmp_path, GOOD)
    header, records = read(tape)
    assert [(record.at_ms, record.feed, record.source) for record in records] == [
        *[(iso_ms(FIRST), Feed.BOOKS, "kalshi")] * 3,
        *[(iso_ms(FIRST), Feed.ODDS, "odds-api-io")] * 2,
    ]
    subscribed, away, home = frames(tape, Feed.BOOKS)
    assert subscribed == {
        "id": 1,
        "type": "subscribed",
        "msg": {"channel": "orderbook_delta", "sid": 1},
    }
    assert (away["type"], away["sid"], away["seq"], home["seq"]) == ("orderbook_snapshot", 1, 1, 2)
    assert away["msg"]["market_ticker"].endswith("-WSH")
    assert away["msg"]["yes_dollars_fp"] == [["0.3000", "100.00"]]
    assert away["msg"]["no_dollars_fp"] == [["0.3100", "100.00"]]
    assert home["msg"]["yes_dollars_fp"] == [["0.6900", "100.00"]]
    welcome, price = frames(tape, Feed.ODDS)
    assert welcome["type"] == "welcome"
    assert welcome["bookmakers"] == ["FanDuel", "DraftKings"]
    assert price == {
        "type": "created",
        "timestamp": "2025-08-23T15:00:00.500Z",
        "id": header.odds_events[0].event_id,
        "bookie": "FanDuel",
        "markets": [
            {
                "name": "ML",
                "updatedAt": "2025-08-23T15:00:00Z",
                "odds": [{"home": "1.392156862745098", "away": "3.1"}],
            }
        ],
    }
    assert (made.moments, made.rows, made.games, made.markets) == (1, 2, 1, 2)
    assert (made.book_frames, made.odds_frames, made.prices, made.one_sided) == (3, 2, 1, 1)


def test_the_header_says_what_is_known_and_what_is_assumed(tmp_path: Path) -> None:
    """Markets, grid, fees, size and start stand in the header, the assumed ones named as such."""
    header, _ = read(make(tmp_path, GOOD)[1])
    assert header.source == "imported from day.csv"
    assert header.begins_ms == iso_ms(FIRST)
    (series,) = header.series
    assert (series.ticker, series.fee_type) == ("KXMLBGAME", "quadratic_with_maker_fees")
    assert series.fee_multiplier_e4 == 10_000
    assert [market.grid.ranges for market in header.events[0].markets] == [((0, 10_000, 100),)] * 2
    assert header.level_size_e2 == 100_00
    (event,) = header.odds_events
    assert (event.home, event.away) == ("Philadelphia Phillies", "Washington Nationals")
    assert event.start_ms == iso_ms("2025-08-23T19:10:00-04:00")
    text = " ".join(header.assumptions)
    assert all(word in text for word in ("100 contracts", "asks only", "19:10", "times 1."))


@pytest.mark.parametrize(
    "event, day, start, multiplier",
    [
        ("26AUG061905WSHPHI", "2026-08-06", "2026-08-06T19:05:00-04:00", 10_000),
        ("26AUG07WSHPHIG1", "2026-08-07", "2026-08-07T13:10:00-04:00", 5_000),
        ("26AUG07WSHPHIG2", "2026-08-07", "2026-08-07T19:10:00-04:00", 5_000),
    ],
)
def test_hour_number_and_day_of_a_ticker_count(
    tmp_path: Path, event: str, day: str, start: str, multiplier: int
) -> None:
    """A stated hour is the start, the first of two games is early; fees are those of the day."""
    line = f"{day}T12:00:00Z,mlb,KXMLBGAME-{event}-PHI,Phillies,0.5,100,100"
    header, _ = read(make(tmp_path, [line])[1])
    assert header.odds_events[0].start_ms == iso_ms(start)
    assert header.series[0].fee_multiplier_e4 == multiplier


def test_only_what_changed_is_sent_and_what_goes_is_sent_first(tmp_path: Path) -> None:
    """An unchanged book is silent; a moved price is removed before the new one comes."""
    made, tape = make(
        tmp_path,
        [
            *GOOD,
            f"{SECOND},{WSH},0.31,210,",
            f"{SECOND},{PHI},0.7,-255,",
            f"{THIRD},{WSH},0.29,210,",
            f"{THIRD},{PHI},0.72,-255,",
        ],
    )
    assert deltas(tape) == [
        ("WSH", "yes", "0.3000", "-100.00"),
        ("WSH", "no", "0.3100", "-100.00"),
        ("WSH", "yes", "0.2800", "100.00"),
        ("WSH", "no", "0.2900", "100.00"),
        ("PHI", "yes", "0.6900", "-100.00"),
        ("PHI", "no", "0.7000", "-100.00"),
        ("PHI", "yes", "0.7100", "100.00"),
        ("PHI", "no", "0.7200", "100.00"),
    ]
    assert made.book_frames == 11
    assert [one["seq"] for one in frames(tape, Feed.BOOKS)[1:]] == list(range(1, 11))
    kinds = [one["type"] for one in frames(tape, Feed.ODDS)]
    assert kinds == ["welcome", "created", "updated", "updated"]


def test_a_side_that_did_not_move_stays(tmp_path: Path) -> None:
    """One team's ask alone changes its own ask and the other's bid."""
    _, tape = make(tmp_path, [*GOOD, f"{SECOND},{WSH},0.32,210,", f"{SECOND},{PHI},0.7,-255,"])
    assert deltas(tape) == [
        ("WSH", "no", "0.3100", "-100.00"),
        ("WSH", "no", "0.3200", "100.00"),
        ("PHI", "yes", "0.6900", "-100.00"),
        ("PHI", "yes", "0.6800", "100.00"),
    ]


def test_a_market_without_a_row_yet_has_an_empty_book(tmp_path: Path) -> None:
    """Markets that come later are subscribed to from the start, empty, and then filled."""
    _, tape = make(tmp_path, [GOOD[0], f"{SECOND},{PHI},0.7,,-250", f"{SECOND},{KC},0.4,100,"])
    snapshots = {one["msg"]["market_ticker"][-3:]: one for one in frames(tape, Feed.BOOKS)[1:4]}
    assert snapshots["WSH"]["msg"]["no_dollars_fp"] == [["0.3100", "100.00"]]
    assert "yes_dollars_fp" not in snapshots["WSH"]["msg"]
    assert snapshots["PHI"]["msg"]["yes_dollars_fp"] == [["0.6900", "100.00"]]
    assert "no_dollars_fp" not in snapshots["PHI"]["msg"]
    assert "no_dollars_fp" not in snapshots["-KC"]["msg"]
    assert deltas(tape) == [
        ("WSH", "yes", "0.3000", "100.00"),
        ("PHI", "no", "0.7000", "100.00"),
        ("-KC", "no", "0.4000", "100.00"),
    ]


def test_asks_below_a_dollar_leave_no_bid_until_they_are_whole_again(tmp_path: Path) -> None:
    """Two asks that no instant can have shown give no bid, and the tape's maker is told."""
    made, tape = make(
        tmp_path,
        [
            *GOOD,
            f"{SECOND},{WSH},0.29,210,",
            f"{SECOND},{PHI},0.7,-255,",
            f"{THIRD},{WSH},0.3,210,",
            f"{THIRD},{PHI},0.7,-255,",
        ],
    )
    assert made.crossed == 1
    assert deltas(tape)[:3] == [
        ("WSH", "yes", "0.3000", "-100.00"),
        ("WSH", "no", "0.3100", "-100.00"),
        ("WSH", "no", "0.2900", "100.00"),
    ]
    assert ("WSH", "yes", "0.3000", "100.00") in deltas(tape)[4:]


def test_odds_of_one_team_alone_are_left_out_and_counted(tmp_path: Path) -> None:
    """A book that prices one side, and a team whose row is missing, give no message."""
    made, tape = make(tmp_path, [*GOOD, f"{SECOND},{WSH},0.31,210,200"])
    assert made.one_sided == 3
    assert made.prices == 1
    assert len(frames(tape, Feed.ODDS)) == 2


BAD = [
    ("", "0 cells, the header has 7"),
    (f"{SECOND},{WSH},0.31,210", "6 cells"),
    (f'{SECOND},"{WSH},0.31,210,', "not a line of CSV"),
    (f"{SECOND},{WSH},0.31,210," + "x" * 5_000, "too long"),
    (f"yesterday,{WSH},0.31,210,", "isoformat"),
    (f"{SECOND[:-1]},{WSH},0.31,210,", "no time zone"),
    (f"2025-08-23T14:00:00Z,{WSH},0.31,210,", "before the line above"),
    (f"{SECOND},mlb,KXMLBGAME-25AUG23WSHPHI-NYM,New York Mets,0.31,210,", "not in the league"),
    (f"{SECOND},mlb,KXMLBGAME-25AUG23,New York Mets,0.31,210,", "malformed ticker"),
    (f"{SECOND},mlb,KXMLBGAME-25AUG23WSHPHI,Phillies,0.31,210,", "not the team"),
    (f"{SECOND},mlb,KXMLBGAME-25AUG23WSHPHI-PHI,Nationals,0.31,210,", "not the team"),
    (f"{SECOND},mlb,KXMLBGAME-25AUG23WSHPHI-PHI,Hanshin,0.31,210,", "is called 'Hanshin'"),
    (f"{SECOND},nba,KXMLBGAME-25AUG23WSHPHI-PHI,Wizards,0.31,210,", "not the team"),
    (f"{SECOND},kbo,KXMLBGAME-25AUG23WSHPHI-PHI,Phillies,0.31,210,", "no league"),
    (f"{SECOND},{WSH},,210,", "kalshi_yes_ask_dollars"),
    (f"{SECOND},{WSH},nan,210,", "kalshi_yes_ask_dollars"),
    (f"{SECOND},{WSH},0.315,210,", "0.3150 is off the grid"),
    (f"{SECOND},{WSH},0.31555,210,", "more than 4 decimals"),
    (f"{SECOND},{WSH},1.00,210,", "off the grid"),
    (f"{SECOND},{WSH},0.00,210,", "off the grid"),
    (f"{SECOND},{WSH},0.31,99,", "FanDuel: American odds lie between"),
    (f"{SECOND},{WSH},0.31,210,1.5", "DraftKings: odds are not a number"),
    (f"{SECOND},{WSH},0.31,9999999,", "longer than any book offers"),
]


@pytest.mark.parametrize("line, what", BAD)
def test_a_broken_line_says_where_and_what(tmp_path: Path, line: str, what: str) -> None:
    """File, line number and what is wrong, and no tape; skip_bad counts it and goes on."""
    lines = [*GOOD, line, f"{SECOND},{PHI},0.7,-255,-250"]
    with pytest.raises(TapeError) as caught:
        make(tmp_path, lines)
    assert str(caught.value).startswith(f"{tmp_path / 'day.csv'}, line 4: ")
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "day.tape").exists()
    made, _ = make(tmp_path, lines, skip_bad=True)
    assert (made.rows, made.bad) == (3, 1)
    assert made.last_bad is not None
    assert what in made.last_bad


def test_a_second_row_of_a_market_in_one_moment_is_broken(tmp_path: Path) -> None:
    """One market has one ask at one time; the same market at the next time is right."""
    with pytest.raises(TapeError, match="line 4: a second row of KXMLBGAME-25AUG23WSHPHI-WSH"):
        make(tmp_path, [*GOOD, GOOD[0]])


def test_bytes_that_are_no_text_spoil_their_own_line_only(tmp_path: Path) -> None:
    """A damaged byte is reported with its line, and the others are read."""
    path = source(tmp_path, GOOD)
    path.write_bytes(path.read_bytes().replace(b"Washington N", b"Washington \xff"))
    rows = CsvRows(path, TABLE, skip_bad=True)
    assert [row.team.code for row in rows] == ["PHI"]
    assert rows.last_bad is not None
    assert "line 2" in rows.last_bad
    assert repr(rows) == f"<CsvRows {path}, 1 bad>"


@pytest.mark.parametrize(
    "header, what",
    [
        ("", "the columns are not ts_utc"),
        ("ts_utc,league,team,market_ticker,kalshi_yes_ask_dollars,fanduel", "the columns are not"),
        (f"{HEADER},pinnacle", "fanduel,draftkings,pinnacle"),
        (f"{HEADER},fanduel", "fanduel,draftkings,fanduel"),
    ],
)
def test_a_header_with_other_columns_is_refused(tmp_path: Path, header: str, what: str) -> None:
    """Unknown columns or books are line 1's fault, and cannot be skipped."""
    path = source(tmp_path, [], header)
    with pytest.raises(TapeError, match="line 1: ") as caught:
        import_games(path, tmp_path / "day.tape", TABLE, skip_bad=True)
    assert what in str(caught.value)


def test_a_file_without_rows_makes_no_tape(tmp_path: Path) -> None:
    """Nothing to import is said, with the last broken line where there were any."""
    with pytest.raises(TapeError, match=r"no rows to import$"):
        make(tmp_path, [])
    with pytest.raises(TapeError, match=r"1 broken ones, the last: .*line 2"):
        make(tmp_path, ["x"], skip_bad=True)


def test_a_missing_file_and_a_missing_folder_are_one_line(tmp_path: Path) -> None:
    """What cannot be opened is named."""
    with pytest.raises(TapeError, match=r"none\.csv cannot be read: No such file"):
        import_games(tmp_path / "none.csv", tmp_path / "day.tape", TABLE)
    with pytest.raises(TapeError, match="No such file or directory"):
        import_games(source(tmp_path, GOOD), tmp_path / "none" / "day.tape", TABLE)
    (tmp_path / "folder.tape").mkdir()
    with pytest.raises(TapeError, match=r"folder\.tape cannot be written"):
        import_games(source(tmp_path, GOOD), tmp_path / "folder.tape", TABLE, force=True)
    assert not list(tmp_path.glob("part-*"))


def test_a_tape_is_not_overwritten_unasked(tmp_path: Path) -> None:
    """A tape that is there stays, unless force is given; and a failed import leaves it whole."""
    _, tape = make(tmp_path, GOOD)
    before = tape.read_bytes()
    with pytest.raises(TapeError, match="exists already; --force replaces it"):
        make(tmp_path, GOOD)
    with pytest.raises(TapeError, match="line 2"):
        make(tmp_path, ["x"], force=True)
    assert tape.read_bytes() == before
    make(tmp_path, GOOD[:1], force=True)
    assert tape.read_bytes() != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day.csv", "day.tape"]
