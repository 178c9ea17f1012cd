"""The engine's log: the last lines it kept, with milliseconds."""

from __future__ import annotations

from datetime import tzinfo

from arb.console import formats
from arb.console.cells import Cell, Column, Tone
from arb.console.log_kept import LogChoice
from arb.console.snapshot import LogLine, Snapshot
from arb.console.table_view import TableView

LEVEL_TONES = {"info": Tone.PLAIN, "warning": Tone.WARN, "error": Tone.BAD}
LEVEL_SIGNS = {"info": " ", "warning": "!", "error": "✗"}
TAG_TONES = {
    "TRADE": Tone.GOOD,
    "ODDS": Tone.NOTE,
    "KALSHI": Tone.NOTE,
    "RISK": Tone.WARN,
    "PERSON": Tone.STRONG,
}
TEXT_COLUMNS_MAX = 400
ALL_LINES = LogChoice()


def log_table(
    picture: Snapshot | None,
    zone: tzinfo | None,
    kept: tuple[LogLine, ...] = (),
    choice: LogChoice = ALL_LINES,
) -> TableView[LogLine]:
    """Return the log, oldest first; the newest line is the one that is kept in sight.

    ``kept`` is what this console has seen of it, without which the picture has the last lines.
    """
    every = kept or (picture.log if picture else ())
    lines = choice.lines(every)
    last = f"last {len(every)}" if every else ""
    if choice.words:
        last = f"{choice.words}: {len(lines)} of {last}"
    empty = "no picture of the engine yet" if picture is None else "nothing logged yet"
    if every and not lines:
        empty = f"nothing ({choice.words}) among the last {len(every)} lines (L and M choose)"
    return TableView(
        title="Engine Log",
        note=last,
        columns=_columns(zone),
        rows=lines,
        key=lambda entry: str(entry.seq),
        empty=empty,
        heading=False,
        newest_last=True,
        context=(zone,),
    )


def _columns(zone: tzinfo | None) -> tuple[Column[LogLine], ...]:
    return (
        Column("Time", 12, 1, lambda e, _: Cell(formats.clock_ms(e.at_ms, zone), Tone.DIM)),
        Column("", 1, 2, lambda e, _: _sign(e)),
        Column("Tag", 8, 3, lambda e, _: _tag(e)),
        Column("Text", 20, 0, lambda e, _: _text(e), TEXT_COLUMNS_MAX),
    )


def _sign(entry: LogLine) -> Cell:
    return Cell(LEVEL_SIGNS.get(entry.level, "?"), LEVEL_TONES.get(entry.level, Tone.BAD))


def _tag(entry: LogLine) -> Cell:
    return Cell(f"[{formats.one_line(entry.tag)}]", TAG_TONES.get(entry.tag, Tone.DIM))


def _text(entry: LogLine) -> Cell:
    return Cell(formats.one_line(entry.text), LEVEL_TONES.get(entry.level, Tone.BAD))
