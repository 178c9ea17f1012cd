"""``arb halt``: trading stops and stays stopped, over restarts too, until it is cleared."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from arb.cli.common import SettingsFile
from arb.cli.errors import UsageError
from arb.cli.halt_direct import halt_directly
from arb.cli.steer import Exits, Mode, Reason, World, steer

Direct = Annotated[
    bool,
    Parameter(
        name="--direct",
        negative="",
        help="Without the engine, which may be dead or hang: with the account's key alone.",
    ),
]
Everything = Annotated[
    bool,
    Parameter(
        name="--all",
        negative="",
        help="With --direct: every order of the account, a person's own too, and those of the"
        " next minute.",
    ),
]
Yes = Annotated[
    bool, Parameter(name="--yes", negative="", help="With --all: do not ask whether it is meant.")
]


def halt(
    *,
    reason: Reason,
    exits: Exits = None,
    direct: Direct = False,
    everything: Everything = False,
    yes: Yes = False,
    mode: Mode = None,
    world: World = None,
    settings: SettingsFile = None,
) -> None:
    """Halt trading until arb clear: entries are cancelled, nothing new is sent.

    Example: arb halt --reason "odds look wrong" --exits keep
    """
    if not direct:
        if everything or yes:
            raise UsageError("--all and --yes are for --direct: a running engine cancels its own")
        steer("halt", mode, world, reason=reason, exits=exits)
        return
    if world is not None:
        raise UsageError("--direct goes by the settings' key: leave --world out")
    if yes and not everything:
        raise UsageError("--yes is for --direct --all: nothing else asks")
    halt_directly(
        reason, mode, settings, cancel_exits=exits == "cancel", everything=everything, sure=yes
    )
