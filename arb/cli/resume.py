"""``arb resume``: the end of a pause."""

from __future__ import annotations

from arb.cli.steer import Mode, World, steer


def resume(*, mode: Mode = None, world: World = None) -> None:
    """Resume trading after a pause; a halt ends with arb clear.

    Example: arb resume
    """
    steer("resume", mode, world)
