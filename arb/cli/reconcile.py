"""``arb reconcile``: whether books and account are equal, and a person's word where not."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from arb.cli.steer import Mode, World, steer
from arb.io.login import login

Accept = Annotated[
    bool,
    Parameter(
        name="--accept",
        negative="",
        help="Take Kalshi's word for what differs; kept in the journal with your name.",
    ),
]


def reconcile(*, accept: Accept = False, mode: Mode = None, world: World = None) -> None:
    """Compare our books with Kalshi's account, or accept it.

    Example: arb reconcile
    """
    if accept:
        steer("accept", mode, world, by=login())
    else:
        steer("reconcile", mode, world)
