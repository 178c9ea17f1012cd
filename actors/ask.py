"""A question on its way: the message, its deadline, and where the answer goes."""

from __future__ import annotations

import math

import attrs
import trio

from actors.errors import ActorDied, AskTimeout


@attrs.define(eq=False)
class Ask:
    """One message that wants an answer by ``deadline_s``; it travels through mailboxes as it is.

    ``abandoned`` means that the asker has gone: a reply that still comes is late.
    """

    message: object
    deadline_s: float = math.inf
    done: bool = False
    abandoned: bool = False
    fired: bool = False
    value: object = None
    error: ActorDied | None = None
    answered: trio.Event = attrs.field(factory=trio.Event, init=False)

    @property
    def active(self) -> bool:
        """Return whether somebody still waits."""
        return not self.done and not self.abandoned

    def fire(self) -> None:
        """Let the asker go: the deadline is here."""
        self.abandoned = self.fired = True
        self.answered.set()

    def reply(self, value: object) -> None:
        """Answer; the asker goes on in its own turn."""
        self.value = value
        self._finish()

    def fail(self, path: str, reason: str, cause: BaseException | None) -> None:
        """Tell the asker that no answer will come, if the asker is still there."""
        if self.abandoned:
            return
        self.error = ActorDied(path, reason)
        self.error.__cause__ = cause
        self._finish()

    def result(self, path: str, timeout_s: float, state: str) -> object:
        """Return the answer, or raise why there is none."""
        if self.error is not None:
            raise self.error
        if not self.done:
            raise AskTimeout(path, timeout_s, state)
        return self.value

    def _finish(self) -> None:
        self.done = True
        self.answered.set()
