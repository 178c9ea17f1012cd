"""Reads the settings: the defaults, then one file, then the environment, each over the last.

Nothing is guessed and nothing is skipped: an unknown key, a wrong type, a value out of range or
a file that cannot be read raises `SettingsError`, whose text is one line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from arb.settings.errors import SettingsError
from arb.settings.schema import (
    SECTIONS,
    Entry,
    WrongType,
    entries,
    from_text,
    is_section,
    nearest,
    section_names,
    structure,
)
from arb.settings.settings import Settings, Source, SourceKind
from arb.settings.together import check_together

FILE_VARIABLE = "ARB_SETTINGS"
FILE_NAME = "settings.toml"
PREFIX = "ARB_"

# Enough for a settings file a hundred times the shipped one; more is some other file.
FILE_BYTES_MAX = 1_000_000

# A value longer than this is cut where an error shows it: one line must stay one line.
SHOWN_MAX = 60

SECRET_WORDS = ("key", "secret", "token", "password", "path", "private")

Found = dict[str, tuple[Any, Source]]


def load(environ: Mapping[str, str], *, file: Path | None = None, folder: Path) -> Settings:
    """Return the settings in force; raises `SettingsError`.

    The file is ``file``, else the one that $ARB_SETTINGS names, else settings.toml in
    ``folder`` where there is one.
    """
    found: Found = {
        key: (entry.default, Source(SourceKind.DEFAULT)) for key, entry in entries().items()
    }
    chosen = _chosen_file(environ, file, folder)
    if chosen is not None:
        found.update(_from_file(chosen))
    found.update(_from_environment(environ))
    settings = _build(found, chosen)
    check_together(settings)
    return settings


def _chosen_file(environ: Mapping[str, str], file: Path | None, folder: Path) -> Path | None:
    if file is not None:
        return file.expanduser()
    if environ.get(FILE_VARIABLE):
        return Path(environ[FILE_VARIABLE]).expanduser()
    usual = folder / FILE_NAME
    return usual if usual.exists() else None


def _from_file(path: Path) -> Found:
    source = Source(SourceKind.FILE, str(path))
    found: Found = {}
    for key, raw in _flat(_read(path), source):
        found[key] = (_checked(raw, _known(key, raw, source), source), source)
    return found


def read_text(path: Path) -> str:
    """Return a settings file's text, its line ends as they are; raises `SettingsError`."""
    try:
        with path.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise SettingsError(f"{path} is longer than {FILE_BYTES_MAX} bytes: no settings file")
        return content.decode()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 at byte {error.start}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None


def _flat(table: Mapping[str, Any], source: Source, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        key = f"{above}{name}"
        if key in section_names() and not isinstance(value, dict):
            raise SettingsError(f"{source}: {key} must be a section, written [{key}]")
        if key in section_names() or (isinstance(value, dict) and key not in entries()):
            if key not in section_names():
                raise SettingsError(f"{source}: [{key}] is no section{_meant(key)}")
            yield from _flat(value, source, f"{key}.")
        else:
            yield key, value


def _from_environment(environ: Mapping[str, str]) -> Found:
    found: Found = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE:
            continue
        source = Source(SourceKind.ENVIRONMENT, variable)
        key = variable.removeprefix(PREFIX).lower().replace("__", ".")
        entry = _known(key, environ[variable], source)
        found[key] = (_checked(environ[variable], entry, source), source)
    return found


def _known(key: str, raw: object, source: Source) -> Entry:
    entry = entries().get(key)
    if entry is not None:
        return entry
    near = nearest(key, tuple(entries()))
    # Who misspells a key's name must not find the key itself in a log.
    hidden = any(word in key for word in SECRET_WORDS) or (near and entries()[near].secret)
    shown = "" if hidden else f" = {_shown(raw)}"
    by_name = source.kind is SourceKind.ENVIRONMENT
    what = f"{source}{shown} names no setting" if by_name else f"{source}: {key}{shown} is unknown"
    if near is None:
        raise SettingsError(f"{what}; arb settings prints all that there are")
    raise SettingsError(f"{what}; the nearest is {entries()[near].variable if by_name else near}")


def _checked(raw: object, entry: Entry, source: Source) -> Any:
    try:
        in_environment = source.kind is SourceKind.ENVIRONMENT
        value = from_text(str(raw), entry) if in_environment else structure(raw, entry)
    except WrongType:
        raise _not_allowed(raw, entry, source, f"must be {entry.allowed}") from None
    problem = entry.setting.problem(value)
    if problem is not None:
        raise _not_allowed(raw, entry, source, problem)
    return value


def _not_allowed(raw: object, entry: Entry, source: Source, problem: str) -> SettingsError:
    shown = "(value not shown)" if entry.secret else f"= {_shown(raw)}"
    return SettingsError(f"{source}: {entry.key} {shown}: {problem}")


def _shown(raw: object) -> str:
    text = f"{raw!r}"
    # An address may carry a password or a key where none belongs.
    if "://" in text and ("@" in text or "?" in text):
        return "(an address, not shown)"
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def _meant(section: str) -> str:
    near = nearest(section, section_names())
    return f"; the nearest is [{near}]" if near else f"; there are {', '.join(section_names())}"


def _build(found: Found, file: Path | None) -> Settings:
    values = {key: value for key, (value, _) in found.items()}
    sections = {name: _section(name, kind, values) for name, kind in SECTIONS.items()}
    sources = {key: source for key, (_, source) in found.items()}
    return Settings(**sections, sources=sources, file=file)


def _section(name: str, kind: type[Any], values: Mapping[str, Any]) -> Any:
    given = {}
    for field in attrs.fields(kind):
        key = f"{name}.{field.name}"
        given[field.name] = _section(key, field.type, values) if is_section(field) else values[key]
    return kind(**given)
