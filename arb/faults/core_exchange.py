"""An exchange for the core alone: it keeps the truth, and is bad at telling it.

It takes, refuses, fills, loses and delays; what it says arrives late, twice, in any order or not at
all. It shares no code with the simulated exchange of `arb.sim`, nor with the ledger.
"""

from __future__ import annotations

from collections import Counter

import attrs

from arb.core.commands import Amendment, OrderIntent, TimeInForce
from arb.core.events import (
    Fill,
    Liquidity,
    OrderAccepted,
    OrderAmended,
    OrderClosed,
    OrderEvent,
    OrderKept,
    OrderRefused,
    OrderUnknown,
    Settlement,
    Side,
)
from arb.core.money import CountE2, MoneyE6, PriceE4

CASH = MoneyE6(1_000_000_000)
DOLLAR_E4 = 10_000

# What a contract's hundredth costs, whatever the price: the fee is no matter of this exchange.
FEE_E6 = 100

Message = OrderEvent | Fill | Settlement


@attrs.define
class Standing:
    """An order as the exchange has it."""

    name: str
    wish: OrderIntent
    price_e4: int
    total_e2: int
    filled_e2: int = 0
    rests: bool = True

    @property
    def order_id(self) -> str:
        """Return the exchange's id of it."""
        return f"x-{self.name}"

    @property
    def remaining_e2(self) -> int:
        """Return what rests of it."""
        return self.total_e2 - self.filled_e2 if self.rests else 0

    def accepted(self) -> OrderAccepted:
        """Say how much of it has filled and how much rests."""
        filled, remaining = CountE2(self.filled_e2), CountE2(self.remaining_e2)
        return OrderAccepted(self.name, self.order_id, filled, remaining)

    def closed(self, why: str) -> OrderClosed:
        """Say that it is over."""
        return OrderClosed(self.name, CountE2(self.filled_e2), why)


