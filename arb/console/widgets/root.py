"""The whole terminal: one screen, greyed where its picture is old, and a box over it."""

from __future__ import annotations

from collections.abc import Callable

import urwid

from arb.console.palette import LOST_LOOK
from arb.console.widgets.dialog import Dialog
from arb.console.widgets.paint import Size, box
from arb.console.widgets.panels import Panels


class Root(urwid.Widget):
    """Draws anew only when it was marked: urwid keeps the canvas, and its screen knows it again."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(
        self,
        screen: Panels,
        press: Callable[[str], None],
        point: Callable[[int, int, int, int], None],
    ) -> None:
        super().__init__()
        self._press = press
        self._point = point
        self._screen = screen
        self._dialog: Dialog | None = None
        self._grey = False

    def __repr__(self) -> str:
        return f"<Root {self._screen.screen} [dialog {self._dialog!r}, grey {self._grey}]>"

    @property
    def dialog(self) -> Dialog | None:
        """Return the box that is open."""
        return self._dialog

    @property
    def screen(self) -> Panels:
        """Return the screen that is shown."""
        return self._screen

    def turn_to(self, screen: Panels) -> None:
        """Show another screen."""
        self._screen = screen
        self.mark()

    def open(self, dialog: Dialog | None) -> None:
        """Put a box over the screen, or take it away."""
        self._dialog = dialog
        self.mark()

    def grey(self, *, grey: bool) -> None:
        """Show the screen without its colours, as something old, or with them."""
        if grey != self._grey:
            self._grey = grey
            self.mark()

    def mark(self) -> None:
        """Say that something has changed."""
        self._screen.mark()
        self._invalidate()

    def keypress(self, size: Size, key: str) -> str | None:
        """Hand every key to the cockpit."""
        self._press(key)
        return None

    def mouse_event(
        self,
        size: Size,
        event: str,
        button: int,
        col: int,
        row: int,
        focus: bool,  # noqa: FBT001
    ) -> bool:
        """Hand every press of a button, and every turn of the wheel, to the cockpit."""
        if "press" not in event:
            return False
        self._point(button, col, row, box(size)[1])
        return True

    def render(self, size: Size, focus: bool = False) -> urwid.Canvas:  # noqa: FBT001, FBT002
        """Draw the screen, greyed if it is old, and the box over it."""
        columns, rows = box(size)
        canvas = urwid.CompositeCanvas(self._screen.render((columns, rows), focus=True))
        if self._grey:
            canvas.fill_attr_apply(LOST_LOOK)
        if self._dialog is not None:
            width, height = self._dialog.size_in(columns, rows)
            top = self._dialog.render((width, height))
            canvas = urwid.CanvasOverlay(top, canvas, (columns - width) // 2, (rows - height) // 2)
        return canvas
