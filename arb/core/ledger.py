"""What we hold and what it cost: orders, fills, positions and cash, counted once each.

The ledger is fed by what the exchange reports and by nothing else. A fill is booked by its
trade id, exactly once, whether or not its order is known; an order that turns out later to be
the one it belongs to takes it then.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from arb.core.events import CashMove, Fill, OrderClosed, OrderEvent, Settlement, Side
from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, PriceE4, cost_e6
from arb.core.orders import IllegalTransition, Order

NOTHING_E6 = MoneyE6(0)


@attrs.define
class Position:
    """The contracts of one market: positive is YES, negative is NO.

    ``cost_e6`` is what the open contracts cost, fees apart: a NO contract sold at 0.60 cost 0.40.
    ``fees_before_e6`` was paid before we counted, and is in no sum of ours. ``own_e2`` is what our
    own orders bought since nothing was held, less what they sold; the rest came by hand.
    ``open_fees_e6`` was paid for the open contracts, and ``opened_ms`` is when the first of them
    was bought. ``round`` counts how often nothing was left.
    """

    ticker: str
    count_e2: CountE2 = CountE2(0)
    cost_e6: MoneyE6 = MoneyE6(0)
    realised_e6: MoneyE6 = MoneyE6(0)
    fees_e6: MoneyE6 = MoneyE6(0)
    fees_before_e6: MoneyE6 = MoneyE6(0)
    own_e2: CountE2 = CountE2(0)
    open_fees_e6: MoneyE6 = MoneyE6(0)
    opened_ms: int = 0
    round: int = 0

    @property
    def ours_e2(self) -> CountE2:
        """Return how much of what is held our own orders bought, signed as ``count_e2``.

        What a person has bought by hand beside it is his to sell, and what he has sold of ours is
        not there to be sold again.
        """
        least_e2, most_e2 = min(0, self.count_e2), max(0, self.count_e2)
        return CountE2(min(most_e2, max(least_e2, self.own_e2)))

    @property
    def entry_e4(self) -> PriceE4:
        """Return the average price of the side held, rounded up; 0 when flat."""
        size_e2 = abs(self.count_e2)
        return PriceE4(-(-self.cost_e6 // size_e2)) if size_e2 else PriceE4(0)

    def unrealised_e6(self, yes_mark_e4: int) -> MoneyE6:
        """Return what closing at the YES price ``yes_mark_e4`` would gain, before fees."""
        own_mark_e4 = yes_mark_e4 if self.count_e2 >= 0 else ONE_DOLLAR_E4 - yes_mark_e4
        return MoneyE6(own_mark_e4 * abs(self.count_e2) - self.cost_e6)

    def trade(self, side: Side, price_e4: int, count_e2: int, fee_e6: int = 0) -> MoneyE6:
        """Take one fill and return the change of cash before its fee."""
        sign = 1 if side is Side.BID else -1
        closing_e2 = min(count_e2, abs(self.count_e2)) if self.count_e2 * sign < 0 else 0
        opening_e2 = count_e2 - closing_e2
        opening_price_e4 = price_e4 if sign > 0 else ONE_DOLLAR_E4 - price_e4
        closing_price_e4 = ONE_DOLLAR_E4 - opening_price_e4
        cash_e6 = self._close(closing_e2, closing_price_e4)
        cash_e6 -= cost_e6(opening_price_e4, opening_e2)
        self.cost_e6 = MoneyE6(self.cost_e6 + cost_e6(opening_price_e4, opening_e2))
        if opening_e2:
            self.open_fees_e6 = MoneyE6(self.open_fees_e6 + fee_e6 * opening_e2 // count_e2)
        self.count_e2 = CountE2(self.count_e2 + sign * count_e2)
        return MoneyE6(cash_e6)

    def end_round(self) -> None:
        """Begin anew where nothing is left: whose it was is of no interest any more."""
        if not self.count_e2:
            self.own_e2, self.open_fees_e6 = CountE2(0), MoneyE6(0)
            self.opened_ms = 0
            self.round += 1

    def _close(self, count_e2: int, own_price_e4: int) -> int:
        if not count_e2:
            return 0
        proceeds_e6 = cost_e6(own_price_e4, count_e2)
        # The part that stays keeps the rounding, so that closing everything leaves no remainder.
        share_e6 = self.cost_e6 * count_e2 // abs(self.count_e2)
        self.cost_e6 = MoneyE6(self.cost_e6 - share_e6)
        fees_e6 = self.open_fees_e6 * count_e2 // abs(self.count_e2)
        self.open_fees_e6 = MoneyE6(self.open_fees_e6 - fees_e6)
        self.realised_e6 = MoneyE6(self.realised_e6 + proceeds_e6 - share_e6)
        return proceeds_e6


@attrs.frozen
class HandOrder:
    """An order that rests and is not ours: a person's own, which nobody here touches."""

    order_id: str
    ticker: str
    side: Side
    price_e4: PriceE4
    remaining_e2: CountE2


