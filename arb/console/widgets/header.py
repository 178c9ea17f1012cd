"""The top of every screen, and its foot: the frame's first and last line and what is by them."""

from __future__ import annotations

import urwid

from arb.console.cells import Cell, Line, Tone
from arb.console.keys import Screen, bottom_line, tabs
from arb.console.view_model import HeaderView
from arb.console.widgets.frame import SIDE, Edges, framed, rule
from arb.console.widgets.paint import Size, box, fit, paint

BANNERS = frozenset({Tone.ALARM, Tone.CAUTION})
TOP = Edges(left="┌", right="┐")
BOTTOM = Edges(left="└", right="┘")


class Header(urwid.Widget):
    """Mode, money, connections and banners; as many rows as these need."""

    _sizing = frozenset([urwid.BOX])
    _selectable = False

    def __init__(self, view: HeaderView) -> None:
        super().__init__()
        self._view = view

    def __repr__(self) -> str:
        return f"<Header connected={self._view.link.connected}>"

    def show(self, view: HeaderView) -> bool:
        """Show a new picture; returns whether anything of it differs from the last."""
        if view == self._view:
            return False
        self._view = view
        self._invalidate()
        return True

    def rows_for(self, columns: int) -> int:
        """Return how many rows everything takes at this width."""
        return 1 + len(self._view.lines(_inside(columns)))

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the first line of the frame and what the header says."""
        columns, rows = box(size)
        title = self._view.title
        lines = [rule(columns, title.left, title.right, TOP)]
        lines += [_framed(cells, columns) for cells in self._view.lines(_inside(columns))]
        return paint(lines[:rows], columns)


class Foot(urwid.Widget):
    """The frame's last line, which carries the last message, and the line of keys."""

    _sizing = frozenset([urwid.BOX])
    _selectable = False
    ROWS = 2

    def __init__(self) -> None:
        super().__init__()
        self._message: Cell | None = None
        self._screen = Screen.TRADING
        self._typing: str | None = None
        self._joints: tuple[int, ...] = ()
        self.read_only = False

    def __repr__(self) -> str:
        return f"<Foot message={self._message!r}>"

    def say(self, message: Cell | None) -> None:
        """Show a message in the frame, or none."""
        if message != self._message:
            self._message = message
            self._invalidate()

    def type(self, text: str | None) -> None:
        """Show a field with what is typed into it, or none."""
        if text != self._typing:
            self._typing = text
            self._invalidate()

    def join(self, joints: tuple[int, ...]) -> None:
        """Meet the sides of the panels above at these columns."""
        if joints != self._joints:
            self._joints = joints
            self._invalidate()

    def offer(self, screen: Screen) -> None:
        """Show the keys of this screen."""
        if screen is not self._screen:
            self._screen = screen
            self._invalidate()

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the last line of the frame and the keys."""
        columns, rows = box(size)
        left = () if self._message is None else (self._message,)
        if self._typing is not None:
            left = (Cell(f"/{self._typing}▏", Tone.KEY),)
        right = tabs(self._screen)
        if self.read_only:
            right = (Cell("READ-ONLY ", Tone.WARN), *right)
        keys = bottom_line(self._screen, columns, read_only=self.read_only)
        edges = Edges(BOTTOM.left, BOTTOM.right, joints=self._joints)
        lines: list[Line | list[Cell]] = [rule(columns, left, right, edges), keys]
        return paint(lines[:rows], columns)


def _inside(columns: int) -> int:
    # A blank between the frame and the text on either side.
    return max(0, columns - 4)


def _framed(cells: Line, columns: int) -> list[Cell]:
    if len(cells) == 1 and cells[0].tone in BANNERS:
        text = fit(f" {cells[0].text} ", max(0, columns - 2))
        return [SIDE, Cell(text, cells[0].tone), SIDE]
    return framed((Cell(" "), *cells), columns, TOP)
