"""All settings as a table, walked from the sections' own declarations, and their values' types."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import attrs
import cattrs

from arb.core.exit_parameters import Exits
from arb.core.parameters import Execution, Risk, Strategy
from arb.core.setting import SETTING, Setting, setting_of
from arb.settings.secret import Secret
from arb.settings.sections import Engine, Kalshi, OddsFeed

SECTIONS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "strategy": Strategy,
        "risk": Risk,
        "execution": Execution,
        "exits": Exits,
        "kalshi": Kalshi,
        "odds_feed": OddsFeed,
        "engine": Engine,
    }
)

TYPE_WORDS: Mapping[object, str] = MappingProxyType(
    {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text",
        Secret: "a text",
        tuple[str, ...]: "a list of texts",
    }
)

# How alike two names must be for one to be offered for the other; difflib's own default.
LIKENESS = 0.6


@attrs.frozen
class Entry:
    """One setting: its dotted key, its type, its default and what was declared of it."""

    key: str
    type: Any
    default: Any
    setting: Setting

    @property
    def secret(self) -> bool:
        """Say whether the value must be masked."""
        return self.type is Secret

    @property
    def variable(self) -> str:
        """Return the environment variable that overrides this setting."""
        return "ARB_" + self.key.upper().replace(".", "__")

    @property
    def allowed(self) -> str:
        """Say what may stand here: the type, and what is allowed of it."""
        if self.setting.address is not None:
            return self.setting.allowed
        between = ", " if self.setting.choices else " "
        return between.join(filter(None, (TYPE_WORDS[self.type], self.setting.allowed)))


class WrongType(ValueError):
    """A value that is of another type than its setting."""


@cache
def entries() -> Mapping[str, Entry]:
    """Return every setting by its dotted key, in the order of the settings file."""
    found: dict[str, Entry] = {}
    for name, section in SECTIONS.items():
        found.update((entry.key, entry) for entry in _walk(name, section))
    return MappingProxyType(found)


@cache
def section_names() -> tuple[str, ...]:
    """Return the dotted name of every section, those inside others too."""
    return tuple(dict.fromkeys(key.rpartition(".")[0] for key in entries()))


def is_section(field: attrs.Attribute[Any]) -> bool:
    """Say whether a section's field is a section of its own."""
    return SETTING not in field.metadata


def nearest(name: str, known: tuple[str, ...]) -> str | None:
    """Return the known name that ``name`` was most likely meant to be."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=LIKENESS)
    if not found:  # the right name in the wrong section
        last = name.rpartition(".")[2]
        found = [each for each in known if each.rpartition(".")[2] == last]
    return found[0] if found else None


def structure(value: object, entry: Entry) -> Any:
    """Turn what a TOML file holds into the setting's type; raises `WrongType`."""
    return _CONVERTER.structure(value, entry.type)


def from_text(text: str, entry: Entry) -> Any:
    """Turn an environment variable into the setting's type: lists as commas; `WrongType`."""
    plain: object = text
    if entry.type is int and re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        plain = int(text)
    elif entry.type is float and re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", text.strip()):
        plain = float(text)
    elif entry.type is bool and text.strip().lower() in {"true", "false"}:
        plain = text.strip().lower() == "true"
    elif entry.type == tuple[str, ...]:
        plain = [word.strip() for word in text.split(",") if word.strip()]
    return structure(plain, entry)


def _walk(name: str, section: type[Any]) -> Iterator[Entry]:
    attrs.resolve_types(section)
    inner = []
    for field in attrs.fields(section):
        key = f"{name}.{field.name}"
        if is_section(field):
            inner.append((key, field.type))
        else:
            yield Entry(key, field.type, field.default, setting_of(field))
    for key, kind in inner:  # tables of tables come last in a TOML file
        yield from _walk(key, kind)


def _exactly(wanted: type[Any]) -> Any:
    def hook(value: object, _: object) -> object:
        # bool is an int to Python, and a float would be cut: neither was meant.
        if type(value) is not wanted:
            raise WrongType
        return value

    return hook


def _number(value: object, _: object) -> float:
    # A whole number may be written without its point.
    if type(value) not in {int, float}:
        raise WrongType
    return float(value)  # type: ignore[arg-type]


def _texts(value: object, _: object) -> tuple[str, ...]:
    if isinstance(value, str):  # a list of one, as a person writes it
        value = (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise WrongType
    return tuple(value)


def _secret(value: object, _: object) -> Secret:
    if not isinstance(value, str):
        raise WrongType
    return Secret(value)


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    for plain in (int, bool, str):
        converter.register_structure_hook(plain, _exactly(plain))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _texts)
    converter.register_structure_hook(Secret, _secret)
    return converter


_CONVERTER = _converter()
