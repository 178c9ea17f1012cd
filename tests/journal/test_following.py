"""The state that a journal keeps in step with itself: read once, followed, and copied."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.ledger import Ledger
from arb.core.money import MoneyE6
from arb.faults.core_history import Step, rolled
from arb.journal import writer
from arb.journal.copying import copied
from arb.journal.records import NotARecord, RecordKind, group_data
from arb.journal.recovery import Recovered, recover
from arb.journal.state import state_to_json
from arb.journal.writer import Journal, JournalFailed, MemoryFile
from tests.core.order_history import histories
from tests.journal.journal_history import (
    JournalledHistory,
    KeptSnapshot,
    StoppedClock,
    ended,
    opened,
    state_of,
)


class CountedFile(MemoryFile):
    """A file that counts how often it is read, and that is full when it is told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.full = False

    def read(self) -> bytes:
        """Return all, counted."""
        self.reads += 1
        return super().read()

    def write(self, data: bytes) -> None:
        """Append, or fail when all of it was written."""
        super().write(data)
        if self.full:
            raise OSError(28, "No space left on device")


def counted(file: CountedFile) -> Journal:
    """Open a journal that was read once and is followed."""
    journal = Journal(file, StoppedClock())
    journal.known()
    file.reads = 0
    return journal


def groups(journal: Journal) -> dict[int, str]:
    """Return the order groups that a journal knows of."""
    return journal.known().groups


@given(histories(), st.integers(1, 9))
def test_what_is_followed_is_what_a_start_would_read(steps: list[Step], at_once: int) -> None:
    """After any history, taken up in parts of any size while it happens."""
    journalled = JournalledHistory()
    journal = journalled.journal
    journal.known()
    for step in steps:
        journalled.play([step])
        journal.follow(at_once)
    journalled.end()

    assert journal.known() == recover(journal.each())
    assert not journal.follow(at_once)


@given(histories())
def test_a_copy_is_equal_and_its_own(steps: list[Step]) -> None:
    """Its orders are one object each, and what becomes of it the original never sees."""
    journalled = JournalledHistory()
    journalled.play(steps)
    state = recover(journalled.journal.each())
    copy, before = copied(state), state_to_json(state)
    orders, ledger = copy.ledger.orders, copy.ledger

    assert copy == state
    assert state_to_json(copy) == before
    assert all(orders[each.client_order_id] is each for each in ledger.all_at_stake())
    assert all(orders[each.client_order_id] is each for each in ledger._by_order_id.values())
    # As after a risk manager's restart: every book of the copy is written to.
    journalled.history.take_over(ledger)
    for step in rolled(len(steps), 60):
        journalled.history.step(*step)
    ledger.move_ids.add("another")
    copy.groups[9] = "another"
    assert state_to_json(state) == before


def test_a_kind_that_nobody_can_copy_is_refused() -> None:
    """A field of it that is added later fails here, and is not shared in silence."""
    state = Recovered(Ledger(MoneyE6(0)))
    state.ledger.by_hand = deque()  # type: ignore[assignment]

    with pytest.raises(TypeError, match="no way to copy a deque"):
        copied(state)


def test_the_file_is_read_once_whoever_starts_again() -> None:
    """A restart within the process finds what was appended since, and reads nothing."""
    file = CountedFile()
    file._data += ended(3, 60).file.read()
    journal = counted(file)
    journal.append(RecordKind.GROUP, group_data(1, "g7"))
    first, second = journal.recover(), journal.recover()

    assert file.reads == 0
    assert first == second == recover(journal.each())
    assert first.groups == {1: "g7", 3: "g1"}
    assert first.ledger is not second.ledger
    assert state_of(first.ledger) == state_of(journal.known().ledger)


def test_so_many_are_taken_up_as_are_asked_for() -> None:
    """Whoever follows in parts is told whether more wait; without a state nothing does."""
    journal = Journal(MemoryFile(), StoppedClock())
    assert not journal.follow(1)
    known = journal.known()
    for number in range(3):
        journal.append(RecordKind.GROUP, group_data(0, f"g{number}"))

    assert known.groups == {}
    assert [journal.follow(2), known.groups[0]] == [True, "g1"]
    assert [journal.follow(2), known.groups[0]] == [False, "g2"]


def test_after_a_failed_append_the_file_is_read_again() -> None:
    """What stands in it then is not known, and a record that came through counts."""
    file = CountedFile()
    journal = counted(file)
    file.full = True
    with pytest.raises(JournalFailed):
        journal.append(RecordKind.GROUP, group_data(0, "g1"))

    assert groups(journal) == {0: "g1"}
    assert file.reads == 1


def test_what_nobody_takes_up_for_long_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that wait are bounded, and none of them is lost."""
    monkeypatch.setattr(writer, "WAITING_MAX", 3)
    file = CountedFile()
    journal = counted(file)
    for number in range(3):
        journal.append(RecordKind.GROUP, group_data(number, "g"))
    assert (len(groups(journal)), file.reads) == (3, 0)
    for number in range(4, 8):
        journal.append(RecordKind.GROUP, group_data(number, "g"))

    assert not journal.follow(1)
    assert (len(groups(journal)), file.reads) == (7, 1)


def test_a_record_that_no_start_could_follow_is_told() -> None:
    """By whoever follows, and by everybody who asks for the state afterwards, with its place."""
    journal = counted(CountedFile())
    journal.append(RecordKind.GROUP, {"exchange_index": "0", "group_id": "g"})

    with pytest.raises(NotARecord, match=r"record 1 \(group\) cannot be read"):
        journal.follow(1)
    assert not journal.follow(1)
    with pytest.raises(NotARecord, match=r"record 1 \(group\) cannot be read"):
        journal.recover()


@pytest.mark.parametrize(
    "data",
    [{}, {"exchange_index": 0}, group_data(0, None), group_data(True, "g")],  # type: ignore[arg-type]
)
def test_a_group_that_does_not_say_what_it_is_refuses_the_journal(data: dict[str, Any]) -> None:
    """It is read at a start, not when the gateway needs it."""
    journal = Journal(MemoryFile(), StoppedClock())
    journal.append(RecordKind.GROUP, data)

    with pytest.raises(NotARecord, match="record 1"):
        journal.known()


def test_a_snapshot_knows_the_groups() -> None:
    """By shard, a number: the last that was made on each."""
    file, kept = MemoryFile(), KeptSnapshot()
    journal = Journal(file, StoppedClock())
    for exchange_index, group_id in ((0, "old"), (3, "three"), (0, "new")):
        journal.append(RecordKind.GROUP, group_data(exchange_index, group_id))
    opened(file.read(), kept).known(keep_after=1)
    started = opened(file.read(), kept)

    assert groups(started) == {0: "new", 3: "three"}
    assert started.snapshot_records == 3
