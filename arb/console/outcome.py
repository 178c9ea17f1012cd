"""How a console ends."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What becomes of the engine when its console has closed."""

    LEAVE_RUNNING = "leave running"
    STOP = "stop"
    ENDED = "ended"
    LOST = "lost"
    HUNG_UP = "hung up"


class ConsoleError(Exception):
    """The console cannot run; the text is one line, ``exit_code`` what a command returns."""

    exit_code = 1


class NoTerminal(ConsoleError):
    """There is no terminal to draw on."""

    exit_code = 2


class ConsoleFailed(ConsoleError):
    """Something in the console itself went wrong; the engine is not touched by it."""
