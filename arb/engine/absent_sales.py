"""The sales of markets whose actors are away: what is held is covered, what rests is renewed."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from arb.core.commands import AmendIntent, OrderIntent, Purpose
from arb.core.events import OrderRefused
from arb.core.exits import Holding
from arb.core.money import PriceE4
from arb.core.orders import Order
from arb.core.risk import Refusal
from arb.engine.exit_keeper import moves_without_market
from arb.engine.parts import Parts
from arb.engine.sale_tries import NEVER_LEFT, SalesTried

# What the exchange says of a post-only order whose price somebody pays already (recorded).
POST_ONLY_CROSS = "post only cross"


@attrs.define
class AbsentSales:
    """Wishes for a market that is away what its actor would, as far as that is known without it."""

    _parts: Parts
    _sell: Callable[[OrderIntent], None]
    _move: Callable[[AmendIntent], None]
    _tried: SalesTried = attrs.field(factory=SalesTried, init=False)
    _met_e4: dict[str, PriceE4] = attrs.field(factory=dict, init=False)

    def cover(self, holding: Holding) -> None:
        """Rest what an absent market has not covered, and renew what rests."""
        now_ns, ticker = self._parts.clock.monotonic_ns(), holding.ticker
        for move in moves_without_market(self._parts, holding, self._met_e4.get(ticker)):
            if isinstance(move, AmendIntent):
                self._move(move)
            elif self._tried.may(holding, now_ns):
                self._met_e4.pop(ticker, None)
                self._sell(move)

    def refused(self, refusal: Refusal) -> None:
        """Note that a sale was refused; one that never left may be tried again at once."""
        if refusal.purpose is Purpose.EXIT and refusal.code in NEVER_LEFT:
            self._tried.not_sent(refusal.ticker)

    def answered(self, order: Order, refused: OrderRefused) -> None:
        """Note where somebody pays the price at which a sale was to rest."""
        if not order.is_entry and POST_ONLY_CROSS in refused.text:
            self._met_e4[order.intent.ticker] = order.price_e4

    def back(self, ticker: str) -> None:
        """Leave a market to its actor."""
        self._tried.forget(ticker)

    def try_at_once(self) -> None:
        """Forget every pause: what kept sales back is over."""
        self._tried = SalesTried()

    def forget(self, ticker: str) -> None:
        """Let go of a market that is over."""
        self._met_e4.pop(ticker, None)
        self._tried.forget(ticker)
