"""From records back to the state they led to, whatever became of the file."""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given

from arb.core.day import Day, Mark
from arb.core.ledger import Ledger
from arb.core.money import PriceE4
from arb.core.permission import Halt
from arb.faults.core_history import Step, rolled
from arb.journal.chain import follow
from arb.journal.frames import HEADER, JournalDamaged, scan
from arb.journal.records import (
    NotARecord,
    Record,
    RecordKind,
    day_data,
    fill_data,
    intent_data,
    report_data,
)
from arb.journal.recovery import ORDER_NUMBERS_SKIPPED, Recovered, recover
from tests.core.order_factory import BOS, CASH, ENTRY, NYY, closed, fill
from tests.core.order_history import histories
from tests.journal.journal_history import (
    ACCOUNT,
    JournalledHistory,
    KeptSnapshot,
    ended,
    ends_of_records,
    kept_of,
    opened,
    state_of,
)


def record(number: int, kind: RecordKind, **data: Any) -> Record:
    """Make a record of its content."""
    return Record(number, kind, 7, data)


def intent_record(number: int, name: str) -> Record:
    """Make the record of an order that was about to be sent."""
    return Record(number, RecordKind.INTENT, 7, intent_data(name, ENTRY))


def played(seed: int, length: int = 60) -> JournalledHistory:
    """Play one rolled history with a journal beside it."""
    journalled = JournalledHistory()
    journalled.play(rolled(seed, length))
    return journalled


def recovered_from(data: bytes) -> Recovered:
    """Recover from the bytes of a file, as the engine does at its start."""
    return opened(data).recover()


def test_an_empty_journal_knows_nothing() -> None:
    """Before the first record there is no money, no order and no halt."""
    assert recover([]) == Recovered(Ledger(cash_e6=0))  # type: ignore[arg-type]


@given(histories())
def test_every_prefix_recovers_the_state_of_its_moment(steps: list[Step]) -> None:
    """After each record of a random history, recovery gives what the live books were then."""
    journalled = JournalledHistory()
    journalled.play(steps)
    records = journalled.journal.records()

    assert len(journalled.states) == len(records) + 1
    for length, state in enumerate(journalled.states):
        assert state_of(recover(records[:length]).ledger) == state


@pytest.mark.parametrize("seed", range(10))
def test_recovering_twice_is_recovering_once(seed: int) -> None:
    """The same records give equal states, and reading them changes nothing."""
    journalled = played(seed)
    records = journalled.journal.records()

    assert recover(records) == recover(records)
    assert journalled.journal.records() == records


@pytest.mark.parametrize("seed", range(10))
def test_a_history_goes_on_after_recovery(seed: int) -> None:
    """Books that were recovered in the middle end where those that lived through it end."""
    journalled = played(seed, 40)
    history = journalled.history
    history.take_over(recover(journalled.journal.records()).ledger)
    for step in rolled(seed + 1, 80):
        history.step(*step)

    history.heal()


def test_every_start_skips_the_numbers_that_power_may_have_taken() -> None:
    """A number whose record never reached the disk is not given to another order."""
    once = [record(1, RecordKind.START, version="0", mode="sim")]
    twice = [*once, record(2, RecordKind.START, version="0", mode="sim")]

    assert recover(once).next_order == 1 + ORDER_NUMBERS_SKIPPED
    assert recover(twice).next_order == 1 + 2 * ORDER_NUMBERS_SKIPPED


@pytest.mark.parametrize("seed", range(5))
def test_an_order_id_is_never_used_again(seed: int) -> None:
    """The next number is beyond every order that was ever about to be sent."""
    journalled = played(seed)
    state = recover(journalled.journal.records())

    assert state.next_order >= journalled.history.approvals.next_number
    assert state.next_record == len(journalled.journal.records()) + 1


def test_the_highest_number_counts_not_the_last() -> None:
    """Orders may have been journalled out of their order."""
    records = [intent_record(1, "arb-i1-000000ff"), intent_record(2, "arb-i1-0000000a")]

    assert recover(records).next_order == 256


@pytest.mark.slow
def test_every_truncation_gives_the_records_that_are_whole() -> None:
    """A journal of some kB, cut at each of its bytes, recovers exactly its valid prefix."""
    journalled = ended(6, 120)
    data = journalled.file.read()
    ends = ends_of_records(data)
    assert len(data) > 10_000
    # Trades of their own are written of an account with ten thousand: test_many_trades.py.
    kinds = set(RecordKind) - {RecordKind.TRADES}
    assert {each.kind for each in journalled.journal.each()} == kinds
    whole = 0
    for length in range(len(data) + 1):
        while whole + 1 < len(ends) and ends[whole + 1] <= length:
            whole += 1
        found = scan(data[:length])

        assert (len(found.payloads), found.valid_bytes) == (whole, ends[whole])
        if length == ends[whole]:
            records = follow(found.payloads)
            assert state_of(recover(records).ledger) == journalled.states[whole]


