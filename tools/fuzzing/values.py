"""Whether what a parser gave is what its type says: units in the name, whole numbers, in range."""

from __future__ import annotations

from typing import Any

import attrs

from tools.fuzzing.findings import Wrong

_WHOLE = ("_e2", "_e4", "_e6", "_ms", "_s")
_ONE_DOLLAR_E4 = 10_000
_NEVER_NEGATIVE = ("remaining_e2", "filled_e2", "initial_e2", "reduced_e2")
_NEVER_EMPTY = ("ticker", "order_id", "trade_id", "event_ticker", "status")


def check(value: Any) -> None:
    """Raise `Wrong` for a value that holds what its fields' names forbid."""
    left = [value]
    while left:
        each = left.pop()
        if attrs.has(type(each)):
            for field in attrs.fields(type(each)):
                inner = getattr(each, field.name)
                _check_field(each, field.name, inner)
                left.append(inner)
        elif isinstance(each, list | tuple):
            left += each
        elif isinstance(each, float) and each != each:  # noqa: PLR0124 - so is no number told
            raise Wrong(f"a value that is no number in {type(value).__name__}")


def _check_field(holder: Any, name: str, value: Any) -> None:
    where = f"{type(holder).__name__}.{name}"
    if value is None:
        return
    if name.endswith(_WHOLE) and type(value) is not int:
        raise Wrong(f"{where} is {value!r}")
    if name == "price_e4" and not 0 < value < _ONE_DOLLAR_E4:
        raise Wrong(f"{where} is {value!r}")
    if name in _NEVER_NEGATIVE and value < 0:
        raise Wrong(f"{where} is {value!r}")
    if name in _NEVER_EMPTY and (not isinstance(value, str) or not value):
        raise Wrong(f"{where} is {value!r}")


def check_line(text: str, where: str) -> None:
    """Raise `Wrong` for a text that is not one printable line of bounded length."""
    if not text.isprintable() or len(text) > _SHOWN_MAX:
        raise Wrong(f"{where} is no short line: {text[:80]!r}")


# The longest that `one_line` lets through, and room for the words in front of it.
_SHOWN_MAX = 400
