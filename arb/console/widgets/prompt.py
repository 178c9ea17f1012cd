"""Boxes that are typed into: a word or a reason before something is done, and a command's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import urwid

from arb.console.cells import Cell, Line, Tone
from arb.console.widgets.dialog import BOTTOM, SIDES, TOP, WIDTH_MAX, Dialog, wrap
from arb.console.widgets.frame import framed, rule
from arb.console.widgets.paint import Size, box, columns_of, paint

CURSOR = "▏"
# A reason stands in the journal and in one line of the log.
TYPED_MAX = 200
# As many as are taken in at a glance; more letters bring what is missing.
ENTRIES_IN_SIGHT = 10


def typed_after(text: str, key: str) -> str:
    """Return what stands in a field after a key."""
    if key == "backspace":
        return text[:-1]
    if key == "ctrl u":
        return ""
    if len(key) == 1 and key.isprintable() and len(text) < TYPED_MAX:
        return text + key
    return text


class TypedQuestion(Dialog):
    """Does something only once what it wants is typed; Enter on anything else does nothing."""

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        act: Callable[[str], None],
        *,
        word: str | None = None,
        check: Callable[[str], str | None] | None = None,
        tone: Tone = Tone.BAD,
    ) -> None:
        """Ask for exactly ``word``, or for a text that is not blank and that ``check`` lets pass.

        ``check`` says in one line what is wrong with a text, None where nothing is.
        """
        super().__init__()
        self._title = title
        self._lines = tuple(lines)
        self._act = act
        self._word = word
        self._check = check
        self._tone = tone
        self._typed = ""
        self._wrong = ""

    def __repr__(self) -> str:
        return f"<TypedQuestion {self._title!r} [{len(self._typed)} letters]>"

    def size_in(self, columns: int, rows: int) -> tuple[int, int]:
        """Return the columns and rows that the box takes of a screen."""
        width = min(columns, WIDTH_MAX)
        return width, min(rows, len(self._wrapped(width)) + 6)

    def press(self, key: str) -> bool:
        """Take a letter; Enter does it if the right thing is typed, Esc never does."""
        self._invalidate()
        if key != "enter":
            self._wrong = ""
            self._typed = typed_after(self._typed, key)
            return key == "esc"
        typed = self._typed.strip()
        self._wrong = self._problem(typed)
        if self._wrong:
            return False
        self._act(typed)
        return True

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the question and the field."""
        columns, rows = box(size)
        field = (Cell(" > ", Tone.KEY), Cell(f"{self._typed}{CURSOR}", Tone.STRONG))
        inside: list[Line] = [
            (),
            *((Cell(f" {text}"),) for text in self._wrapped(columns)),
            (),
            field,
            (Cell(f" {self._wrong or self._hint}", Tone.BAD if self._wrong else Tone.DIM),),
        ]
        lines = [rule(columns, (Cell(self._title, self._tone),), (), TOP)]
        lines += [framed(cells, columns, TOP) for cells in inside][: max(0, rows - 2)]
        lines.append(rule(columns, (), (), BOTTOM))
        return paint(lines[:rows], columns)

    def _problem(self, typed: str) -> str:
        if self._word is not None:
            return "" if typed == self._word else self._hint
        if not typed:
            return self._hint
        return (self._check(typed) or "") if self._check is not None else ""

    @property
    def _hint(self) -> str:
        if self._check is not None:
            return "Type the new value, then Enter; Esc does nothing"
        if self._word is None:
            return "Type a reason, then Enter; Esc does nothing"
        return f'Type "{self._word}", then Enter; Esc does nothing'

    def _wrapped(self, width: int) -> list[str]:
        return [part for text in self._lines for part in wrap(text, width - SIDES)]


@attrs.frozen
class Entry:
    """One thing the palette can do: its name, its keys, its words, and doing it."""

    name: str
    keys: str
    words: str
    act: Callable[[], None]


class Palette(Dialog):
    """Finds a command by letters of its name or its words; Enter does the one that is marked."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._entries = tuple(entries)
        self._typed = ""
        self._index = 0

    def __repr__(self) -> str:
        return f"<Palette {self._typed!r} [{len(self._found)} of {len(self._entries)}]>"

    def size_in(self, columns: int, rows: int) -> tuple[int, int]:
        """Return the columns and rows that the box takes of a screen."""
        return min(columns, WIDTH_MAX), min(rows, ENTRIES_IN_SIGHT + 3)

    def press(self, key: str) -> bool:
        """Take a letter, move among what is found, do it, or close."""
        self._invalidate()
        found = self._found
        if key in {"up", "shift tab", "down", "tab"}:
            steps = 1 if key in {"down", "tab"} else -1
            self._index = (self._index + steps) % max(1, len(found))
            return False
        if key == "enter" and found:
            # Afterwards: what it does may open a box of its own in place of this one.
            found[self._index].act()
            return True
        self._typed = typed_after(self._typed, key)
        self._index = 0
        return key == "esc"

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the field and what is found."""
        columns, rows = box(size)
        found = self._found
        first = max(0, self._index - ENTRIES_IN_SIGHT + 1)
        shown = found[first : first + ENTRIES_IN_SIGHT]
        inside: list[Line] = [(Cell(" :", Tone.KEY), Cell(f"{self._typed}{CURSOR}", Tone.STRONG))]
        inside += [
            self._line(each, columns, marked=first + index == self._index)
            for index, each in enumerate(shown)
        ]
        if not found:
            inside.append((Cell(" no command and no market has that in it", Tone.DIM),))
        inside += [()] * (rows - 2 - len(inside))
        note = (Cell(f"{len(found)} found", Tone.DIM),)
        lines = [rule(columns, (Cell("Command", Tone.TITLE),), note, TOP)]
        lines += [framed(cells, columns, TOP) for cells in inside][: max(0, rows - 2)]
        lines.append(rule(columns, (), (), BOTTOM))
        return paint(lines[:rows], columns)

    @property
    def _found(self) -> list[Entry]:
        words = self._typed.lower().split()
        found = [
            each
            for each in self._entries
            if all(word in f"{each.name} {each.words}".lower() for word in words)
        ]
        # What begins with the letters is meant before what has them somewhere.
        return sorted(found, key=lambda each: not each.name.lower().startswith(self._typed.lower()))

    def _line(self, entry: Entry, columns: int, *, marked: bool) -> Line:
        tone = Tone.CHOICE if marked else Tone.STRONG
        mark = "▸" if marked else " "
        name = f"{mark}{entry.name}"
        pad = " " * max(1, 18 - columns_of(name))
        keys = f"{entry.keys:<12} " if entry.keys else ""
        return (Cell(name, tone), Cell(f"{pad}{keys}", Tone.KEY), Cell(entry.words, Tone.DIM))
