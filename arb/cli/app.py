"""The command line: how a command is found, run and ended.

Exit code 0 is success, 1 a command that could not do its work, 2 a command or a setting that
was written wrongly. Everything that is wrong is said in one line on standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn, TextIO

from cyclopts import App, CycloptsError

from arb.cli.commands import COMMANDS, Command, interrupted
from arb.cli.errors import EXIT_FAILED, CommandFailed, UsageError
from arb.io.lines import try_line
from arb.settings.errors import SettingsError
from arb.version import VERSION

EXIT_USAGE = 2


def build_app(commands: Sequence[Command] = COMMANDS) -> App:
    """Return the command line with every command of a table."""
    app = App(
        name="arb",
        help="Watch sportsbook odds and Kalshi's order books, and trade the difference.",
        version=VERSION,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    for place, command in enumerate(commands):
        about = f"{command.help}\n\nExample: {command.example}"
        app.command(command.target, name=command.name, help=about, sort_key=place)
    return app


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = run(tokens)
    except BrokenPipeError:
        code = EXIT_FAILED
    if not _is_flushed(sys.stdout):
        code = EXIT_FAILED
    _is_flushed(sys.stderr)
    sys.exit(code)


def _is_flushed(file: TextIO | None) -> bool:
    """Tell whether all that was written is out; what is not must not fail again at exit."""
    if file is None:
        return True
    try:
        file.flush()
    except OSError as error:
        # Its reader has gone, its terminal is closed, or its disk is full.
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
        if not isinstance(error, BrokenPipeError):
            try_line(sys.stderr, f"arb: not all of its output could be written: {error.strerror}")
        return False
    return True


def run(tokens: Sequence[str], commands: Sequence[Command] = COMMANDS) -> int:
    """Run one command and return its exit code; what was wrong has been said by then."""
    try:
        code = build_app(commands)(
            tokens, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as error:
        return _wrong(f"{_one_line(error)} (see: arb{_name(tokens)} --help)", EXIT_USAGE)
    except (UsageError, SettingsError) as error:
        return _wrong(_one_line(error), EXIT_USAGE)
    except CommandFailed as error:
        return _wrong(_one_line(error), EXIT_FAILED)
    except KeyboardInterrupt:
        return interrupted(tokens)
    return code if isinstance(code, int) else 0


def _wrong(text: str, code: int) -> int:
    try_line(sys.stderr, f"arb: {text}")
    return code


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _name(tokens: Sequence[str]) -> str:
    known = {command.name for command in COMMANDS}
    return f" {tokens[0]}" if tokens and tokens[0] in known else ""
