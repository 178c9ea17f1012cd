"""``arb restart``: one actor stops in good order and starts again."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from arb.cli.steer import Mode, World, steer


def restart(
    name: Annotated[str, Parameter(help="The actor: a market's ticker, or a name of the tree.")],
    /,
    *,
    mode: Mode = None,
    world: World = None,
) -> None:
    """Restart one actor in good order; all others go on.

    Example: arb restart KXMLBGAME-25AUG231905NYYBOS-NYY
    """
    steer("restart", mode, world, name=name)
