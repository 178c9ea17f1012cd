"""``arb clear``: the end of a halt, by a person who has seen to it."""

from __future__ import annotations

from arb.cli.steer import Mode, Reason, World, steer


def clear(*, reason: Reason, mode: Mode = None, world: World = None) -> None:
    """Clear a halt, so that trading may go on.

    Example: arb clear --reason "feed repaired"
    """
    steer("clear", mode, world, reason=reason)
