"""What must not rest any more: cancelled, and cancelled again until it is gone."""

from __future__ import annotations

from collections.abc import Callable

from arb.core.commands import CancelOrder
from arb.core.ledger import Ledger
from arb.core.orders import Order
from arb.core.permission import Permission, TradingState
from arb.engine.messages import CancelAgain
from arb.engine.switches import Switches

# A cancel can be lost on a lane that is dead, or be refused by an exchange that pauses: until what
# must not rest is gone it is wished again, well after the answer of the one before.
CANCEL_AGAIN_S = 1.0


class Withdrawals:
    """Cancels orders for the risk manager; ``after`` has `CancelAgain` brought back to `again`."""

    def __init__(
        self,
        ledger: Ledger,
        permission: Permission,
        switches: Switches,
        tell_gateway: Callable[[object], object],
        after: Callable[[float, object], object],
    ) -> None:
        self._ledger = ledger
        self._permission = permission
        self._switches = switches
        self._tell_gateway = tell_gateway
        self._after = after
        self._looks_again = False

    def cancel_entries(self, why: str, ticker: str | None = None) -> None:
        """Cancel the entries of a market, or of all."""
        for order in self._ledger.all_at_stake():
            if order.is_entry and order.is_open and ticker in (None, order.intent.ticker):
                self._cancel(order, why)

    def cancel_exits(self, why: str) -> None:
        """Cancel every sale."""
        for order in self._ledger.all_at_stake():
            if not order.is_entry and order.is_open:
                self._cancel(order, why)

    def look_again(self) -> None:
        """See to it in a moment that what must not rest is gone."""
        if not self._looks_again:
            self._looks_again = True
            self._after(CANCEL_AGAIN_S, CancelAgain())

    def again(self, _again: CancelAgain) -> None:
        """Cancel what still rests although it must not."""
        self._looks_again = False
        for order in self._ledger.all_at_stake():
            if order.is_open and self._is_unwanted(order):
                self._cancel(order, "it must not rest any more")

    def _is_unwanted(self, order: Order) -> bool:
        if order.is_entry:
            return self._permission.state is not TradingState.RUNNING
        return self._switches.is_withdrawn(order.intent.ticker)

    def _cancel(self, order: Order, why: str) -> None:
        self.look_again()
        name, ticker = order.client_order_id, order.intent.ticker
        self._tell_gateway(CancelOrder(name, order.order_id, ticker, order.count_e2, why))

    def __repr__(self) -> str:
        return f"<Withdrawals {'looking again' if self._looks_again else 'idle'}>"
