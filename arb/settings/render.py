"""Writes the settings file with every default, unit and reason; settings.toml is its output."""

from __future__ import annotations

import textwrap
from typing import Any

from arb.settings.schema import SECTIONS, Entry, entries, section_names
from arb.settings.secret import Secret

LINE_LENGTH = 100

HEAD = """\
# Every setting with its default, its unit and its reason, as arb settings --defaults writes it.
#
# Change a value here, or in a file of your own (--settings FILE, or ARB_SETTINGS), which needs
# only the lines that differ. Environment variables override both: ARB_RISK__MAX_CONCURRENT_MARKETS
# is [risk] max_concurrent_markets; a list is written with commas.
# Keys never belong into this repository: give them as environment variables or in a file elsewhere.
"""


def defaults_text() -> str:
    """Return the text of a settings file with every default."""
    parts = [HEAD]
    for name in section_names():
        parts.append(f"\n[{name}]\n{_comment(_purpose(name))}")
        parts += [_lines(entry) for entry in entries().values() if _section_of(entry) == name]
    return "".join(parts)


def toml_value(value: object) -> str:
    """Write one value as TOML; a secret's text is written, so hand in defaults only."""
    if isinstance(value, Secret):
        return _quoted(value.reveal())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_quoted, value))}]"
    return _quoted(str(value))


def _lines(entry: Entry) -> str:
    name = entry.key.rpartition(".")[2]
    allowed = entry.setting.allowed if entry.setting.address is None else ""
    about = f"{entry.setting.reason} ({allowed})" if allowed else entry.setting.reason
    return f"\n{_comment(about)}{name} = {toml_value(entry.default)}\n"


def _comment(text: str) -> str:
    wrapped = textwrap.wrap(text, LINE_LENGTH, initial_indent="# ", subsequent_indent="# ")
    return "".join(f"{line}\n" for line in wrapped)


def _section_of(entry: Entry) -> str:
    return entry.key.rpartition(".")[0]


def _purpose(name: str) -> str:
    kind: Any = SECTIONS[name.partition(".")[0]]
    for part in name.split(".")[1:]:
        kind = getattr(kind(), part).__class__
    return str(kind.__doc__).splitlines()[0]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
