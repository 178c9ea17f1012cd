"""Foreign text made fit to be shown to a person: one line, bounded, without control signs."""

from __future__ import annotations

# What fits two lines of a terminal; whoever needs more has the tape.
TEXT_LENGTH_MAX = 200

NESTED_TOO_DEEPLY = "nested too deeply to be shown"


def one_line(value: object, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Return ``value`` as one line of at most ``length_max`` printable characters."""
    try:
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    except RecursionError:
        # JSON of a thousand brackets can be parsed, and Python cannot write it down again.
        text = NESTED_TOO_DEEPLY
    # Four characters of source a character shown is ample even where most are blanks.
    words = " ".join(text[: length_max * 4].split())
    shown = "".join(sign if sign.isprintable() else "�" for sign in words)
    return shown if len(shown) <= length_max else f"{shown[: length_max - 1]}…"
