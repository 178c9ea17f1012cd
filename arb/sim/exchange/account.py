"""One account's true state: cash on each shard, positions, orders, fills and settlements."""

from __future__ import annotations

import attrs

from arb.sim.exchange.lagging import Lagging
from arb.sim.exchange.tiers import ADVANCED, Tier
from arb.sim.exchange.values import BookSide, Fill, Order

ONE_DOLLAR_E4 = 10_000


@attrs.define(eq=False)
class Position:
    """What an account holds in one market; a negative count is NO.

    ``cost_e6`` is what the open contracts cost, fees apart; ``traded_e6`` what was ever spent.
    """

    ticker: str
    count_e2: int = 0
    cost_e6: int = 0
    realised_e6: int = 0
    fees_e6: int = 0
    traded_e6: int = 0
    volume_e2: int = 0
    updated_ms: int = 0

    def closing_e2(self, side: BookSide, count_e2: int) -> int:
        """Return how much of a trade would lessen this position."""
        held_e2 = -self.count_e2 if side is BookSide.BID else self.count_e2
        return min(max(held_e2, 0), count_e2)

    def revenue_e6(self, side: BookSide, price_e4: int, count_e2: int) -> int:
        """Return what a trade brings in cash before fees: closing pays, opening costs."""
        closing_e2 = self.closing_e2(side, count_e2)
        own_e4 = price_e4 if side is BookSide.BID else ONE_DOLLAR_E4 - price_e4
        return closing_e2 * (ONE_DOLLAR_E4 - own_e4) - (count_e2 - closing_e2) * own_e4

    def apply(self, side: BookSide, price_e4: int, count_e2: int) -> None:
        """Change count, cost and realised profit by one trade."""
        closing_e2 = self.closing_e2(side, count_e2)
        own_e4 = price_e4 if side is BookSide.BID else ONE_DOLLAR_E4 - price_e4
        if closing_e2:
            share_e6 = self.cost_e6 * closing_e2 // abs(self.count_e2)
            self.cost_e6 -= share_e6
            self.realised_e6 += closing_e2 * (ONE_DOLLAR_E4 - own_e4) - share_e6
        opening_e6 = (count_e2 - closing_e2) * own_e4
        self.cost_e6 += opening_e6
        self.traded_e6 += opening_e6
        self.volume_e2 += count_e2
        self.count_e2 += count_e2 if side is BookSide.BID else -count_e2


@attrs.frozen
class Settlement:
    """One market's end for one account; ``value_e4`` is what a YES contract paid."""

    ticker: str
    event_ticker: str
    exchange_index: int
    result: str
    value_e4: int
    count_e2: int
    cost_e6: int
    fees_e6: int
    revenue_e6: int
    at_ms: int


@attrs.frozen
class Transfer:
    """Money that moved between shards or subaccounts of one account."""

    transfer_id: str
    client_transfer_id: str
    amount_e6: int
    source: tuple[int, int]
    destination: tuple[int, int]
    at_ms: int


@attrs.frozen
class Payment:
    """Money that came from outside, or left when it is negative."""

    payment_id: str
    amount_e6: int
    at_ms: int


@attrs.define(eq=False)
class Account:
    """One member of the exchange.

    ``bottomless`` accounts (market makers and noise traders) need no collateral and keep no
    history; everything else is the same for them, so that money is conserved over all. With
    ``netting`` a dollar comes back at once for each pair of NO contracts of one game, because
    one of them is sure to pay; ``returned_e6`` is what came back so, by event.
    """

    name: str
    user_id: str
    cash_e6: dict[int, int]
    bottomless: bool = False
    positions: dict[str, Position] = attrs.field(factory=dict)
    resting: dict[str, Order] = attrs.field(factory=dict)
    history: dict[str, Order] = attrs.field(factory=dict)
    client_order_ids: dict[str, str] = attrs.field(factory=dict)
    fills: list[Fill] = attrs.field(factory=list)
    tier: Tier = ADVANCED
    settlements: list[Settlement] = attrs.field(factory=list)
    updated_ms: int = 0
    netting: bool = False
    returned_e6: dict[str, int] = attrs.field(factory=dict)
    subaccounts_e6: dict[int, dict[int, int]] = attrs.field(factory=dict)
    transfers: dict[str, Transfer] = attrs.field(factory=dict)
    payments: list[Payment] = attrs.field(factory=list)
    past_orders: dict[str, Lagging[Order]] = attrs.field(factory=dict)
    past_positions: dict[str, Lagging[Position]] = attrs.field(factory=dict)
    past_cash_e6: Lagging[dict[int, int]] = attrs.field(factory=Lagging)

    def __repr__(self) -> str:
        return f"Account({self.name}, cash_e6={self.total_cash_e6}, resting={len(self.resting)})"

    @property
    def total_cash_e6(self) -> int:
        """Return the cash of all shards."""
        return sum(self.cash_e6.values())

    def position(self, ticker: str) -> Position:
        """Return the position in a market, an empty one where there is none yet."""
        return self.positions.setdefault(ticker, Position(ticker))

    def order(self, order_id: str) -> Order | None:
        """Return an order that rests or ever did."""
        return self.resting.get(order_id) or self.history.get(order_id)

    def orders(self) -> list[Order]:
        """Return every order, newest first."""
        if self.bottomless:
            return list(self.resting.values())
        return list(reversed(self.history.values()))

    def resting_in(self, ticker: str) -> list[Order]:
        """Return the orders that rest in one market, oldest first."""
        return [order for order in self.resting.values() if order.ticker == ticker]

    def opened(self, order: Order) -> None:
        """Remember a new order and use up its client order id for ever."""
        if not self.bottomless:
            self.history[order.order_id] = order
            if order.client_order_id:
                self.client_order_ids[order.client_order_id] = order.order_id

    def pay(self, shard: int, amount_e6: int, now_ms: int) -> None:
        """Change the cash on a shard; what it was before stays readable for a while."""
        if not self.bottomless:
            self.past_cash_e6.keep(dict(self.cash_e6), now_ms)
        self.cash_e6[shard] = self.cash_e6.get(shard, 0) + amount_e6

    def about_to_change(self, position: Position, now_ms: int) -> None:
        """Keep what a position is before it changes."""
        if not self.bottomless:
            past = self.past_positions.setdefault(position.ticker, Lagging())
            past.keep(attrs.evolve(position), now_ms)

    def about_to_end(self, order: Order, now_ms: int) -> None:
        """Keep what an order is before it is taken off the book."""
        if not self.bottomless:
            self.past_orders.setdefault(order.order_id, Lagging()).keep(attrs.evolve(order), now_ms)

    def ended(self, order: Order) -> None:
        """Note that an order rests no longer."""
        self.resting.pop(order.order_id, None)
