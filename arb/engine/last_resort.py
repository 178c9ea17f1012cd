"""The end of a stop that comes to none: a disk or a name server that hangs holds threads for ever.

What matters has been done by then, or cannot be: orders are cancelled first, within 2.5 s.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from arb.io.lines import try_line

# A stop takes five seconds, on a busy machine with a slow disk twice as long.
STOP_MAX_S = 15.0

# A terminal that takes no line must not hold this up, too.
LINE_MAX_S = 0.5

EXIT_CODE = 1


def _end() -> None:
    os._exit(EXIT_CODE)


class LastResort:
    """Ends the process where a stop that has begun has not ended within ``stop_max_s``."""

    def __init__(self, stop_max_s: float = STOP_MAX_S, end: Callable[[], None] = _end) -> None:
        self._end = end
        self._text = (
            f"arb: the stop has not ended within {stop_max_s:g} s, a disk may hang:"
            " the process was ended; its orders were seen to first"
        )
        self._timer = threading.Timer(stop_max_s, self._act)
        self._timer.daemon = True

    def begin(self) -> None:
        """Count from now on."""
        self._timer.start()

    def call_off(self) -> None:
        """Do nothing: the stop has ended, or never began."""
        self._timer.cancel()

    def _act(self) -> None:
        line = threading.Thread(target=try_line, args=(sys.stderr, self._text), daemon=True)
        line.start()
        line.join(LINE_MAX_S)
        self._end()

    def __repr__(self) -> str:
        return f"<LastResort {'counting' if self._timer.is_alive() else 'not counting'}>"
