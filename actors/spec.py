"""Descriptions of actors and supervisors: frozen values that a tree is built from.

`validate` holds the rules that a description must keep. They are checked for the whole tree
before anything is started, and again for each child that is added later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, TypeAlias

import attrs

from actors.errors import SpecError
from actors.mailbox import MailboxSpec, Policy, fail

if TYPE_CHECKING:
    from actors.actor import Actor, Context

# More than any burst that has been seen for one actor; a full one is a fault worth meeting early.
DEFAULT_MAILBOX = fail(1024)
# OTP's five seconds are for processes; a task that needs more than one to stop is mostly stuck.
GRACE_S = 1.0
START_TIMEOUT_S = 5.0
# 2**60 times any delay is past every cap, and below where a float overflows.
EXPONENT_MAX = 60


@attrs.frozen
class Backoff:
    """The wait before a restart: uniform in [0, min(cap, base * 2**failures in a row)].

    Full jitter, because children that failed together should not come back together. A child
    that was up for ``healthy_after_s`` begins again at ``base_s``; ``base_s`` 0 means no wait.
    """

    base_s: float = 0.1
    cap_s: float = 10.0
    healthy_after_s: float = 30.0

    def ceiling_s(self, failures: int) -> float:
        """Return the longest wait after so many earlier failures in a row."""
        return float(min(self.cap_s, self.base_s * 2.0 ** min(failures, EXPONENT_MAX)))

    def delay_s(self, failures: int, rng: Random) -> float:
        """Draw the wait after so many earlier failures in a row."""
        return rng.uniform(0.0, self.ceiling_s(failures))


NO_BACKOFF = Backoff(base_s=0.0, cap_s=0.0)


@attrs.frozen
class Intensity:
    """At most ``limit`` restarts within any ``per_s`` seconds; one more is too many.

    ``same_kind`` is a second, earlier limit: that many failures of one actor over one kind of
    message within the window, because a message that kills each instance will kill the next.
    None turns it off. Levels multiply: give upper supervisors less.
    """

    limit: int = 3
    per_s: float = 5.0
    same_kind: int | None = 3


class Restart(StrEnum):
    """When an ended child is started again: always, after a failure only, or never."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


class Strategy(StrEnum):
    """Which children are restarted with one that failed."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"


class Exceeded(StrEnum):
    """What happens to a child that fails too often: its supervisor gives up, or sets it apart.

    ESCALATE counts all children of the supervisor together, as OTP does. QUARANTINE counts each
    child by itself and keeps it down until a person releases it, while its siblings go on.
    """

    ESCALATE = "escalate"
    QUARANTINE = "quarantine"


class AutoShutdown(StrEnum):
    """Whether a supervisor ends by itself, normally, when significant children have ended."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


@attrs.frozen
class ActorSpec:
    """One actor: how to build an instance, when to restart it and how to send to it.

    ``build`` is called for each new instance. With ``direct`` a message for the idle actor is
    handled in the sender's turn. ``grace_s`` is what an orderly stop may take, and what the
    cancellation that follows may take once more. ``handler_timeout_s`` limits one message of an
    actor whose ``receive`` is async; a plain ``receive`` cannot be interrupted.
    """

    name: str
    build: Callable[[Context], Actor]
    restart: Restart = attrs.field(default=Restart.PERMANENT, converter=Restart)
    mailbox: MailboxSpec = DEFAULT_MAILBOX
    direct: bool = False
    grace_s: float = GRACE_S
    start_timeout_s: float = START_TIMEOUT_S
    handler_timeout_s: float | None = None
    significant: bool = False


def _as_tuple(children: Iterable[ChildSpec]) -> tuple[ChildSpec, ...]:
    return tuple(children)


@attrs.frozen
class SupervisorSpec:
    """A supervisor and its children, in the order in which they start.

    Its start and its stop have no limit of their own: each child has one.
    """

    name: str
    children: tuple[ChildSpec, ...] = attrs.field(default=(), converter=_as_tuple)
    strategy: Strategy = attrs.field(default=Strategy.ONE_FOR_ONE, converter=Strategy)
    intensity: Intensity = Intensity()
    backoff: Backoff = Backoff()
    restart: Restart = attrs.field(default=Restart.PERMANENT, converter=Restart)
    exceeded: Exceeded = attrs.field(default=Exceeded.ESCALATE, converter=Exceeded)
    auto_shutdown: AutoShutdown = attrs.field(default=AutoShutdown.NEVER, converter=AutoShutdown)
    significant: bool = False


ChildSpec: TypeAlias = "ActorSpec | SupervisorSpec"


def validate_tree(root: SupervisorSpec) -> None:
    """Raise `SpecError` for the first rule that the tree breaks."""
    validate(root)
    if any(child.name == root.name for child in root.children):
        raise SpecError(f"the root and its child are both named {root.name}: rename one")


def validate(spec: ChildSpec) -> None:
    """Raise `SpecError` for the first rule that ``spec`` or anything under it breaks."""
    if not spec.name or "/" in spec.name:
        raise SpecError(f"{spec.name!r} is no name: give one without a slash")
    if spec.significant and spec.restart is Restart.PERMANENT:
        raise SpecError(f"{spec.name} is significant, so it must be transient or temporary")
    if isinstance(spec, ActorSpec):
        _validate_actor(spec)
    else:
        _validate_supervisor(spec)


def _validate_actor(spec: ActorSpec) -> None:
    if spec.direct and spec.mailbox.policy is Policy.BLOCK:
        raise SpecError(
            f"{spec.name} is direct, so its senders cannot wait: give it another mailbox than block"
        )
    if spec.mailbox.capacity < 1:
        raise SpecError(f"{spec.name} has a mailbox without room: give it a capacity of 1 or more")
    handler_s = spec.handler_timeout_s
    times_s = (spec.grace_s, spec.start_timeout_s, spec.mailbox.keep_s, handler_s or 0)
    if min(times_s) < 0:
        raise SpecError(f"{spec.name} has a negative time: give seconds of 0 or more")


def _validate_supervisor(spec: SupervisorSpec) -> None:
    twice = [name for name, n in Counter(child.name for child in spec.children).items() if n > 1]
    if twice:
        raise SpecError(f"{spec.name} has two children named {twice[0]}: rename one")
    for child in spec.children:
        validate(child)
