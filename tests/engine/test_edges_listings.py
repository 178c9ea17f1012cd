"""What a tape lists after its beginning counts for its edges as it does for its replay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest

from arb.engine.edges import EdgeReport, lines_of
from arb.io.teams_file import packaged_teams
from arb.settings import Settings
from arb.tape.format import (
    Feed,
    Record,
    TapeFeeChange,
    TapeHeader,
    TapeSeries,
    header_line,
)
from arb.tape.writer import TapeWriter
from tests.engine.test_edges import MINUTE_MS, moment
from tests.engine.test_replay_tape import BEGINS_MS, BOOKS, CAR, EVENT, header, listed, play

QUIET = moment(0, 1, 51, "1.95", "1.95", *BOOKS)
MOVED = moment(1, 2, 51, "1.70", "2.30", *BOOKS)
EMPTY = attrs.evolve(header(), events=(), odds_events=())
# Fees a hundred times the usual leave no edge.
DEAR = TapeSeries("KXNFLGAME", "quadratic_with_maker_fees", 1_000_000)


def write(path: Path, begins: TapeHeader, *records: Record) -> Path:
    """Write a tape."""
    with TapeWriter(path, begins) as writer:
        for record in records:
            writer.append(record)
    return path


def report(path: Path) -> dict[str, Any]:
    """Return what a tape's edges are, and check that a replay buys as often."""
    found = EdgeReport(path, Settings(), packaged_teams()).run()
    played = play(path)
    bought = sum(played["decisions"].get(action, 0) for action in ("TAKER", "MAKER"))
    assert (played["markets"], bought) == (found["markets"], found["wished"])
    return found


def lists(text: str, at_ms: int = BEGINS_MS) -> Record:
    """Have a tape say what is listed."""
    return Record(at_ms, Feed.LISTING, "arb", text)


def says(kind: str, **body: Any) -> Record:
    """Have the exchange say something of a market or an event a moment before the books move."""
    frame = {"type": kind, "sid": 2, "seq": 1, "msg": body}
    return Record(BEGINS_MS + MINUTE_MS - 1, Feed.BOOKS, "kalshi", orjson.dumps(frame).decode())


def test_a_game_that_is_listed_later_has_edges_from_then_on(tmp_path: Path) -> None:
    """A tape that begins without it shows what one does that begins with it."""
    usual = report(write(tmp_path / "usual.tape", header(), *QUIET, *MOVED))
    later = report(write(tmp_path / "later.tape", EMPTY, lists(listed()), *QUIET, *MOVED))

    assert later == usual
    assert (later["markets"], later["wished"], later["observations"]) == (2, 1, 2)


def test_before_it_is_listed_a_game_has_none(tmp_path: Path) -> None:
    """A book and prices of a game that nobody listed are those of no game."""
    late = lists(listed(), BEGINS_MS + MINUTE_MS - 1)
    found = report(write(tmp_path / "late.tape", EMPTY, *QUIET, late, *MOVED))

    assert (found["markets"], found["wished"], found["observations"]) == (2, 0, 1)


def started(at_ms: int) -> str:
    """List the game with another start."""
    (event,) = header().events
    changed = attrs.evolve(header(), events=(attrs.evolve(event, start_ms=at_ms),))
    return header_line(changed).decode()


@pytest.mark.parametrize(
    "listing",
    [
        lists(listed(status="inactive")),
        lists(listed(close_ms=BEGINS_MS + 1)),
        lists(started(BEGINS_MS + MINUTE_MS)),
        lists(header_line(EMPTY).decode()),
        lists(header_line(attrs.evolve(header(), series=(DEAR,))).decode()),
        says("market_lifecycle_v2", market_ticker=CAR, event_type="deactivated"),
        says(
            "event_fee_update",
            event_ticker=EVENT,
            fee_type_override=DEAR.fee_type,
            fee_multiplier_override=100,
        ),
    ],
    ids=["paused", "closed", "begun", "over", "dear", "deactivated", "fees"],
)
def test_what_a_tape_says_later_of_a_game_stands(tmp_path: Path, listing: Record) -> None:
    """A pause, a close, a start, an end and fees keep from buying what was bought without them."""
    records = sorted([*QUIET, listing, *MOVED], key=lambda each: each.at_ms)
    found = report(write(tmp_path / "said.tape", header(), *records))

    assert (found["markets"], found["wished"]) == (2, 0)


def test_what_the_exchange_says_of_others_changes_nothing(tmp_path: Path) -> None:
    """It tells of every market there is; those of other series are nobody's here."""
    more = {"fee_type_override": DEAR.fee_type, "fee_multiplier_override": 100}
    others = (
        says("event_fee_update", event_ticker="KXNBAGAME-26NOV22BOSNYK", **more),
        says("market_lifecycle_v2", market_ticker=f"{EVENT}-TIE", event_type="deactivated"),
    )
    report = EdgeReport(
        write(tmp_path / "others.tape", header(), *QUIET, *others, *MOVED),
        Settings(),
        packaged_teams(),
    )

    assert report.run()["wished"] == 1
    assert report._found is not None
    assert report._found.listed.own_fees == {}


def test_fees_that_were_announced_are_charged_from_their_day_on(tmp_path: Path) -> None:
    """No message tells when they come into force."""
    change = TapeFeeChange("KXNFLGAME", DEAR.fee_type, DEAR.fee_multiplier_e4, BEGINS_MS + 1)
    begins = attrs.evolve(header(), fee_changes=(change,))
    found = report(write(tmp_path / "fees.tape", begins, *QUIET, *MOVED))

    assert [each["moments"] for each in found["edges"]] == [0, 0, 0, 0]


def test_a_listing_that_cannot_be_read_is_counted_and_said(tmp_path: Path) -> None:
    """It costs what it would have said, as in a replay."""
    found = report(write(tmp_path / "bad.tape", header(), lists("{}"), *QUIET, *MOVED))

    assert (found["bad_listings"], found["wished"]) == (1, 1)
    assert "1 listings on the tape cannot be read" in list(lines_of(found))[1]
