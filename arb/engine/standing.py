"""What rests at the exchange, held against what the ledger says should rest there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from arb.core.commands import CancelOrder
from arb.core.ledger import Ledger
from arb.core.money import CountE2, cents, contracts
from arb.core.orders import Order, OrderState
from arb.core.reconcile import Difference
from arb.engine.account_reading import RestingOrder

# The order list lags what happened by up to 0.4 s: a younger order may not be in it yet.
LISTED_AFTER_MS = 2_000

ORPHAN = "rests at the exchange and is nobody's here: canceled"


@attrs.frozen
class Found:
    """Where list and ledger differ, what is done about it, and whether anything is nobody's.

    ``lost`` names orders that the ledger has never had, not even as ended ones.
    """

    missing: tuple[Order, ...]
    moved: tuple[Order, ...]
    orphans: tuple[CancelOrder, ...]
    differences: tuple[Difference, ...]
    strangers: bool
    lost: tuple[str, ...] = ()


@attrs.define
class Standing:
    """Compares list and ledger.

    An order that has ended is an orphan, or one that stands at another price looked up, once two
    readings in a row say so: a list that is older than a move would have the ledger take back a
    price that is right. What the ledger has never had is an orphan at once: it knows each order
    before it is sent.
    """

    _suspects: frozenset[str] = frozenset()
    _elsewhere: frozenset[tuple[str, int, int]] = frozenset()

    def compare(self, ledger: Ledger, resting: Sequence[RestingOrder], now_ms: int) -> Found:
        """Return what should rest and does not, what rests and should not, and what is unlike."""
        listed = {order.client_order_id: order for order in resting}
        ours = [order for order in ledger.all_at_stake() if _must_be_listed(order, now_ms)]
        missing = tuple(order for order in ours if order.client_order_id not in listed)
        unowned = [order for order in resting if not _is_owned(ledger, order.client_order_id)]
        orphans = tuple(
            _cancel(order)
            for order in unowned
            if order.client_order_id in self._suspects or order.client_order_id not in ledger.orders
        )
        self._suspects = frozenset(order.client_order_id for order in unowned)
        unlike = (
            _unlike(order, listed[order.client_order_id])
            for order in ours
            if order.client_order_id in listed
        )
        found = [_alone(order.client_order_id, "here", "at Kalshi") for order in missing]
        found += [_alone(order.client_order_id, "at Kalshi", "here") for order in unowned]
        found += [difference for difference in unlike if difference is not None]
        names = (order.client_order_id for order in unowned)
        lost = tuple(name for name in names if name not in ledger.orders)
        moved = self._moved(ours, listed)
        return Found(missing, moved, orphans, tuple(found), bool(unowned), lost)

    def _moved(
        self, ours: Sequence[Order], listed: Mapping[str, RestingOrder]
    ) -> tuple[Order, ...]:
        # Of another count nothing is to be learnt: what filled is in the fills, and what a person
        # took off a person accepts.
        elsewhere = {
            (order.client_order_id, there.price_e4, order.price_e4): order
            for order in ours
            if (there := listed.get(order.client_order_id)) and _stands_elsewhere(order, there)
        }
        again = tuple(order for what, order in elsewhere.items() if what in self._elsewhere)
        self._elsewhere = frozenset(elsewhere)
        return again


def _must_be_listed(order: Order, now_ms: int) -> bool:
    return order.state is OrderState.RESTING and now_ms - order.created_ms >= LISTED_AFTER_MS


def _is_owned(ledger: Ledger, client_order_id: str) -> bool:
    order = ledger.orders.get(client_order_id)
    return order is not None and order.is_open


def _cancel(orphan: RestingOrder) -> CancelOrder:
    filled_e2, remaining_e2 = orphan.filled_e2, orphan.remaining_e2
    count_e2 = CountE2(0 if filled_e2 is None else filled_e2 + remaining_e2)
    name, order_id = orphan.client_order_id, orphan.order_id
    return CancelOrder(name, order_id, orphan.ticker, count_e2, ORPHAN)


def _alone(name: str, where: str, missing: str) -> Difference:
    return Difference(name, f"order {name} rests {where} and not {missing}")


def _stands_elsewhere(order: Order, there: RestingOrder) -> bool:
    return there.price_e4 != order.price_e4 and not order.amending


def _unlike(order: Order, there: RestingOrder) -> Difference | None:
    name = order.client_order_id
    if there.remaining_e2 != order.at_stake_e2:
        counts = f"{contracts(there.remaining_e2)} at Kalshi, {contracts(order.at_stake_e2)} here"
        return Difference(name, f"order {name} rests with {counts}")
    if _stands_elsewhere(order, there):
        prices = f"{cents(there.price_e4)}c at Kalshi, {cents(order.price_e4)}c here"
        return Difference(name, f"order {name} rests at {prices}")
    return None
