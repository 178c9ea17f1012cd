"""What a record says: numbered, timed, of one kind, and turned back into values."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

import attrs
import cattrs
import orjson

from arb.core.adoption import AdoptedAccount
from arb.core.commands import Amendment, OrderIntent
from arb.core.events import (
    CashMove,
    Fill,
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderEvent,
    OrderKept,
    OrderRefused,
    OrderUnknown,
    Settlement,
)


class RecordKind(StrEnum):
    """The kinds of records."""

    START = "start"
    ACCOUNT = "account"
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

_converter = cattrs.Converter(forbid_extra_keys=True)


@attrs.frozen
class Record:
    """One record: its number in the journal, the wall clock, its kind, and its content."""

    number: int
    kind: RecordKind
    at_ms: int
    data: dict[str, Any]


class NotARecord(ValueError):
    """A payload that passes its checksum and is no record of this journal."""


def encode(record: Record) -> bytes:
    """Return a record's payload."""
    return orjson.dumps({"n": record.number, "k": record.kind, "t": record.at_ms, "d": record.data})


def decode(payload: bytes) -> Record:
    """Return the record of a payload; raises `NotARecord`."""
    try:
        raw = orjson.loads(payload)
        record = Record(raw["n"], RecordKind(raw["k"]), raw["t"], raw["d"])
        _check_kinds(record)
        return record
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise NotARecord(f"not a journal record: {error}") from None
    except RecursionError:
        # JSON of a thousand brackets can be parsed, and Python cannot write it down again.
        raise NotARecord("not a journal record: nested too deeply") from None


def _check_kinds(record: Record) -> None:
    numbered = type(record.number) is int and type(record.at_ms) is int
    if not numbered or not isinstance(record.data, dict):
        raise TypeError("number, time and content are not a whole number, one more and an object")


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


def read_settlement(data: dict[str, Any]) -> Settlement:
    """Return the settlement of a ``SETTLEMENT`` record."""
    return _structure(data, Settlement)


def read_cash(data: dict[str, Any]) -> CashMove:
    """Return the move of money of a ``CASH`` record."""
    return _structure(data, CashMove)


def read_account(data: dict[str, Any]) -> AdoptedAccount:
    """Return the content of an ``ACCOUNT`` record."""
    return _structure(data, AdoptedAccount)


def _structure(data: dict[str, Any], kind: type[T]) -> T:
    try:
        return _converter.structure(data, kind)
    except (cattrs.BaseValidationError, KeyError, TypeError, ValueError) as error:
        raise NotARecord(f"not a {kind.__name__}: {error!r}") from None


# attrs.asdict walks types at every call, ten times the cost of reading the names once.
def _fields(value: attrs.AttrsInstance) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _names(type(value))}


@cache
def _names(kind: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind))
