"""The gateway to the paper exchange: the same checks and journal, and nothing leaves here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors import Context
from arb.core.commands import Amendment, CancelOrder, OrderIntent
from arb.core.events import Fill, OrderRefused, Top
from arb.engine.gateway import Gateway
from arb.engine.messages import (
    Account,
    Filled,
    GatewayReady,
    HeldPosition,
    LookUp,
    ReadAccount,
    ResetGroups,
    TriggerGroups,
)
from arb.engine.paper_exchange import Outcome, PaperExchange
from arb.engine.parts import Parts


class PaperGateway(Gateway):
    """Hands orders to the paper exchange and reports what came of them."""

    def __init__(self, ctx: Context, parts: Parts, exchange: PaperExchange) -> None:
        super().__init__(ctx, parts)
        self._exchange = exchange
        more: dict[type, Callable[[Any], None]] = {
            Top: self._on_top,
            ReadAccount: self._on_read_account,
            LookUp: self._on_look_up,
            # The paper exchange has no order groups.
            ResetGroups: lambda _wish: None,
            TriggerGroups: lambda _wish: None,
        }
        self._handlers.update(more)

    async def start(self) -> None:
        """Open the session and state the account."""
        self._risk.tell(GatewayReady())
        self._on_read_account(ReadAccount())

    def place(self, client_order_id: str, intent: OrderIntent) -> None:
        """Place an order, in this turn."""
        listing = self._parts.listing(intent.ticker)
        if listing is None:
            self.report(OrderRefused(client_order_id, "market_not_found", intent.ticker))
            return
        self._tell(self._exchange.place(client_order_id, intent, listing.fees))

    def amend(self, amendment: Amendment) -> None:
        """Move an order, in this turn."""
        self._tell(self._exchange.amend(amendment))

    def _on_cancel(self, cancel: CancelOrder) -> None:
        self._tell(self._exchange.cancel(cancel.client_order_id, cancel.why))

    def _on_top(self, top: Top) -> None:
        self._tell(self._exchange.see(top))

    def _on_read_account(self, _wish: ReadAccount) -> None:
        account = self._exchange.account
        positions = tuple(
            HeldPosition(held.ticker, held.count_e2, held.cost_e6)
            for held in account.positions.values()
        )
        self._risk.tell(Account(account.cash_e6, positions))

    def _on_look_up(self, wish: LookUp) -> None:
        self._tell(self._exchange.find(wish.client_order_id))

    def _tell(self, outcome: Outcome) -> None:
        for each in outcome:
            if isinstance(each, Fill):
                self._risk.tell(Filled(each))
            else:
                self.report(each)

    def __repr__(self) -> str:
        return f"<PaperGateway to {self._exchange!r}>"
