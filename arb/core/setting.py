"""How a setting is declared: its default, unit, reason and range, in one place.

The settings file, the messages about what is wrong in it and ``arb settings`` are all made from
these declarations, so that none of them can say something else than the code does.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import attrs

SETTING = "setting"


class Address(Enum):
    """The kinds of address a setting may hold, with the schemes each allows."""

    HTTP = ("https", "http")
    WEBSOCKET = ("wss", "ws")


@attrs.frozen
class Setting:
    """What a person must know of one setting beside its name and default.

    ``low`` and ``high`` bound a number, ``choices`` the words of a text or a list, and
    ``address`` asks for a URL; ``optional`` lets such a text be empty. ``check`` says in words
    what else is wrong with a value, None where nothing is.
    """

    reason: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    address: Address | None = None
    optional: bool = False
    check: Callable[[Any], str | None] | None = None

    @property
    def allowed(self) -> str:
        """Say what is allowed beyond the type, for a person; empty where anything is."""
        if self.low is not None:
            return f"from {self.low:,} to {self.high:,} {self.unit}".rstrip()
        if self.choices:
            return f"one of: {', '.join(self.choices)}"
        if self.address is not None:
            return f"a {self.address.value[0]}:// address without user, password or query"
        return ""

    def problem(self, value: object) -> str | None:
        """Say in a few words why ``value``, of the right type already, is not allowed."""
        if isinstance(value, (int, float)):
            return None if self._in_range(value) else f"must be {self.allowed}"
        if self.choices:
            return self._words_problem((value,) if isinstance(value, str) else value)
        if self.address is not None and not self._good_address(str(value), self.address):
            return f"must be {self.allowed}"
        return self.check(value) if self.check is not None else None

    def _in_range(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _words_problem(self, words: Any) -> str | None:
        if not words or len(set(words)) < len(words):
            return f"must name at least one, and none twice; {self.allowed}"
        return f"must be {self.allowed}" if set(words) - set(self.choices) else None

    def _good_address(self, text: str, address: Address) -> bool:
        if not text:
            return self.optional
        try:
            parts = urlsplit(text)
            port_given = parts.port is None or parts.port > 0
        except ValueError:
            return False
        whole = parts.scheme in address.value and parts.hostname and port_given
        return bool(whole) and not (parts.username or parts.password or parts.query)


def setting(default: object, reason: str, **details: Any) -> Any:
    """Declare one setting as a field of a section; its constructor keeps the range too."""
    described = Setting(reason, **details)

    def within(_section: object, field: attrs.Attribute[Any], value: object) -> None:
        problem = described.problem(value)
        if problem is not None:
            raise ValueError(f"{field.name} = {value!r}: {problem}")

    return attrs.field(default=default, validator=within, metadata={SETTING: described})


def setting_of(field: attrs.Attribute[Any]) -> Setting:
    """Return what was declared of a section's field."""
    declared: Setting = field.metadata[SETTING]
    return declared
