"""How often a tape shows an edge, and what prices did afterwards."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from arb.core.events import Quote, QuoteOrigin
from arb.engine.edges import AFTER, BEFORE, EdgeReport, lines_of
from arb.io.teams_file import packaged_teams
from arb.settings import Settings
from arb.tape.format import Feed, Record, TapeError
from arb.tape.import_games import import_games
from arb.tape.polled import Reading, reading_text
from arb.tape.writer import TapeWriter
from tests.engine.test_replay_tape import BEGINS_MS, BOOKS, CAR, WAS, header, odds, snapshot

TABLE = packaged_teams()
MINUTE_MS = 60_000


def tape(path: Path, *records: Record) -> Path:
    """Write a tape of one game."""
    writer = TapeWriter(path, header())
    for record in records:
        writer.append(record)
    writer.close()
    return path


def moment(minute: int, seq: int, ask: int, home: str, away: str, *books: str) -> list[Record]:
    """Make what a tape has of one time: Carolina's book a cent wide, and what books say."""
    at_ms = BEGINS_MS + minute * MINUTE_MS
    bid = f"{(ask - 1) / 100:.4f}"
    shown = snapshot(seq, CAR, bid, f"{ask / 100:.4f}")
    said = "\n".join(odds(book, home, away, at_ms) for book in books)
    return [
        Record(at_ms, Feed.BOOKS, "kalshi", shown),
        Record(at_ms, Feed.ODDS, "odds-api-io", said),
    ]


def day(path: Path) -> Path:
    """Make four minutes: fair and ask agree, the books leave, the ask follows half-way."""
    return tape(
        path,
        *moment(0, 1, 51, "1.95", "1.95", *BOOKS),
        *moment(1, 2, 51, "1.70", "2.30", *BOOKS),
        *moment(2, 3, 51, "1.70", "2.30", *BOOKS),
        *moment(3, 4, 55, "1.74", "2.24", *BOOKS),
    )


def test_edges_are_counted_before_and_after_the_gates(tmp_path: Path) -> None:
    """An edge that stands is one that began once; the gates let its fresh moment pass."""
    report = EdgeReport(day(tmp_path / "day.tape"), Settings(), TABLE)
    found = report.run()
    edges = {(each["gates"], each["at_least_cents"]): each for each in found["edges"]}

    assert (found["moments"], found["markets"], found["observations"]) == (4, 2, 4)
    assert [edges[BEFORE, cents]["moments"] for cents in (1, 3)] == [2, 2]
    assert edges[BEFORE, 3]["begun"] == 1
    assert [edges[AFTER, cents]["moments"] for cents in (1, 3)] == [1, 1]
    assert found["wished"] == 1
    assert repr(report).endswith("4 moments>")


def test_prices_are_looked_at_two_minutes_after_an_edge_began(tmp_path: Path) -> None:
    """Kalshi's ask rose by four cents, the books' chance fell by a little more than one."""
    found = EdgeReport(day(tmp_path / "day.tape"), Settings(), TABLE).run()
    edge = found["edges"][0]

    assert (edge["followed"], edge["kalshi_cents"], edge["kalshi_error"]) == (1, 4.0, None)
    assert -1.4 < edge["books_cents"] < -1.0
    said = list(lines_of(found))
    assert said[0].startswith("4 moments of 2 markets, 4 with a price on both sides")
    assert "two minutes after it began (1 seen) Kalshi's ask +4.00 c" in said[1]


def test_one_change_of_price_is_one_purchase(tmp_path: Path) -> None:
    """An edge that stands while the books say nothing new would be bought once."""
    at_ms = BEGINS_MS + MINUTE_MS + 1_000
    again = snapshot(3, CAR, "0.4900", "0.5100")
    path = tape(
        tmp_path / "day.tape",
        *moment(0, 1, 51, "1.95", "1.95", *BOOKS),
        *moment(1, 2, 51, "1.70", "2.30", *BOOKS),
        Record(at_ms, Feed.BOOKS, "kalshi", again),
    )
    found = EdgeReport(path, Settings(), TABLE).run()

    assert (found["moments"], found["wished"]) == (3, 1)
    assert found["edges"][2]["moments"] == 2


def test_one_bet_that_both_markets_sell_is_one_purchase(tmp_path: Path) -> None:
    """YES of one team and NO of the other are one bet, on one change of the books."""
    mirrored = snapshot(2, WAS, "0.4900", "0.5000")
    path = tape(
        tmp_path / "day.tape",
        *moment(0, 1, 51, "1.95", "1.95", *BOOKS),
        Record(BEGINS_MS, Feed.BOOKS, "kalshi", mirrored),
        *moment(1, 3, 51, "1.70", "2.30", *BOOKS),
        *moment(2, 4, 51, "1.70", "2.30", *BOOKS),
    )
    found = EdgeReport(path, Settings(), TABLE).run()

    assert (found["wished"], found["edges"][2]["moments"]) == (1, 1)


def test_what_is_not_seen_again_in_time_is_not_followed(tmp_path: Path) -> None:
    """A tape that ends, or has a hole, says nothing of what came."""
    path = tape(
        tmp_path / "day.tape",
        *moment(0, 1, 51, "1.95", "1.95", *BOOKS),
        *moment(1, 2, 51, "1.70", "2.30", *BOOKS),
        *moment(9, 3, 52, "1.70", "2.30", *BOOKS),
    )
    edge = EdgeReport(path, Settings(), TABLE).run()["edges"][0]

    assert (edge["begun"], edge["followed"], edge["books_cents"]) == (1, 0, None)


def test_readings_and_damage_are_part_of_a_tape(tmp_path: Path) -> None:
    """What was polled counts, an unreadable book is none, and others' frames are passed over."""
    quotes = tuple(
        Quote("odds-api-io", "1", book, 1.7, 2.3, BEGINS_MS, BEGINS_MS, QuoteOrigin.POLL)
        for book in BOOKS
    )
    path = tape(
        tmp_path / "day.tape",
        Record(BEGINS_MS, Feed.BOOKS, "kalshi", snapshot(1, WAS, "0.4000", "0.5500")),
        Record(BEGINS_MS, Feed.POLLED, "odds-api-io", reading_text(Reading(quotes, []))),
        Record(BEGINS_MS + 1, Feed.ODDS, "nobody", "{}"),
        Record(BEGINS_MS + 2, Feed.BOOKS, "kalshi", "{"),
    )
    found = EdgeReport(path, Settings(), TABLE).run()

    assert (found["moments"], found["observations"]) == (3, 2)

    broken = attrs.evolve(Record(BEGINS_MS, Feed.POLLED, "odds-api-io", "{"))
    with pytest.raises(TapeError, match="not JSON"):
        EdgeReport(tape(tmp_path / "broken.tape", broken), Settings(), TABLE).run()


def test_the_recorded_day_has_few_edges_and_fewer_after_the_gates(
    shared_data: Path, tmp_path: Path
) -> None:
    """What docs/edge.md says of it."""
    path = tmp_path / "day.tape"
    import_games(shared_data / "recorded-games/mlb-2025-08-23.csv", path, TABLE)
    found = EdgeReport(path, Settings(), TABLE).run()

    assert (found["moments"], found["observations"], found["wished"]) == (134, 3_752, 3)
    counts = [(each["moments"], each["begun"], each["followed"]) for each in found["edges"]]
    assert counts == [(22, 8, 7), (6, 5, 5), (3, 3, 3), (2, 2, 2)]
