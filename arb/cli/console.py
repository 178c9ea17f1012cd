"""``arb console``: attaches to a running engine."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from arb.cli.common import load_settings
from arb.cli.errors import CommandFailed, UsageError
from arb.cli.settings import settings_facts
from arb.cli.steer import Mode, World, find_engine
from arb.io.rendezvous import CARD_NAME


def console(
    *,
    mode: Mode = None,
    world: World = None,
    read_only: Annotated[
        bool, Parameter(negative="", help="Only look: no key changes anything of the engine.")
    ] = False,
) -> None:
    """Watch and steer a running engine; closing the console leaves it running.

    Example: arb console --mode demo
    """
    from arb.console.app import check_terminal
    from arb.console.app import console as run
    from arb.console.outcome import ConsoleError, NoTerminal, Outcome

    try:
        check_terminal()
        engine = find_engine(mode, world)
        outcome = run(
            engine.socket_path,
            owns_engine=False,
            read_only=read_only,
            settings=settings_facts(load_settings(None)),
        )
    except NoTerminal as error:
        raise UsageError(str(error)) from None
    except ConsoleError as error:
        raise CommandFailed(str(error)) from None
    # An engine that ends in good order takes its card away, which a killed one cannot; its last
    # picture may be too old to say that it was stopping.
    if outcome is Outcome.LOST and not (engine.directory / CARD_NAME).exists():
        outcome = Outcome.ENDED
    if outcome is Outcome.ENDED:
        sys.stdout.write("the engine has ended\n")
    if outcome is Outcome.LOST:
        raise CommandFailed("the engine was lost: it ended, or does not answer")
