"""What rests at the exchange, held against what the ledger says should rest there."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from arb.core.commands import CancelOrder
from arb.core.ledger import Ledger
from arb.core.orders import Order, OrderState
from arb.engine.messages import RestingOrder

# The order list lags what happened by up to 0.4 s: a younger order may not be in it yet.
LISTED_AFTER_MS = 2_000

ORPHAN = "rests at the exchange and is nobody's here: canceled"


@attrs.frozen
class Found:
    """Where list and ledger differ; ``suspects`` differed for the first time."""

    missing: tuple[Order, ...]
    orphans: tuple[CancelOrder, ...]
    suspects: frozenset[str]


@attrs.define
class Standing:
    """Compares list and ledger; an order is an orphan once two readings in a row say so."""

    _suspects: frozenset[str] = frozenset()

    def compare(self, ledger: Ledger, resting: Sequence[RestingOrder], now_ms: int) -> Found:
        """Return what should rest and does not, and what rests and should not."""
        listed = {order.client_order_id for order in resting}
        missing = tuple(
            order
            for order in ledger.all_at_stake()
            if order.state is OrderState.RESTING
            and order.client_order_id not in listed
            and now_ms - order.created_ms >= LISTED_AFTER_MS
        )
        unowned = [order for order in resting if not _is_owned(ledger, order.client_order_id)]
        orphans = tuple(
            CancelOrder(order.client_order_id, order.order_id, order.ticker, ORPHAN)
            for order in unowned
            if order.client_order_id in self._suspects
        )
        before = self._suspects
        self._suspects = frozenset(order.client_order_id for order in unowned)
        return Found(missing, orphans, self._suspects - before)


def _is_owned(ledger: Ledger, client_order_id: str) -> bool:
    order = ledger.orders.get(client_order_id)
    return order is not None and order.is_open
