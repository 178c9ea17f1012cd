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
    MARKET = "Market"
    MATCHING = "Matching"
    LATENCY = "Latency"
    FAULTS = "Faults"


class Action(StrEnum):
    """What a key does."""

    QUIT = "quit"
    PAUSE = "pause"
    REDUCE = "reduce"
    RESUME = "resume"
    LIMIT_UP = "limit up"
    LIMIT_DOWN = "limit down"
    FORCE_CLOSE = "force close"
    FLATTEN = "flatten"
    HALT = "halt"
    CLEAR = "clear"
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
    ENTER = "enter"
    BACK = "back"
    DETAILS = "details"
    FILTER = "filter"
    SORT = "sort"
    LOG_LEVEL = "log level"
    LOG_MARKET = "log of the market"
    COMMAND = "command"
    SETTINGS = "settings"
    TRADING_SCREEN = "trading screen"
    ACTORS_SCREEN = "actors screen"
    MARKET_SCREEN = "market screen"
    MATCHING_SCREEN = "matching screen"
    LATENCY_SCREEN = "latency screen"
    FAULTS_SCREEN = "faults screen"
    SWITCH = "switch fault"
    FAULTS_OFF = "all faults off"
    HELP = "help"
    REDRAW = "redraw"


# What changes the engine: a console that only looks refuses it.
STEERING = frozenset(
    {
        Action.PAUSE,
        Action.REDUCE,
        Action.RESUME,
        Action.LIMIT_UP,
        Action.LIMIT_DOWN,
        Action.FORCE_CLOSE,
        Action.FLATTEN,
        Action.HALT,
        Action.CLEAR,
        Action.KILL,
        Action.RESTART,
        Action.QUARANTINE,
        Action.RELEASE,
        Action.SWITCH,
        Action.FAULTS_OFF,
    }
)

SCREEN_OF = {
    Action.TRADING_SCREEN: Screen.TRADING,
    Action.ACTORS_SCREEN: Screen.ACTORS,
    Action.MARKET_SCREEN: Screen.MARKET,
    Action.MATCHING_SCREEN: Screen.MATCHING,
    Action.LATENCY_SCREEN: Screen.LATENCY,
    Action.FAULTS_SCREEN: Screen.FAULTS,
}


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


# A terminal may send a name of any length for a key it alone knows.
KEY_COLUMNS_MAX = 20
_KEY_WORDS = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    " ": "Space",
    "page up": "PgUp",
    "page down": "PgDn",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "shift tab": "Shift-Tab",
    "enter": "Enter",
    "esc": "Esc",
    "ctrl l": "Ctrl-L",
    "ctrl u": "Ctrl-U",
    "ctrl d": "Ctrl-D",
}

_OF_MARKETS = frozenset({Screen.TRADING, Screen.MARKET})
_WITH_LOG = frozenset({Screen.TRADING, Screen.ACTORS})
_OF_ACTORS = frozenset({Screen.TRADING, Screen.MARKET, Screen.ACTORS})
_OF_FAULTS = frozenset({Screen.FAULTS})

