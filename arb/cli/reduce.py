"""``arb reduce``: positions are closed and none is opened, until resume."""

from __future__ import annotations

from arb.cli.steer import Mode, World, steer


def reduce(*, mode: Mode = None, world: World = None) -> None:
    """Reduce: cancel every entry and send no new one; what is held is sold as before.

    It ends with arb resume.

    Example: arb reduce
    """
    steer("reduce", mode, world)
