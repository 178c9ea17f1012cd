"""Boxes over the screen: a question with choices, and a page of names and values to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import urwid

from arb.console.cells import Cell, Line, Tone
from arb.console.closeups import Look, Wish
from arb.console.widgets.frame import Edges, framed, rule
from arb.console.widgets.paint import Size, box, columns_of, paint

TOP = Edges(left="┌", right="┐")
BOTTOM = Edges(left="└", right="┘")
# A box that is wider is harder to read than one with one line more.
WIDTH_MAX = 76
# What the frame's line needs beside a title to say which rows of how many are in sight.
NOTE_ROOM = 28
# What the frame and the blanks beside the text take.
SIDES = 4
CLOSING_KEYS = frozenset({"esc", "q", "enter", "?", " "})


@attrs.frozen
class Choice:
    """One answer: its words, the letter that picks it at once, and what picking it does."""

    words: str
    letter: str
    act: Callable[[], None] | None = None


class Dialog(urwid.Widget):
    """A box over the screen that takes every key while it is there."""

    _sizing = frozenset([urwid.BOX])
    _selectable = False
    # What the engine is to be asked for while the box is open, in place of the screen's wish.
    wish: Wish | None = None

    def see(self, look: Look) -> bool:
        """Take in what the engine showed; returns whether that changes what is drawn."""
        del look
        return False

    def size_in(self, columns: int, rows: int) -> tuple[int, int]:
        """Return the columns and rows that the box takes of a screen."""
        raise NotImplementedError

    def press(self, key: str) -> bool:
        """Take a key; returns whether the box is done and goes."""
        raise NotImplementedError


class Question(Dialog):
    """A question whose first focused answer is the one that does the least."""

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        choices: Sequence[Choice],
        *,
        default: int,
        tone: Tone = Tone.WARN,
    ) -> None:
        super().__init__()
        self._title = title
        self._lines = tuple(lines)
        self._choices = tuple(choices)
        self._index = default
        self._tone = tone

    def __repr__(self) -> str:
        return f"<Question {self._title!r} [at {self.focused!r}]>"

    @property
    def focused(self) -> str:
        """Return the words of the answer that Enter would pick."""
        return self._choices[self._index].words

    def size_in(self, columns: int, rows: int) -> tuple[int, int]:
        """Return the columns and rows that the box takes of a screen."""
        width = min(columns, WIDTH_MAX, max(self._widest() + SIDES, columns_of(self._title) + 8))
        return width, min(rows, len(self._wrapped(width)) + 5)

    def press(self, key: str) -> bool:
        """Move among the answers, or pick one; Esc picks none."""
        for choice in self._choices:
            if key == choice.letter:
                return self._pick(choice)
        if key in {"left", "shift tab", "up", "h", "k"}:
            self._focus(-1)
        elif key in {"right", "tab", "down", "l", "j"}:
            self._focus(1)
        elif key in {"enter", " "}:
            return self._pick(self._choices[self._index])
        return key == "esc"

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the question and its answers."""
        columns, rows = box(size)
        inside = [
            (),
            *((Cell(f" {text}"),) for text in self._wrapped(columns)),
            (),
            self._answers(),
        ]
        lines = [rule(columns, (Cell(self._title, self._tone),), (), TOP)]
        lines += [framed(cells, columns, TOP) for cells in inside][: max(0, rows - 2)]
        lines.append(rule(columns, (), (), BOTTOM))
        return paint(lines[:rows], columns)

    def _answers(self) -> Line:
        cells: list[Cell] = [Cell(" ")]
        for index, choice in enumerate(self._choices):
            focused = index == self._index
            text = f"▸ {choice.words} ◂" if focused else f"  {choice.words}  "
            cells += [Cell(text, Tone.CHOICE if focused else Tone.PLAIN), Cell(" ")]
        return tuple(cells)

    def _widest(self) -> int:
        answers = sum(columns_of(cell.text) for cell in self._answers())
        return max([answers, *(columns_of(text) + 1 for text in self._lines)])

    def _wrapped(self, width: int) -> list[str]:
        return [part for text in self._lines for part in wrap(text, width - SIDES)]

    def _focus(self, steps: int) -> None:
        self._index = (self._index + steps) % len(self._choices)
        self._invalidate()

    def _pick(self, choice: Choice) -> bool:
        if choice.act is not None:
            choice.act()
        return True


class Page(Dialog):
    """Names and values to read, which scroll where the screen is small."""

    def __init__(self, title: str, rows: Sequence[tuple[str, str]], *, name_tone: Tone) -> None:
        super().__init__()
        self._title = title
        self._rows = tuple(rows)
        self._name_tone = name_tone
        self._name_width = max((columns_of(name) for name, _ in rows), default=0)
        self._offset = 0
        self._in_sight = 1

    def __repr__(self) -> str:
        return f"<Page {self._title!r} [{len(self._rows)} rows]>"

    def size_in(self, columns: int, rows: int) -> tuple[int, int]:
        """Return the columns and rows that the box takes of a screen."""
        widest = max((columns_of(value) for _, value in self._rows), default=0)
        wanted = max(self._name_width + 2 + widest + SIDES, columns_of(self._title) + NOTE_ROOM)
        width = min(columns, WIDTH_MAX, wanted)
        return width, min(rows, len(self._lines(width)) + 2)

    def press(self, key: str) -> bool:
        """Scroll, or close."""
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -10, "page down": 10}.get(key)
        if steps is None:
            return key in CLOSING_KEYS
        self._offset = max(0, self._offset + steps)
        self._invalidate()
        return False

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the rows in sight."""
        columns, rows = box(size)
        lines = self._lines(columns)
        room = max(0, rows - 2)
        self._offset = min(self._offset, max(0, len(lines) - room))
        last = min(len(lines), self._offset + room)
        note = f"{self._offset + 1}-{last} of {len(lines)}" if len(lines) > room else "Esc closes"
        drawn = [rule(columns, (Cell(self._title, Tone.TITLE),), (Cell(note, Tone.DIM),), TOP)]
        drawn += [framed(cells, columns, TOP) for cells in lines[self._offset : last]]
        drawn.append(rule(columns, (), (), BOTTOM))
        return paint(drawn[:rows], columns)

    def _lines(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for name, value in self._rows:
            parts = wrap(value, max(1, width - SIDES - self._name_width - 2))
            for index, part in enumerate(parts):
                blanks = " " * (self._name_width - columns_of(name))
                head = f"{name}{blanks}" if not index else " " * self._name_width
                lines.append((Cell(f" {head}  ", self._name_tone), Cell(part)))
        return lines


def wrap(text: str, width: int) -> list[str]:
    """Break a text at blanks into lines of at most ``width``; a longer word is cut in pieces."""
    lines: list[str] = []
    current = ""
    for word in text.split() or [""]:
        rest = word
        if current and len(current) + 1 + len(rest) > width:
            lines.append(current)
            current = ""
        while len(rest) > width > 0:
            lines.append(rest[:width])
            rest = rest[width:]
        current = f"{current} {rest}" if current else rest
    lines.append(current)
    return lines
