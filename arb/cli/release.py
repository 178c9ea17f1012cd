"""``arb release``: one actor comes back from quarantine."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from arb.cli.steer import Mode, World, steer


def release(
    name: Annotated[str, Parameter(help="The actor: a market's ticker, or a name of the tree.")],
    /,
    *,
    mode: Mode = None,
    world: World = None,
) -> None:
    """Release one actor from quarantine; it starts again.

    Example: arb release KXMLBGAME-25AUG231905NYYBOS-NYY
    """
    steer("release", mode, world, name=name)
