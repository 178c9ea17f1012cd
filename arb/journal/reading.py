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


@attrs.frozen
class Verified:
    """A journal that can be trusted: how much it holds, of what time, and what stands after it.

    ``head`` is the hash of the last record: whoever notes it down can tell later that nothing up
    to it was changed. ``unlinked`` records carry no hash, being of format 1.
    """

    path: Path
    records: int
    first_ms: int | None
    last_ms: int | None
    bytes: int
    torn_bytes: int
    unlinked: int
    head: str | None


def read_records(path: Path) -> list[Record]:
    """Return all records; raises `JournalDamaged`, `NotARecord` or `OSError`."""
    return list(follow(scan(path.read_bytes()).payloads))


def verify(path: Path) -> Verified:
    """Check every record by itself, by the one before it, and by what it says.

    Raises `JournalDamaged` or `NotARecord` with the place of the first that is wrong, `OSError`
    where the file cannot be read.
    """
    found = scan(path.read_bytes())
    records = list(follow(found.payloads))
    recover(records)
    return _verified(path, found, records)


def _verified(path: Path, found: Scan, records: list[Record]) -> Verified:
    return Verified(
        path=path,
        records=len(records),
        first_ms=records[0].at_ms if records else None,
        last_ms=records[-1].at_ms if records else None,
        bytes=found.valid_bytes,
        torn_bytes=found.torn_bytes,
        unlinked=sum(record.prior is None for record in records),
        head=link_of(found.payloads[-1]) if found.payloads else None,
    )