@attrs.define
class Ledger:
    """All orders, fills, positions and cash of one account, as far as we know them.

    ``by_hand`` is a person's own orders as of the last reading of the account. ``touched``
    names the markets whose positions or orders have changed since exposure was last counted.
    ``realised_e6`` and ``fees_e6`` are what all positions ever have gained and paid, kept as they
    change: a year of markets is too many to add up at every fill. ``newest_fill_ms`` is when the
    newest fill that was booked happened, by the exchange.
    """

    cash_e6: MoneyE6
    orders: dict[str, Order] = attrs.field(factory=dict)
    positions: dict[str, Position] = attrs.field(factory=dict)
    trade_ids: set[str] = attrs.field(factory=set)
    settled: set[tuple[str, int]] = attrs.field(factory=set)
    move_ids: set[str] = attrs.field(factory=set)
    adopted_ms: int = 0
    newest_fill_ms: int = 0
    by_hand: tuple[HandOrder, ...] = ()
    touched: set[str] = attrs.field(factory=set)
    fills_booked: int = 0
    stray_fills: int = 0
    illegal_reports: int = 0
    realised_e6: MoneyE6 = MoneyE6(0)
    fees_e6: MoneyE6 = MoneyE6(0)
    _held: set[str] = attrs.field(factory=set)
    _by_order_id: dict[str, Order] = attrs.field(factory=dict)
    _open_by_ticker: dict[str, dict[str, Order]] = attrs.field(factory=dict)
    _stray_by_order_id: dict[str, list[tuple[Fill, int]]] = attrs.field(factory=dict)

    def open_order(self, order: Order) -> None:
        """Take up an order that risk has approved; raises `ValueError` on a second use of an id."""
        if order.client_order_id in self.orders:
            raise ValueError(f"the id {order.client_order_id} has been used before")
        self.orders[order.client_order_id] = order
        self._open_by_ticker.setdefault(order.intent.ticker, {})[order.client_order_id] = order
        self.touched.add(order.intent.ticker)

    def report(self, event: OrderEvent) -> Order | None:
        """Take what the exchange said of an order; None where the order is not ours."""
        order = self.orders.get(event.client_order_id)
        if order is None:
            return None
        try:
            order.apply(event)
        except IllegalTransition:
            self.illegal_reports += 1
        self._index(order)
        return order

    def book(self, fill: Fill) -> bool:
        """Book a fill and return True, or return False if its trade is already booked."""
        if fill.trade_id in self.trade_ids:
            return False
        self.trade_ids.add(fill.trade_id)
        self.newest_fill_ms = max(self.newest_fill_ms, fill.at_ms)
        self.touched.add(fill.ticker)
        position = self.positions.setdefault(fill.ticker, Position(fill.ticker))
        before_e2 = position.count_e2
        self._trade(position, fill.side, fill.price_e4, fill.count_e2, fill.fee_e6)
        if before_e2 * position.count_e2 <= 0:
            position.opened_ms = fill.at_ms
        self.fills_booked += 1
        self._credit_order(fill, position.round)
        position.end_round()
        return True

    def settle(self, settlement: Settlement) -> bool:
        """Book a settlement once and return True.

        False where it is booked already, or is of another count than is held: then a fill is
        missing, or it is of a time before ours.
        """
        position = self.positions.get(settlement.ticker)
        if settlement.key in self.settled or position is None or not position.count_e2:
            return False
        if position.count_e2 != settlement.count_e2:
            return False
        self.settled.add(settlement.key)
        self.touched.add(settlement.ticker)
        # The end of a market is a sale of all that is held, at what it turned out to be worth.
        side = Side.ASK if position.count_e2 > 0 else Side.BID
        self._trade(position, side, settlement.value_e4, CountE2(abs(position.count_e2)))
        position.end_round()
        return True

    def move_cash(self, move: CashMove) -> bool:
        """Book a deposit, withdrawal or transfer once and return True, else False."""
        if move.move_id in self.move_ids:
            return False
        self.move_ids.add(move.move_id)
        self.cash_e6 = MoneyE6(self.cash_e6 + move.amount_e6)
        return True

    def position(self, ticker: str) -> Position:
        """Return the position in a market; a flat one that is nobody's where there was none."""
        return self.positions.get(ticker) or Position(ticker)

    def held(self) -> list[Position]:
        """Return the positions that are not flat, in order of their markets."""
        return [self.positions[ticker] for ticker in sorted(self._held)]

    def recount(self, position: Position) -> None:
        """Look again whether anything is held of a position, which was changed."""
        if position.count_e2:
            self._held.add(position.ticker)
        else:
            self._held.discard(position.ticker)

    def at_stake(self, ticker: str) -> Iterator[Order]:
        """Yield the orders of a market of which more may reach the position."""
        yield from tuple(self._open_by_ticker.get(ticker, {}).values())

    def all_at_stake(self) -> Iterator[Order]:
        """Yield every order of which more may reach a position."""
        for ticker in tuple(self._open_by_ticker):
            yield from self.at_stake(ticker)

    def active_tickers(self) -> list[str]:
        """Return the markets that hold a position or have an order at stake, in order."""
        return sorted(self._held | self._open_by_ticker.keys())

    def our_tickers(self) -> list[str]:
        """Return the markets in which something of ours is held or at stake, in order."""
        ours = {ticker for ticker in self._held if self.positions[ticker].ours_e2}
        return sorted(ours | self._open_by_ticker.keys())

    def order_of(self, fill: Fill) -> Order | None:
        """Return the order that a fill belongs to, by our id or else by the exchange's."""
        if fill.client_order_id is not None and fill.client_order_id in self.orders:
            return self.orders[fill.client_order_id]
        return self._by_order_id.get(fill.order_id)

    def reindex(self, order: Order) -> None:
        """Look again whether more of an order may reach a position."""
        self._index(order)

    def _trade(
        self,
        position: Position,
        side: Side,
        price_e4: PriceE4,
        count_e2: CountE2,
        fee_e6: MoneyE6 = NOTHING_E6,
    ) -> None:
        """Change a position, and with it the cash, what is held and the sums of all."""
        before_e6 = position.realised_e6
        change_e6 = position.trade(side, price_e4, count_e2, fee_e6)
        gained_e6 = position.realised_e6 - before_e6
        position.fees_e6 = MoneyE6(position.fees_e6 + fee_e6)
        self.cash_e6 = MoneyE6(self.cash_e6 + change_e6 - fee_e6)
        self.realised_e6 = MoneyE6(self.realised_e6 + gained_e6)
        self.fees_e6 = MoneyE6(self.fees_e6 + fee_e6)
        self.recount(position)

    def _credit_order(self, fill: Fill, in_round: int) -> None:
        order = self.order_of(fill)
        if order is None:
            self.stray_fills += 1
            self._stray_by_order_id.setdefault(fill.order_id, []).append((fill, in_round))
            return
        self._credit(order, fill, in_round)
        self._index(order)

    def _credit(self, order: Order, fill: Fill, in_round: int) -> None:
        position = self.positions[fill.ticker]
        if position.round == in_round:
            sign = 1 if fill.side is Side.BID else -1
            position.own_e2 = CountE2(position.own_e2 + sign * fill.count_e2)
        _credit(order, fill)

    def _index(self, order: Order) -> None:
        if order.order_id is not None and order.order_id not in self._by_order_id:
            self._by_order_id[order.order_id] = order
            # The exchange's list of fills names no id of ours: one may have come too early.
            for fill, in_round in self._stray_by_order_id.pop(order.order_id, ()):
                self.stray_fills -= 1
                self._credit(order, fill, in_round)
        ticker = order.intent.ticker
        self.touched.add(ticker)
        open_here = self._open_by_ticker.setdefault(ticker, {})
        if order.is_open or order.at_stake_e2:
            open_here[order.client_order_id] = order
            return
        open_here.pop(order.client_order_id, None)
        if not open_here:
            del self._open_by_ticker[ticker]

    def __repr__(self) -> str:
        return (
            f"<Ledger cash_e6={self.cash_e6} orders={len(self.orders)} "
            f"fills={self.fills_booked} active={len(self.active_tickers())}>"
        )


def _credit(order: Order, fill: Fill) -> None:
    order.filled_e2 = CountE2(order.filled_e2 + fill.count_e2)
    order.order_id = order.order_id or fill.order_id
    if order.is_open and order.filled_e2 >= order.count_e2:
        order.apply(OrderClosed(order.client_order_id, order.filled_e2, "filled"))
