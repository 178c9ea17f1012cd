"""The command line: one file a command, all of them in the table of `arb.cli.commands`."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command that was typed, and end the process with its exit code.

    Importing a command takes part of a second. Who stops the program within it gets the same
    quiet end as later, so both signals are looked after before anything else is imported; whoever
    started the program may have held them back until now.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
        from arb.cli.app import main as run
    except KeyboardInterrupt:
        from arb.cli.commands import interrupted

        sys.exit(interrupted(sys.argv[1:]))
    run()


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
