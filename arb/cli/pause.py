"""``arb pause``: no new entry until resume."""

from __future__ import annotations

from arb.cli.steer import Mode, World, steer


def pause(*, mode: Mode = None, world: World = None) -> None:
    """Pause trading: no new entry until it is resumed; exits stay.

    Example: arb pause
    """
    steer("pause", mode, world)
