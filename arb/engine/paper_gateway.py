"""The gateway to the paper exchange: the same checks and journal, and nothing leaves here.

All that is asked of the real exchange, beside its books, is how markets ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from actors import Context
from arb.core.commands import Amendment, CancelOrder, OrderIntent
from arb.core.events import Fill, OrderRefused, Settlement, Top
from arb.engine.account_reading import Account, HeldPosition
from arb.engine.gateway import Gateway
from arb.engine.messages import (
    Filled,
    GatewayReady,
    LookUp,
    PaperSweep,
    ReadAccount,
    ResetGroups,
    TriggerGroups,
)
from arb.engine.paper_exchange import Outcome, PaperExchange
from arb.engine.parts import Parts
from arb.kalshi.money_moves import DETERMINED, FINALIZED, MarketEnd
from arb.kalshi.rest_calls import RestError

# Expiries are in whole seconds.
SWEEP_EVERY_S = 1.0

# A real result is paid minutes after a game; until then its position counts in full.
ENDS_EVERY_S = 15.0

ReadEnds = Callable[[Sequence[str]], Awaitable[Sequence[MarketEnd]]]


class PaperGateway(Gateway):
    """Hands orders to the paper exchange and reports what came of them."""

    def __init__(
        self,
        ctx: Context,
        parts: Parts,
        exchange: PaperExchange,
        read_ends: ReadEnds | None = None,
    ) -> None:
        """Trade on ``exchange``; without ``read_ends`` no market is ever decided."""
        super().__init__(ctx, parts)
        self._exchange = exchange
        self._read_ends = read_ends
        self._decided: tuple[str, ...] = ()
        self._catalogue = parts.catalogue
        more: dict[type, Callable[[Any], None]] = {
            Top: self._on_top,
            ReadAccount: self._on_read_account,
            LookUp: self._on_look_up,
            PaperSweep: self._on_sweep,
            # The paper exchange has no order groups.
            ResetGroups: lambda _wish: None,
            TriggerGroups: lambda _wish: None,
        }
        self._handlers.update(more)

    async def start(self) -> None:
        """Open the session and state the account."""
        self._risk.tell(GatewayReady())
        self._on_read_account(ReadAccount())

    async def run(self) -> None:
        """Let orders expire, and read what the markets came to in which anything is held."""
        next_s = trio.current_time()
        while True:
            await trio.sleep(SWEEP_EVERY_S)
            ends: tuple[MarketEnd, ...] = ()
            if trio.current_time() >= next_s:
                ends = await self._ends()
                next_s = trio.current_time() + ENDS_EVERY_S
            self.ctx.address.tell(PaperSweep(ends))

    async def _ends(self) -> tuple[MarketEnd, ...]:
        tickers = self._exchange.at_work
        if self._read_ends is None or not tickers:
            return ()
        try:
            return tuple(await self._read_ends(tickers))
        except RestError as error:
            self._parts.board.say("KALSHI", f"results not read: {error}", level="warning")
            return ()

    def _on_sweep(self, sweep: PaperSweep) -> None:
        self._tell(self._exchange.sweep(self._shut))
        self._follow_catalogue()
        if not sweep.ends:
            return
        known = {end.ticker for end in sweep.ends if end.status in (DETERMINED, FINALIZED)}
        self._decided = tuple(ticker for ticker in self._exchange.at_work if ticker in known)
        settled = [self._settle(end) for end in sweep.ends if end.status == FINALIZED]
        paid = tuple(settlement for settlement in settled if settlement is not None)
        if paid:
            self._tell_account(paid)

    def _follow_catalogue(self) -> None:
        if self._catalogue is not self._parts.catalogue:
            self._catalogue = self._parts.catalogue
            self._exchange.keep_books([each.ticker for each in self._catalogue.listings])

    def _settle(self, end: MarketEnd) -> Settlement | None:
        if end.value_e4 is None:
            return None
        at_ms = self._parts.clock.wall_ms() if end.settled_ms is None else end.settled_ms
        return self._exchange.settle(end.ticker, end.value_e4, at_ms)

    def _shut(self, ticker: str) -> str | None:
        listing = self._parts.listing(ticker)
        return None if listing is None else listing.shut(self._parts.clock.wall_ms())

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
        self._tell_account()

    def _tell_account(self, settlements: tuple[Settlement, ...] = ()) -> None:
        account = self._exchange.account
        positions = tuple(
            HeldPosition(held.ticker, held.count_e2, held.cost_e6) for held in account.held()
        )
        self._risk.tell(
            Account(account.cash_e6, positions, settlements=settlements, decided=self._decided)
        )

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
