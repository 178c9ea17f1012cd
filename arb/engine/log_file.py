"""The engine's log on disk: JSON lines, written away from the loop, bounded in size."""

from __future__ import annotations

import contextlib
import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
import trio

from arb.engine.board import LogLine

# A day of busy trading is a few megabytes; five files of this are weeks, and no disk's trouble.
FILE_BYTES_MAX = 20_000_000
FILES_KEPT = 5

# A line is on disk half a second after it was said; the journal holds what must not wait.
FLUSH_EVERY_S = 0.5

# More lines than this in half a second is a loop that talks; what is left out is counted.
PENDING_MAX = 10_000

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _Handler(RotatingFileHandler):
    """Counts what a full disk does not take, instead of writing a traceback for each line."""

    left_out = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Count a line that was not written."""
        self.left_out += 1


class LogFile:
    """Takes log lines at once and writes them later, in a thread."""

    def __init__(self, path: Path, level: str) -> None:
        self._path = path
        self._least = LEVELS[level]
        self._pending: list[LogLine] = []
        self._left_out = 0
        handler = _Handler(path, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT)
        handler.setFormatter(logging.Formatter("%(message)s"))
        # A logger of its own: one from the registry would be shared by all engines of a process.
        logger = logging.Logger("arb")  # noqa: LOG001 - see above
        logger.addHandler(handler)
        self._handler = handler
        self._log = structlog.wrap_logger(
            logger,
            processors=[structlog.stdlib.add_log_level, structlog.processors.JSONRenderer()],
            wrapper_class=structlog.stdlib.BoundLogger,
        )

    def write(self, line: LogLine) -> None:
        """Take a line; it is written within half a second."""
        if LEVELS[line.level] < self._least:
            return
        if len(self._pending) >= PENDING_MAX:
            self._left_out += 1
            return
        self._pending.append(line)

    async def run(self) -> None:
        """Write what is pending, for ever."""
        while True:
            await trio.sleep(FLUSH_EVERY_S)
            await trio.to_thread.run_sync(self._flush, self._taken())

    def write_now(self, line: LogLine) -> None:
        """Write a line and all that is pending at once: for whoever is about to end the process."""
        self._flush([*self._taken(), line])

    def close(self) -> None:
        """Write what is left and let go of the file, on a full disk too."""
        self._flush(self._taken())
        with contextlib.suppress(OSError):
            self._handler.close()

    def _taken(self) -> list[LogLine]:
        taken, self._pending = self._pending, []
        return taken

    def _flush(self, lines: list[LogLine]) -> None:
        for line in lines:
            self._log.log(LEVELS[line.level], line.text, tag=line.tag, at_ms=line.at_ms)
        left_out = self._left_out + self._handler.left_out
        if left_out:
            self._left_out = self._handler.left_out = 0
            self._log.warning("lines left out", count=left_out)
            if self._handler.left_out:
                # Nor was this one written: it is said with the next.
                self._left_out, self._handler.left_out = left_out, 0

    def __repr__(self) -> str:
        return f"<LogFile {self._path} {len(self._pending)} pending>"
