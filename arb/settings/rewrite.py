"""Writes one value into a settings file and leaves every other byte of it as it was.

One line is replaced or added. Then both texts are parsed: unless the new one says what the old one
said and the new value, nothing is written. A way of writing TOML that this does not know costs a
person an edit by hand, and never a setting.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from arb.settings.errors import SettingsError
from arb.settings.load import load, read_text

_HEADER = re.compile(r"^\s*\[([^\[\]]+)\]\s*(#.*)?$")
_VALUE = r"^(\s*{name}\s*=\s*)([^\s#]+)"


def write_value(path: Path, key: str, value: int) -> None:
    """Set ``key`` in a settings file; raises `SettingsError`, and leaves the file alone then.

    The file is there whole or as it was, keeps its rights, and stays a link if it is one.
    """
    place = path.resolve()
    before = read_text(place)
    after = with_value(before, key, value)
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        draft.write_bytes(after.encode())
        draft.chmod(place.stat().st_mode & 0o777)
        _check_alone(draft, place)
        draft.replace(place)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)


def with_value(text: str, key: str, value: int) -> str:
    """Return a settings file's text with one value replaced or added; raises `SettingsError`."""
    section, _, name = key.rpartition(".")
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    begin = next((at for at, line in enumerate(lines) if _section_of(line) == section), None)
    if begin is None:
        apart = "" if not text else end if text.endswith("\n") else end * 2
        changed = f"{text}{apart}[{section}]{end}{name} = {value}{end}"
    else:
        changed = "".join(_in_section(lines, begin, name, value, end))
    if not _differs_only(text, changed, section, name, value):
        raise SettingsError(f"{key} stands in a way that is not edited here: change it by hand")
    return changed


def _in_section(lines: list[str], begin: int, name: str, value: int, end: str) -> list[str]:
    pattern = re.compile(_VALUE.format(name=re.escape(name)))
    for at in range(begin + 1, len(lines)):
        if _section_of(lines[at]) is not None:
            break
        if pattern.match(lines[at]):
            line = pattern.sub(rf"\g<1>{value}", lines[at], count=1)
            return [*lines[:at], line, *lines[at + 1 :]]
    head = lines[begin] if lines[begin].endswith("\n") else lines[begin] + end
    return [*lines[:begin], head, f"{name} = {value}{end}", *lines[begin + 1 :]]


def _section_of(line: str) -> str | None:
    found = _HEADER.match(line.rstrip("\r\n"))
    return found.group(1).strip() if found else None


def _differs_only(before: str, after: str, section: str, name: str, value: int) -> bool:
    try:
        wanted, got = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    table: Any = wanted
    for part in section.split("."):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            return False
    table[name] = value
    return bool(wanted == got)


def _check_alone(draft: Path, place: Path) -> None:
    """Refuse a file that the next start would not take."""
    try:
        load({}, file=draft, folder=draft.parent)
    except SettingsError as error:
        raise SettingsError(str(error).replace(str(draft), str(place))) from None
