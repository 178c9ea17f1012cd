"""Supervised actors for Trio: stable addresses, bounded mailboxes, OTP's supervision.

See docs/actors.md for the mental model, the guarantees and what it cannot do.
"""

from actors.actor import Actor, Address, Context, Down, Monitor
from actors.dead_letters import DeadLetter, DeadLetterCount
from actors.errors import (
    ActorDied,
    ActorError,
    AskTimeout,
    HandlerTimeout,
    MailboxFull,
    RestartIntensityExceeded,
    SpecError,
    StartTimeout,
    SteeringRefused,
    StrayCancelled,
    UnknownActor,
)
from actors.mailbox import MailboxSpec, Policy, block, conflate, drop_oldest, fail
from actors.node import LastError, State
from actors.snapshot import MailboxSnapshot, NodeSnapshot, TreeSnapshot
from actors.spec import (
    NO_BACKOFF,
    ActorSpec,
    AutoShutdown,
    Backoff,
    ChildSpec,
    Exceeded,
    Intensity,
    Restart,
    Strategy,
    SupervisorSpec,
)
from actors.system import Steering, System, TreeEvent, open_system
from actors.timers import Timer
from actors.watchdog import Blocked, WatchdogSpec

__all__ = [
    "NO_BACKOFF",
    "Actor",
    "ActorDied",
    "ActorError",
    "ActorSpec",
    "Address",
    "AskTimeout",
    "AutoShutdown",
    "Backoff",
    "Blocked",
    "ChildSpec",
    "Context",
    "DeadLetter",
    "DeadLetterCount",
    "Down",
    "Exceeded",
    "HandlerTimeout",
    "Intensity",
    "LastError",
    "MailboxFull",
    "MailboxSnapshot",
    "MailboxSpec",
    "Monitor",
    "NodeSnapshot",
    "Policy",
    "Restart",
    "RestartIntensityExceeded",
    "SpecError",
    "StartTimeout",
    "State",
    "Steering",
    "SteeringRefused",
    "Strategy",
    "StrayCancelled",
    "SupervisorSpec",
    "System",
    "Timer",
    "TreeEvent",
    "TreeSnapshot",
    "UnknownActor",
    "WatchdogSpec",
    "block",
    "conflate",
    "drop_oldest",
    "fail",
    "open_system",
]
