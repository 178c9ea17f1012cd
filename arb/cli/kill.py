"""``arb kill``: one actor is killed and comes back."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from arb.cli.steer import Mode, World, steer


def kill(
    name: Annotated[str, Parameter(help="The actor: a market's ticker, or a name of the tree.")],
    /,
    *,
    mode: Mode = None,
    world: World = None,
) -> None:
    """Kill one actor; its supervisor starts it again at once, all others go on.

    Example: arb kill KXMLBGAME-25AUG231905NYYBOS-NYY
    """
    steer("kill", mode, world, name=name)
