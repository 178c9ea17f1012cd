"""A program in a real pseudo-terminal, seen through an emulator and typed at."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from typing import Any

import pyte
import trio

from tests.console.fake_shell import PATIENCE_S

TERMINAL = {"TERM": "xterm-256color", "PYTHONUTF8": "1"}


class Terminal:
    """A program in a terminal of its own, with hands and eyes."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        self.resize(columns, rows)
        self.mode_before = self.mode()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=os.environ
            | {"TERM": "xterm-256color", "PYTHONUTF8": "1"}
            | dict(environment or {}),
        )
        os.close(slave)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)
        self.screen.resize(rows, columns)

    def mode(self) -> list[Any]:
        """Return how the terminal treats what is typed."""
        return termios.tcgetattr(self._master)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    @property
    def text(self) -> str:
        """Return what a person sees."""
        return "\n".join(self.screen.display)

    async def shows(self, words: str, patience_s: float = PATIENCE_S) -> None:
        """Read the terminal until a text is seen on it."""
        with trio.fail_after(patience_s):
            while words not in self.text:
                await self.read()

    async def ends(self) -> int:
        """Read the terminal until the process has ended, and return its exit code."""
        with trio.fail_after(PATIENCE_S):
            while await self.read():
                pass
            return await trio.to_thread.run_sync(self.process.wait)

    def close(self) -> None:
        """End what is left of it."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    async def read(self) -> bool:
        """Read what the terminal has to say; returns whether there may be more."""
        await trio.lowlevel.wait_readable(self._master)
        try:
            data = os.read(self._master, 65_536)
        except OSError:
            return False
        # pyte knows no private device reports, and would print what it does not know.
        self._stream.feed(data)
        return bool(data)
