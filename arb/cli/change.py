"""``arb set``: one threshold of a running engine is changed, for all markets at once."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from arb.cli.steer import Mode, World, steer
from arb.io.login import login


def change(
    key: Annotated[str, Parameter(help="The setting, such as strategy.maker_edge_threshold.")],
    value: Annotated[str, Parameter(help="Its new value, in the setting's own unit.")],
    /,
    *,
    write: Annotated[
        bool,
        Parameter(negative="", help="Write it to the engine's settings file, too."),
    ] = False,
    mode: Mode = None,
    world: World = None,
) -> None:
    """Change a threshold of a running engine until it ends, or for good with --write.

    Example: arb set strategy.maker_edge_threshold 3
    """
    steer("set", mode, world, key=key, value=value, by=login(), write=write)
