"""``arb stop``: the engine ends in good order."""

from __future__ import annotations

from arb.cli.steer import Exits, Mode, World, steer


def stop(*, exits: Exits = None, mode: Mode = None, world: World = None) -> None:
    """Stop the engine: entries are cancelled first, then its actors end in reverse order.

    Example: arb stop --exits keep
    """
    steer("stop", mode, world, exits=exits)
