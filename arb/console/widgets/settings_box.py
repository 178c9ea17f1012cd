"""The box of all settings in force, each with its source; those that may change are first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import urwid

from arb.console import formats
from arb.console.cells import Cell, Line, Tone
from arb.console.closeups import Look, SettingSeen, SettingsSeen, Wish
from arb.console.widgets.dialog import BOTTOM, TOP, Dialog, wrap
from arb.console.widgets.frame import framed, rule, table_cells
from arb.console.widgets.paint import Size, box, columns_of, paint

# Wide enough for a key, a value and a file's name beside each other.
WIDTH_MAX = 110
# What stands below the rows: why the setting is as it is, and what Enter would do.
FOOT_ROWS = 4
FRAME_ROWS = 2
SOURCE_COLUMNS = 12
VALUE_COLUMNS = 20
CLOSING_KEYS = frozenset({"esc", "q", "c"})
MOVES = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -10, "page down": 10}
ENDS = {"home": 0, "g": 0, "end": -1, "G": -1}
CHANGES = "▸ Enter changes it now, in all markets at once"
TAKES_A_START = "takes a new start: write it into the settings file"


class SettingsBox(Dialog):
    """Asks the engine for its settings as long as it is open; until it answers, says so."""

    def __init__(
        self,
        fallback: Sequence[tuple[str, str]],
        choose: Callable[[SettingSeen, SettingsSeen], None],
        *,
        at: str = "",
    ) -> None:
        """``fallback`` is what this console reads itself; ``at`` is the key to begin at."""
        super().__init__()
        self.wish = Wish("settings")
        self._fallback = SettingsSeen(
            settings=tuple(SettingSeen(key, value) for key, value in fallback)
        )
        self._seen: SettingsSeen | None = None
        self._why = "asking the engine ..."
        self._choose = choose
        self._at = at
        self._offset = 0

    def __repr__(self) -> str:
        return f"<SettingsBox at {self._at!r} [{len(self._rows)} settings]>"

    @property
    def _rows(self) -> tuple[SettingSeen, ...]:
        return (self._seen or self._fallback).settings

    @property
    def _index(self) -> int:
        keys = [each.key for each in self._rows]
        return keys.index(self._at) if self._at in keys else 0

    def see(self, look: Look) -> bool:
        """Take in what the engine showed; returns whether anything of it is new."""
        before = (self._seen, self._why)
        if isinstance(look.seen, SettingsSeen):
            self._seen, self._why = look.seen, ""
        else:
            self._why = look.why
        self._invalidate()
        return before != (self._seen, self._why)

    def size_in(self, columns: int, rows: int) -> tuple[int, int]:
        """Return the columns and rows that the box takes of a screen."""
        wanted = len(self._rows) + FOOT_ROWS + FRAME_ROWS
        return min(columns, WIDTH_MAX), min(rows, max(10, wanted))

    def press(self, key: str) -> bool:
        """Move among the settings, choose one to change, or close."""
        self._invalidate()
        rows = self._rows
        if rows and (key in MOVES or key in ENDS):
            wanted = len(rows) - 1 if ENDS.get(key) else 0
            if key in MOVES:
                wanted = self._index + MOVES[key]
            self._at = rows[max(0, min(len(rows) - 1, wanted))].key
            return False
        if rows and key == "enter":
            chosen = rows[self._index]
            if chosen.changeable and self._seen is not None:
                self._choose(chosen, self._seen)
            return False
        return key in CLOSING_KEYS

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the settings in sight, and what is known of the selected one."""
        columns, rows = box(size)
        room = max(1, rows - FRAME_ROWS - FOOT_ROWS)
        index, found = self._index, self._rows
        self._offset = max(0, min(self._offset, index, len(found) - room))
        self._offset = max(self._offset, index - room + 1)
        shown = found[self._offset : self._offset + room]
        inside = [self._line(each, columns, marked=each is found[index]) for each in shown]
        inside += [()] * (room - len(inside))
        inside += self._about(columns - 4)
        note = f"{index + 1} of {len(found)} · Esc closes" if found else "Esc closes"
        drawn = [rule(columns, (Cell(self._title, Tone.TITLE),), (Cell(note, Tone.DIM),), TOP)]
        drawn += [framed(cells, columns, TOP) for cells in inside][: max(0, rows - FRAME_ROWS)]
        drawn.append(rule(columns, (), (), BOTTOM))
        return paint(drawn[:rows], columns)

    @property
    def _title(self) -> str:
        if self._seen is None:
            return "Settings as this console reads them"
        return "Settings in force"

    def _line(self, row: SettingSeen, columns: int, *, marked: bool) -> Line:
        inside = columns - 6
        longest = max((columns_of(each.key) for each in self._rows), default=0)
        key = min(longest, inside // 2)
        source = max(SOURCE_COLUMNS, inside - key - VALUE_COLUMNS - 4)
        value = f"{row.value} {row.unit}".strip() or "empty"
        tone = Tone.STRONG if row.changeable else Tone.PLAIN
        texts = (
            (Cell("▸" if marked else " ", Tone.KEY), 1, False),
            (Cell(row.key, Tone.CHOICE if marked else tone), key, False),
            (Cell(formats.one_line(value), tone), VALUE_COLUMNS, False),
            (Cell(formats.one_line(_short(row.source)), Tone.DIM), source, False),
        )
        return table_cells(texts, 1)

    def _about(self, width: int) -> list[Line]:
        """Say what is known of the selected setting, in exactly so many rows as the foot has."""
        lines: list[Line] = [(Cell("─" * (width + 2), Tone.FRAME),)]
        if self._why:
            lines.append((Cell(f" ! {formats.one_line(self._why)}", Tone.WARN),))
        if self._rows:
            row = self._rows[self._index]
            reason = f"{row.reason} ({row.allowed})" if row.allowed else row.reason
            hint = CHANGES if row.changeable else TAKES_A_START if row.reason else ""
            whence = f"· from {row.source}" if _short(row.source) != row.source else ""
            texts = wrap(formats.one_line(reason), max(1, width))[: FOOT_ROWS - 2]
            lines += [(Cell(f" {text}", Tone.PLAIN),) for text in texts]
            lines = lines[: FOOT_ROWS - 1]
            hint_cell = Cell(f" {hint} " if hint else "", Tone.KEY if row.changeable else Tone.DIM)
            lines.append((hint_cell, Cell(formats.one_line(whence), Tone.DIM)))
        return [*lines, *[()] * FOOT_ROWS][:FOOT_ROWS]


def _short(source: str) -> str:
    """Return a file's name without its folders, which are said of the selected setting alone."""
    return source.rsplit("/", 1)[-1] if source.startswith("/") else source
