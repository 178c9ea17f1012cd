"""How a command says that it cannot go on: one line, which becomes its last word."""

from __future__ import annotations

# What ends a command that found something wrong; 2 is for what was typed.
EXIT_FAILED = 1


class UsageError(Exception):
    """The command was written wrongly; the process ends with 2."""


class CommandFailed(Exception):
    """The command was right and could not be done; the process ends with 1."""
