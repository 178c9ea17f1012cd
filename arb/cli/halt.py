"""``arb halt``: trading stops and stays stopped, over restarts too, until it is cleared."""

from __future__ import annotations

from arb.cli.steer import Exits, Mode, Reason, World, steer


def halt(*, reason: Reason, exits: Exits = None, mode: Mode = None, world: World = None) -> None:
    """Halt trading until arb clear: entries are cancelled, nothing new is sent.

    Example: arb halt --reason "odds look wrong" --exits keep
    """
    steer("halt", mode, world, reason=reason, exits=exits)
