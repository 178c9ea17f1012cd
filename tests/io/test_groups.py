"""Errors in groups: the one that a person is told of."""

from __future__ import annotations

from arb.io.groups import innermost


def test_the_first_error_is_found_however_deep() -> None:
    """A group in a group gives up its first; an error without a group is itself."""
    first, second = ValueError("a"), KeyError("b")
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [first]), second])

    assert innermost(group) is first
    assert innermost(second) is second
