"""Records in their order: numbered without holes, each carrying the hash of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from arb.journal.frames import HEADER
from arb.journal.records import (
    FORMAT,
    NO_RECORD_BEFORE,
    NotARecord,
    Record,
    RecordKind,
    decode,
    link_of,
)


@attrs.frozen
class Position:
    """A place between two records: what stands before it, and the hash that must come next.

    ``is_linked`` tells that the last record before it carries a hash itself.
    """

    bytes: int = 0
    records: int = 0
    link: str = NO_RECORD_BEFORE
    is_linked: bool = False


BEGINNING = Position()


def follow(payloads: Iterable[bytes], after: Position = BEGINNING) -> Iterator[Record]:
    """Yield the record of each payload of one journal, from its first, or from a place on.

    Raises `NotARecord` at the first that does not follow from the one before it, with its byte.
    A journal may begin with records of format 1, which carry no hash; once one carries a hash,
    all later ones must.
    """
    at, link, is_linked = after.bytes, after.link, after.is_linked
    for place, payload in enumerate(payloads, start=after.records + 1):
        try:
            record = decode(payload)
            if record.number != place or record.prior != link or record.kind is RecordKind.START:
                _check_place(record, place)
                _check_format(record)
                _check_link(record, link, is_linked=is_linked)
        except NotARecord as error:
            raise NotARecord(f"byte {at}: {error}") from None
        yield record
        at += HEADER.size + len(payload)
        link, is_linked = link_of(payload), record.prior is not None


def _check_place(record: Record, place: int) -> None:
    if record.number != place:
        raise NotARecord(f"record {record.number} stands where record {place} belongs")


def _check_format(record: Record) -> None:
    if record.kind is not RecordKind.START:
        return
    written = record.data.get("format", 1)
    if type(written) is not int or written > FORMAT:
        raise NotARecord(
            f"record {record.number} begins format {written!r}, and this version reads up to"
            f" {FORMAT}: use the version that wrote it ({record.data.get('version')})"
        )


def _check_link(record: Record, link: str, *, is_linked: bool) -> None:
    if record.prior is None and is_linked:
        raise NotARecord(
            f"record {record.number} carries no hash of the one before, as all since format 2 do"
        )
    if record.prior is not None and record.prior != link:
        raise NotARecord(
            f"record {record.number} was written after another record {record.number - 1} than"
            " the one that stands before it"
        )
