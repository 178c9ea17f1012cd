"""Every error that the library raises or records, each with one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator


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
