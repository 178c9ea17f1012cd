"""A disk in memory under the journal: it loses what was not synced, tears and fails.

What a program writes is in the kernel first, where it outlives the program, and on the disk only
after a sync. Killing the program keeps the kernel's part; a loss of power keeps the disk's, and of
the rest whatever happened to be written back.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import attrs

# Called with what is about to be written; what it returns is written, and nothing after a kill.
Before = Callable[[bytes], bytes]

# Called with what has been written.
After = Callable[[bytes], None]


def _unheard(_data: bytes) -> None:
    """Hear nothing of a write."""


@attrs.define
class SimDisk:
    """A journal and its snapshot on a disk that can fail; they outlive who opens them.

    ``write_fails_in`` and ``sync_fails_in`` count calls down to the one that fails; from then on
    every one does until `repair`. ``hits`` counts what failed and what was lost.
    """

    kernel: bytearray = attrs.field(factory=bytearray)
    durable: int = 0
    write_fails_in: int | None = None
    sync_fails_in: int | None = None
    writes_half: bool = False
    failed: bool = False
    snapshot: bytes | None = None
    writes: int = 0
    syncs: int = 0
    hits: Counter[str] = attrs.field(factory=Counter)

    def open(self, before: Before = bytes, after: After = _unheard) -> SimFile:
        """Open the file for one program; ``before`` and ``after`` see each write."""
        return SimFile(self, before, after)

    def write(self, data: bytes) -> None:
        """Take a write into the kernel, or fail."""
        self.writes += 1
        if self.write_fails_in is not None:
            self.write_fails_in -= 1
            if self.write_fails_in < 0:
                self.failed = True
                self.hits["no space"] += 1
                if self.writes_half:
                    self.hits["half a write"] += 1
                    self.kernel += data[: len(data) // 2]
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.kernel += data

    def sync(self) -> None:
        """Bring what was written to the disk, or fail."""
        self.syncs += 1
        if self.sync_fails_in is not None:
            self.sync_fails_in -= 1
            if self.sync_fails_in < 0:
                self.failed = True
                self.hits["no sync"] += 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.durable = len(self.kernel)

    def lose_power(self, dice: Random) -> int:
        """Keep what was synced and a chance part of the rest; return the bytes that are lost."""
        kept = dice.randint(self.durable, len(self.kernel))
        lost = len(self.kernel) - kept
        self.hits["bytes lost"] += lost
        del self.kernel[kept:]
        if kept > self.durable and dice.random() < 1 / 2:
            # A sector was being written when the current went: its bytes are anything.
            self.kernel[-1] ^= 1 << dice.randrange(8)
        self.durable = len(self.kernel)
        if self.snapshot is not None and dice.random() < 1 / 2:
            # Its name was on the disk, and not all of what it names.
            self.snapshot = self.snapshot[: dice.randrange(len(self.snapshot))]
        return lost

    def repair(self) -> None:
        """Work again, as a disk does on which somebody has made room."""
        self.write_fails_in = self.sync_fails_in = None
        self.writes_half = self.failed = False

    def __repr__(self) -> str:
        state = "failed" if self.failed else "working"
        return f"<SimDisk {self.durable}/{len(self.kernel)} bytes durable, {state}>"


class SimFile:
    """The journal's file, and its snapshot's, as one program has them open."""

    def __init__(self, disk: SimDisk, before: Before, after: After) -> None:
        self._disk = disk
        self._before = before
        self._after = after
        self._open = True
        self.failed = False

    def write(self, data: bytes) -> None:
        """Append ``data``; raises `OSError`. What a killed program writes goes nowhere."""
        if self._open:
            left = self._before(data)
            if left:
                with self._noting_failure():
                    self._disk.write(left)
                self._after(left)

    def sync(self) -> None:
        """Bring what was written onto the disk; raises `OSError`."""
        if self._open:
            with self._noting_failure():
                self._disk.sync()

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self.failed = True
            raise

    def read(self) -> bytes:
        """Return all that was written."""
        return bytes(self._disk.kernel)

    def cut(self, length: int) -> None:
        """Drop everything after ``length`` bytes."""
        if self._open:
            del self._disk.kernel[length:]
            self._disk.durable = min(self._disk.durable, length)

    def load(self) -> bytes | None:
        """Return the snapshot that was saved last."""
        return self._disk.snapshot

    def save(self, data: bytes) -> None:
        """Put a snapshot in the place of the last one; what a killed program saves is lost."""
        if self._open:
            self._disk.snapshot = data

    def close(self) -> None:
        """Let go of the file; nothing of this program reaches it any more."""
        self._open = False

    def __repr__(self) -> str:
        return f"<SimFile {'open' if self._open else 'closed'} on {self._disk!r}>"
