"""What each order was written down for: the sides of the book do not tell an entry from an exit."""

from __future__ import annotations

import orjson

from arb.core.commands import Purpose
from arb.journal.frames import scan
from arb.journal.records import RecordKind
from arb.journal.writer import JournalFile


class WrittenPurposes:
    """The purposes of all orders of a journal, which each order is in before it leaves."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        self._read_bytes = 0
        self._purposes: dict[str, Purpose] = {}

    def of(self, client_order_id: str) -> Purpose | None:
        """Return what an order was written down for; None where it is none of this journal."""
        if client_order_id not in self._purposes:
            self._read_on()
        return self._purposes.get(client_order_id)

    def _read_on(self) -> None:
        found = scan(self._file.read(), self._read_bytes)
        self._read_bytes = found.valid_bytes
        for record in map(orjson.loads, found.payloads):
            if record["k"] == RecordKind.INTENT:
                self._purposes[record["d"]["id"]] = Purpose(record["d"]["intent"]["purpose"])

    def __repr__(self) -> str:
        return f"<WrittenPurposes of {len(self._purposes)} orders>"
