"""A snapshot beside a journal: it shortens the way to the state and never leads to another."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given

from arb.core.ledger import Ledger
from arb.core.money import MoneyE6
from arb.core.orders import Order
from arb.faults.core_history import Step, rolled
from arb.journal import snapshot as snapshots
from arb.journal.chain import BEGINNING, Position
from arb.journal.records import RecordKind
from arb.journal.recovery import ORDER_NUMBERS_SKIPPED, Recovered, recover
from arb.journal.snapshot import (
    DiskSnapshot,
    NotASnapshot,
    code_hash,
    make_snapshot,
    read_snapshot,
    snapshot_path,
)
from arb.journal.state import _fields_way, state_from_json, state_to_json
from tests.core.order_history import histories
from tests.journal.journal_history import (
    JournalledHistory,
    KeptSnapshot,
    ended,
    ends_of_records,
    kept_of,
    opened,
    state_of,
)


def kinds_in(value: Any) -> Any:
    """Return the types of all that a value is made of, which equality does not tell apart."""
    kind = type(value)
    if attrs.has(kind):
        return kind, [kinds_in(getattr(value, each.name)) for each in attrs.fields(kind)]
    if isinstance(value, dict):
        return dict, [(kinds_in(key), kinds_in(each)) for key, each in value.items()]
    if isinstance(value, (list, tuple)):
        return kind, [kinds_in(each) for each in value]
    return (kind, sorted(map(repr, value))) if isinstance(value, set) else kind


def again(state: Recovered) -> Recovered:
    """Write a state as JSON, and read it."""
    return state_from_json(orjson.loads(orjson.dumps(state_to_json(state))))


@given(histories())
def test_a_state_is_read_as_it_was_written(steps: list[Step]) -> None:
    """After any history it is equal, of the same types, and its orders are one object each."""
    journalled = JournalledHistory()
    journalled.play(steps)
    journalled.end()
    state = recover(journalled.journal.each())
    read = again(state)

    assert read == state
    assert kinds_in(read) == kinds_in(state)
    orders = read.ledger.orders
    assert list(orders) == list(state.ledger.orders)
    assert all(orders[each.client_order_id] is each for each in read.ledger.all_at_stake())
    assert all(orders[each.client_order_id] is each for each in read.ledger._by_order_id.values())


@pytest.mark.parametrize("seed", range(10))
def test_a_history_goes_on_from_a_snapshot(seed: int) -> None:
    """Books that were read from one end where those that lived through everything end."""
    journalled = JournalledHistory()
    journalled.play(rolled(seed, 40))
    kept = kept_of(journalled.file.read())
    journal = opened(journalled.file.read(), kept)
    journalled.history.take_over(journal.recover().ledger)
    assert journal.snapshot_records == len(journal.records())
    for step in rolled(seed + 1, 80):
        journalled.history.step(*step)

    journalled.history.heal()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_snapshot_of_any_record_leads_to_the_same_state(seed: int) -> None:
    """Wherever it stands and however much was written since: what all records lead to."""
    journalled = ended(seed, 40)
    data = journalled.file.read()
    ends = ends_of_records(data)
    whole = recover(journalled.journal.each())
    for number, end in enumerate(ends[1:], start=1):
        journal = opened(data, kept_of(data[:end]))

        assert journal.recover() == whole
        assert journal.snapshot_records == number
        assert journal.snapshot_trouble is None
        assert journal.append(RecordKind.STOP, {}).number == len(ends)
        assert len(journal.records()) == len(ends)


@pytest.mark.slow
def test_every_truncation_beside_a_snapshot_gives_the_records_that_are_whole() -> None:
    """Cut behind the snapshot's place it is gone on from; cut before it, it is left aside."""
    journalled = ended(6, 120)
    data = journalled.file.read()
    ends = ends_of_records(data)
    place = ends[len(ends) // 2]
    kept = kept_of(data[:place])
    assert len(data) > 10_000
    whole = 0
    for length in range(len(data) + 1):
        while whole + 1 < len(ends) and ends[whole + 1] <= length:
            whole += 1
        journal = opened(data[:length], kept)

        assert journal.torn_bytes == length - ends[whole]
        assert (journal.snapshot_trouble is None) == (length >= place)
        if length in (ends[whole], ends[whole] + 1):
            assert state_of(journal.recover().ledger) == journalled.states[whole]


@pytest.mark.slow
def test_every_changed_byte_of_a_snapshot_leaves_it_aside() -> None:
    """A byte changed and a bit turned anywhere: it is said, and all records are read."""
    rng = random.Random(2)
    data = ended(5, 20).file.read()
    whole = opened(data, None).recover()
    raw = kept_of(data).data
    assert raw is not None
    for at in range(len(raw)):
        for change in (rng.randrange(1, 256), 1 << rng.randrange(8)):
            damaged = bytearray(raw)
            damaged[at] ^= change
            with pytest.raises(NotASnapshot, match="does not match its own hash"):
                read_snapshot(bytes(damaged))
    journal = opened(data, KeptSnapshot(raw[:-1] + b"?"))
    assert journal.recover() == whole
    assert journal.snapshot_records == 0
    assert journal.snapshot_trouble == (
        "the snapshot is left aside and all records are read: it does not match its own hash"
    )


@pytest.mark.parametrize("length", [0, 1, 64, 65, 300])
def test_a_snapshot_that_was_cut_is_left_aside(length: int) -> None:
    """A loss of power may leave a part of it."""
    data = ended(1, 20).file.read()
    raw = kept_of(data).data
    assert raw is not None
    journal = opened(data, KeptSnapshot(raw[:length]))

    assert journal.recover() == opened(data, None).recover()
    assert "own hash" in str(journal.snapshot_trouble)


def test_a_snapshot_of_another_journal_is_left_aside() -> None:
    """Of as many bytes, or of more than there are: none of its records is believed."""
    data, other = ended(1, 20).file.read(), ended(2, 20).file.read()
    end = max(end for end in ends_of_records(other) if end <= len(data))
    journal = opened(data, kept_of(other[:end]))
    assert journal.recover() == opened(data, None).recover()
    assert f"the journal's first {end} bytes are others" in str(journal.snapshot_trouble)

    short = data[: ends_of_records(data)[3]]
    cut = opened(short, kept_of(data))
    assert cut.recover() == opened(short, None).recover()
    assert f"it reaches to byte {len(data)} of a journal of {len(short)}" in str(
        cut.snapshot_trouble
    )


def test_a_snapshot_of_other_code_is_left_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version made of the records need not be what this one makes of them."""
    data = ended(1, 20).file.read()
    kept = kept_of(data)
    monkeypatch.setattr(snapshots, "code_hash", lambda: "other")
    journal = opened(data, kept)

    assert journal.recover() == opened(data, None).recover()
    assert "it was made by another version" in str(journal.snapshot_trouble)


def sealed(body: bytes) -> bytes:
    """Return a body with the right hash before it, as somebody might forge it."""
    return snapshots._hash(body).encode() + b"\n" + body


def test_a_snapshot_that_says_something_else_is_left_aside() -> None:
    """A right hash over what is no head, and over what is no state, is not believed either."""
    data = ended(1, 20).file.read()
    raw = kept_of(data).data
    assert raw is not None
    head = raw.split(b"\n")[1]
    for body, said in (
        (b"{}\n[]", "it does not say what it is of"),
        (b"\xff\n[]", "it does not say what it is of"),
        (head + b"\n[]", "its state cannot be read"),
        (head + b"\n[1,2,3,4,5,6]", "its state cannot be read"),
    ):
        journal = opened(data, KeptSnapshot(sealed(body)))

        assert journal.recover() == opened(data, None).recover()
        assert said in str(journal.snapshot_trouble)


def test_a_snapshot_is_kept_where_it_spares_enough() -> None:
    """One is made when so many records have come since the last, and not before."""
    data = ended(1, 20).file.read()
    ends = ends_of_records(data)
    kept = kept_of(data[: ends[10]])
    kept.saved = 0

    opened(data, kept).recover(keep_after=len(ends) - 10)
    assert kept.saved == 0
    opened(data, kept).recover()
    assert kept.saved == 0
    opened(data, kept).recover(keep_after=len(ends) - 1 - 10)
    assert kept.saved == 1
    assert kept.data is not None
    assert read_snapshot(kept.data).position.records == len(ends) - 1
    opened(data, kept).recover(keep_after=0)
    assert kept.saved == 1


def test_a_start_after_a_snapshot_skips_numbers_as_any_other() -> None:
    """Numbers that a loss of power may have taken are not used again."""
    journalled = ended(1, 20)
    before = recover(journalled.journal.each()).next_order
    kept = kept_of(journalled.file.read())
    journalled.journal.append(RecordKind.START, {"version": "test", "mode": "sim"})
    journal = opened(journalled.file.read(), kept)

    assert journal.recover().next_order == before + ORDER_NUMBERS_SKIPPED
    assert journal.snapshot_records == len(journal.records()) - 1


@pytest.mark.parametrize("error", [PermissionError(13, "denied"), OSError(5, "input/output")])
def test_a_store_that_fails_costs_time_alone(error: OSError) -> None:
    """Neither reading nor writing it keeps an engine from starting."""
    data = ended(1, 20).file.read()
    journal = opened(data, KeptSnapshot(error=error))

    assert "left aside" in str(journal.snapshot_trouble)
    assert journal.recover(keep_after=1) == opened(data, None).recover()
    assert str(journal.snapshot_trouble).startswith("no snapshot was kept: ")


def test_a_journal_without_a_store_keeps_none() -> None:
    """A replay leaves nothing behind."""
    journal = opened(ended(1, 20).file.read(), None)
    journal.recover(keep_after=1)

    assert (journal.snapshot_records, journal.snapshot_trouble) == (0, None)


def test_a_state_that_cannot_be_written_is_not_kept() -> None:
    """A number that JSON has not, and one that is another when it is read, refuse."""
    journalled = ended(1, 20)
    data = journalled.file.read()
    state = opened(data, None).recover()
    order = next(iter(state.ledger.orders.values()))
    order.intent = attrs.evolve(order.intent, fair=float("nan"))
    with pytest.raises(NotASnapshot, match="another one when it is read"):
        make_snapshot(state, BEGINNING, data)

    state.ledger.cash_e6 = MoneyE6(2**70)
    with pytest.raises(NotASnapshot, match="the state cannot be written"):
        make_snapshot(state, BEGINNING, data)


@attrs.define
class Odd:
    """Something with a field of a kind that nobody writes."""

    field: object


@attrs.define
class Mixed:
    """Something with a field of one of two kinds."""

    field: Order | Ledger | None


@pytest.mark.parametrize("kind", [Odd, Mixed])
def test_a_field_of_an_unknown_kind_is_told(kind: type) -> None:
    """Whoever adds one to the state hears of it here, not in the middle of a night."""
    with pytest.raises(TypeError, match="no way to keep a "):
        _fields_way(kind)


def test_a_snapshot_on_disk_is_replaced_whole(tmp_path: Path) -> None:
    """It is its owner's alone, lies beside the journal, and no half of one is left."""
    path = snapshot_path(tmp_path / "journal")
    store = DiskSnapshot(path)
    assert store.load() is None
    for data in (b"one", b"another"):
        store.save(data)
        assert store.load() == data

    assert [each.name for each in tmp_path.iterdir()] == ["journal.state"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert repr(store) == f"<DiskSnapshot {path}>"


def test_the_code_has_one_hash() -> None:
    """It is the same at every asking, and long enough."""
    assert code_hash() == code_hash()
    assert len(code_hash()) == 64


def test_a_snapshot_shows_itself() -> None:
    """Where it stands, without the megabytes of its state."""
    data = ended(1, 20).file.read()
    raw = kept_of(data).data
    assert raw is not None

    assert read_snapshot(raw).position == Position(
        len(data), len(ends_of_records(data)) - 1, opened(data, None)._link, is_linked=True
    )
    assert "content" not in repr(read_snapshot(raw))
