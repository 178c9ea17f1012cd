"""Orders whose records went with the power while they were on their way: they arrive unknown.

No engine can count them before they arrive, nor can one that was approved in between be refused
for them. What an engine does once they are there is judged as ever, at each order that leaves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from math import inf

import attrs
import trio

from arb.sim.exchange.account import Account, Position
from arb.sim.exchange.values import Fill, Order

# Once an engine has heard of all that became of one, its other orders there are put right: a dead
# lane is given up within 2 s and the cancel sent again a second later, which may wait for 3 s more.
PUT_RIGHT_WITHIN_S = 6.0


@attrs.define
class Adrift:
    """Which orders arrived, or may yet arrive, after a loss of power took their records."""

    account: Account
    names: set[str] = attrs.field(factory=set)
    _told_s: dict[str, float] = attrs.field(factory=dict)

    def lost(self, names: Iterable[str]) -> None:
        """Take orders whose records are gone: those that the exchange has by now are no news."""
        self.names.update(name for name in names if name not in self.account.client_order_ids)

    def told(self, name: str) -> None:
        """Note that an engine writes down something of an order."""
        if name in self.names:
            self._told_s[name] = trio.current_time()

    def others_e2(self, held: Position) -> int:
        """Return how much of a position is not theirs."""
        theirs_e2 = sum(_signed_e2(fill) for fill in self._fills() if fill.ticker == held.ticker)
        if theirs_e2 * held.count_e2 <= 0:
            # What they sold of it leaves less to lose.
            return held.count_e2
        left_e2 = abs(held.count_e2) - min(abs(theirs_e2), abs(held.count_e2))
        return left_e2 if held.count_e2 > 0 else -left_e2

    def unsettle(self, ticker: str, booked: Collection[str]) -> bool:
        """Tell whether what holds in a market may not be what an engine can know, or put right.

        ``booked`` are the trades that its journal has.
        """
        now_s = trio.current_time()
        return any(
            order.order_id in self.account.resting
            or not self._trades_of(order) <= set(booked)
            or now_s - self._told_s.get(order.client_order_id, -inf) <= PUT_RIGHT_WITHIN_S
            for order in self._arrived()
            if order.ticker == ticker
        )

    def _arrived(self) -> Iterator[Order]:
        for name in self.names:
            order = self.account.order(self.account.client_order_ids.get(name, ""))
            if order is not None:
                yield order

    def _fills(self) -> Iterator[Fill]:
        return (fill for fill in self.account.fills if fill.client_order_id in self.names)

    def _trades_of(self, order: Order) -> set[str]:
        return {fill.trade_id for fill in self._fills() if fill.order_id == order.order_id}


def _signed_e2(fill: Fill) -> int:
    return fill.count_e2 if fill.side.value == "bid" else -fill.count_e2
