"""What a record says: numbered, timed, of one kind, and turned back into values.

Each record carries the hash of the one before, so that a record that was changed, taken out or
put in shows even where somebody made its checksum right again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum, StrEnum
from functools import cache
from hashlib import blake2b
from typing import Any, TypeVar

import attrs
import cattrs
import orjson

from arb.core.adoption import AdoptedAccount
from arb.core.commands import Amendment, OrderIntent, Purpose, TimeInForce
from arb.core.day import Day
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
    Settlement,
    Side,
)
from arb.core.money import CountE2, MoneyE6, PriceE4


class RecordKind(StrEnum):
    """The kinds of records."""

    START = "start"
    ACCOUNT = "account"
    TRADES = "trades"
    INTENT = "intent"
    AMEND = "amend"
    REPORT = "report"
    FILL = "fill"
    SETTLEMENT = "settlement"
    CASH = "cash"
    HALT = "halt"
    CLEAR = "clear"
    STOP = "stop"
    GROUP = "group"
    DAY = "day"
    SETTING = "setting"


REPORTS: dict[str, type[OrderEvent]] = {
    kind.__name__: kind
    for kind in (
        OrderAccepted,
        OrderRefused,
        OrderUnknown,
        OrderAmended,
        OrderKept,
        OrderClosed,
    )
}

T = TypeVar("T")

# The exchange's ids are UUIDs: 400 kB, where a record may have a megabyte.
TRADE_IDS_MAX = 10_000

# What a start says of its journal: 1 had no hashes and is read all the same.
FORMAT = 2

# Two different records with one hash of this length will not be found by chance or by search.
LINK_BYTES = 16
NO_RECORD_BEFORE = "0" * (2 * LINK_BYTES)

_KINDS = {kind.value: kind for kind in RecordKind}


def _enum_by_word(kind: type[Enum]) -> Callable[[Any, type], Enum]:
    # An enum's own call takes three times as long, and a start makes some hundred thousand.
    words = {each.value: each for each in kind}

    def read(word: Any, _kind: type) -> Enum:
        return words[word]

    return read


def _whole(number: Any, kind: Any) -> int:
    if type(number) is not int:
        raise TypeError(f"{kind.__name__} is no whole number: {number!r}")
    return number


# One error is enough to refuse a record: to collect all of them takes a seventh of a start.
_converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
for _unit in (CountE2, MoneyE6, PriceE4):
    _converter.register_structure_hook(_unit, _whole)
# By name: a rule for all enums would come after the library's own for texts, which these are too.
for _words in (Liquidity, Purpose, Side, TimeInForce):
    _converter.register_structure_hook(_words, _enum_by_word(_words))


@attrs.frozen
class Record:
    """One record: its number in the journal, the wall clock, its kind, and its content.

    ``prior`` is the hash of the record before, None in a journal of format 1.
    """

    number: int
    kind: RecordKind
    at_ms: int
    data: dict[str, Any]
    prior: str | None = NO_RECORD_BEFORE


class NotARecord(ValueError):
    """A payload that passes its checksum and is no record of this journal."""


def encode(record: Record) -> bytes:
    """Return a record's payload."""
    fields: dict[str, Any] = {"n": record.number}
    if record.prior is not None:
        fields["p"] = record.prior
    fields |= {"k": record.kind, "t": record.at_ms, "d": record.data}
    return orjson.dumps(fields)


def link_of(payload: bytes) -> str:
    """Return the hash of a record, which the next one carries."""
    return blake2b(payload, digest_size=LINK_BYTES).hexdigest()


def decode(payload: bytes) -> Record:
    """Return the record of a payload; raises `NotARecord`."""
    try:
        raw = orjson.loads(payload)
        record = Record(raw["n"], _KINDS[raw["k"]], raw["t"], raw["d"], raw.get("p"))
        _check_kinds(record)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise NotARecord(f"not a journal record: {error}") from None
    except RecursionError:
        # JSON of a thousand brackets can be parsed, and Python cannot write it down again.
        raise NotARecord("not a journal record: nested too deeply") from None
    return record


def _check_kinds(record: Record) -> None:
    numbered = type(record.number) is int and type(record.at_ms) is int
    if not numbered or not isinstance(record.data, dict):
        raise TypeError("number, time and content are not a whole number, one more and an object")
    if record.prior is not None and type(record.prior) is not str:
        raise TypeError("the hash of the record before is not a text")


def intent_data(client_order_id: str, intent: OrderIntent) -> dict[str, Any]:
    """Describe a new order as it is about to be sent."""
    return {"id": client_order_id, "intent": _fields(intent)}


def amend_data(intent: Amendment) -> dict[str, Any]:
    """Describe an amendment as it is about to be sent."""
    return _fields(intent)


