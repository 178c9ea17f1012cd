"""Trades, positions and lots, counted from the journal's records as the engine counts them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import attrs

from arb.core.events import Fill, Settlement, Side
from arb.core.ledger import Ledger, Position
from arb.core.money import ONE_DOLLAR_E4, CountE2, MoneyE6, PriceE4, cost_e6
from arb.journal.records import Record, RecordKind, read_fill, read_settlement
from arb.journal.recovery import Recovered, replay

SETTLED = "settled"
ADOPTED = "adopted"


@attrs.frozen
class Trade:
    """A fill, or the end of a market that was held.

    ``gained_e6`` is what it realised after its own fee; ``held_e2`` and ``cash_e6`` stood after.
    """

    at_ms: int
    ticker: str
    what: str
    side: Side
    count_e2: CountE2
    price_e4: PriceE4
    fee_e6: MoneyE6
    gained_e6: MoneyE6
    held_e2: CountE2
    cash_e6: MoneyE6
    liquidity: str = ""
    order: str = ""
    trade_id: str = ""


@attrs.frozen
class Lot:
    """Contracts that were bought together and sold together, first in, first out.

    ``is_yes`` tells what was held. ``how`` it ended is empty while it is held still; then what it
    was sold for, its time and its gain, which is after all fees, are None.
    """

    ticker: str
    is_yes: bool
    count_e2: CountE2
    opened_ms: int
    cost_e6: MoneyE6
    fees_e6: MoneyE6
    origin: str
    how: str = ""
    closed_ms: int | None = None
    proceeds_e6: MoneyE6 | None = None
    gained_e6: MoneyE6 | None = None


@attrs.frozen
class Account:
    """All that the questions are answered from."""

    ledger: Ledger
    trades: tuple[Trade, ...]
    lots: tuple[Lot, ...]

    @property
    def held(self) -> tuple[Position, ...]:
        """Return what is held, by market."""
        positions = self.ledger.positions
        return tuple(positions[key] for key in sorted(positions) if positions[key].count_e2)

    @property
    def realised_e6(self) -> int:
        """Return what all markets have realised, before fees."""
        return sum(position.realised_e6 for position in self.ledger.positions.values())

    @property
    def fees_e6(self) -> int:
        """Return what all fills have cost in fees."""
        return sum(position.fees_e6 for position in self.ledger.positions.values())


def account_of(records: Iterable[Record]) -> Account:
    """Count all records of a journal; raises `NotARecord`."""
    state = Recovered(Ledger(MoneyE6(0)))
    counting = _Counting(state.ledger)
    for record in replay(records, state):
        counting.take(record)
    return Account(state.ledger, tuple(counting.trades), tuple(counting.lots()))


class _Counting:
    """Watches a ledger that takes one record after the other."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._booked = 0
        self._settled = 0
        self._realised: dict[str, int] = {}
        self._open: dict[str, deque[Lot]] = {}
        self._closed: list[Lot] = []
        self.trades: list[Trade] = []

    def take(self, record: Record) -> None:
        """Count one record that the ledger has just taken; one that it knew changes nothing."""
        ledger = self._ledger
        if record.kind is RecordKind.FILL and ledger.fills_booked > self._booked:
            self._booked = ledger.fills_booked
            self._fill(read_fill(record.data))
        elif record.kind is RecordKind.SETTLEMENT and len(ledger.settled) > self._settled:
            self._settled = len(ledger.settled)
            self._settle(read_settlement(record.data))
        elif record.kind is RecordKind.ACCOUNT:
            self._adopt(record.at_ms)

    def lots(self) -> list[Lot]:
        """Return every lot, those that are held last."""
        held = [lot for ticker in sorted(self._open) for lot in self._open[ticker]]
        return self._closed + held

    def _fill(self, fill: Fill) -> None:
        order = self._ledger.order_of(fill)
        trade = self._trade(
            Trade(
                fill.at_ms,
                fill.ticker,
                "by hand" if order is None else order.intent.purpose.value,
                fill.side,
                fill.count_e2,
                fill.price_e4,
                fill.fee_e6,
                MoneyE6(0),
                CountE2(0),
                MoneyE6(0),
                fill.liquidity.value,
                order.client_order_id if order is not None else "",
                fill.trade_id,
            )
        )
        self._move_lots(trade)

    def _settle(self, end: Settlement) -> None:
        side = Side.ASK if end.count_e2 > 0 else Side.BID
        count_e2 = CountE2(abs(end.count_e2))
        none = MoneyE6(0)
        trade = Trade(
            end.at_ms,
            end.ticker,
            SETTLED,
            side,
            count_e2,
            end.value_e4,
            none,
            none,
            CountE2(0),
            none,
        )
        self._move_lots(self._trade(trade))

    def _trade(self, trade: Trade) -> Trade:
        position = self._ledger.position(trade.ticker)
        before_e6 = self._realised.get(trade.ticker, 0)
        self._realised[trade.ticker] = position.realised_e6
        counted = attrs.evolve(
            trade,
            gained_e6=MoneyE6(position.realised_e6 - before_e6 - trade.fee_e6),
            held_e2=position.count_e2,
            cash_e6=self._ledger.cash_e6,
        )
        self.trades.append(counted)
        return counted

    def _move_lots(self, trade: Trade) -> None:
        """Close the oldest lots of the other side, and open one with what is left."""
        lots = self._open.setdefault(trade.ticker, deque())
        is_yes = trade.side is Side.BID
        left_e2, fee_e6 = int(trade.count_e2), int(trade.fee_e6)
        while left_e2 and lots and lots[0].is_yes is not is_yes:
            closed_e2 = min(left_e2, lots[0].count_e2)
            share_e6 = fee_e6 * closed_e2 // left_e2
            self._close(lots, closed_e2, share_e6, trade)
            left_e2, fee_e6 = left_e2 - closed_e2, fee_e6 - share_e6
        if left_e2:
            price_e4 = trade.price_e4 if is_yes else PriceE4(ONE_DOLLAR_E4 - trade.price_e4)
            cost = cost_e6(price_e4, CountE2(left_e2))
            lots.append(
                Lot(
                    trade.ticker,
                    is_yes,
                    CountE2(left_e2),
                    trade.at_ms,
                    cost,
                    MoneyE6(fee_e6),
                    trade.what,
                )
            )

    def _close(self, lots: deque[Lot], count_e2: int, fee_e6: int, trade: Trade) -> None:
        lot = lots.popleft()
        # The part that stays keeps the rounding, so that the parts are the whole.
        part_cost_e6 = lot.cost_e6 * count_e2 // lot.count_e2
        part_fees_e6 = lot.fees_e6 * count_e2 // lot.count_e2
        if count_e2 < lot.count_e2:
            lots.appendleft(
                attrs.evolve(
                    lot,
                    count_e2=CountE2(lot.count_e2 - count_e2),
                    cost_e6=MoneyE6(lot.cost_e6 - part_cost_e6),
                    fees_e6=MoneyE6(lot.fees_e6 - part_fees_e6),
                )
            )
        own_e4 = trade.price_e4 if lot.is_yes else ONE_DOLLAR_E4 - trade.price_e4
        proceeds_e6 = cost_e6(PriceE4(own_e4), CountE2(count_e2))
        fees_e6 = part_fees_e6 + fee_e6
        self._closed.append(
            attrs.evolve(
                lot,
                count_e2=CountE2(count_e2),
                cost_e6=MoneyE6(part_cost_e6),
                fees_e6=MoneyE6(fees_e6),
                how=trade.what,
                closed_ms=trade.at_ms,
                proceeds_e6=proceeds_e6,
                gained_e6=MoneyE6(proceeds_e6 - part_cost_e6 - fees_e6),
            )
        )

    def _adopt(self, at_ms: int) -> None:
        """Hold what the exchange said instead, as one lot a market: its parts are not known."""
        for ticker, position in self._ledger.positions.items():
            lots = self._open.setdefault(ticker, deque())
            held_e2 = sum(lot.count_e2 if lot.is_yes else -lot.count_e2 for lot in lots)
            cost = sum(lot.cost_e6 for lot in lots)
            if (held_e2, cost) == (position.count_e2, position.cost_e6):
                continue
            lots.clear()
            if position.count_e2:
                lots.append(
                    Lot(
                        ticker,
                        position.count_e2 > 0,
                        CountE2(abs(position.count_e2)),
                        at_ms,
                        position.cost_e6,
                        MoneyE6(0),
                        ADOPTED,
                    )
                )
