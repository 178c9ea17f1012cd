"""Keeping failures where they belong."""

from __future__ import annotations

import trio

from actors.errors import StrayCancelled, leaves


def contained(error: BaseException) -> BaseException:
    """Return the failure that ``error`` stands for: a stray ``Cancelled`` becomes an error.

    Raised again anywhere, a ``Cancelled`` would pass for the end of somebody's scope.
    """
    if not all(isinstance(leaf, trio.Cancelled) for leaf in leaves(error)):
        return error
    failure = StrayCancelled(f"a Cancelled that nobody asked for escaped: {error}")
    failure.__cause__ = error
    return failure


def failure_in(error: BaseException, *, cancelled: bool) -> BaseException | None:
    """Return the failure in ``error``, which is none if it only carries out a cancellation."""
    if not cancelled:
        return contained(error)
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(_is_failure)
    return None if isinstance(error, trio.Cancelled) else error


def _is_failure(error: BaseException) -> bool:
    # A group is asked about before its leaves: saying yes would keep it whole.
    return not isinstance(error, (trio.Cancelled, BaseExceptionGroup))


def sever(error: BaseException, foreign: BaseException | None) -> BaseException:
    """Cut a direct handler's exception loose from the sender: its context, cause and frames.

    ``foreign`` is what the sender was handling; Python chains it to whatever is raised meanwhile.
    """
    if error is foreign:
        # A bare raise found the sender's exception, which in its own task it would not have.
        error = RuntimeError("No active exception to reraise")
    else:
        error = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    if foreign is not None:
        _cut(error, foreign)
    return error


def _cut(error: BaseException, foreign: BaseException) -> None:
    seen: set[int] = set()
    todo = [error]
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if each.__context__ is foreign:
            each.__context__ = None
        if each.__cause__ is foreign:
            each.__cause__ = None
        todo.extend(link for link in (each.__context__, each.__cause__) if link is not None)
        if isinstance(each, BaseExceptionGroup):
            todo.extend(each.exceptions)
