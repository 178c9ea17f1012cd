"""Every key of the console in one table; the bottom line and the help are made from it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import attrs

from arb.console.cells import Cell, Line, Tone


class Screen(StrEnum):
    """The screens, by the name a person reads."""

    TRADING = "Trading"
    ACTORS = "Actors"


class Action(StrEnum):
    """What a key does."""

    QUIT = "quit"
    PAUSE = "pause"
    RESUME = "resume"
    LIMIT_UP = "limit up"
    LIMIT_DOWN = "limit down"
    FORCE_CLOSE = "force close"
    KILL = "kill"
    RESTART = "restart"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    UP = "up"
    DOWN = "down"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    FIRST = "first"
    LAST = "last"
    NEXT_PANEL = "next panel"
    PREVIOUS_PANEL = "previous panel"
    DETAILS = "details"
    TRADING_SCREEN = "trading screen"
    ACTORS_SCREEN = "actors screen"
    HELP = "help"
    REDRAW = "redraw"


@attrs.frozen
class Binding:
    """One action, its keys as urwid names them, and its words.

    Without words it shares those of the binding before it, whose opposite it is. ``short`` is its
    place in the bottom line, the key in brackets as in ``[q]uit``; without it the binding stands in
    the help alone. ``screens`` are those it works on.
    """

    action: Action
    keys: tuple[str, ...]
    words: str = ""
    short: str = ""
    screens: frozenset[Screen] = frozenset(Screen)

    @property
    def keys_text(self) -> str:
        """Return the keys as a person reads them."""
        return " ".join(_KEY_WORDS.get(key, key) for key in self.keys)


_KEY_WORDS = {
    "up": "↑",
    "down": "↓",
    "page up": "PgUp",
    "page down": "PgDn",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "shift tab": "Shift-Tab",
    "enter": "Enter",
    "ctrl l": "Ctrl-L",
}

_TRADING = frozenset({Screen.TRADING})

# In the order of the bottom line, where the last ones give way first on a narrow terminal.
BINDINGS: tuple[Binding, ...] = (
    Binding(Action.QUIT, ("q",), "quit; asks whether the engine goes on", "[q]uit"),
    Binding(Action.HELP, ("?",), "all keys", "[?]help"),
    Binding(Action.PAUSE, ("p",), "pause trading: no new entry", "[p]ause"),
    Binding(Action.RESUME, ("r",), "resume after a pause", "[r]esume"),
    Binding(Action.KILL, ("K",), "kill the selected actor; it comes back at once", "[K]ill"),
    Binding(Action.RESTART, ("R",), "restart the selected actor in good order", "[R]estart"),
    Binding(
        Action.FORCE_CLOSE,
        ("f",),
        "force close: sell the selected market's position now",
        "[f]orce close",
        _TRADING,
    ),
    Binding(Action.LIMIT_UP, ("+", "="), "raise or lower the exposure limit by $10", "[+/-]limit"),
    Binding(Action.LIMIT_DOWN, ("-", "_")),
    Binding(Action.TRADING_SCREEN, ("1",), "the trading screen", "[1]trading"),
    Binding(Action.ACTORS_SCREEN, ("2",), "the actor tree", "[2]actors"),
    Binding(Action.NEXT_PANEL, ("tab",), "next panel, or the one before", "[Tab]panel"),
    Binding(Action.PREVIOUS_PANEL, ("shift tab",)),
    Binding(Action.DETAILS, ("enter",), "all that is known of the selected row", "[Enter]details"),
    Binding(Action.QUARANTINE, ("Z",), "quarantine the selected actor: down until released"),
    Binding(Action.RELEASE, ("U",), "release the selected actor from quarantine"),
    Binding(Action.UP, ("up", "k"), "up or down"),
    Binding(Action.DOWN, ("down", "j")),
    Binding(Action.PAGE_UP, ("page up",), "a page up or down"),
    Binding(Action.PAGE_DOWN, ("page down",)),
    Binding(Action.FIRST, ("home", "g"), "the first or the last row; at its last, the log follows"),
    Binding(Action.LAST, ("end", "G")),
    Binding(Action.REDRAW, ("ctrl l",), "draw the whole screen again"),
)


def find_action(key: str, screen: Screen) -> Action | None:
    """Return what this key does on this screen."""
    for binding in BINDINGS:
        if key in binding.keys and screen in binding.screens:
            return binding.action
    return None


def bottom_line(screen: Screen, width: int) -> Line:
    """Return the keys that fit into one line; the help is among the first, and lists all."""
    cells: list[Cell] = []
    used = 1
    for binding in BINDINGS:
        if not binding.short or screen not in binding.screens:
            continue
        if used + len(binding.short) > width:
            break
        cells += [Cell(" "), *_bracketed(binding.short)]
        used += len(binding.short) + 1
    return tuple(cells)


def help_rows(bindings: Iterable[Binding] = BINDINGS) -> tuple[tuple[str, str], ...]:
    """Return keys and words of every binding, opposites in one row, for the overlay."""
    rows: list[tuple[str, str]] = []
    for binding in bindings:
        if binding.words or not rows:
            rows.append((binding.keys_text, binding.words))
        else:
            keys, words = rows.pop()
            rows.append((f"{keys}  {binding.keys_text}", words))
    return tuple(rows)


def _bracketed(short: str) -> Line:
    key, rest = short.split("]", 1)
    return (Cell(f"{key}]", Tone.KEY), Cell(rest, Tone.DIM))
