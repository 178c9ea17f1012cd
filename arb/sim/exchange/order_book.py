"""One market's book: price-time priority on integers, and the plan of what an order would meet."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

import attrs

from arb.sim.exchange.values import BookSide, Order, SelfTrade


@attrs.frozen
class Meeting:
    """A resting order that an arriving one would trade with, and how much."""

    resting: Order
    count_e2: int


@attrs.frozen
class Plan:
    """What an arriving order would do, before anything is changed.

    ``gives_way`` are own resting orders to cancel first; ``cut`` says that the arriving order
    itself gives way to one of its own account and must not rest.
    """

    meetings: tuple[Meeting, ...]
    gives_way: tuple[Order, ...]
    cut: bool

    @property
    def count_e2(self) -> int:
        """Return how much would trade."""
        return sum(meeting.count_e2 for meeting in self.meetings)


class OrderBook:
    """Resting orders of one market; best price first, then first come first served."""

    def __init__(self) -> None:
        self._queues: dict[BookSide, dict[int, list[Order]]] = {BookSide.BID: {}, BookSide.ASK: {}}
        # Sorted so that the best price is last: bids ascend, asks are kept negated.
        self._keys: dict[BookSide, list[int]] = {BookSide.BID: [], BookSide.ASK: []}

    def __repr__(self) -> str:
        return f"OrderBook(bid={self.best_e4(BookSide.BID)}, ask={self.best_e4(BookSide.ASK)})"

    def add(self, order: Order) -> None:
        """Put an order at the end of its price level's queue."""
        queues = self._queues[order.side]
        if order.price_e4 not in queues:
            queues[order.price_e4] = []
            insort(self._keys[order.side], _key(order.side, order.price_e4))
        queues[order.price_e4].append(order)

    def remove(self, order: Order) -> None:
        """Take an order out of its queue."""
        queues = self._queues[order.side]
        queue = queues[order.price_e4]
        queue.remove(order)
        if not queue:
            del queues[order.price_e4]
            keys = self._keys[order.side]
            del keys[bisect_left(keys, _key(order.side, order.price_e4))]

    def best_e4(self, side: BookSide) -> int | None:
        """Return the best price of a side, or none when it is empty."""
        keys = self._keys[side]
        return _price(side, keys[-1]) if keys else None

    def size_e2(self, side: BookSide, price_e4: int | None) -> int:
        """Return how much rests at a price."""
        queue = self._queues[side].get(price_e4, []) if price_e4 is not None else []
        return sum(order.remaining_e2 for order in queue)

    def levels(self, side: BookSide) -> list[tuple[int, int]]:
        """Return price and size of every level, best first."""
        prices = [_price(side, key) for key in reversed(self._keys[side])]
        return [(price_e4, self.size_e2(side, price_e4)) for price_e4 in prices]

    def orders(self) -> list[Order]:
        """Return every resting order, bids before asks, in priority within a side."""
        return [order for side in BookSide for order in self._in_priority(side)]

    def ahead_of_e2(self, order: Order) -> int:
        """Return how much of the same level stands before an order."""
        ahead_e2 = 0
        for other in self._queues[order.side][order.price_e4]:
            if other is order:
                break
            ahead_e2 += other.remaining_e2
        return ahead_e2

    def crosses(self, side: BookSide, price_e4: int) -> bool:
        """Return whether an order at this price would trade at once."""
        best_e4 = self.best_e4(side.other)
        return best_e4 is not None and _reaches(side, price_e4, best_e4)

    def plan(
        self, side: BookSide, price_e4: int, count_e2: int, account: str, self_trade: SelfTrade
    ) -> Plan:
        """Return what an arriving order would meet, best price and oldest order first."""
        meetings: list[Meeting] = []
        gives_way: list[Order] = []
        left_e2 = count_e2
        for resting in self._in_priority(side.other):
            if left_e2 == 0 or not _reaches(side, price_e4, resting.price_e4):
                break
            if resting.account == account:
                if self_trade is SelfTrade.TAKER_AT_CROSS:
                    return Plan(tuple(meetings), (), cut=True)
                gives_way.append(resting)
                continue
            met_e2 = min(left_e2, resting.remaining_e2)
            meetings.append(Meeting(resting, met_e2))
            left_e2 -= met_e2
        return Plan(tuple(meetings), tuple(gives_way), cut=False)

    def _in_priority(self, side: BookSide) -> Iterator[Order]:
        for key in reversed(self._keys[side]):
            yield from self._queues[side][_price(side, key)]


def _key(side: BookSide, price_e4: int) -> int:
    return price_e4 if side is BookSide.BID else -price_e4


def _price(side: BookSide, key: int) -> int:
    return key if side is BookSide.BID else -key


def _reaches(side: BookSide, price_e4: int, opposite_e4: int) -> bool:
    return price_e4 >= opposite_e4 if side is BookSide.BID else price_e4 <= opposite_e4
