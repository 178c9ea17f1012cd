"""The tape: every raw frame of the two feeds, kept as it came, for replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import trio

from actors import Actor, Context
from arb.tape.format import Record, TapeHeader
from arb.tape.writer import TapeWriter

# What a crash of the whole process may cost of the tape; the journal loses nothing.
FLUSH_EVERY_S = 1.0


class Tape(Actor):
    """Appends what it is told; it stands beside trading and can fail without it.

    ``header`` describes what is listed when a tape begins, which may be long after the start.
    """

    def __init__(self, ctx: Context, path: Path, header: Callable[[], TapeHeader]) -> None:
        super().__init__(ctx)
        self._path = path.with_stem(f"{path.stem}-{ctx.generation}")
        self._header = header
        self._writer: TapeWriter | None = None

    async def start(self) -> None:
        """Begin a tape of its own, so that no earlier one is touched; raises `TapeError`."""
        self._writer = TapeWriter(self._path, self._header())

    def receive(self, message: object) -> None:
        """Append one frame; raises `TapeError`."""
        if isinstance(message, Record) and self._writer is not None:
            self._writer.append(message)
        else:
            self.ctx.dead_letter(message, "not for the tape")

    async def run(self) -> None:
        """Hand what was kept to the kernel now and then."""
        try:
            while True:
                await trio.sleep(FLUSH_EVERY_S)
                if self._writer is not None:
                    self._writer.flush()
        finally:
            if self._writer is not None:
                self._writer.close()

    def __repr__(self) -> str:
        return f"<Tape {self._writer or self._path}>"
