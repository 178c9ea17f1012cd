"""``arb flatten``: every position is closed now."""

from __future__ import annotations

from arb.cli.steer import Mode, World, steer


def flatten(*, mode: Mode = None, world: World = None) -> None:
    """Close every position now, into the bids, and cancel every entry.

    Example: arb flatten
    """
    steer("flatten", mode, world)