def report_data(event: OrderEvent) -> dict[str, Any]:
    """Describe what the exchange said of an order."""
    return {"type": type(event).__name__, "event": _fields(event)}


def fill_data(fill: Fill) -> dict[str, Any]:
    """Describe a fill."""
    return _fields(fill)


def read_intent(data: dict[str, Any]) -> tuple[str, OrderIntent]:
    """Return the id and the intent of an ``INTENT`` record."""
    return data["id"], _structure(data["intent"], OrderIntent)


def read_amend(data: dict[str, Any]) -> Amendment:
    """Return the intent of an ``AMEND`` record."""
    return _structure(data, Amendment)


def read_report(data: dict[str, Any]) -> OrderEvent:
    """Return the event of a ``REPORT`` record."""
    kind = REPORTS.get(data["type"])
    if kind is None:
        raise NotARecord(f"unknown report {data['type']!r}")
    return _structure(data["event"], kind)


def read_fill(data: dict[str, Any]) -> Fill:
    """Return the fill of a ``FILL`` record."""
    return _structure(data, Fill)


def settlement_data(settlement: Settlement) -> dict[str, Any]:
    """Describe the end of a market that was held."""
    return _fields(settlement)


def cash_data(move: CashMove) -> dict[str, Any]:
    """Describe money that came or went without a trade."""
    return _fields(move)


def account_data(account: AdoptedAccount) -> dict[str, Any]:
    """Describe what was taken on the exchange's word."""
    return {
        **_fields(account),
        "positions": [_fields(held) for held in account.positions],
        "orders": [_fields(order) for order in account.orders],
    }


def account_records(account: AdoptedAccount) -> Iterator[tuple[RecordKind, dict[str, Any]]]:
    """Yield the records that describe what was taken on the exchange's word, which counts last.

    Trades that have no room in it come before: whatever ends between them, none is counted twice.
    """
    ids = account.trade_ids
    while len(ids) > TRADE_IDS_MAX:
        yield RecordKind.TRADES, {"trade_ids": ids[:TRADE_IDS_MAX]}
        ids = ids[TRADE_IDS_MAX:]
    yield RecordKind.ACCOUNT, account_data(attrs.evolve(account, trade_ids=ids))


def read_settlement(data: dict[str, Any]) -> Settlement:
    """Return the settlement of a ``SETTLEMENT`` record."""
    return _structure(data, Settlement)


def read_cash(data: dict[str, Any]) -> CashMove:
    """Return the move of money of a ``CASH`` record."""
    return _structure(data, CashMove)


def read_trades(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the ids of a ``TRADES`` record."""
    ids = data["trade_ids"]
    if not isinstance(ids, list) or not all(type(each) is str for each in ids):
        raise NotARecord(f"not the ids of trades: {ids!r}")
    return tuple(ids)


def group_data(exchange_index: int, group_id: str) -> dict[str, Any]:
    """Describe an order group that was made on a shard."""
    return {"exchange_index": exchange_index, "group_id": group_id}


def read_group(data: dict[str, Any]) -> tuple[int, str]:
    """Return the shard and the id of a ``GROUP`` record."""
    exchange_index, group_id = data["exchange_index"], data["group_id"]
    if type(exchange_index) is not int or type(group_id) is not str:
        raise NotARecord(f"not an order group: {data!r}")
    return exchange_index, group_id


def day_data(day: Day) -> dict[str, Any]:
    """Describe a day: what had been gained when it began, and its marks."""
    marks = {each: _fields(mark) for each, mark in day.marks.items()}
    data = {**_fields(day), "marks": marks}
    # Only where there is one: as rare as that is, all other days can be read by what wrote none.
    del data["earlier"]
    return data if day.earlier is None else {**data, "earlier": _fields(day.earlier)}


def read_day(data: dict[str, Any]) -> Day:
    """Return the day of a ``DAY`` record."""
    return _structure(data, Day)


def read_account(data: dict[str, Any]) -> AdoptedAccount:
    """Return the content of an ``ACCOUNT`` record."""
    return _structure(data, AdoptedAccount)


def _structure(data: dict[str, Any], kind: type[T]) -> T:
    try:
        structured: T = _structuring(kind)(data, kind)
    except (cattrs.ForbiddenExtraKeysError, KeyError, TypeError, ValueError) as error:
        raise NotARecord(f"not a {kind.__name__}: {error!r}") from None
    return structured


# The converter would look for the way at every call.
_hooks: dict[type, Callable[[Any, type], Any]] = {}


def _structuring(kind: type) -> Callable[[Any, type], Any]:
    hook = _hooks.get(kind)
    if hook is None:
        hook = _hooks[kind] = _converter.get_structure_hook(kind)
    return hook


# attrs.asdict walks types at every call, ten times the cost of reading the names once.
def _fields(value: attrs.AttrsInstance) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _names(type(value))}


@cache
def _names(kind: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind))
