"""A halt that was left for an engine to find.

By somebody who could not reach the engine, or by an engine whose journal could not be written. It
lies beside the journal, which belongs to the engine alone. The engine looks at its start and
while it runs, writes the halt into its journal, and takes the file away when the halt is cleared.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import attrs
import orjson

from arb.engine.messages import HaltTrading
from arb.io.files import sync_folder, write_synced, write_whole
from arb.io.text import one_line

# Four short fields; more than this is somebody else's file.
BYTES_MAX = 4_096

# A sign takes four bytes at most, so that both fit with room to spare.
REASON_LENGTH_MAX = 500
BY_LENGTH_MAX = 100

UNREADABLE = "a halt was left that cannot be read"


@attrs.frozen
class LeftHalt:
    """What was left: why, by whom, when in Unix milliseconds, and what becomes of exits."""

    reason: str
    by: str
    at_ms: int
    cancel_exits: bool = False

    @property
    def wish(self) -> HaltTrading:
        """Return what the risk manager is to do."""
        return HaltTrading(self.reason, self.by, self.cancel_exits)


class HaltFile:
    """The file of one engine; writing and removing raise `OSError`, reading raises nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reserve = path.with_name(f"{path.name}.reserve")

    @classmethod
    def with_reserve(cls, path: Path) -> HaltFile:
        """Return the file with room set aside for a halt, where there is any: disks get full."""
        made = cls(path)
        with contextlib.suppress(OSError):
            made.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with made._reserve.open("wb") as file:
                write_synced(file, b" " * BYTES_MAX)
        return made

    def leave(self, halt: LeftHalt) -> None:
        """Leave a halt, whole or not at all, and safe from a loss of power; its words made plain.

        Where a new file cannot be written, the room that was set aside is used.
        """
        content = orjson.dumps(_plain(halt)) + b"\n"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self.path, content)
        except OSError:
            if not self._is_overwritten(content.ljust(BYTES_MAX)):
                raise

    def _is_overwritten(self, content: bytes) -> bool:
        """Write into the reserve, or into what it has become, and say whether that went well."""
        room = self._reserve if self._reserve.exists() else self.path
        try:
            with room.open("r+b") as file:
                write_synced(file, content)
            room.replace(self.path)
            sync_folder(self.path.parent)
        except OSError:
            return False
        return True

    def read(self) -> LeftHalt | None:
        """Return the halt that was left, None where there is none.

        What cannot be read is a halt all the same: somebody wanted one.
        """
        try:
            with self.path.open("rb") as file:
                content = file.read(BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            return LeftHalt(f"{UNREADABLE}: {error.strerror}", "a file", 0)
        try:
            fields = orjson.loads(content)
            return LeftHalt(
                str(fields["reason"]),
                str(fields["by"]),
                int(fields["at_ms"]),
                fields["cancel_exits"] is True,
            )
        except (ValueError, KeyError, TypeError):
            return LeftHalt(UNREADABLE, "a file", 0)

    def remove(self) -> None:
        """Take the file away."""
        self.path.unlink(missing_ok=True)

    def __repr__(self) -> str:
        return f"<HaltFile {self.path}>"


def _plain(halt: LeftHalt) -> dict[str, object]:
    # Words that a person has typed may be in no encoding, of any length, and go into one block.
    reason, by = one_line(halt.reason, REASON_LENGTH_MAX), one_line(halt.by, BY_LENGTH_MAX)
    return attrs.asdict(attrs.evolve(halt, reason=reason, by=by))
