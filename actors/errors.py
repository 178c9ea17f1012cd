"""Every error that the library raises or records, and whose failure an exception is."""

from __future__ import annotations

from collections.abc import Iterator

import trio


class ActorError(Exception):
    """The root of all errors of this library."""


class SpecError(ActorError):
    """A tree's description contradicts itself; nothing has been started."""


class MailboxFull(ActorError):
    """The mailbox had no room: this message was not taken, and the sender must decide."""

    def __init__(self, path: str, capacity: int) -> None:
        """Name the mailbox and its limit."""
        super().__init__(f"mailbox of {path} is full ({capacity} messages)")
        self.path = path
        self.capacity = capacity


class ActorDied(ActorError):
    """The asked actor ended, or was down for good, before it answered.

    Whether its handler had begun is not known; ``__cause__`` is the failure, if there was one.
    """

    def __init__(self, path: str, reason: str) -> None:
        """Name the actor and why it ended."""
        super().__init__(f"{path} died before it answered: {reason}")
        self.path = path
        self.reason = reason


class AskTimeout(ActorError):
    """No answer came in time; the message may still be handled, and its reply is dropped."""

    def __init__(self, path: str, timeout_s: float, state: str) -> None:
        """Name the actor, the time waited and what the actor is doing."""
        super().__init__(f"{path} ({state}) did not answer within {timeout_s:g} s")
        self.path = path
        self.timeout_s = timeout_s


class UnknownActor(ActorError):
    """No actor or supervisor of the tree has this name."""


class SteeringRefused(ActorError):
    """What a person asked for does not fit the state that the actor is in."""


class RestartIntensityExceeded(ActorError):
    """A supervisor gave up: its children failed oftener than it may restart them."""


class StartTimeout(ActorError):
    """The actor was not ready within ``start_timeout_s``."""


class HandlerTimeout(ActorError):
    """An async handler had not returned within ``handler_timeout_s`` and was cancelled."""


class StrayCancelled(ActorError):
    """A ``trio.Cancelled`` left an actor that nobody had cancelled; it counts as its failure.

    A library that leaks one would else end the whole nursery without any error at all.
    """


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions in ``error``, which may be a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def interrupt_in(error: BaseException | None) -> BaseException | None:
    """Return the KeyboardInterrupt or SystemExit in ``error``: the program's, nobody's failure."""
    if error is None:
        return None
    wanted = (KeyboardInterrupt, SystemExit)
    return next((leaf for leaf in leaves(error) if isinstance(leaf, wanted)), None)


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
        # A group is asked about before its leaves: a yes would keep it whole.
        kept = (trio.Cancelled, BaseExceptionGroup)
        return error.subgroup(lambda each: not isinstance(each, kept))
    return None if isinstance(error, trio.Cancelled) else error


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
