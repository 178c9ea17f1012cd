"""The library's public face: explicit, typed, documented, and without the engine."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import actors

PUBLIC: dict[str, Any] = {name: getattr(actors, name) for name in actors.__all__}


def functions_of(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public functions that a public name offers."""
    if inspect.isfunction(thing):
        yield thing.__name__, thing
    if inspect.isclass(thing):
        for name, member in vars(thing).items():
            function = member.fget if isinstance(member, property) else member
            if not name.startswith("_") and inspect.isfunction(function):
                yield f"{thing.__name__}.{name}", function


def test_the_list_of_public_names_is_sorted_and_true() -> None:
    """Every name exists, once."""
    names = actors.__all__

    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize("name", [name for name in PUBLIC if callable(PUBLIC[name])])
def test_every_public_name_is_documented_and_typed(name: str) -> None:
    """With all that it offers."""
    thing = PUBLIC[name]
    assert inspect.getdoc(thing), name
    for function_name, function in functions_of(thing):
        assert inspect.getdoc(function), function_name
        signature = inspect.signature(function)
        unwrapped = inspect.unwrap(function)
        hints = unwrapped.__annotations__
        wanted = [p for p in signature.parameters if p not in ("self", "cls")]
        assert set(wanted) <= set(hints), function_name
        assert "return" in hints, function_name