@pytest.mark.slow
def test_every_changed_byte_is_refused_or_a_torn_tail() -> None:
    """One byte changed anywhere: the damage is refused by its place, or was in the last record.

    In a journal of some kB each byte is changed to one other value and has one bit turned; in one
    of three records each bit is turned, and each byte of a header takes every other value.
    """
    journalled = ended(6, 120)
    data = journalled.file.read()
    ends = ends_of_records(data)
    assert len(data) > 10_000
    check_changes(journalled, changes_of(data))

    short = ends[3]
    headers = [end + byte for end in ends[:3] for byte in range(HEADER.size)]
    check_changes(journalled, [(at, change) for at in headers for change in range(1, 256)], short)
    bits = [(at, 1 << bit) for at in range(short) for bit in range(8)]
    check_changes(journalled, bits, short)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_changed_byte_is_no_less_seen_beside_a_snapshot(share: float) -> None:
    """Whether it stands at half of the journal or at its end: it hides no damage."""
    journalled = ended(6, 120)
    data = journalled.file.read()
    ends = ends_of_records(data)
    kept = kept_of(data[: ends[int((len(ends) - 1) * share)]])
    check_changes(journalled, changes_of(data), kept=kept)


def changes_of(data: bytes) -> list[tuple[int, int]]:
    """Return two changes of each byte: to some other value, and of one bit."""
    rng = random.Random(1)
    others = [(at, rng.randrange(1, 256)) for at in range(len(data))]
    return others + [(at, 1 << rng.randrange(8)) for at in range(len(data))]


def check_changes(
    journalled: JournalledHistory,
    changes: list[tuple[int, int]],
    length: int | None = None,
    kept: KeptSnapshot | None = None,
) -> None:
    """Check that each change is refused where it is, or costs the last record and no other."""
    data = journalled.file.read()[:length]
    ends = ends_of_records(data)
    start_of_last = ends[-2]
    before_last = journalled.states[len(ends) - 2]
    for at, change in changes:
        damaged = bytearray(data)
        damaged[at] ^= change
        if at < start_of_last:
            start = ends[bisect_right(ends, at) - 1]
            with pytest.raises(JournalDamaged, match=f"^byte {start}: "):
                opened(bytes(damaged), kept)
        else:
            journal = opened(bytes(damaged), kept)
            assert journal.torn_bytes == len(data) - start_of_last
            assert state_of(journal.recover().ledger) == before_last


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_journal_is_a_prefix_or_refused(seed: int) -> None:
    """Bytes changed, inserted or taken away at random never lead to another state."""
    journalled = played(seed, 50)
    data = journalled.file.read()
    states = journalled.states
    rng = random.Random(seed)
    for _ in range(150):
        damaged = bytearray(data)
        at = rng.randrange(len(data))
        what = rng.randrange(3)
        if what == 0:
            del damaged[at : at + rng.randint(1, 300)]
        elif what == 1:
            damaged[at:at] = rng.randbytes(rng.randint(1, 300))
        else:
            damaged[at:] = rng.randbytes(rng.randint(0, 300))
        try:
            state = recovered_from(bytes(damaged))
        except (JournalDamaged, NotARecord):
            continue
        assert state_of(state.ledger) in states


def test_a_whole_record_that_is_missing_is_refused() -> None:
    """A record that was cut out cleanly leaves a hole in the numbers."""
    data = played(3).file.read()
    ends = ends_of_records(data)

    for start, end in pairwise(ends[:-1]):
        with pytest.raises(NotARecord, match="stands where record"):
            recovered_from(data[:start] + data[end:])


def test_a_halt_stands_until_it_is_cleared() -> None:
    """A halt survives a restart with its reason, by whom and since when; a clear ends it."""
    halt = record(1, RecordKind.HALT, reason="loss", by="a rule")
    clear = record(2, RecordKind.CLEAR, reason="looked at", by="me")

    assert recover([halt]).halt == Halt("loss", "a rule", at_ms=7)
    assert recover([halt, clear]).halt is None
    again = record(3, RecordKind.HALT, reason="again", by="me")
    assert recover([halt, clear, again]).halt == Halt("again", "me", at_ms=7)


def test_a_day_is_recovered_with_its_marks() -> None:
    """And without, where a journal has none."""
    told = Day("2026-11-22", -5, {"NYY": Mark(PriceE4(4_800), None)}, ("BOS",))
    before = record(1, RecordKind.DAY, date="2026-11-21", before_e6=7)
    after = record(2, RecordKind.DAY, **json.loads(json.dumps(day_data(told))))

    assert recover([before]).day == Day("2026-11-21", 7)
    assert recover([before, after]).day == told


