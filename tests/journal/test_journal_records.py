"""What records say, and that nothing else passes for one."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arb.core.adoption import AdoptedAccount, AdoptedOrder, AdoptedPosition
from arb.core.commands import Amendment, OrderIntent, Purpose, TimeInForce
from arb.core.events import (
    CashMove,
    Fill,
    Liquidity,
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderEvent,
    OrderKept,
    OrderRefused,
    OrderUnknown,
    Side,
)
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.journal.records import (
    REPORTS,
    NotARecord,
    Record,
    RecordKind,
    account_data,
    amend_data,
    cash_data,
    decode,
    encode,
    fill_data,
    intent_data,
    read_account,
    read_amend,
    read_cash,
    read_fill,
    read_intent,
    read_report,
    read_settlement,
    report_data,
    settlement_data,
)
from tests.core.order_factory import ENTRY, NYY, accepted, fill, settlement

TEXTS = st.text(max_size=20)
WHOLE = st.integers(-(2**53), 2**53)
COUNTS = st.integers(0, 10**9).map(CountE2)
PRICES = st.integers(0, 10_000).map(PriceE4)
EVENTS: st.SearchStrategy[OrderEvent] = st.one_of(
    st.builds(OrderAccepted, TEXTS, TEXTS, COUNTS, COUNTS),
    st.builds(OrderRefused, TEXTS, TEXTS, TEXTS),
    st.builds(OrderUnknown, TEXTS, TEXTS),
    st.builds(OrderAmended, TEXTS, PRICES, COUNTS),
    st.builds(OrderKept, TEXTS, TEXTS, TEXTS),
    st.builds(OrderClosed, TEXTS, st.none() | COUNTS, TEXTS),
)
INTENTS = st.builds(
    OrderIntent,
    TEXTS,
    TEXTS,
    st.sampled_from(Purpose),
    st.sampled_from(Side),
    PRICES,
    COUNTS,
    st.sampled_from(Liquidity),
    st.sampled_from(TimeInForce),
    st.booleans(),
    WHOLE,
    st.floats(0, 1),
    st.none() | WHOLE,
)
AMENDMENTS = st.builds(Amendment, TEXTS, TEXTS, TEXTS, st.sampled_from(Side), PRICES, COUNTS, WHOLE)
FILLS = st.builds(
    Fill,
    TEXTS,
    TEXTS,
    st.none() | TEXTS,
    TEXTS,
    st.sampled_from(Side),
    PRICES,
    COUNTS,
    WHOLE.map(MoneyE6),
    st.sampled_from(Liquidity),
    WHOLE,
)


def through_the_file(data: dict[str, Any]) -> dict[str, Any]:
    """Write content into a payload and read it back."""
    return decode(encode(Record(1, RecordKind.REPORT, 2, data))).data


@given(st.sampled_from(RecordKind), WHOLE, WHOLE)
def test_a_record_comes_back(kind: RecordKind, number: int, at_ms: int) -> None:
    """Number, kind, time and content are read as they were written."""
    record = Record(number, kind, at_ms, {"reason": "é", "more": [1, None]})

    assert decode(encode(record)) == record


def test_a_payload_is_json_that_begins_with_its_number() -> None:
    """A person can read the file, and a search for damage knows a record by its beginning."""
    payload = encode(Record(7, RecordKind.HALT, 5, {"reason": "r"}))

    assert payload == b'{"n":7,"p":"' + b"0" * 32 + b'","k":"halt","t":5,"d":{"reason":"r"}}'


def test_a_record_of_the_first_format_carries_no_hash() -> None:
    """It is read, and written again as it stood."""
    payload = b'{"n":7,"k":"halt","t":5,"d":{"reason":"r"}}'

    assert decode(payload).prior is None
    assert encode(decode(payload)) == payload


@given(TEXTS, INTENTS)
def test_an_intent_comes_back(name: str, wish: OrderIntent) -> None:
    """Every order that is about to be sent is read as it was meant, its id included."""
    assert read_intent(through_the_file(intent_data(name, wish))) == (name, wish)


@given(AMENDMENTS)
def test_an_amendment_comes_back(amendment: Amendment) -> None:
    """Every move that is about to be sent is read as it was meant."""
    assert read_amend(through_the_file(amend_data(amendment))) == amendment


@given(EVENTS)
def test_a_report_comes_back(event: OrderEvent) -> None:
    """Whatever the exchange can say of an order is read as it was said."""
    read = read_report(through_the_file(report_data(event)))

    assert read == event
    assert type(read) is type(event)


def test_every_kind_of_report_can_be_read() -> None:
    """The names of reports are those of all their kinds."""
    assert set(REPORTS.values()) == set(OrderEvent.__args__)


@given(FILLS)
def test_a_fill_comes_back(done: Fill) -> None:
    """Every fill is read as it was booked, to the last unit."""
    assert read_fill(through_the_file(fill_data(done))) == done


def test_an_account_comes_back() -> None:
    """Cash, positions, orders, and who accepted what, are read as they were adopted."""
    account = AdoptedAccount(
        MoneyE6(-5),
        (AdoptedPosition(NYY, CountE2(-200), MoneyE6(1_000_000), MoneyE6(300)),),
        ("t1", "t2"),
        (AdoptedOrder("o1", CountE2(300)), AdoptedOrder("o2", CountE2(0), CountE2(7))),
        "a person",
        "cash differed",
    )

    assert read_account(through_the_file(account_data(account))) == account


def test_the_end_of_a_market_and_a_deposit_come_back() -> None:
    """Both are read as they were booked."""
    end = settlement(-200, 5_000)
    move = CashMove("deposit d1", "deposit", MoneyE6(5), 7, MoneyE6(1))

    assert read_settlement(through_the_file(settlement_data(end))) == end
    assert read_cash(through_the_file(cash_data(move))) == move


def test_an_account_of_an_older_journal_comes_back() -> None:
    """Fees, orders and who accepted were not written once: they are not known."""
    held = {"ticker": NYY, "count_e2": -200, "cost_e6": 1_000_000}
    data = {"cash_e6": -5, "positions": [held], "trade_ids": ["t1", "t2"]}

    assert read_account(through_the_file(data)) == AdoptedAccount(
        cash_e6=MoneyE6(-5),
        positions=(AdoptedPosition(NYY, CountE2(-200), MoneyE6(1_000_000)),),
        trade_ids=("t1", "t2"),
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"7",
        b'{"n":1}',
        b'{"n":1,"k":"halt","t":5}',
        b'{"n":1,"k":"unheard of","t":5,"d":{}}',
        b'{"n":1,"k":["halt"],"t":5,"d":{}}',
        b'{"n":"1","k":"halt","t":5,"d":{}}',
        b'{"n":true,"k":"halt","t":5,"d":{}}',
        b'{"n":1,"k":"halt","t":5.0,"d":{}}',
        b'{"n":1,"k":"halt","t":null,"d":{}}',
        b'{"n":1,"k":"halt","t":5,"d":[]}',
        b'{"n":1,"p":7,"k":"halt","t":5,"d":{}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_record_is_refused(payload: bytes) -> None:
    """JSON that is broken or says something else is told in one line."""
    with pytest.raises(NotARecord, match=r"^not a journal record: [^\n]+$"):
        decode(payload)


FILL = fill_data(fill())


@pytest.mark.parametrize(
    "data",
    [
        {},
        {name: value for name, value in FILL.items() if name != "fee_e6"},
        {**FILL, "unheard of": 1},
        {**FILL, "side": "sideways"},
        {**FILL, "count_e2": "many"},
        {**FILL, "price_e4": None},
    ],
)
def test_a_fill_that_lacks_something_is_refused(data: dict[str, Any]) -> None:
    """A field that is missing, unknown or of the wrong kind is no fill."""
    with pytest.raises(NotARecord, match=r"^not a Fill: "):
        read_fill(data)


def test_other_contents_are_refused_likewise() -> None:
    """Each kind of content is checked, and the refusal says which it was meant to be."""
    wrong = {"id": "o1", "intent": {}}
    for read, data, told in (
        (read_intent, wrong, "not a OrderIntent"),
        (read_amend, {}, "not a Amendment"),
        (read_account, {"cash_e6": "much"}, "not a AdoptedAccount"),
        (read_report, {"type": "OrderClosed", "event": {}}, "not a OrderClosed"),
        (read_report, {"type": "OrderEaten", "event": {}}, "unknown report 'OrderEaten'"),
    ):
        with pytest.raises(NotARecord, match=told):
            read(data)


def test_values_are_described_field_by_field() -> None:
    """What is written is the value's own fields, enums as their words."""
    written = orjson.loads(orjson.dumps(intent_data("o1", ENTRY)["intent"]))

    assert list(written) == [field.name for field in attrs.fields(OrderIntent)]
    assert (written["side"], written["purpose"]) == ("bid", "entry")
    assert report_data(accepted())["type"] == "OrderAccepted"
