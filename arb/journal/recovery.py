"""From records back to the state they led to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from arb.core.adoption import adopt
from arb.core.day import Day
from arb.core.ledger import Ledger
from arb.core.money import MoneyE6
from arb.core.orders import Order
from arb.core.permission import Halt
from arb.journal.records import (
    NotARecord,
    Record,
    RecordKind,
    read_account,
    read_amend,
    read_cash,
    read_day,
    read_fill,
    read_group,
    read_intent,
    read_report,
    read_settlement,
    read_trades,
)

# A loss of power can take the last second of records, and with them numbers that the exchange has
# seen; an id is refused for ever once it was used. This is more than a second of orders.
ORDER_NUMBERS_SKIPPED = 1_000


@attrs.define
class Recovered:
    """What a journal says: the ledger, the next free numbers, and a halt that still stands.

    ``groups`` has the id of the order group that was made last on each shard.
    """

    ledger: Ledger
    next_record: int = 1
    next_order: int = 1
    halt: Halt | None = None
    halt_withdrew_exits: bool = False
    has_account: bool = False
    day: Day | None = None
    groups: dict[int, str] = attrs.field(factory=dict)


def recover(records: Iterable[Record]) -> Recovered:
    """Rebuild the state from all records of a journal; replaying them twice gives the same.

    Raises `NotARecord` for a record that does not say what its kind should, or that does not
    follow from those before it.
    """
    state = Recovered(Ledger(cash_e6=MoneyE6(0)))
    for _ in replay(records, state):
        pass
    return state


def replay(records: Iterable[Record], state: Recovered) -> Iterator[Record]:
    """Yield each record once ``state`` has taken it; raises `NotARecord` as `recover` does."""
    for record in records:
        try:
            _apply(state, record)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            where = f"record {record.number} ({record.kind})"
            raise NotARecord(f"{where} cannot be read: {error!r}") from error
        except RecursionError:
            where = f"record {record.number} ({record.kind})"
            raise NotARecord(f"{where} cannot be read: nested too deeply") from None
        state.next_record = record.number + 1
        yield record


def _apply(state: Recovered, record: Record) -> None:
    if record.kind is RecordKind.INTENT:
        _open(state, record)
    elif record.kind is RecordKind.AMEND:
        amend = read_amend(record.data)
        order = state.ledger.orders[amend.client_order_id]
        order.amend_sent(amend.price_e4)
    elif record.kind is RecordKind.REPORT:
        state.ledger.report(read_report(record.data))
    elif record.kind is RecordKind.FILL:
        state.ledger.book(read_fill(record.data))
    elif record.kind is RecordKind.SETTLEMENT:
        state.ledger.settle(read_settlement(record.data))
    elif record.kind is RecordKind.CASH:
        state.ledger.move_cash(read_cash(record.data))
    elif record.kind is RecordKind.ACCOUNT:
        adopt(state.ledger, read_account(record.data), record.at_ms)
        state.has_account = True
    elif record.kind is RecordKind.TRADES:
        state.ledger.trade_ids.update(read_trades(record.data))
    elif record.kind is RecordKind.DAY:
        state.day = read_day(record.data)
    elif record.kind is RecordKind.GROUP:
        exchange_index, group_id = read_group(record.data)
        state.groups[exchange_index] = group_id
    elif record.kind is RecordKind.START:
        state.next_order += ORDER_NUMBERS_SKIPPED
    elif record.kind is RecordKind.HALT:
        state.halt = Halt(record.data["reason"], record.data["by"], record.at_ms)
        # What one halt has withdrawn, a later one without that wish does not give back.
        state.halt_withdrew_exits |= record.data.get("cancel_exits") is True
    elif record.kind is RecordKind.CLEAR:
        state.halt, state.halt_withdrew_exits = None, False


def _open(state: Recovered, record: Record) -> None:
    client_order_id, intent = read_intent(record.data)
    order = Order(client_order_id, intent, intent.price_e4, intent.count_e2, record.at_ms)
    state.ledger.open_order(order)
    number = int(client_order_id.rpartition("-")[2], 16)
    state.next_order = max(state.next_order, number + 1)