def test_a_later_halt_gives_nothing_back() -> None:
    """Sales that one halt has withdrawn stay so through the next, until a clear."""
    withdraws = record(1, RecordKind.HALT, reason="loss", by="me", cancel_exits=True)
    keeps = record(2, RecordKind.HALT, reason="another engine", by="a rule", cancel_exits=False)
    clear = record(3, RecordKind.CLEAR, reason="looked", by="me")
    again = record(4, RecordKind.HALT, reason="again", by="me", cancel_exits=False)

    both = recover([withdraws, keeps])
    assert both.halt == Halt("another engine", "a rule", at_ms=7)
    assert both.halt_withdrew_exits
    assert recover([keeps, withdraws]).halt_withdrew_exits
    assert not recover([withdraws, keeps, clear]).halt_withdrew_exits
    assert not recover([withdraws, keeps, clear, again]).halt_withdrew_exits


def test_starts_and_stops_change_nothing() -> None:
    """They are there for a person to read."""
    records = [
        record(1, RecordKind.START, version="0", mode="sim"),
        record(2, RecordKind.STOP, reason="a person"),
    ]

    assert recover(records).ledger == Ledger(cash_e6=0)  # type: ignore[arg-type]
    assert recover(records).next_record == 3


def account(number: int, cash: int = CASH, **positions_e2: int) -> Record:
    """Make the record of an account that was taken on the exchange's word."""
    positions = [
        {"ticker": ticker, "count_e2": count, "cost_e6": 5_000 * abs(count)}
        for ticker, count in positions_e2.items()
    ]
    return record(number, RecordKind.ACCOUNT, cash_e6=cash, positions=positions, trade_ids=["old"])


def test_an_account_is_taken_whole() -> None:
    """Cash and positions are the exchange's, NO as well, and their trades are not booked again."""
    state = recover([account(1, A=200, B=-100)])

    assert state.has_account
    assert state.ledger.cash_e6 == CASH
    held = {ticker: each.count_e2 for ticker, each in state.ledger.positions.items()}
    assert held == {"A": 200, "B": -100}
    assert not state.ledger.book(fill("old", ticker="A"))
    assert not recover([]).has_account


def test_a_market_that_an_account_does_not_name_is_flat() -> None:
    """A later account replaces every position; what was gained and paid stays known."""
    sold = {**fill_data(fill("t1", ticker="A")), "side": "ask", "fee_e6": 100}
    records = [account(1, A=300, B=100), Record(2, RecordKind.FILL, 7, sold), account(3, 5, B=50)]
    state = recover(records)

    positions = state.ledger.positions.values()
    held = {each.ticker: (each.count_e2, each.cost_e6) for each in positions}
    assert held == {"A": (0, 0), "B": (50, 250_000)}
    assert state.ledger.cash_e6 == 5
    assert state.ledger.position("A").fees_e6 == 100
    assert state.ledger.active_tickers() == ["B"]


def test_a_report_of_an_order_that_was_never_sent_is_passed_over() -> None:
    """An approval that came to nothing leaves a report without an intent."""
    report = Record(1, RecordKind.REPORT, 7, report_data(closed("arb-i1-00000001")))

    assert recover([report]).ledger.orders == {}


INTENT = intent_data("arb-i1-00000001", ENTRY)


@pytest.mark.parametrize(
    "kind, data",
    [
        (RecordKind.INTENT, {}),
        (RecordKind.INTENT, {"id": "arb-i1-00000001", "intent": {"ticker": NYY}}),
        (RecordKind.INTENT, {**INTENT, "id": "arb-i1-nothex"}),
        (RecordKind.INTENT, {**INTENT, "id": 5}),
        (RecordKind.AMEND, {}),
        (
            RecordKind.AMEND,
            {
                "client_order_id": "never sent",
                "order_id": "x",
                "ticker": BOS,
                "side": "ask",
                "price_e4": 1,
                "total_e2": 1,
                "trigger_ns": 1,
            },
        ),
        (RecordKind.REPORT, {"event": {}}),
        (RecordKind.REPORT, {"type": [], "event": {}}),
        (RecordKind.REPORT, {"type": "OrderEaten", "event": {}}),
        (RecordKind.FILL, {"trade_id": "t1"}),
        (RecordKind.ACCOUNT, {**ACCOUNT, "cash_e6": "much"}),
        (RecordKind.ACCOUNT, {"cash_e6": 5}),
        (RecordKind.ACCOUNT, {**ACCOUNT, "positions": [{"ticker": NYY}]}),
        (RecordKind.TRADES, {"trade_ids": ["t1", 2]}),
        (RecordKind.HALT, {"reason": "by nobody"}),
    ],
)
def test_a_record_that_says_something_else_is_refused(
    kind: RecordKind, data: dict[str, Any]
) -> None:
    """What cannot be read is told with its number and kind; no state comes of it."""
    with pytest.raises(NotARecord, match=rf"^record 2 \({kind}\) cannot be read: .+"):
        recover([account(1), Record(2, kind, 7, data)])


def test_an_id_that_stands_twice_is_refused() -> None:
    """Two intents under one id cannot both have been meant."""
    with pytest.raises(NotARecord, match="the id arb-i1-00000001 has been used before"):
        recover([intent_record(1, "arb-i1-00000001"), intent_record(2, "arb-i1-00000001")])
