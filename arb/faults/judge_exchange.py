"""The judge of the exchange's own ledger: what really happened to our account, event by event."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from arb.faults.clock import true_s
from arb.faults.judge_orders import OrderJudge
from arb.faults.second_engine import is_second_engines
from arb.faults.sometimes import LOST_RACE, NO_BOUGHT
from arb.faults.trace import Trace
from arb.sim.exchange.account import Account, Position
from arb.sim.exchange.groups import GroupEvent
from arb.sim.exchange.markets import Event
from arb.sim.exchange.values import BookSide, Fill, LevelChange, LifecycleEvent, Order, Trade
from arb.sim.simulation import MEMBER


def _unheard() -> None:
    """Hear nothing of a fill."""


@attrs.define
class ExchangeJudge:
    """Listens on the exchange in the turn in which things happen."""

    account: Account
    orders: OrderJudge
    trace: Trace
    levels: int = 0
    fills: int = 0
    on_fill: Callable[[], None] = _unheard
    _trades: set[str] = attrs.field(factory=set)
    _statuses: dict[str, tuple[object, ...]] = attrs.field(factory=dict)

    def level_changed(self, change: LevelChange) -> None:
        """Count what feeds are told of."""
        self.levels += 1

    def traded(self, trade: Trade) -> None:
        """Take no interest in a trade but in its fills."""

    def filled(self, fill: Fill) -> None:
        """Check one of our fills."""
        if fill.account != MEMBER:
            return
        self.fills += 1
        self.on_fill()
        what = f"{fill.client_order_id} {fill.side.value} {fill.ticker}"
        self.trace.note("fill", f"{what} {fill.count_e2} at {fill.price_e4} {fill.trade_id[:8]}")
        known = fill.trade_id in self._trades
        self.trace.check("I4", not known, f"trade {fill.trade_id} happened twice")
        self._trades.add(fill.trade_id)
        self._check_direction(fill)
        self._check_exposure()

    def _check_direction(self, fill: Fill) -> None:
        """Check that an exit closed what was held and no more, and that an entry closed nothing."""
        journal = self.orders.journal
        intent = journal.intents.get(fill.client_order_id)
        if intent is None:
            return
        sign = 1 if fill.side is BookSide.BID else -1
        after_e2 = self.account.position(fill.ticker).count_e2
        before_e2 = after_e2 - sign * fill.count_e2
        is_entry = intent.purpose == "entry"
        right = before_e2 * sign >= 0 if is_entry else before_e2 * sign < 0 and after_e2 * sign <= 0
        text = f"{intent.purpose} {fill.client_order_id} made {before_e2} {after_e2}"
        excused = not right and journal.adrift.unsettle(fill.ticker, journal.fills)
        self.trace.check("I3", right or excused, f"{text} in {fill.ticker}")
        if is_entry and sign < 0:
            self.trace.sometimes[NO_BOUGHT] += 1

    def order_changed(self, order: Order) -> None:
        """Check one of our orders, and whether it was sent by us at all."""
        if order.account != MEMBER:
            return
        state = (order.status, order.price_e4, order.remaining_e2, order.filled_e2)
        if self._statuses.get(order.order_id) == state:
            return
        self._statuses[order.order_id] = state
        name = order.client_order_id
        self.trace.note(
            "order",
            f"{name} {order.status} {order.change or 'New'} {order.remaining_e2} left at"
            f" {order.price_e4}",
        )
        sent = name in self.orders.created or is_second_engines(name)
        self.trace.check("I1", sent, f"{name} is at the exchange and was never sent")
        if order.status.value == "executed" and order.order_id in self.orders.cancels:
            self.trace.sometimes[LOST_RACE] += 1
        self._check_exposure()

    def position_changed(self, account: str, position: Position) -> None:
        """Take no interest: fills say the same."""

    def market_changed(self, event: LifecycleEvent) -> None:
        """Note what becomes of a market."""
        self.trace.note("market", f"{event.ticker} {event.event_type}")

    def group_changed(self, event: GroupEvent) -> None:
        """Note what becomes of an order group."""
        self.trace.note("group", event.event_type)

    def event_fee_changed(self, event: Event) -> None:
        """Note that an event's fees change."""
        self.trace.note("market", f"{event.ticker} has other fees")

    def rests_in_both(self) -> bool:
        """Tell whether a partly filled order of ours rests."""
        return any(order.filled_e2 for order in self.account.resting.values())

    def _check_exposure(self) -> None:
        # What arrives unknown was counted by nobody; from then on each create counts it.
        self.orders.check_exposure("at the exchange", true_s(), adrift=False)

    def entries_resting(self) -> list[str]:
        """Return the names of our entries that rest."""
        return [
            order.client_order_id
            for order in self.account.resting.values()
            if self.orders.is_our_entry(order)
        ]
