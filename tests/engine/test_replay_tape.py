"""Tapes through the real actors: twice to the same state, and broken lines as asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest

from arb.core.exit_parameters import Exits
from arb.core.games import OddsEvent
from arb.core.grid import WHOLE_CENTS
from arb.engine.replay import Replay
from arb.io.iso import ms_iso
from arb.io.teams_file import packaged_teams
from arb.settings import Settings
from arb.tape.format import (
    Feed,
    Record,
    TapeError,
    TapeEvent,
    TapeHeader,
    TapeMarket,
    TapeSeries,
    header_line,
)
from arb.tape.import_games import import_games
from arb.tape.writer import TapeWriter

EVENT = "KXNFLGAME-26NOV22WASCAR"
WAS, CAR = f"{EVENT}-WAS", f"{EVENT}-CAR"
BEGINS_MS = 1_795_343_000_000
BOOKS = ("DraftKings", "FanDuel", "BetMGM")


def header() -> TapeHeader:
    """Describe a tape of one game."""
    markets = (TapeMarket(WAS, WHOLE_CENTS), TapeMarket(CAR, WHOLE_CENTS))
    return TapeHeader(
        source="a test",
        begins_ms=BEGINS_MS,
        series=(TapeSeries("KXNFLGAME", "quadratic_with_maker_fees", 10_000),),
        events=(TapeEvent(EVENT, "KXNFLGAME", markets, BEGINS_MS + 3_600_000),),
        odds_events=(
            OddsEvent(
                "odds-api-io",
                "1",
                "nfl",
                "Carolina Panthers",
                "Washington Commanders",
                BEGINS_MS + 3_600_000,
            ),
        ),
    )


def snapshot(seq: int, ticker: str, bid: str, ask: str) -> str:
    """Write a book with one level on each side."""
    body = {
        "market_ticker": ticker,
        "yes_dollars_fp": [[bid, "100.00"]],
        "no_dollars_fp": [[ask, "100.00"]],
    }
    frame = {"type": "orderbook_snapshot", "sid": 1, "seq": seq, "msg": body}
    return orjson.dumps(frame).decode()


def odds(book: str, home: str, away: str, at_ms: int) -> str:
    """Write one book's price of the game."""
    frame = {
        "type": "updated",
        "timestamp": ms_iso(at_ms),
        "id": "1",
        "bookie": book,
        "markets": [
            {
                "name": "ML",
                "updatedAt": ms_iso(at_ms),
                "odds": [{"home": home, "away": away}],
            }
        ],
    }
    return orjson.dumps(frame).decode()


def day() -> list[Record]:
    """Make a tape: books agree with the exchange, then move by ten cents, then the ask follows."""
    at_ms = BEGINS_MS

    def books(*raws: str) -> list[Record]:
        return [Record(at_ms, Feed.BOOKS, "kalshi", raw) for raw in raws]

    def quotes(home: str, away: str, *names: str) -> list[Record]:
        raw = "\n".join(odds(name, home, away, at_ms) for name in names)
        return [Record(at_ms, Feed.ODDS, "odds-api-io", raw)]

    records = books(
        snapshot(1, WAS, "0.4800", "0.5000"), snapshot(2, CAR, "0.4900", "0.5100")
    ) + quotes("1.95", "1.95", *BOOKS)
    at_ms += 1_000
    records += quotes("1.60", "2.55", *BOOKS)
    at_ms += 1_000
    records += books(snapshot(3, CAR, "0.6400", "0.6600"))
    at_ms += 60_000
    records += quotes("1.60", "2.55", *BOOKS)
    return records


def write(path: Path, records: Sequence[Record]) -> Path:
    """Write a tape."""
    with TapeWriter(path, header()) as writer:
        for record in records:
            writer.append(record)
    return path


def play(path: Path, **more: Any) -> dict[str, Any]:
    """Play a tape with the usual settings."""
    return Replay(path, Settings(), packaged_teams(), **more).run()


def test_a_small_day_buys_at_the_ask_and_sells_when_the_bid_goes_through(tmp_path: Path) -> None:
    """Ten cents of edge are bought at 51 c, put on sale at fair value, and sold through the bid."""
    result = play(write(tmp_path / "day.tape", day()))

    assert (result["frames"], result["markets"], result["unmatched"]) == (6, 2, 0)
    assert result["decisions"]["TAKER"] == 1
    assert (result["orders"], result["fills"]) == (2, 2)
    assert result["positions"] == {}
    assert result["pnl_e6"] > 0
    assert result["cash_e6"] == 10_000_000_000 + result["pnl_e6"]
    assert result["invariant_violations"] == 0
    assert result["invariant_checks"] >= result["orders"]


def test_a_tape_is_replayed_under_the_exits_of_its_settings(tmp_path: Path) -> None:
    """Where nobody pays the price, what is held stays by default, and goes where time is up."""
    stays = [record for record in day() if '"0.6400"' not in record.raw]
    path = write(tmp_path / "day.tape", stays)
    impatient = Settings(exits=Exits(exit_after_s=1))

    assert play(path)["positions"] != {}
    assert Replay(path, impatient, packaged_teams()).run()["positions"] == {}


