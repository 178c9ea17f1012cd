"""One market's order book on the YES scale, kept from a snapshot and relative changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import attrs

from arb.core.events import Side
from arb.core.grid import PriceGrid
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4, cents, contracts

Levels = dict[PriceE4, CountE2]
Own = Mapping[PriceE4, CountE2]

_NOTHING_OWN: Own = {}
_NO_COUNT = CountE2(0)


class BookFault(StrEnum):
    """Why a book cannot be trusted until its next snapshot; counted under these words."""

    NO_SNAPSHOT = "no snapshot yet"
    GAP = "a message is missing"
    NEGATIVE_LEVEL = "a level fell below nothing"
    NEW_GRID = "the price grid has changed"
    REPEATED_LEVEL = "a level came twice in one snapshot"
    CROSSED = "the best bid is above the best ask"


class BookBroken(Exception):
    """The book is not the exchange's any more; it takes nothing but a snapshot."""

    def __init__(self, fault: BookFault, text: str) -> None:
        super().__init__(f"{fault}: {text}")
        self.fault = fault


@attrs.frozen
class BookTop:
    """The best bid and ask, our own quantity taken out; None and 0 where a side is empty."""

    bid_e4: PriceE4 | None
    bid_size_e2: CountE2
    ask_e4: PriceE4 | None
    ask_size_e2: CountE2


