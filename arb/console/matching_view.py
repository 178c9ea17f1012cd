"""Why a game is here, and why another is not: matched, left out, quarantined."""

from __future__ import annotations

from datetime import tzinfo

from arb.console import formats
from arb.console.cells import Cell, Column, Line, Tone
from arb.console.closeups import Look, MatchedGame, Matching, UnmatchedGame
from arb.console.table_view import TableView

TEXT_COLUMNS_MAX = 200


def seen_matching(look: Look | None) -> Matching | None:
    """Return what was seen of the matching, None before an answer."""
    seen = look.seen if look is not None else None
    return seen if isinstance(seen, Matching) else None


def unmatched_table(seen: Matching | None, why: str) -> TableView[UnmatchedGame]:
    """Return every game that stays out, with the reason and what it might be."""
    rows = seen.unmatched if seen is not None else ()
    return TableView(
        title="Left Out",
        note=f"{len(rows)} games" if rows else "",
        columns=_UNMATCHED_COLUMNS,
        rows=rows,
        key=lambda each: each.id,
        empty=why if seen is None else "every game of both sides is matched",
        detail=_unmatched_detail,
    )


def matched_table(seen: Matching | None, why: str, zone: tzinfo | None) -> TableView[MatchedGame]:
    """Return every game that is traded, and which providers price it."""
    rows = seen.matched if seen is not None else ()
    return TableView(
        title="Matched",
        note=f"{len(rows)} games" if rows else "",
        columns=_matched_columns(zone),
        rows=rows,
        key=lambda each: each.event,
        empty=why if seen is None else "no game is listed on Kalshi and quoted by the odds feed",
        context=(zone,),
    )


def quarantined_table(seen: Matching | None, why: str) -> TableView[MatchedGame]:
    """Return the games of which a market is down until a person releases it."""
    rows = tuple(each for each in (seen.matched if seen is not None else ()) if each.quarantined)
    return TableView(
        title="Quarantined",
        note=f"{len(rows)} games, U releases an actor" if rows else "",
        columns=_QUARANTINED_COLUMNS,
        rows=rows,
        key=lambda each: each.event,
        empty=why if seen is None else "no market is in quarantine",
        heading=False,
    )


def _unmatched_detail(each: UnmatchedGame) -> Line:
    might = f" · might be {', '.join(each.candidates)}" if each.candidates else ""
    return (
        Cell(formats.one_line(each.text), Tone.NOTE),
        Cell(formats.one_line(might), Tone.DIM),
    )


def _providers(each: MatchedGame) -> Cell:
    swapped = " (sides swapped)" if each.swapped else ""
    return Cell(formats.one_line(f"{', '.join(each.providers)}{swapped}"), Tone.DIM)


def _matched_columns(zone: tzinfo | None) -> tuple[Column[MatchedGame], ...]:
    def starts(each: MatchedGame, _width: int) -> Cell:
        text = formats.NOTHING if each.start_ms is None else formats.day_clock(each.start_ms, zone)
        return Cell(text, Tone.DIM)

    return (
        Column("Game", 24, 0, lambda m, _: Cell(formats.one_line(m.game), Tone.STRONG), 48),
        Column("League", 6, 3, lambda m, _: Cell(formats.one_line(m.league)), sort=_league),
        Column("Starts", 12, 2, starts, sort=lambda m: m.start_ms),
        Column("Event", 20, 4, lambda m, _: Cell(formats.one_line(m.event), Tone.DIM), 34),
        Column("Odds from", 10, 1, lambda m, _: _providers(m), TEXT_COLUMNS_MAX),
    )


def _league(each: MatchedGame) -> str:
    return each.league


_UNMATCHED_COLUMNS: tuple[Column[UnmatchedGame], ...] = (
    Column("Seen on", 7, 1, lambda u, _: Cell(formats.one_line(u.source)), sort=lambda u: u.source),
    Column(
        "Reason", 24, 0, lambda u, _: Cell(formats.one_line(u.reason), Tone.WARN), 34,
        sort=lambda u: u.reason,
    ),
    Column("What is known", 20, 2, lambda u, _: Cell(formats.one_line(u.text)), TEXT_COLUMNS_MAX),
    Column("Id", 12, 3, lambda u, _: Cell(formats.one_line(u.id), Tone.DIM), 30),
)  # fmt: skip

_QUARANTINED_COLUMNS: tuple[Column[MatchedGame], ...] = (
    Column("Game", 24, 0, lambda m, _: Cell(formats.one_line(m.game), Tone.STRONG), 48),
    Column(
        "Why", 30, 1, lambda m, _: Cell(formats.one_line("; ".join(m.quarantined)), Tone.BAD),
        TEXT_COLUMNS_MAX,
    ),
)  # fmt: skip
