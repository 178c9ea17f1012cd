"""How each tone looks: in 256 colours, in 16, and in none at all."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final, Literal

from arb.console.cells import Tone

PaletteEntry = tuple[str, str, str, str | None, str, str]
Colours = Literal[1, 16, 256]

ALL_COLOURS: Final = 256
FEW_COLOURS: Final = 16
NO_COLOURS: Final = 1

# Good and bad are teal and vermilion rather than green and red: these two stay apart for the
# common kinds of colour blindness, and each comes with a sign or a word in any case.
# name: (16 foreground, 16 background, mono, 256 foreground, 256 background)
_LOOKS: dict[Tone, tuple[str, str, str, str, str]] = {
    Tone.PLAIN: ("light gray", "default", "", "#ccc", "default"),
    Tone.DIM: ("dark gray", "default", "", "g50", "default"),
    Tone.STRONG: ("white", "default", "bold", "#fff", "default"),
    Tone.FRAME: ("dark gray", "default", "", "g35", "default"),
    Tone.TITLE: ("white,bold", "default", "bold", "#8df,bold", "default"),
    Tone.HEAD: ("dark cyan", "default", "underline", "#6ac", "default"),
    Tone.GOOD: ("light green", "default", "", "#0d9", "default"),
    Tone.BAD: ("light red,bold", "default", "bold", "#f64,bold", "default"),
    Tone.WARN: ("yellow", "default", "", "#fd4", "default"),
    Tone.NOTE: ("light cyan", "default", "", "#6cf", "default"),
    Tone.KEY: ("yellow,bold", "default", "bold", "#fd4,bold", "default"),
    Tone.SAFE_MODE: ("black", "dark cyan", "standout", "#000,bold", "#0aa"),
    Tone.DEMO_MODE: ("black", "brown", "standout", "#000,bold", "#da0"),
    Tone.LIVE_MODE: ("white,bold", "dark red", "bold,standout", "#fff,bold", "#c00"),
    Tone.ALARM: ("white,bold", "dark red", "bold,standout", "#fff,bold", "#a00"),
    Tone.CAUTION: ("black", "brown", "standout", "#000", "#da0"),
    Tone.SELECTED: ("black", "light gray", "standout", "#fff,bold", "#068"),
    Tone.SELECTED_WEAK: ("white", "dark gray", "underline", "#fff", "g19"),
    Tone.CHOICE: ("black", "light gray", "standout", "#000,bold", "#fd4"),
    Tone.LOST: ("dark gray", "default", "", "g42", "default"),
}


def palette() -> list[PaletteEntry]:
    """Return the entries in the order urwid takes them."""
    return [
        (tone.value, few, few_back, mono, many, many_back)
        for tone, (few, few_back, mono, many, many_back) in _LOOKS.items()
    ]


def colours(environment: Mapping[str, str]) -> Colours:
    """Return how many colours to use, from what the terminal says of itself.

    ``NO_COLOR``, whatever it holds, is a person's wish and comes first.
    """
    terminal = environment.get("TERM", "")
    if environment.get("NO_COLOR") or terminal in {"", "dumb"} or terminal.startswith("vt"):
        return NO_COLOURS
    if "256color" in terminal or environment.get("COLORTERM") in {"truecolor", "24bit"}:
        return ALL_COLOURS
    return FEW_COLOURS


# An old picture keeps its words and signs and loses its colours; the alarm above it keeps them.
LOST_LOOK: Mapping[Hashable, Hashable] = {
    None: Tone.LOST.value,
    **{tone.value: Tone.LOST.value for tone in Tone},
    Tone.ALARM.value: Tone.ALARM.value,
}