class Book:
    """The levels of one market; broken until its first snapshot and after any fault.

    With a ``grid``, a level off it is left out and reported; without one, only a price outside
    (0, 1) is. A *locked* book (bid equal to ask) is taken as it is: what to do with it is for
    the decision.
    """

    __slots__ = ("_asks", "_best_ask", "_best_bid", "_bids", "fault", "grid", "ticker")

    def __init__(self, ticker: str, grid: PriceGrid | None = None) -> None:
        self.ticker = ticker
        self.grid = grid
        self.fault: BookFault | None = BookFault.NO_SNAPSHOT
        self._bids: Levels = {}
        self._asks: Levels = {}
        self._best_bid: PriceE4 | None = None
        self._best_ask: PriceE4 | None = None

    def __repr__(self) -> str:
        """Show the top and the depth, or what is wrong."""
        state = f", broken: {self.fault}" if self.fault is not None else ""
        bid, ask = _shown(self._best_bid), _shown(self._best_ask)
        levels = f"{len(self._bids)} bids, {len(self._asks)} asks"
        return f"<Book {self.ticker} {bid}/{ask}, {levels}{state}>"

    def apply_snapshot(
        self,
        bids: Iterable[tuple[PriceE4, CountE2]],
        asks: Iterable[tuple[PriceE4, CountE2]],
    ) -> tuple[PriceE4, ...]:
        """Begin anew with these levels, and return the prices left out for being off the grid.

        Raises `BookBroken`, and then the book stays broken.
        """
        left_out: list[PriceE4] = []
        self._bids, self._asks = self._read(bids, left_out), self._read(asks, left_out)
        self._best_bid = max(self._bids, default=None)
        self._best_ask = min(self._asks, default=None)
        self._check_crossed()
        self.fault = None
        return tuple(left_out)

    def apply_delta(self, side: Side, price_e4: PriceE4, delta_e2: int) -> bool:
        """Change one level by a signed count; False if its price is off the grid.

        Raises `BookBroken` for a book without a snapshot, a level below nothing, or a cross.
        """
        if self.fault is not None:
            raise BookBroken(self.fault, self.ticker)
        levels = self._bids if side is Side.BID else self._asks
        held_e2 = levels.get(price_e4)
        if held_e2 is None:
            if not self._is_price(price_e4):
                return False
            held_e2 = _NO_COUNT
        size_e2 = CountE2(held_e2 + delta_e2)
        if size_e2 > 0:
            levels[price_e4] = size_e2
            if not held_e2:
                self._came(side, price_e4)
        elif size_e2 < 0:
            text = f"{self.ticker} {side} {cents(price_e4)} at {contracts(size_e2)}"
            raise self._broken(BookFault.NEGATIVE_LEVEL, text)
        elif held_e2:
            del levels[price_e4]
            self._went(side, price_e4)
        return True

    def distrust(self, fault: BookFault) -> None:
        """Break the book for a reason it cannot see itself, such as a missing message."""
        self.fault = fault

    def top(self, own_bids: Own = _NOTHING_OWN, own_asks: Own = _NOTHING_OWN) -> BookTop:
        """Return the best prices of others: levels that are entirely ours are passed over."""
        bid, bid_size = _best_of_others(self._bids, self._best_bid, own_bids, Side.BID)
        ask, ask_size = _best_of_others(self._asks, self._best_ask, own_asks, Side.ASK)
        return BookTop(bid, bid_size, ask, ask_size)

    def size_e2(self, side: Side, price_e4: PriceE4) -> CountE2:
        """Return what rests at one price, ours included."""
        return (self._bids if side is Side.BID else self._asks).get(price_e4, _NO_COUNT)

    def levels(self, side: Side) -> tuple[tuple[PriceE4, CountE2], ...]:
        """Return one side's levels, the best first, ours included."""
        if side is Side.BID:
            return tuple(sorted(self._bids.items(), reverse=True))
        return tuple(sorted(self._asks.items()))

    def _read(self, rows: Iterable[tuple[PriceE4, CountE2]], left_out: list[PriceE4]) -> Levels:
        levels: Levels = {}
        for price_e4, size_e2 in rows:
            if price_e4 in levels:
                text = f"{self.ticker} at {cents(price_e4)}"
                raise self._broken(BookFault.REPEATED_LEVEL, text)
            if size_e2 < 0:
                text = f"{self.ticker} {cents(price_e4)} at {contracts(size_e2)}"
                raise self._broken(BookFault.NEGATIVE_LEVEL, text)
            if not self._is_price(price_e4):
                left_out.append(price_e4)
            elif size_e2:
                levels[price_e4] = size_e2
        return levels

    def _is_price(self, price_e4: PriceE4) -> bool:
        if self.grid is None:
            return 0 < price_e4 < ONE_DOLLAR_E4
        return self.grid.on_grid(price_e4)

    def _came(self, side: Side, price_e4: PriceE4) -> None:
        if side is Side.BID:
            if self._best_bid is None or price_e4 > self._best_bid:
                self._best_bid = price_e4
                self._check_crossed()
        elif self._best_ask is None or price_e4 < self._best_ask:
            self._best_ask = price_e4
            self._check_crossed()

    def _went(self, side: Side, price_e4: PriceE4) -> None:
        if side is Side.BID:
            if price_e4 == self._best_bid:
                self._best_bid = max(self._bids, default=None)
        elif price_e4 == self._best_ask:
            self._best_ask = min(self._asks, default=None)

    def _check_crossed(self) -> None:
        bid_e4, ask_e4 = self._best_bid, self._best_ask
        if bid_e4 is not None and ask_e4 is not None and bid_e4 > ask_e4:
            text = f"{self.ticker} {cents(bid_e4)}/{cents(ask_e4)}"
            raise self._broken(BookFault.CROSSED, text)

    def _broken(self, fault: BookFault, text: str) -> BookBroken:
        self.fault = fault
        return BookBroken(fault, text)


def _best_of_others(
    levels: Levels, best: PriceE4 | None, own: Own, side: Side
) -> tuple[PriceE4 | None, CountE2]:
    if best is None:
        return None, _NO_COUNT
    others_e2 = levels[best] - own.get(best, 0)
    if others_e2 > 0:
        return best, CountE2(others_e2)
    for price_e4 in sorted(levels, reverse=side is Side.BID):
        others_e2 = levels[price_e4] - own.get(price_e4, 0)
        if others_e2 > 0:
            return price_e4, CountE2(others_e2)
    return None, _NO_COUNT


def _shown(price_e4: PriceE4 | None) -> str:
    return "none" if price_e4 is None else cents(price_e4)
