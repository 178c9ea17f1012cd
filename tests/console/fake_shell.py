"""Stand-ins for what is around a cockpit, and a screen that keeps what is drawn on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio
import urwid

from arb.console.cockpit import Cockpit
from arb.console.link import Link, LinkState
from arb.console.snapshot import read_snapshot

# No test waits for longer than this for what takes milliseconds.
PATIENCE_S = 30


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    with trio.fail_after(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # what is waited for knows nothing of events
            await trio.sleep(0.01)


class FakeShell:
    """Records what the cockpit asks of the program around it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.ends: list[str] = []

    def steer(self, verb: str, **arguments: Any) -> None:
        """Record a command."""
        self.sent.append((verb, arguments))

    def leave(self) -> None:
        """Record a leave."""
        self.ends.append("leave")

    def stop_engine(self) -> None:
        """Record a stop."""
        self.ends.append("stop")

    def redraw(self) -> None:
        """Record a redraw."""
        self.ends.append("redraw")


class Bench:
    """A cockpit with a link that shows what the test gives it."""

    def __init__(self, *, owns_engine: bool = True, read_only: bool = False) -> None:
        self.link = Link(Path("/nowhere"))
        self.shell = FakeShell()
        self.cockpit = Cockpit(self.link, self.shell, owns_engine=owns_engine, read_only=read_only)
        self.now_s = 100.0

    def show(self, document: dict[str, Any]) -> bool:
        """Bring a picture."""
        self.link.picture = read_snapshot(document)
        self.link.picture_at_s = self.now_s
        self.link.state = LinkState.UP
        return self.cockpit.refresh(self.now_s)

    def lose(self, why: str) -> None:
        """Lose the engine."""
        self.link.state = LinkState.LOST
        self.link.why = why
        self.cockpit.refresh(self.now_s)

    def press(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            assert self.cockpit.root.keypress((80, 24), key) is None

    def lines(self, columns: int = 80, rows: int = 24) -> list[str]:
        """Return what is on the screen."""
        return list(self.cockpit.root.render((columns, rows)).decoded_text)

    def text(self, columns: int = 80, rows: int = 24) -> str:
        """Return what is on the screen as one text."""
        return "\n".join(self.lines(columns, rows))

    def tones(self, columns: int = 80, rows: int = 24) -> set[Any]:
        """Return all tones on the screen."""
        canvas = self.cockpit.root.render((columns, rows))
        return {tone for row in canvas.content() for tone, _, _ in row}


class FakeScreen(urwid.BaseScreen):
    """A terminal of a fixed size that keeps the last frame, and gives keys when told to."""

    def __init__(self, size: tuple[int, int] = (80, 24)) -> None:
        super().__init__()
        self.size = size
        self.frame: list[str] = []
        self.draws = 0
        self.cleared = 0
        self.fail: Exception | None = None
        self._callback: Callable[[list[Any], list[int]], Any] | None = None

    def get_cols_rows(self) -> tuple[int, int]:
        """Return the size."""
        return self.size

    def draw_screen(self, size: tuple[int, int], canvas: urwid.Canvas) -> None:
        """Keep a frame, or fail as it was told to."""
        if self.fail is not None:
            raise self.fail
        self.draws += 1
        self.frame = list(canvas.decoded_text)

    def set_mouse_tracking(self, enable: bool = True) -> None:
        """Have a mouse, as far as urwid is concerned."""

    def clear(self) -> None:
        """Count a clearing."""
        self.cleared += 1

    def hook_event_loop(self, event_loop: Any, callback: Any) -> None:
        """Remember where keys go."""
        self._callback = callback

    def unhook_event_loop(self, event_loop: Any) -> None:
        """Forget where keys go."""
        self._callback = None

    def press(self, *keys: str) -> None:
        """Press keys as a person would."""
        if self._callback is not None:
            self._callback(list(keys), [])

    @property
    def text(self) -> str:
        """Return the last frame as one text."""
        return "\n".join(self.frame)
