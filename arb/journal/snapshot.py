"""The state that a journal's first records led to, kept beside it so that a start is short.

It is worth nothing by itself. It holds for one beginning of one journal, byte for byte, and for
the very code that made it; where either is another, or a bit of it has turned, it says so and is
left aside, and all records are replayed. Throwing it away costs time alone.
"""

from __future__ import annotations

import contextlib
import os
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import attrs
import orjson

from arb.journal.chain import Position
from arb.journal.recovery import Recovered
from arb.journal.state import state_from_json, state_to_json

# So many records are replayed in 0.1 s: a tail that a start does not feel.
SNAPSHOT_AFTER = 10_000

# Two different beginnings with one hash of this length will not be found, by search neither.
HASH_BYTES = 32

_PACKAGES = ("core", "journal")


class NotASnapshot(Exception):
    """A snapshot that cannot be used, or made; says why in one line."""


def snapshot_path(journal_path: Path) -> Path:
    """Return where the snapshot of a journal lies: beside it."""
    return journal_path.with_name(f"{journal_path.name}.state")


class SnapshotStore(Protocol):
    """Where one snapshot is kept."""

    def load(self) -> bytes | None:
        """Return what was saved last, None where nothing was; raises `OSError`."""

    def save(self, data: bytes) -> None:
        """Replace what was saved, wholly or not at all; raises `OSError`."""


class DiskSnapshot:
    """A snapshot in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> bytes | None:
        """Return the file's bytes, None where there is none; raises `OSError`."""
        with contextlib.suppress(FileNotFoundError):
            return self._path.read_bytes()
        return None

    def save(self, data: bytes) -> None:
        """Write a new file and put it in the old one's place; raises `OSError`.

        It is not synced: what a loss of power leaves of it does not match its own hash.
        """
        new = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        new.replace(self._path)

    def __repr__(self) -> str:
        return f"<DiskSnapshot {self._path}>"


@attrs.frozen
class Snapshot:
    """A snapshot that is whole: where it stands, what it was made of, and the state, unread."""

    position: Position
    beginning: str
    code: str
    content: bytes = attrs.field(repr=False)

    def misfit(self, journal: bytes) -> str | None:
        """Say why it is not of this journal and this code; None where it is of both."""
        if self.code != code_hash():
            return "it was made by another version"
        if self.position.bytes > len(journal):
            return f"it reaches to byte {self.position.bytes} of a journal of {len(journal)}"
        if self.beginning != _hash(memoryview(journal)[: self.position.bytes]):
            return f"the journal's first {self.position.bytes} bytes are others than it was made of"
        return None

    def state(self) -> Recovered:
        """Return the state; raises `NotASnapshot`."""
        try:
            return state_from_json(orjson.loads(self.content))
        except (KeyError, TypeError, ValueError) as error:
            raise NotASnapshot(f"its state cannot be read: {error!r}") from None


def make_snapshot(state: Recovered, position: Position, journal: bytes) -> bytes:
    """Return the snapshot of a state that the journal's records up to there led to.

    It is read again before it is believed: raises `NotASnapshot` where that gives another state.
    """
    try:
        content = orjson.dumps(state_to_json(state))
    except (AttributeError, TypeError, ValueError) as error:
        raise NotASnapshot(f"the state cannot be written: {error}") from None
    if state_from_json(orjson.loads(content)) != state:
        raise NotASnapshot("the state is another one when it is read again")
    beginning = _hash(memoryview(journal)[: position.bytes])
    head = {"at": attrs.asdict(position), "of": beginning, "by": code_hash()}
    body = orjson.dumps(head) + b"\n" + content
    return _hash(body).encode() + b"\n" + body


def read_snapshot(data: bytes) -> Snapshot:
    """Read a snapshot up to its state; raises `NotASnapshot` where a bit of it has changed."""
    said, _, body = data.partition(b"\n")
    if said != _hash(body).encode():
        raise NotASnapshot("it does not match its own hash")
    head, _, content = body.partition(b"\n")
    try:
        fields: dict[str, Any] = orjson.loads(head)
        return Snapshot(Position(**fields["at"]), fields["of"], fields["by"], content)
    except (KeyError, TypeError, ValueError) as error:
        raise NotASnapshot(f"it does not say what it is of: {error!r}") from None


@cache
def code_hash() -> str:
    """Return the hash of all code that a state follows from: the records' and the ledger's."""
    root = Path(__file__).resolve().parents[1]
    hashed = blake2b(digest_size=HASH_BYTES)
    for package in _PACKAGES:
        for path in sorted((root / package).glob("*.py")):
            source = path.read_bytes()
            hashed.update(b"%s %d\n" % (path.name.encode(), len(source)))
            hashed.update(source)
    return hashed.hexdigest()


def _hash(data: bytes | memoryview) -> str:
    return blake2b(data, digest_size=HASH_BYTES).hexdigest()
