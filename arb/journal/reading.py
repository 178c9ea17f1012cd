"""Reading the journal of an engine that runs or not, without touching it.

Nothing is cut and nothing is locked: a record that is being written while it is read looks like a
torn tail, and is left out.
"""

from __future__ import annotations

from pathlib import Path

import attrs

from arb.journal.chain import follow
from arb.journal.frames import Scan, scan
from arb.journal.records import Record, link_of
from arb.journal.recovery import recover
from arb.journal.snapshot import DiskSnapshot, NotASnapshot, read_snapshot, snapshot_path


@attrs.frozen
class Verified:
    """A journal that can be trusted: how much it holds, of what time, and what stands after it.

    ``head`` is the hash of the last record: whoever notes it down can tell later that nothing up
    to it was changed. ``unlinked`` records carry no hash, being of format 1. ``snapshot`` is what
    there is to say of the one beside it, None where there is none.
    """

    path: Path
    records: int
    first_ms: int | None
    last_ms: int | None
    bytes: int
    torn_bytes: int
    unlinked: int
    head: str | None
    snapshot: str | None = None


def read_records(path: Path) -> list[Record]:
    """Return all records; raises `JournalDamaged`, `NotARecord` or `OSError`."""
    return list(follow(scan(path.read_bytes()).payloads))


def verify(path: Path) -> Verified:
    """Check every record by itself, by the one before it, and by what it says.

    A snapshot beside it that would be used is held against the records. Raises `JournalDamaged`
    or `NotARecord` with the place of the first that is wrong, `NotASnapshot` where a snapshot says
    something else, `OSError` where a file cannot be read.
    """
    data = path.read_bytes()
    found = scan(data)
    records = list(follow(found.payloads))
    recover(records)
    said = _snapshot_said(snapshot_path(path), data, records)
    return _verified(path, found, records, said)


def _snapshot_said(path: Path, data: bytes, records: list[Record]) -> str | None:
    kept = DiskSnapshot(path).load()
    if kept is None:
        return None
    try:
        snapshot = read_snapshot(kept)
    except NotASnapshot as error:
        return f"the snapshot beside it is not used: {error}"
    why = snapshot.misfit(data)
    if why is not None:
        return f"the snapshot beside it is not used: {why}"
    covered = snapshot.position.records
    if snapshot.state() != recover(records[:covered]):
        raise NotASnapshot(
            f"{path} says something else than the first {covered} records: remove it"
        )
    return f"the snapshot beside it says what the first {covered:,} records do"


def _verified(path: Path, found: Scan, records: list[Record], snapshot: str | None) -> Verified:
    return Verified(
        path=path,
        records=len(records),
        first_ms=records[0].at_ms if records else None,
        last_ms=records[-1].at_ms if records else None,
        bytes=found.valid_bytes,
        torn_bytes=found.torn_bytes,
        unlinked=sum(record.prior is None for record in records),
        head=link_of(found.payloads[-1]) if found.payloads else None,
        snapshot=snapshot,
    )