# In the order of the bottom line, where the last ones give way first on a narrow terminal.
BINDINGS: tuple[Binding, ...] = (
    Binding(Action.QUIT, ("q",), "quit; asks whether the engine goes on", "[q]uit"),
    Binding(Action.HELP, ("?",), "all keys", "[?]help"),
    Binding(Action.PAUSE, ("p",), "pause trading: no new entry", "[p]ause"),
    Binding(Action.RESUME, ("r",), "resume after a pause, or after reducing", "[r]esume"),
    Binding(
        Action.SWITCH, ("enter", " "), "switch the selected fault on or off", "[Enter]switch",
        _OF_FAULTS,
    ),
    Binding(
        Action.FAULTS_OFF, ("O",), "switch all faults of the simulated world off", "[O]ff all",
        _OF_FAULTS,
    ),
    Binding(Action.FILTER, ("/",), "show only rows with some words in them", "[/]filter"),
    Binding(Action.COMMAND, (":",), "find a command or a market by its name", "[:]command"),
    Binding(
        Action.KILL, ("K",), "kill the selected actor; it comes back at once", "[K]ill", _OF_ACTORS
    ),
    Binding(
        Action.FORCE_CLOSE,
        ("f",),
        "force close: sell the selected market's position now",
        "[f]orce close",
        _OF_MARKETS,
    ),
    Binding(
        Action.SETTINGS, ("c",), "settings, each with its source; change a threshold", "[c]onfig"
    ),
    Binding(Action.LIMIT_UP, ("+", "="), "raise or lower the exposure limit by $10", "[+/-]limit"),
    Binding(Action.LIMIT_DOWN, ("-", "_")),
    Binding(Action.TRADING_SCREEN, ("1",), "the trading screen"),
    Binding(Action.ACTORS_SCREEN, ("2",), "the actor tree"),
    Binding(Action.MARKET_SCREEN, ("3",), "the selected market closely"),
    Binding(Action.MATCHING_SCREEN, ("4",), "why a game is here, or is not"),
    Binding(Action.LATENCY_SCREEN, ("5",), "how long an order's way takes"),
    Binding(Action.FAULTS_SCREEN, ("6",), "the faults of the simulated world, by hand"),
    Binding(
        Action.RESTART, ("R",), "restart the selected actor in good order", "[R]estart", _OF_ACTORS
    ),
    Binding(
        Action.QUARANTINE, ("Z",), "quarantine the selected actor: down until released", "",
        _OF_ACTORS,
    ),
    Binding(
        Action.RELEASE, ("U",), "release the selected actor from quarantine", "", _OF_ACTORS
    ),
    Binding(Action.REDUCE, ("x",), "reduce: open no position, go on closing those there are"),
    Binding(Action.HALT, ("H",), "halt trading, with a reason; entries are cancelled"),
    Binding(Action.CLEAR, ("C",), "clear a halt, with a reason"),
    Binding(Action.FLATTEN, ("F",), "flatten: sell every position at the bid; asks for a word"),
    Binding(
        Action.ENTER, ("enter",), "go into the selected row", "[Enter]open",
        frozenset(Screen) - _OF_FAULTS,
    ),
    Binding(Action.BACK, ("esc",), "show all rows again; back to the screen before", "[Esc]back"),
    Binding(Action.DETAILS, ("d",), "all that is known of the selected row"),
    Binding(Action.SORT, ("s",), "sort by the next column", "[s]ort"),
    Binding(
        Action.LOG_LEVEL, ("L",), "the log: all lines, warnings and errors, errors", "", _WITH_LOG
    ),
    Binding(
        Action.LOG_MARKET, ("M",), "the log: the selected market alone, or all", "", _WITH_LOG
    ),
    Binding(
        Action.NEXT_PANEL, ("tab", "l", "right"), "next panel, or the one before", "[Tab]panel"
    ),
    Binding(Action.PREVIOUS_PANEL, ("shift tab", "h", "left")),
    Binding(Action.UP, ("up", "k"), "up or down"),
    Binding(Action.DOWN, ("down", "j")),
    Binding(Action.PAGE_UP, ("page up", "ctrl u"), "a page up or down"),
    Binding(Action.PAGE_DOWN, ("page down", "ctrl d")),
    Binding(Action.FIRST, ("home", "g"), "the first or the last row; at its last, the log follows"),
    Binding(Action.LAST, ("end", "G")),
    Binding(Action.REDRAW, ("ctrl l",), "draw the whole screen again"),
)  # fmt: skip


def find_action(key: str, screen: Screen) -> Action | None:
    """Return what this key does on this screen."""
    for binding in BINDINGS:
        if key in binding.keys and screen in binding.screens:
            return binding.action
    return None


def no_meaning(key: str, screen: Screen) -> str:
    """Say that a key does nothing on a screen, and where it does something."""
    shown = _KEY_WORDS.get(key, key if key.isprintable() else "that key")[:KEY_COLUMNS_MAX]
    elsewhere = next((each for each in BINDINGS if key in each.keys), None)
    if elsewhere is None:
        return f"{shown} does nothing; ? shows every key"
    names = ", ".join(each for each in Screen if each in elsewhere.screens)
    return f"{shown} does nothing on {screen}, but on {names}; ? shows every key"


def bottom_line(screen: Screen, width: int, *, read_only: bool = False) -> Line:
    """Return the keys that fit into one line; the help is among the first, and lists all."""
    cells: list[Cell] = []
    used = 1
    for binding in _offered(screen, read_only=read_only):
        if used + len(binding.short) > width:
            break
        cells += [Cell(" "), *_bracketed(binding.short)]
        used += len(binding.short) + 1
    return tuple(cells)


def tabs(screen: Screen) -> Line:
    """Return every screen by its number, the one that is shown set off by a sign."""
    cells: list[Cell] = []
    for number, each in enumerate(SCREEN_OF.values(), 1):
        here = each is screen
        text = f"▸{number} {each}" if here else f" {number} {each}"
        cells.append(Cell(text, Tone.TITLE if here else Tone.DIM))
    return tuple(cells)


def action_at(screen: Screen, column: int, *, read_only: bool = False) -> Action | None:
    """Return what the words at this column of the bottom line do, for a mouse."""
    left = 1
    for binding in _offered(screen, read_only=read_only):
        if left <= column < left + len(binding.short):
            return binding.action
        left += len(binding.short) + 1
    return None


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


def _offered(screen: Screen, *, read_only: bool) -> tuple[Binding, ...]:
    return tuple(
        binding
        for binding in BINDINGS
        if binding.short
        and screen in binding.screens
        and not (read_only and binding.action in STEERING)
    )


def _bracketed(short: str) -> Line:
    key, rest = short.split("]", 1)
    return (Cell(f"{key}]", Tone.KEY), Cell(rest, Tone.DIM))
