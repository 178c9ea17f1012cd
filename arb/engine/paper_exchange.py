"""An exchange made of the books alone: fills orders against what the books show.

Honest by construction: a taker buys only what the book shows at its price and only once. A resting
order fills only when the other side has gone strictly through its price, so that it would have
filled wherever it stood in the queue, and only by what stands at that best price and no paper order
has taken: the same size shown again fills nothing more, size that has grown fills by its growth
(`arb.engine.paper_book`). Sizes behind the best price and trades that leave none count for nothing,
so that it fills rather less than the real exchange would have. An order ends as there: at its
expiry, and with its market's pause or close; a position is paid what the real market came to. Used
for recorded days and for paper trading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

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
    Settlement,
    Side,
    Top,
)
from arb.core.fees import FeeMeter, FeeSchedule
from arb.core.ledger import Ledger
from arb.core.money import ONE_CENT_E6, CountE2, MoneyE6, PriceE4
from arb.engine.paper_book import PaperBook
from arb.io.clock import Clock

NOTHING = CountE2(0)
MS_PER_S = 1000

# What one call led to, in the order in which it happened.
Outcome = list[OrderEvent | Fill]


@attrs.define
class PaperOrder:
    """One order at rest in no book but ours."""

    client_order_id: str
    order_id: str
    intent: OrderIntent
    price_e4: PriceE4
    remaining_e2: CountE2
    meter: FeeMeter
    expires_s: int | None
    filled_e2: CountE2 = NOTHING


class PaperExchange:
    """Fills orders against tops, and keeps the account's truth; it outlives its gateway."""

    def __init__(self, account: Ledger, clock: Clock) -> None:
        """Open with an account's cash and positions; resting orders do not outlive a process."""
        self.account = account
        self._clock = clock
        self._books: dict[str, PaperBook] = {}
        self._resting: dict[str, PaperOrder] = {}
        self._trades = 0
        self._orders = 0

    @property
    def resting(self) -> tuple[PaperOrder, ...]:
        """Return the orders that rest."""
        return tuple(self._resting.values())

    def place(self, client_order_id: str, intent: OrderIntent, fees: FeeSchedule) -> Outcome:
        """Fill what the book shows at the order's price, and rest what may rest."""
        book = self._books.get(intent.ticker)
        if book is None or not book.usable:
            return [OrderRefused(client_order_id, "no book", "no usable book to fill against")]
        shown_e2 = book.within_e2(intent.side.other, intent.price_e4)
        if intent.post_only and shown_e2:
            return [OrderRefused(client_order_id, "invalid_order", "post only cross")]
        self._orders += 1
        order = PaperOrder(
            client_order_id,
            f"paper-order-{self._orders}",
            intent,
            intent.price_e4,
            intent.count_e2,
            FeeMeter(fees),
            intent.expires_s,
        )
        return [*self._take(order, book, shown_e2), self._rest(order)]

    def amend(self, amendment: Amendment) -> Outcome:
        """Move a resting order; one that would cross stays where it is."""
        order = self._resting.get(amendment.client_order_id)
        if order is None:
            return [OrderKept(amendment.client_order_id, "not_found", "nothing rests")]
        book = self._books.get(order.intent.ticker)
        if book is not None and book.within_e2(order.intent.side.other, amendment.price_e4):
            return [OrderKept(amendment.client_order_id, "would cross", "left as it was")]
        order.price_e4 = amendment.price_e4
        order.expires_s = amendment.expires_s or order.expires_s
        order.remaining_e2 = CountE2(amendment.total_e2 - order.filled_e2)
        name, price_e4 = order.client_order_id, order.price_e4
        return [OrderAmended(name, price_e4, order.remaining_e2, order.expires_s)]

    def cancel(self, client_order_id: str, why: str) -> Outcome:
        """Take a resting order away; nothing happens to one that does not rest."""
        order = self._resting.pop(client_order_id, None)
        if order is None:
            return []
        return [OrderClosed(client_order_id, order.filled_e2, f"canceled: {why}")]

    def find(self, client_order_id: str) -> Outcome:
        """Say what became of an order: it rests, or it does not survive its exchange."""
        order = self._resting.get(client_order_id)
        if order is None:
            return [OrderClosed(client_order_id, None, "canceled: not in the paper exchange")]
        return [OrderAccepted(client_order_id, order.order_id, order.filled_e2, order.remaining_e2)]

    def see(self, top: Top) -> Outcome:
        """Take a new top, and fill what it went through."""
        book = self._books.setdefault(top.ticker, PaperBook())
        book.see(top)
        outcome: Outcome = []
        for order in self._in_turn(top.ticker) if book.usable else ():
            other = order.intent.side.other
            crossing_e2 = book.through_e2(other, order.price_e4)
            count_e2 = CountE2(min(crossing_e2, order.remaining_e2))
            if not count_e2:
                continue
            book.take(other, count_e2)
            outcome.append(self._fill(order, order.price_e4, count_e2, Liquidity.MAKER))
            if not order.remaining_e2:
                del self._resting[order.client_order_id]
        return outcome

    def _in_turn(self, ticker: str) -> list[PaperOrder]:
        """Return a market's resting orders, the best price first and then the oldest."""
        orders = [each for each in self._resting.values() if each.intent.ticker == ticker]
        return sorted(orders, key=_rank)

    def keep_books(self, tickers: Collection[str]) -> None:
        """Let go of the books of all other markets, which are over."""
        for gone in self._books.keys() - set(tickers):
            del self._books[gone]

    def sweep(self, shut: Callable[[str], str | None]) -> Outcome:
        """Take away what has expired, and what rests in a market that is shut; says why."""
        now_s = self._clock.wall_ms() // MS_PER_S
        outcome: Outcome = []
        for order in self.resting:
            expires_s = order.expires_s
            expired = expires_s is not None and now_s >= expires_s
            why = "expired" if expired else shut(order.intent.ticker)
            if why is not None:
                outcome += self.cancel(order.client_order_id, why)
        return outcome

    @property
    def at_work(self) -> tuple[str, ...]:
        """Return the markets in which anything is held."""
        return tuple(held.ticker for held in self.account.held())

    def settle(self, ticker: str, value_e4: PriceE4, at_ms: int) -> Settlement | None:
        """Pay a position what one YES was worth in the real market, once; None where none is."""
        held = self.account.position(ticker)
        if not held.count_e2:
            return None
        fees_e6 = MoneyE6(held.fees_e6 + held.fees_before_e6)
        unsaid = Settlement(ticker, held.count_e2, value_e4, MoneyE6(0), fees_e6, at_ms)
        cents_e6 = MoneyE6(unsaid.paid_e6 // ONE_CENT_E6 * ONE_CENT_E6)
        settlement = attrs.evolve(unsaid, revenue_e6=cents_e6)
        return settlement if self.account.settle(settlement) else None

    def _take(self, order: PaperOrder, book: PaperBook, shown_e2: CountE2) -> list[Fill]:
        taken_e2 = CountE2(min(shown_e2, order.remaining_e2))
        other = order.intent.side.other
        price_e4 = book.best_e4(other)
        if not taken_e2 or price_e4 is None:
            return []
        book.take(other, taken_e2)
        return [self._fill(order, price_e4, taken_e2, Liquidity.TAKER)]

    def _rest(self, order: PaperOrder) -> OrderAccepted:
        rests = order.intent.time_in_force is TimeInForce.GOOD_TILL_CANCELED
        remaining_e2 = order.remaining_e2 if rests else NOTHING
        if remaining_e2:
            self._resting[order.client_order_id] = order
        return OrderAccepted(order.client_order_id, order.order_id, order.filled_e2, remaining_e2)

    def _fill(
        self, order: PaperOrder, price_e4: PriceE4, count_e2: CountE2, liquidity: Liquidity
    ) -> Fill:
        self._trades += 1
        side = order.intent.side
        order.filled_e2 = CountE2(order.filled_e2 + count_e2)
        order.remaining_e2 = CountE2(order.remaining_e2 - count_e2)
        fill = Fill(
            f"paper-trade-{self._clock.wall_ms()}-{self._trades}",
            order.order_id,
            order.client_order_id,
            order.intent.ticker,
            side,
            price_e4,
            count_e2,
            order.meter.charge_e6(price_e4, count_e2, liquidity, side),
            liquidity,
            self._clock.wall_ms(),
        )
        self.account.book(fill)
        return fill

    def __repr__(self) -> str:
        return f"<PaperExchange {len(self._resting)} resting, {self._trades} trades>"


def _rank(order: PaperOrder) -> int:
    return -order.price_e4 if order.intent.side is Side.BID else order.price_e4
