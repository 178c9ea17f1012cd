"""``arb quarantine``: one actor stays down until it is released."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from arb.cli.steer import Mode, World, steer


def quarantine(
    name: Annotated[str, Parameter(help="The actor: a market's ticker, or a name of the tree.")],
    /,
    *,
    mode: Mode = None,
    world: World = None,
) -> None:
    """Stop one actor and keep it down until it is released.

    Example: arb quarantine KXMLBGAME-25AUG231905NYYBOS-NYY
    """
    steer("quarantine", mode, world, name=name)
