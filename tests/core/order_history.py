"""Random histories of orders between our books and an exchange that keeps its own.

The exchange here takes, refuses, fills, loses and delays; what it says arrives late, twice, in
any order or not at all. It knows the truth, and `OrderHistory` compares our books with it after
every step.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
from hypothesis import strategies as st

from arb.core.commands import AmendIntent, Amendment, OrderIntent, Purpose, TimeInForce
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
    Side,
)
from arb.core.exits import ExitView, Holding, OpenOrder, plan_exits
from arb.core.exposure import total_exposure_e6
from arb.core.grid import WHOLE_CENTS
from arb.core.invariants import Invariants
from arb.core.ledger import Ledger
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.core.orders import Order, OrderState
from arb.core.parameters import Risk
from arb.core.permission import Permission
from arb.core.risk import Approvals, amendment_of, review, review_amend
from tests.core.order_factory import CASH, fill, intent, plain_fee, top

MARKETS = ("m1", "m2", "m3")
LIMITS = Risk(
    max_total_exposure_cents=2_000, max_game_exposure_cents=1_500, max_concurrent_markets=2
)
Message = OrderEvent | Fill
# What is journalled before it happens: an order under its id, a move, or what the exchange said.
Noted = tuple[str, OrderIntent] | Amendment | OrderEvent | Fill


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
class Exchange:
    """The truth: orders, trades, cash and positions, and what it still has to say."""

    cash_e6: int = CASH
    counts_e2: dict[str, int] = attrs.field(factory=dict)
    orders: dict[str, Standing] = attrs.field(factory=dict)
    trades: list[Fill] = attrs.field(factory=list)
    answers: list[Message] = attrs.field(factory=list)
    stream: list[Message] = attrs.field(factory=list)

    def place(self, name: str, wish: OrderIntent, luck: int) -> None:
        """Take an order, or refuse it, or lose it, and answer, or do not."""
        if luck % 8 == 0:
            self.answers.append(OrderUnknown(name, "lost on the way there"))
            return
        if luck % 8 == 1:
            self.answers.append(OrderRefused(name, "invalid_order", "post only cross"))
            self.stream.append(OrderClosed(name, CountE2(0), "canceled: PostOnlyCrossCancel"))
            return
        placed = self.orders[name] = Standing(name, wish, wish.price_e4, wish.count_e2)
        if not wish.post_only:
            self.trade(placed, luck % (wish.count_e2 + 1))
            placed.rests = placed.rests and wish.time_in_force is TimeInForce.GOOD_TILL_CANCELED
        lost = luck % 8 == 2
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
        answer = OrderAmended(moved.name, amendment.price_e4, CountE2(moved.remaining_e2))
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

    def trade(self, order: Standing, count_e2: int) -> None:
        """Fill a part of an order at its price, and tell it on the stream."""
        if not count_e2:
            return
        sign = 1 if order.wish.side is Side.BID else -1
        done = fill(
            f"t{len(self.trades)}",
            order_id=order.order_id,
            client_order_id=order.name,
            ticker=order.wish.ticker,
            side=order.wish.side,
            price_e4=PriceE4(order.price_e4),
            count_e2=CountE2(count_e2),
            fee_e6=MoneyE6(100 * count_e2),
        )
        self.trades.append(done)
        order.filled_e2 += count_e2
        order.rests = order.filled_e2 < order.total_e2
        self.counts_e2[done.ticker] = self.counts_e2.get(done.ticker, 0) + sign * count_e2
        self.cash_e6 -= sign * order.price_e4 * count_e2 + done.fee_e6
        state = order.accepted() if order.rests else order.closed("executed")
        self.stream.extend((done, state))

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


def _pick(messages: list[Message], number: int) -> Message:
    return messages.pop(number % len(messages))


class OrderHistory:
    """Our books under one history: wishes, reviews, approvals, and whatever comes back."""

    def __init__(self, note: Callable[[Noted], object] = lambda noted: None) -> None:
        self.exchange = Exchange()
        self.ledger = Ledger(CASH)
        self.invariants = Invariants(CASH)
        self.approvals = Approvals("test")
        self.reviewed = 0
        self._note = note
        self._permission = Permission(ready=True)

    def step(self, what: str, which: int, luck: int) -> None:
        """Let one thing happen, and check everything that must be true then."""
        getattr(self, f"_{what}")(which, luck)
        self.check()

    # What we do.

    def _enter(self, which: int, luck: int) -> None:
        ticker = MARKETS[which % len(MARKETS)]
        taker = luck % 3 == 0
        wish = intent(
            ticker=ticker,
            game_id=ticker,
            price_e4=PriceE4(100 * (1 + luck % 99)),
            count_e2=CountE2(1 + luck % 600),
            fair=(1 + luck % 99) / 100,
            post_only=not taker,
            liquidity=Liquidity.TAKER if taker else Liquidity.MAKER,
            time_in_force=(
                TimeInForce.IMMEDIATE_OR_CANCEL if taker else TimeInForce.GOOD_TILL_CANCELED
            ),
        )
        self._wish(wish, luck)

    def _wish(self, wish: OrderIntent, luck: int) -> None:
        refusal = review(wish, self.ledger, LIMITS, self._permission, plain_fee)
        if refusal is not None:
            return
        self.reviewed += 1
        approved = self.approvals.approve(wish, now_ns=0)
        approved.redeem(session=0, now_ns=0)
        name = approved.client_order_id
        self._note((name, wish))
        order = Order(name, wish, wish.price_e4, wish.count_e2, created_ms=0)
        self.ledger.open_order(order)
        exposed_e6 = total_exposure_e6(self.ledger, plain_fee)
        self.invariants.after_approval(order, self.ledger, exposed_e6, LIMITS.max_total_exposure_e6)
        self.exchange.place(name, wish, luck)

    def _keep_exits(self, which: int, luck: int) -> None:
        ticker = MARKETS[which % len(MARKETS)]
        position = self.ledger.position(ticker)
        orders = tuple(OpenOrder.of(order) for order in self.ledger.at_stake(ticker))
        holding = Holding(ticker, position.count_e2, position.entry_e4, orders)
        seen = top(bid=100 * (luck % 99), ask=None, ticker=ticker)
        fair = (1 + luck % 99) / 100
        for move in plan_exits(ExitView(holding, fair, WHOLE_CENTS, seen, ticker, 0)):
            if isinstance(move, OrderIntent):
                self._wish(move, luck)
            else:
                self._move(move, luck)

    def _move(self, move: AmendIntent, luck: int) -> None:
        if review_amend(move, self.ledger) is not None:
            return
        order = self.ledger.orders[move.client_order_id]
        amendment = amendment_of(move, order, order.order_id or "")
        self._note(amendment)
        order.amend_sent(move.price_e4)
        self.exchange.amend(amendment, luck)

    def _cancel(self, which: int, luck: int) -> None:
        known = [order for order in self.ledger.all_at_stake() if order.order_id is not None]
        if known:
            self.exchange.cancel(known[which % len(known)].client_order_id, luck)

    def _look_up(self, which: int, luck: int) -> None:
        unknown = [
            order for order in self.ledger.all_at_stake() if order.state is OrderState.UNKNOWN
        ]
        if unknown:
            name = unknown[which % len(unknown)].client_order_id
            self.exchange.answers.extend(self.exchange.looked_up(name))

    # What happens there.

    def _trade(self, which: int, luck: int) -> None:
        resting = [order for order in self.exchange.orders.values() if order.rests]
        if resting:
            order = resting[which % len(resting)]
            self.exchange.trade(order, 1 + luck % order.remaining_e2)

    def _expire(self, which: int, luck: int) -> None:
        resting = [order for order in self.exchange.orders.values() if order.rests]
        if resting:
            gone = resting[which % len(resting)]
            gone.rests = False
            self.exchange.stream.append(gone.closed("canceled: ExpiryCancel"))

    # What reaches us.

    def _hear_answer(self, which: int, luck: int) -> None:
        if self.exchange.answers:
            self.hear(_pick(self.exchange.answers, which))

    def _hear_stream(self, which: int, luck: int) -> None:
        if self.exchange.stream:
            message = _pick(self.exchange.stream, which)
            for _ in range(1 + luck % 2):
                self.hear(message)

    def _lose_stream(self, which: int, luck: int) -> None:
        if self.exchange.stream:
            _pick(self.exchange.stream, which)

    def _read_fills(self, which: int, luck: int) -> None:
        for message in self.exchange.listed_fills():
            self.hear(message)

    def hear(self, message: Message) -> None:
        """Take what the exchange said, as the engine does: noted first, then counted."""
        if not isinstance(message, Fill):
            self._note(message)
            order = self.ledger.report(message)
            assert order is not None
            self.invariants.after_report(order)
        elif message.trade_id not in self.ledger.trade_ids:
            self._note(message)
            assert self.ledger.book(message)
            self.invariants.after_fill(message, self.ledger)
        else:
            assert not self.ledger.book(message)

    # What must be true.

    def check(self) -> None:
        """Compare our books with the exchange's, as far as they must agree at any moment."""
        assert self.invariants.kept == []
        assert self.ledger.illegal_reports == 0
        assert total_exposure_e6(self.ledger, plain_fee) <= LIMITS.max_total_exposure_e6
        for name, truth in self.exchange.orders.items():
            order = self.ledger.orders[name]
            strays = sum(
                each.count_e2
                for each in self.exchange.trades
                if each.order_id == truth.order_id and each.trade_id in self.ledger.trade_ids
            )
            counted_e2 = max(order.filled_e2, strays) + order.at_stake_e2
            assert truth.filled_e2 + truth.remaining_e2 <= counted_e2
        for ticker in MARKETS:
            assert self._on_sale_e2(ticker) <= self.exchange.counts_e2.get(ticker, 0)

    def _on_sale_e2(self, ticker: str) -> int:
        return sum(
            order.remaining_e2
            for order in self.exchange.orders.values()
            if order.wish.purpose is Purpose.EXIT and order.wish.ticker == ticker
        )

    def heal(self) -> None:
        """Let everything arrive, look everything up, and check that both sides agree in all."""
        for messages in (self.exchange.answers, self.exchange.stream):
            while messages:
                self.hear(messages.pop(0))
        for order in self.ledger.all_at_stake():
            for message in self.exchange.looked_up(order.client_order_id):
                self.hear(message)
        self._read_fills(0, 0)
        self.check()
        self._agree()

    def _agree(self) -> None:
        assert self.ledger.stray_fills == 0
        assert self.ledger.cash_e6 == self.exchange.cash_e6
        ours = {order.client_order_id: order for order in self.ledger.all_at_stake()}
        theirs = {order.name: order for order in self.exchange.orders.values() if order.rests}
        assert set(ours) == set(theirs)
        for name, truth in theirs.items():
            assert ours[name].state is OrderState.RESTING
            assert (ours[name].price_e4, ours[name].at_stake_e2) == (
                truth.price_e4,
                truth.remaining_e2,
            )
        for ticker in MARKETS:
            held_e2 = self.ledger.position(ticker).count_e2
            assert held_e2 == self.exchange.counts_e2.get(ticker, 0) >= 0


STEPS = (
    "enter",
    "keep_exits",
    "cancel",
    "look_up",
    "trade",
    "expire",
    "hear_answer",
    "hear_stream",
    "lose_stream",
    "read_fills",
)
Step = tuple[str, int, int]


def histories(steps_max: int = 40) -> st.SearchStrategy[list[Step]]:
    """Draw histories: what happens, to which order or message, and with what luck."""
    step = st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(0, 5_000))
    return st.lists(step, max_size=steps_max)
