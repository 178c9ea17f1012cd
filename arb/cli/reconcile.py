"""``arb reconcile``: whether books and account are equal, and a person's word where not."""

from __future__ import annotations

import getpass
from typing import Annotated

from cyclopts import Parameter

from arb.cli.steer import Mode, World, steer

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
        steer("accept", mode, world, by=_login())
    else:
        steer("reconcile", mode, world)


def _login() -> str | None:
    # Without a name in the environment or in the system's list a person is just that.
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
