"""Taking the exchange's word: cash, positions and what rests, in place of what we had counted."""

from __future__ import annotations

import attrs

from arb.core.events import Side
from arb.core.ledger import Ledger, Position
from arb.core.money import CountE2, MoneyE6
from arb.core.orders import Order


@attrs.frozen
class AdoptedPosition:
    """One position as the exchange has it; ``fees_e6`` is all that was ever paid in its market."""

    ticker: str
    count_e2: CountE2
    cost_e6: MoneyE6
    fees_e6: MoneyE6 | None = None


@attrs.frozen
class AdoptedOrder:
    """One order of ours: how much of it may still fill, and how much has, None where not said."""

    client_order_id: str
    remaining_e2: CountE2
    filled_e2: CountE2 | None = None


@attrs.frozen
class AdoptedAccount:
    """What is taken on the exchange's word, and the trades that are within it.

    ``by`` is who said so and ``differed`` what was given up; both are empty where there was
    nothing to give up, which is at the very first reading.
    """

    cash_e6: MoneyE6
    positions: tuple[AdoptedPosition, ...]
    trade_ids: tuple[str, ...]
    orders: tuple[AdoptedOrder, ...] = ()
    by: str = ""
    differed: str = ""


def adopt(ledger: Ledger, account: AdoptedAccount, at_ms: int) -> None:
    """Make a ledger say what the exchange says; a market that it does not name is flat."""
    ledger.adopted_ms = at_ms
    ledger.cash_e6 = account.cash_e6
    ledger.trade_ids.update(account.trade_ids)
    for position in ledger.positions.values():
        position.count_e2, position.cost_e6 = CountE2(0), MoneyE6(0)
    for held in account.positions:
        position = ledger.positions.setdefault(held.ticker, Position(held.ticker))
        position.count_e2, position.cost_e6 = held.count_e2, held.cost_e6
        position.opened_ms = position.opened_ms or at_ms
        if held.fees_e6 is not None:
            position.fees_before_e6 = MoneyE6(held.fees_e6 - position.fees_e6)
    ledger.touched.update(ledger.positions)
    for adopted in account.orders:
        _adopt_order(ledger, ledger.orders[adopted.client_order_id], adopted)
    for position in ledger.positions.values():
        position.end_round()
        ledger.recount(position)


def _adopt_order(ledger: Ledger, order: Order, adopted: AdoptedOrder) -> None:
    # What filled unseen is in the positions now: all that is left of an order is what rests.
    unseen_e2 = _unseen_e2(order, adopted)
    position = ledger.positions.setdefault(order.intent.ticker, Position(order.intent.ticker))
    sign = 1 if order.side is Side.BID else -1
    position.own_e2 = CountE2(position.own_e2 + sign * unseen_e2)
    if adopted.filled_e2 is not None:
        order.filled_e2 = CountE2(order.filled_e2 + unseen_e2)
    if order.is_open:
        order.count_e2 = CountE2(order.filled_e2 + adopted.remaining_e2)
    else:
        order.reported_filled_e2 = order.filled_e2
    ledger.reindex(order)


def _unseen_e2(order: Order, adopted: AdoptedOrder) -> int:
    """Return what of an order has filled without a fill that was booked.

    What rests no more need not have filled: a person may have made the order smaller.
    """
    if not order.is_open:
        return order.at_stake_e2
    if adopted.filled_e2 is not None:
        return max(0, adopted.filled_e2 - order.filled_e2)
    return max(0, order.at_stake_e2 - adopted.remaining_e2)