def test_the_same_tape_gives_the_same_state(tmp_path: Path) -> None:
    """Two runs end in one hash; another day, or other settings, end in another."""
    tape = write(tmp_path / "day.tape", day())
    shorter = write(tmp_path / "shorter.tape", day()[:-2])
    careful = attrs.evolve(
        Settings(), strategy=attrs.evolve(Settings().strategy, taker_edge_threshold=30)
    )
    once, twice = play(tape), play(tape)

    assert once == twice
    assert once["state_hash"] != play(shorter)["state_hash"]
    other = Replay(tape, careful, packaged_teams()).run()
    assert other["state_hash"] != once["state_hash"]


def test_speed_changes_nothing_but_the_time_it_takes(tmp_path: Path) -> None:
    """At five times real time the same orders are made."""
    tape = write(tmp_path / "day.tape", day()[:5])
    fast = play(tape, speed=5.0)

    assert (fast["orders"], fast["fills"]) == (2, 2)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    """File, line number and what is wrong; with ``skip_bad`` it is counted and the rest played."""
    tape = write(tmp_path / "day.tape", day())
    lines = tape.read_bytes().splitlines(keepends=True)
    tape.write_bytes(b"".join([*lines[:3], b"{broken\n", *lines[3:]]))

    with pytest.raises(TapeError, match=r"day\.tape, line 4: not JSON"):
        play(tape)
    result = play(tape, skip_bad=True)
    assert (result["bad_lines"], result["frames"], result["fills"]) == (1, 6, 2)


@pytest.mark.parametrize("place, fills", [(0, 2), (2, 0)])
def test_a_bad_frame_on_a_tape_is_counted_as_it_would_be_live(
    tmp_path: Path, place: int, fills: int
) -> None:
    """Books are right again with their next snapshots, which a tape has where they were asked for.

    Without them nothing is bought on a book that nobody can know.
    """
    records = day()
    records.insert(place, Record(BEGINS_MS, Feed.BOOKS, "kalshi", "rubbish"))
    records.insert(4, Record(BEGINS_MS, Feed.ODDS, "odds-api-io", "rubbish"))
    result = play(write(tmp_path / "day.tape", records))

    assert sum(result["bad_input"].values()) == 2
    assert result["fills"] == fills


def test_a_tape_without_an_edge_trades_nothing(tmp_path: Path) -> None:
    """Books that agree with the exchange give decisions and no order."""
    result = play(write(tmp_path / "day.tape", day()[:3]))

    assert (result["orders"], result["positions"], result["latency_us"]) == (0, {}, None)
    assert result["decisions"]


def listed(**market: Any) -> str:
    """Write what a tape says is listed from some moment on."""
    (event,) = header().events
    markets = tuple(attrs.evolve(each, **market) for each in event.markets)
    changed = attrs.evolve(header(), events=(attrs.evolve(event, markets=markets),))
    return header_line(changed).decode()


def test_a_game_that_was_listed_later_is_traded_from_then_on(tmp_path: Path) -> None:
    """A tape that begins without the game, and has it listed a moment later, gives its trades."""
    tape = tmp_path / "later.tape"
    with TapeWriter(tape, attrs.evolve(header(), events=(), odds_events=())) as writer:
        writer.append(Record(BEGINS_MS, Feed.LISTING, "arb", listed()))
        for record in day()[1:]:
            writer.append(attrs.evolve(record, at_ms=record.at_ms + 1))
            if record.at_ms == BEGINS_MS:
                writer.append(Record(BEGINS_MS + 1, Feed.LISTING, "arb", listed()))
    result = play(tape)

    assert (result["markets"], result["invariant_violations"]) == (2, 0)
    assert result["decisions"]


def test_a_pause_on_a_tape_is_a_pause(tmp_path: Path) -> None:
    """What the exchange said of a market's life is said again, and nothing is bought in it."""
    records = day()
    for seq, ticker in enumerate((CAR, WAS), 1):
        life = {"market_ticker": ticker, "event_type": "deactivated"}
        frame = {"type": "market_lifecycle_v2", "sid": 2, "seq": seq, "msg": life}
        raw = orjson.dumps(frame).decode()
        records.insert(2 + seq, Record(BEGINS_MS, Feed.BOOKS, "kalshi", raw))

    assert play(write(tmp_path / "paused.tape", records))["orders"] == 0
    closed = Record(BEGINS_MS, Feed.LISTING, "arb", listed(close_ms=BEGINS_MS + 500))
    assert play(write(tmp_path / "closed.tape", [closed, *day()]))["orders"] == 0


def test_a_damaged_listing_on_a_tape_is_counted(tmp_path: Path) -> None:
    """It costs what it would have said, and the day goes on with what was listed before."""
    records = [Record(BEGINS_MS, Feed.LISTING, "arb", "{}"), *day()]
    result = play(write(tmp_path / "damaged.tape", records))

    assert sum(result["bad_input"].values()) == 1
    assert result["fills"] == 2


@pytest.mark.slow
def test_the_recorded_day(shared_data: Path, tmp_path: Path) -> None:
    """28 markets, one decision a row, two takers and a maker, and twice the same state."""
    tape = tmp_path / "day.tape"
    import_games(shared_data / "recorded-games" / "mlb-2025-08-23.csv", tape, packaged_teams())
    once, twice = play(tape), play(tape)

    assert once == twice
    assert once["markets"] == 28
    assert once["unmatched"] == 0
    assert sum(once["decisions"].values()) == 3_752
    assert (once["decisions"]["TAKER"], once["decisions"]["MAKER"]) == (2, 1)
    assert once["invariant_violations"] == 0
    assert once["invariant_checks"] >= once["orders"]
