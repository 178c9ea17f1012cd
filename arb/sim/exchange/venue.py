"""The state of the simulated exchange: everything that placing, cancelling and settling change.

Whoever wants to hear of changes joins ``listeners``; they are told in the turn in which the
change happens, in the order in which it happened.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import attrs

from arb.sim.conditions import ExchangeConditions
from arb.sim.exchange.account import ONE_DOLLAR_E4, Account, Position
from arb.sim.exchange.groups import GroupEvent, OrderGroup
from arb.sim.exchange.markets import Event, Market, Series
from arb.sim.exchange.refusals import nested
from arb.sim.exchange.values import (
    BookSide,
    Change,
    Fill,
    LevelChange,
    LifecycleEvent,
    Order,
    OrderStatus,
    Trade,
)
from arb.sim.timing import WallClock

if TYPE_CHECKING:
    from arb.sim.exchange.fee_changes import FeeChange


class Listener(Protocol):
    """Somebody who is told what happens on the exchange."""

    def level_changed(self, change: LevelChange) -> None:
        """A price level grew or shrank."""

    def traded(self, trade: Trade) -> None:
        """Two orders met."""

    def filled(self, fill: Fill) -> None:
        """An account's order was filled, in whole or in part."""

    def order_changed(self, order: Order) -> None:
        """An order came, changed or ended."""

    def position_changed(self, account: str, position: Position) -> None:
        """An account's position in a market changed."""

    def market_changed(self, event: LifecycleEvent) -> None:
        """A market went on in its life."""

    def group_changed(self, event: GroupEvent) -> None:
        """An order group was made, changed, triggered, reset or deleted."""

    def event_fee_changed(self, event: Event) -> None:
        """An event got a fee of its own, or lost it."""


@attrs.define(eq=False)
class Venue:
    """Markets, accounts and the true ledger; all money in it is conserved.

    ``fees_e6`` is what the exchange has taken. Ids come from ``rng``, time from ``clock``.
    """

    clock: WallClock
    rng: random.Random
    conditions: ExchangeConditions
    series: dict[str, Series] = attrs.field(factory=dict)
    events: dict[str, Event] = attrs.field(factory=dict)
    markets: dict[str, Market] = attrs.field(factory=dict)
    accounts: dict[str, Account] = attrs.field(factory=dict)
    groups: dict[str, OrderGroup] = attrs.field(factory=dict)
    listeners: list[Listener] = attrs.field(factory=list)
    trading_active: bool = True
    exchange_active: bool = True
    fees_e6: int = 0
    expiring: dict[str, Order] = attrs.field(factory=dict)
    fee_changes: list[FeeChange] = attrs.field(factory=list)
    coming_fees: list[FeeChange] = attrs.field(factory=list)
    in_maintenance: bool = False
    paused_by_condition: tuple[bool, bool] = (False, False)
    markets_paused_by_condition: set[str] = attrs.field(factory=set)
    swept_until_ms: dict[str, int] = attrs.field(factory=dict)

    def __repr__(self) -> str:
        return f"Venue({len(self.markets)} markets, {len(self.accounts)} accounts)"

    def new_id(self) -> str:
        """Return a fresh id in the form of a UUID."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def market(self, ticker: str) -> Market:
        """Return a market; refuses an unknown ticker as the exchange does."""
        market = self.markets.get(ticker)
        if market is None:
            raise nested(404, "market_not_found")
        return market

    def markets_of(self, event_ticker: str) -> list[Market]:
        """Return the markets of an event, in the order they were listed."""
        return [market for market in self.markets.values() if market.event.ticker == event_ticker]

    def open_account(
        self, name: str, cash_e6: dict[int, int], *, bottomless: bool = False
    ) -> Account:
        """Add a member with cash on each shard."""
        account = Account(name, self.new_id(), dict(cash_e6), bottomless)
        self.accounts[name] = account
        return account

    def list_market(self, market: Market) -> None:
        """Add a market, with its event and series where they are new."""
        self.series.setdefault(market.event.series.ticker, market.event.series)
        self.events.setdefault(market.event.ticker, market.event)
        self.markets[market.ticker] = market

    def resting_orders(self) -> Iterator[Order]:
        """Yield every resting order of every account."""
        for account in self.accounts.values():
            yield from list(account.resting.values())

    def level_moved(
        self, market: Market, side: BookSide, price_e4: int, delta_e2: int, *owners: Order
    ) -> None:
        """Tell the listeners of a changed level and advance the market's clock."""
        market.clock += 1
        named = tuple((order.account, order.client_order_id) for order in owners)
        at_ms = self.clock.wall_ms()
        book = market.book
        ask_e4 = book.best_e4(BookSide.ASK)
        market.candles.touch(
            at_ms,
            book.best_e4(BookSide.BID) or 0,
            ONE_DOLLAR_E4 if ask_e4 is None else ask_e4,
        )
        change = LevelChange(market.ticker, side, price_e4, delta_e2, market.clock, at_ms, named)
        for listener in list(self.listeners):
            listener.level_changed(change)

    def order_moved(self, order: Order, change: Change) -> None:
        """Stamp an order's change and tell the listeners."""
        order.change = change
        order.updated_ms = self.clock.wall_ms()
        for listener in list(self.listeners):
            listener.order_changed(order)

    def market_moved(self, market: Market, event_type: str, **fields: object) -> None:
        """Stamp a market's change of life and tell the listeners."""
        market.updated_ms = self.clock.wall_ms()
        event = LifecycleEvent(market.ticker, event_type, tuple(fields.items()))
        for listener in list(self.listeners):
            listener.market_changed(event)

    def take_off_book(self, order: Order, change: Change) -> int:
        """End a resting order and return the count that was taken away."""
        market = self.markets[order.ticker]
        self.accounts[order.account].about_to_end(order, self.clock.wall_ms())
        market.book.remove(order)
        reduced_e2 = order.remaining_e2
        self.level_moved(market, order.side, order.price_e4, -reduced_e2, order)
        order.remaining_e2 = 0
        order.status = OrderStatus.CANCELED
        self.accounts[order.account].ended(order)
        self.expiring.pop(order.order_id, None)
        self.order_moved(order, change)
        return reduced_e2
