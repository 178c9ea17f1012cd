"""What must always be true of orders, fills, positions and money, checked while trading.

The checks keep a tally of their own beside the ledger's, so that one mistake cannot hide in
both: a position counted from fills, cash from fills, and what each order may fill.
"""

from __future__ import annotations

from collections import Counter

import attrs

from arb.core.events import CashMove, Fill, Settlement, Side
from arb.core.ledger import Ledger
from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, contracts, dollars
from arb.core.orders import Order
from arb.core.reconcile import exact

# Enough to see what went wrong; every further one is counted all the same.
VIOLATIONS_KEPT = 20


@attrs.define
class Invariants:
    """A running check of the ledger; `checks` and `violations` are what people are shown.

    ``own_prefix`` is what the ids of our orders begin with. What a person traded by hand is
    counted like all else and breaks no rule of ours.
    """

    start_cash_e6: MoneyE6
    own_prefix: str = ""
    checks: int = 0
    violations: int = 0
    kept: list[str] = attrs.field(factory=list)
    _counts_e2: Counter[str] = attrs.field(factory=Counter)
    _yes_cash_e6: int = 0
    _start_collateral_e6: int = 0
    # Beyond the cash of the start: what is held then, and what came or went since.
    _put_in_e6: int = 0

    def adopt(self, ledger: Ledger) -> None:
        """Take a ledger as it stands for the point from which to count."""
        self.start_cash_e6 = ledger.cash_e6
        self._yes_cash_e6 = 0
        self._counts_e2 = Counter({held.ticker: held.count_e2 for held in ledger.held()})
        self._start_collateral_e6 = self._collateral_e6()
        self._put_in_e6 = _put_in_e6(ledger) - ledger.cash_e6

    def after_approval(self, order: Order, ledger: Ledger, exposure_e6: int, limit_e6: int) -> None:
        """Check an order that was just approved against the limit that it had to pass."""
        self.checks += 1
        if order.is_entry and exposure_e6 > limit_e6:
            self._violated(f"exposure {dollars(exposure_e6)} is over {dollars(limit_e6)}")
        same_game = [
            other
            for other in ledger.all_at_stake()
            if other.is_entry and other.intent.game_id == order.intent.game_id
        ]
        if order.is_entry and len(same_game) > 1:
            self._violated(f"{len(same_game)} entries of {order.intent.game_id} are in flight")

    def after_counting(self, kept_e6: int, counted_e6: int) -> None:
        """Check that the exposure that is kept is the one that is counted from nothing."""
        self.checks += 1
        if kept_e6 != counted_e6:
            text = f"exposure is kept as {dollars(kept_e6)}, and is {dollars(counted_e6)}"
            self._violated(text)

    def after_fill(self, fill: Fill, ledger: Ledger) -> None:
        """Check the ledger after it booked a fill that had not been booked before."""
        self.checks += 1
        sign = 1 if fill.side is Side.BID else -1
        self._counts_e2[fill.ticker] += sign * fill.count_e2
        if not self._counts_e2[fill.ticker]:
            del self._counts_e2[fill.ticker]
        self._yes_cash_e6 -= sign * fill.price_e4 * fill.count_e2 + fill.fee_e6
        self._check_position(fill.ticker, ledger)
        self._check_cash(ledger)
        self._check_sums(ledger)
        self._check_order(fill, ledger)

    def after_settlement(self, settlement: Settlement, ledger: Ledger) -> None:
        """Check the ledger after it booked the end of a market."""
        self.checks += 1
        self._yes_cash_e6 += settlement.value_e4 * self._counts_e2.pop(settlement.ticker, 0)
        self._check_position(settlement.ticker, ledger)
        self._check_cash(ledger)
        self._check_sums(ledger)

    def after_move(self, move: CashMove, ledger: Ledger) -> None:
        """Check the ledger after it booked money that came or went without a trade."""
        self.checks += 1
        self._yes_cash_e6 += move.amount_e6
        self._put_in_e6 += move.amount_e6
        self._check_cash(ledger)

    def after_report(self, order: Order) -> None:
        """Check an order after the exchange said something of it."""
        self.checks += 1
        if order.reported_filled_e2 > order.count_e2:
            self._violated(f"{order!r} was reported filled beyond its count")

    def _check_position(self, ticker: str, ledger: Ledger) -> None:
        counted_e2, held_e2 = self._counts_e2[ticker], ledger.position(ticker).count_e2
        if counted_e2 != held_e2:
            text = f"position {contracts(held_e2)}, fills say {contracts(counted_e2)}"
            self._violated(f"{ticker}: {text}")

    def _check_cash(self, ledger: Ledger) -> None:
        # Cash counted the other way about: every fill at its YES price, and a dollar locked for
        # each contract held short.
        locked_e6 = self._collateral_e6() - self._start_collateral_e6
        expected_e6 = self.start_cash_e6 + self._yes_cash_e6 - locked_e6
        if expected_e6 != ledger.cash_e6:
            text = f"cash {dollars(ledger.cash_e6)}, fills say {dollars(expected_e6)}"
            self._violated(text)

    def _check_sums(self, ledger: Ledger) -> None:
        put_in_e6, expected_e6 = _put_in_e6(ledger), self.start_cash_e6 + self._put_in_e6
        if put_in_e6 != expected_e6:
            text = f"cash, cost and fees less gains are {exact(put_in_e6)}"
            self._violated(f"{text}, {exact(expected_e6)} was put in")

    def _check_order(self, fill: Fill, ledger: Ledger) -> None:
        order = ledger.order_of(fill)
        if order is None:
            if is_own(fill, self.own_prefix):
                self._violated(f"fill {fill.trade_id} has our name and belongs to no order of ours")
        elif order.filled_e2 > order.count_e2:
            self._violated(f"{order!r} filled beyond its count")
        elif order.side is not fill.side or not _within_limit(order, fill):
            self._violated(f"{order!r} filled at {fill.price_e4}, worse than its limit")

    def _collateral_e6(self) -> int:
        short_e2 = sum(-count for count in self._counts_e2.values() if count < 0)
        return int(ONE_DOLLAR_E4) * CountE2(short_e2)

    def _violated(self, text: str) -> None:
        self.violations += 1
        if len(self.kept) < VIOLATIONS_KEPT:
            self.kept.append(text)


def _put_in_e6(ledger: Ledger) -> int:
    """Return what no trade has brought or taken, by what the ledger has added up as it went."""
    cost_e6 = sum(held.cost_e6 for held in ledger.held())
    return ledger.cash_e6 + cost_e6 + ledger.fees_e6 - ledger.realised_e6


def is_own(fill: Fill, own_prefix: str) -> bool:
    """Tell whether a fill says that its order was ours.

    The exchange's list of fills names no id of ours: one from there may turn out ours when the
    answer to its order comes, or be of a person's own order.
    """
    return fill.client_order_id is not None and fill.client_order_id.startswith(own_prefix)


def _within_limit(order: Order, fill: Fill) -> bool:
    # An exit may have been moved between the fill and our hearing of it; every price that it
    # was ever meant to stand at was a price that we meant.
    if fill.side is Side.BID:
        return fill.price_e4 <= order.highest_e4
    return fill.price_e4 >= order.lowest_e4
