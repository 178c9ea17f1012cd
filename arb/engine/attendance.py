"""Who watches: which consoles are there, and what is done once the last one has disappeared.

A console says so when it comes and when a person leaves the engine running. One whose connection
ends without that word has disappeared: its terminal was closed, its network lost, its process
killed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import trio

# A console finds a control actor that was restarted, or an engine that was held up, within two
# seconds; nobody has left in that time.
GRACE_S = 5.0

# From the engine's start to its first console: a process, on a machine that has just started two.
FIRST_GRACE_S = 30.0


class Attendance:
    """Counts the consoles; nobody is missed before `expect`, or before one has disappeared."""

    def __init__(self) -> None:
        self.consoles = 0
        self.is_missed = False
        self._grace_s = FIRST_GRACE_S
        self._changed = trio.Event()

    def __repr__(self) -> str:
        return f"<Attendance of {self.consoles}{' [missed]' if self.is_missed else ''}>"

    def expect(self) -> None:
        """Miss a console until the first one comes."""
        self._now(missed=not self.consoles)

    def came(self) -> None:
        """Note a console."""
        self.consoles += 1
        self._grace_s = GRACE_S
        self._now(missed=False)

    def went(self, *, took_leave: bool) -> None:
        """Note that a console is gone, and whether a person has said that the engine goes on."""
        self.consoles -= 1
        self._now(missed=not self.consoles and not took_leave)

    async def missed(self) -> None:
        """Wait until for a while no console has been there, and the last took no leave."""
        while True:
            while not self.is_missed:
                await self._changed.wait()
            with trio.move_on_after(self._grace_s):
                await self._changed.wait()
                continue
            return

    async def attended(self) -> None:
        """Wait until a console is there, or nobody is missed any more."""
        while self.is_missed:
            await self._changed.wait()

    def _now(self, *, missed: bool) -> None:
        self.is_missed = missed
        self._changed.set()
        self._changed = trio.Event()


async def heed(
    attendance: Attendance, setting: Callable[[], str], acts: Mapping[str, Callable[[], None]]
) -> None:
    """Do what ``setting`` says each time the last console has disappeared, until cancelled."""
    attendance.expect()
    while True:
        await attendance.missed()
        acts[setting()]()
        await attendance.attended()
