"""Each record carries the hash of the one before: what was changed shows, whatever its checksum."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import pairwise

import attrs
import pytest

from arb.faults.core_history import rolled
from arb.journal.chain import follow
from arb.journal.frames import HEADER, frame, scan
from arb.journal.records import (
    FORMAT,
    NO_RECORD_BEFORE,
    NotARecord,
    Record,
    RecordKind,
    decode,
    encode,
    link_of,
)
from arb.journal.writer import Journal, MemoryFile
from tests.journal.journal_history import JournalledHistory, StoppedClock

HALT = RecordKind.HALT


def payloads_of(seed: int, length: int) -> tuple[bytes, ...]:
    """Return the records of one rolled history, as they are written."""
    journalled = JournalledHistory()
    journalled.play(rolled(seed, length))
    journalled.end()
    return scan(journalled.file.read()).payloads


def starts_of(payloads: Sequence[bytes]) -> list[int]:
    """Return the byte at which each record begins."""
    starts = [0]
    for payload in payloads:
        starts.append(starts[-1] + HEADER.size + len(payload))
    return starts


def older(count: int) -> list[bytes]:
    """Return records as the first format had them."""
    return [encode(Record(number, HALT, 0, {}, None)) for number in range(1, count + 1)]


def test_each_record_carries_the_hash_of_the_one_before() -> None:
    """The first carries none; a journal that is opened again goes on where it ended."""
    file = MemoryFile()
    for _ in range(3):
        Journal(file, StoppedClock()).append(HALT, {})
    payloads = scan(file.read()).payloads
    records = list(follow(payloads))

    assert records[0].prior == NO_RECORD_BEFORE
    for payload, record in zip(payloads, records[1:], strict=False):
        assert record.prior == link_of(payload)


@pytest.mark.slow
def test_every_changed_byte_shows_although_its_checksum_was_made_right() -> None:
    """Each byte of a journal of some kB: refused at the changed record or at the next one."""
    rng = random.Random(1)
    payloads = payloads_of(3, 120)
    starts = starts_of(payloads)
    assert starts[-1] > 10_000
    for place, payload in enumerate(payloads[:-1]):
        for at in range(len(payload)):
            changed = bytearray(payload)
            changed[at] ^= rng.randrange(1, 256)
            told = _refusal([*payloads[:place], bytes(changed), payloads[place + 1]])

            assert told.startswith((f"byte {starts[place]}: ", f"byte {starts[place + 1]}: "))


def _refusal(payloads: list[bytes]) -> str:
    with pytest.raises(NotARecord) as refusal:
        list(follow(payloads))
    return str(refusal.value)


def test_a_record_taken_out_or_put_in_shows_although_all_were_numbered_anew() -> None:
    """Numbers alone are easily made right; the hash of the next record is not."""
    payloads = payloads_of(5, 30)
    for place in range(1, len(payloads) - 1):
        rest = [
            encode(attrs.evolve(each, number=each.number - 1))
            for each in map(decode, payloads[place + 1 :])
        ]
        with pytest.raises(NotARecord, match="was written after another record"):
            list(follow([*payloads[:place], *rest]))


def test_a_change_of_a_whole_record_is_told_with_its_place() -> None:
    """The message names the byte and the record whose hash does not fit."""
    first = encode(Record(1, HALT, 0, {"reason": "loss"}))
    second = encode(Record(2, HALT, 0, {}, link_of(first)))
    other = encode(Record(1, HALT, 0, {"reason": "gain"}))
    told = (
        f"byte {len(frame(other))}: record 2 was written after another record 1 than the one that"
        " stands before it"
    )

    assert len(list(follow([first, second]))) == 2
    with pytest.raises(NotARecord, match=f"^{re.escape(told)}$"):
        list(follow([other, second]))


def test_a_journal_of_the_first_format_is_read_and_goes_on_with_hashes() -> None:
    """The first new record vouches for the last old one."""
    file = MemoryFile()
    for payload in older(3):
        file.write(frame(payload))
    journal = Journal(file, StoppedClock())
    journal.append(HALT, {})
    journal.append(HALT, {})
    payloads = scan(file.read()).payloads

    assert [record.prior is None for record in journal.records()] == [True] * 3 + [False] * 2
    with pytest.raises(NotARecord, match="record 4 was written after another record 3"):
        list(follow([*older(2), encode(Record(3, HALT, 1, {}, None)), *payloads[3:]]))


def test_a_record_without_a_hash_after_one_with_it_is_refused() -> None:
    """Leaving the hash out does not undo it."""
    first = encode(Record(1, HALT, 0, {}))

    with pytest.raises(NotARecord, match="record 2 carries no hash of the one before"):
        list(follow([first, older(2)[1]]))


@pytest.mark.parametrize("written", [FORMAT + 1, "2", None, True])
def test_a_journal_of_a_later_format_is_refused(written: object) -> None:
    """The message says which version can read it."""
    start = {"version": "9.9", "mode": "sim", "format": written}
    with pytest.raises(NotARecord, match=r"byte 0: record 1 begins format .*up to 2: .*\(9\.9\)"):
        list(follow([encode(Record(1, RecordKind.START, 0, start))]))


@pytest.mark.parametrize("start", [{}, {"format": 1}, {"format": FORMAT}])
def test_a_journal_of_this_or_an_earlier_format_is_read(start: dict[str, object]) -> None:
    """A start that does not name its format is one of the first."""
    assert len(list(follow([encode(Record(1, RecordKind.START, 0, start))]))) == 1


def test_places_are_those_of_the_file() -> None:
    """The byte in a refusal is where the record's frame begins."""
    payloads = payloads_of(5, 30)
    for start, (before, payload) in zip(starts_of(payloads)[1:], pairwise(payloads), strict=False):
        number = decode(payload).number
        wrong = encode(attrs.evolve(decode(payload), number=number + 1))
        kept = payloads[: payloads.index(before) + 1]

        with pytest.raises(NotARecord, match=f"^byte {start}: record {number + 1} stands where"):
            list(follow([*kept, wrong]))