@attrs.define
class CoreExchange:
    """The truth: orders, trades, cash and positions, and what it still has to say."""

    yes_cash_e6: int = CASH
    counts_e2: Counter[str] = attrs.field(factory=Counter)
    orders: dict[str, Standing] = attrs.field(factory=dict)
    trades: list[Fill] = attrs.field(factory=list)
    settlements: dict[str, Settlement] = attrs.field(factory=dict)
    over: set[str] = attrs.field(factory=set)
    answers: list[Message] = attrs.field(factory=list)
    stream: list[Message] = attrs.field(factory=list)

    @property
    def cash_e6(self) -> int:
        """Return the cash: a dollar is locked for each contract held short."""
        short_e2 = sum(-count for count in self.counts_e2.values() if count < 0)
        return self.yes_cash_e6 - DOLLAR_E4 * short_e2

    def place(self, name: str, wish: OrderIntent, luck: int) -> None:
        """Take an order, or refuse it, or lose it, and answer, or do not."""
        if luck % 8 == 0:
            self.answers.append(OrderUnknown(name, "lost on the way there"))
            return
        if luck % 8 == 1 or wish.ticker in self.over:
            self.answers.append(OrderRefused(name, "invalid_order", "post only cross"))
            self.stream.append(OrderClosed(name, CountE2(0), "canceled: PostOnlyCrossCancel"))
            return
        placed = self.orders[name] = Standing(name, wish, wish.price_e4, wish.count_e2)
        if not wish.post_only:
            self.trade(placed, luck % (wish.count_e2 + 1))
            placed.rests = placed.rests and wish.time_in_force is TimeInForce.GOOD_TILL_CANCELED
        lost = luck % 8 in {2, 3}
        self.answers.append(OrderUnknown(name, "no answer") if lost else placed.accepted())
        self.stream.append(placed.accepted() if placed.rests else placed.closed("executed"))

    def amend(self, amendment: Amendment, luck: int) -> None:
        """Move an order, or keep it where it is, and answer, or do not."""
        moved = self.orders[amendment.client_order_id]
        if not moved.rests or amendment.total_e2 <= moved.filled_e2 or luck % 5 == 0:
            self.answers.append(OrderKept(moved.name, "not_found", "nothing rests"))
            return
        if luck % 5 != 1:
            moved.price_e4, moved.total_e2 = amendment.price_e4, amendment.total_e2
        price_e4, remaining_e2 = amendment.price_e4, CountE2(moved.remaining_e2)
        answer = OrderAmended(moved.name, price_e4, remaining_e2, amendment.expires_s)
        lost = luck % 5 in {1, 2}
        self.answers.append(OrderUnknown(moved.name, "no answer") if lost else answer)

    def cancel(self, name: str, luck: int) -> None:
        """Take an order away, or lose the race to a fill, and answer, or do not."""
        gone = self.orders[name]
        if gone.rests and luck % 3 == 0:
            self.trade(gone, gone.remaining_e2)
        if not gone.rests or luck % 3 == 1:
            self.answers.append(OrderUnknown(name, "404: the order may have filled"))
        else:
            gone.rests = False
            self.answers.append(gone.closed("canceled: wished"))

    def expire(self, gone: Standing) -> None:
        """Take an order away because its time is up."""
        gone.rests = False
        self.stream.append(gone.closed("canceled: ExpiryCancel"))

    def trade(self, order: Standing, count_e2: int) -> None:
        """Fill a part of an order at its price, and tell it on the stream."""
        if not count_e2:
            return
        wish = order.wish
        sign = 1 if wish.side is Side.BID else -1
        done = Fill(
            f"t{len(self.trades)}",
            order.order_id,
            order.name,
            wish.ticker,
            wish.side,
            PriceE4(order.price_e4),
            CountE2(count_e2),
            MoneyE6(FEE_E6 * count_e2),
            Liquidity.MAKER,
            len(self.trades),
        )
        self.trades.append(done)
        order.filled_e2 += count_e2
        order.rests = order.filled_e2 < order.total_e2
        self.counts_e2[wish.ticker] += sign * count_e2
        self.yes_cash_e6 -= sign * order.price_e4 * count_e2 + done.fee_e6
        state = order.accepted() if order.rests else order.closed("executed")
        self.stream.extend((done, state))

    def end(self, ticker: str, yes_e4: int) -> None:
        """Decide a market: what rests is over, and what is held is paid."""
        if ticker in self.over:
            return
        self.over.add(ticker)
        for order in self.orders.values():
            if order.rests and order.wish.ticker == ticker:
                order.rests = False
                self.stream.append(order.closed("canceled: MarketClosed"))
        count_e2 = self.counts_e2.pop(ticker, 0)
        if count_e2:
            self._pay(ticker, count_e2, yes_e4)

    def _pay(self, ticker: str, count_e2: int, yes_e4: int) -> None:
        self.yes_cash_e6 += count_e2 * yes_e4
        paid = Settlement(
            ticker, CountE2(count_e2), PriceE4(yes_e4), MoneyE6(0), MoneyE6(0), len(self.trades)
        )
        self.settlements[ticker] = paid
        self.stream.append(paid)

    def looked_up(self, name: str) -> list[Message]:
        """Say what the list of orders shows of one."""
        found = self.orders.get(name)
        if found is None:
            return [OrderRefused(name, "never taken", "the exchange has no such order")]
        if not found.rests:
            return [found.accepted(), found.closed("canceled: found so")]
        price, remaining = PriceE4(found.price_e4), CountE2(found.remaining_e2)
        return [found.accepted(), OrderAmended(name, price, remaining)]

    def listed_fills(self) -> list[Message]:
        """List all trades as REST does, without any id of ours."""
        return [attrs.evolve(each, client_order_id=None) for each in self.trades]

    def resting(self) -> list[Standing]:
        """Return what rests, oldest first."""
        return [order for order in self.orders.values() if order.rests]
