"""Errors that nurseries have wrapped in groups."""

from __future__ import annotations


def innermost(error: BaseException) -> BaseException:
    """Return the first error that a group holds, however deep; an error of its own as it is."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
