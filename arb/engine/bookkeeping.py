"""The risk manager's books: the ledger, the journal beside it, and what is shown of both."""

from __future__ import annotations

from typing import Any

from arb.core.adoption import AdoptedAccount, adopt
from arb.core.commands import OrderIntent, Purpose
from arb.core.events import CashMove, Fill, OrderEvent, Settlement, Side
from arb.core.exit_policy import Bought
from arb.core.exits import Holding, OpenOrder
from arb.core.exposure import Exposures, total_exposure_e6
from arb.core.invariants import Invariants
from arb.core.listing import Catalogue
from arb.core.money import CountE2, MoneyE6, PriceE4, cents, contracts, dollars
from arb.core.orders import Order, OrderState
from arb.core.parameters import Risk, Sizing
from arb.core.permission import Permission
from arb.core.risk import Approved, Refusal, client_order_prefix, free_cash_e6, review
from arb.core.shards import Shards
from arb.core.sizing import Stake, by_kelly, cut
from arb.engine.board import AccountLine, TradeLine
from arb.engine.day_book import DayBook
from arb.engine.messages import OwnResting, StillThere
from arb.engine.parts import Parts
from arb.journal.records import (
    RecordKind,
    account_records,
    cash_data,
    fill_data,
    report_data,
    settlement_data,
)
from arb.journal.writer import JournalFailed


class Bookkeeper:
    """Counts everything once: what the journal says at the start, and what is reported since."""

    def __init__(self, parts: Parts) -> None:
        """Rebuild the books from the journal; raises what reading it raises."""
        self._parts = parts
        recovered = parts.journal.recover()
        self.ledger = recovered.ledger
        self.halt = recovered.halt
        self.halt_withdrew_exits = recovered.halt_withdrew_exits
        self.next_order = recovered.next_order
        self.has_account = recovered.has_account
        self.shards = Shards(self.ledger, parts.fee_e6, parts.shard)
        self.journal_failure: str | None = None
        self.day = DayBook(parts, self.ledger, recovered.day, self.record)
        self._catalogue: Catalogue | None = None
        self._exits_at_work: set[str] = set()
        self._fair_bought: dict[str, float] = {}
        for order in self.ledger.orders.values():
            self._note_fair(order)
        # What an earlier risk manager has checked and found is not forgotten with it.
        counts = parts.board.counts
        self._checks_before = counts["invariant_checks"]
        self._violations_before = counts["invariant_violations"]
        self._violations_told = 0
        prefix = client_order_prefix(parts.installation)
        self.invariants = Invariants(self.ledger.cash_e6, prefix)
        self.invariants.adopt(self.ledger)

    def fitted(self, wish: OrderIntent, limits: Risk, now: Permission) -> OrderIntent | Refusal:
        """Cut a wish to what Kelly, where it is asked for, and every limit let through."""
        fee_of, strategy = self._parts.fee_e6, self._parts.strategy
        if wish.purpose is Purpose.ENTRY and strategy.sizing == Sizing.KELLY:
            cash_e6, held_e2 = free_cash_e6(self.ledger, fee_of), self._held_of_game(wish.ticker)
            stake = Stake(strategy.kelly_fraction, cash_e6, held_e2)
            staked = by_kelly(wish, stake, fee_of)
            if isinstance(staked, Refusal):
                return staked
            wish = staked
        ledger, exposures = self.ledger, self.exposures

        def why_not(each: OrderIntent) -> Refusal | None:
            refusal = review(each, ledger, limits, now, fee_of, exposures)
            return refusal or self.shards.why_not(each)

        fitted = cut(wish, why_not)
        if isinstance(fitted, OrderIntent) and fitted.count_e2 < wish.count_e2:
            self._parts.board.counts["entries cut by a limit"] += 1
        return fitted

    def _held_of_game(self, ticker: str) -> CountE2:
        """Count what is held in both markets of a game, which are one bet."""
        both = (ticker, self._parts.rival(ticker))
        return CountE2(sum(abs(self.ledger.position(each).count_e2) for each in both if each))

    def open(self, approved: Approved, intent: OrderIntent) -> Order:
        """Take up an approved order, which counts in full from here on."""
        order = Order(
            approved.client_order_id,
            intent,
            intent.price_e4,
            intent.count_e2,
            self._parts.clock.wall_ms(),
        )
        self.ledger.open_order(order)
        self._note_fair(order)
        return order

    def _note_fair(self, order: Order) -> None:
        # A fair value that led to a purchase has passed every gate, whatever came after it.
        if order.is_entry:
            self._fair_bought[order.intent.ticker] = order.intent.fair

    def forget(self, ticker: str) -> None:
        """Let go of what is known of a market that is over, the ledger apart."""
        self._fair_bought.pop(ticker, None)

    def check(self, order: Order, limit_e6: MoneyE6) -> None:
        """Check that an order which was just approved keeps every rule."""
        parts, kept_e6 = self._parts, self.exposure_e6()
        exposure_e6 = total_exposure_e6(self.ledger, parts.fee_e6, parts.rival)
        self.invariants.after_counting(kept_e6, exposure_e6)
        self.invariants.after_approval(order, self.ledger, exposure_e6, limit_e6)
        board = self._parts.board
        board.counts["orders"] += 1
        board.exposure_max_e6 = max(board.exposure_max_e6, exposure_e6)

    def record(self, kind: RecordKind, data: dict[str, Any]) -> None:
        """Append to the journal; a failure is kept in `journal_failure` and counting goes on.

        What the exchange reports has happened whether or not it can be written down.
        """
        try:
            self._parts.journal.append(kind, data)
        except JournalFailed as error:
            self.journal_failure = str(error)

    def sync(self) -> None:
        """Bring the journal to disk now; a failure is kept in `journal_failure`."""
        try:
            self._parts.journal.sync()
        except JournalFailed as error:
            self.journal_failure = str(error)

    def report(self, event: OrderEvent) -> Order | None:
        """Journal and count what the exchange said of an order; None where it is not ours."""
        self.record(RecordKind.REPORT, report_data(event))
        known = self.ledger.orders.get(event.client_order_id)
        before = known.state if known is not None else None
        order = self.ledger.report(event)
        if order is None:
            self._parts.board.note_bad("exchange", "report of an unknown order", repr(event))
            return None
        self.invariants.after_report(order)
        self._count_exit(order, is_at_work=order.state is OrderState.RESTING)
        if order.state is not before:
            self._show_order(order)
        return order

    def book(self, fill: Fill) -> bool:
        """Journal and book a fill once; False where its trade is booked already."""
        if fill.trade_id in self.ledger.trade_ids:
            return False
        self.record(RecordKind.FILL, fill_data(fill))
        realised_before_e6 = self.ledger.position(fill.ticker).realised_e6
        cash_before_e6 = self.ledger.cash_e6
        self.ledger.book(fill)
        self.shards.changed(fill.ticker, self.ledger.cash_e6 - cash_before_e6)
        self.invariants.after_fill(fill, self.ledger)
        self._parts.board.counts["fills"] += 1
        order = self.ledger.order_of(fill)
        if order is not None:
            self._count_exit(order, is_at_work=True)
        gained_e6 = self.ledger.position(fill.ticker).realised_e6 - realised_before_e6
        self._show_fill(fill, gained_e6)
        return True

    def is_by_hand(self, fill: Fill) -> bool:
        """Tell whether a fill is of a person's own order: no order of ours can be the one.

        The exchange's list of fills names no id of ours, and an order whose answer is still out
        has no id of theirs: while there is such a one, the fill may be its own.
        """
        nameless = (order.order_id is None for order in self.ledger.at_stake(fill.ticker))
        return self.ledger.order_of(fill) is None and not any(nameless)

    def settle(self, settlement: Settlement) -> int | None:
        """Journal and book the end of a market once, and return what it gained before fees.

        None where it is booked already or ends another position than is held.
        """
        position = self.ledger.position(settlement.ticker)
        is_held = position.count_e2 == settlement.count_e2 and position.count_e2
        if settlement.key in self.ledger.settled or not is_held:
            return None
        self.record(RecordKind.SETTLEMENT, settlement_data(settlement))
        before_e6, cash_before_e6 = position.realised_e6, self.ledger.cash_e6
        self.ledger.settle(settlement)
        self.shards.changed(settlement.ticker, self.ledger.cash_e6 - cash_before_e6)
        self.invariants.after_settlement(settlement, self.ledger)
        self._parts.board.counts["settlements"] += 1
        return position.realised_e6 - before_e6

    def move_cash(self, move: CashMove) -> None:
        """Journal and book a deposit, a withdrawal or a transfer."""
        self.record(RecordKind.CASH, cash_data(move))
        self.ledger.move_cash(move)
        self.invariants.after_move(move, self.ledger)

    def adopt(self, account: AdoptedAccount) -> None:
        """Take the exchange's word for cash, positions and orders, and journal that we did.

        What comes after stands on this record: it is on the disk before anything is begun.
        """
        for kind, data in account_records(account):
            self.record(kind, data)
        self.sync()
        now_ms = self._parts.clock.wall_ms()
        self.day.without_gain(lambda: adopt(self.ledger, account, now_ms))
        self.has_account = True
        self.invariants.adopt(self.ledger)

    @property
    def exposures(self) -> Exposures:
        """Return what may be lost, by the games and the fees of the moment."""
        if self._catalogue is not self._parts.catalogue:
            self._catalogue = self._parts.catalogue
            self._exposures = Exposures(self.ledger, self._parts.fee_e6, self._parts.rival)
        return self._exposures

    def exposure_e6(self) -> MoneyE6:
        """Return the most that can be lost now."""
        return self.exposures.total_e6()

    def holding(self, ticker: str, wishes_heard: int) -> Holding:
        """Describe what is held and at stake in one market, for the market itself."""
        position = self.ledger.position(ticker)
        orders = tuple(OpenOrder.of(order) for order in self.ledger.at_stake(ticker))
        return Holding(
            ticker,
            position.count_e2,
            position.entry_e4,
            orders,
            position.realised_e6,
            wishes_heard,
            CountE2(position.count_e2 - position.ours_e2),
            Bought.of(position, self._fair_bought.get(ticker)),
        )

    def is_reversal(self, fill: Fill) -> bool:
        """Tell whether a fill that was just booked is of an exit and left the other side held."""
        order = self.ledger.order_of(fill)
        if order is None or order.is_entry:
            return False
        ours_e2 = self.ledger.position(fill.ticker).ours_e2
        return ours_e2 > 0 if fill.side is Side.BID else ours_e2 < 0

    def still_there(self, wish: StillThere) -> frozenset[str]:
        """Return which of some markets hold a position or have an order at stake."""
        return frozenset(wish.tickers).intersection(self.ledger.active_tickers())

    def own_resting(self, ticker: str) -> OwnResting:
        """Describe our orders that stand, or may stand, in a market's book."""
        bids: dict[PriceE4, CountE2] = {}
        asks: dict[PriceE4, CountE2] = {}
        for order in self.ledger.at_stake(ticker):
            if order.is_open and order.intent.post_only:
                side = bids if order.side is Side.BID else asks
                resting_e2 = side.get(order.price_e4, 0) + order.at_stake_e2
                side[order.price_e4] = CountE2(resting_e2)
        return OwnResting(ticker, bids, asks)

    def publish(self, permission: Permission, limits: Risk, limit_max_e6: MoneyE6) -> None:
        """Put the account as it stands onto the board."""
        board = self._parts.board
        board.account = AccountLine(
            self.ledger.cash_e6,
            self.exposure_e6(),
            limits.max_total_exposure_e6,
            limit_max_e6,
            self.ledger.realised_e6,
            self.ledger.fees_e6,
            permission.state,
            permission.reasons,
            self.day.gained_e6,
            limits.max_daily_loss_e6,
        )
        found = self.invariants
        board.counts["invariant_checks"] = self._checks_before + found.checks
        board.counts["invariant_violations"] = self._violations_before + found.violations
        for text in found.kept[self._violations_told :]:
            board.say("RISK", f"must never be: {text}", level="error")
        self._violations_told = len(found.kept)

    def _show_order(self, order: Order) -> None:
        """Add a trade line where an order was refused, lost sight of, cancelled or came to rest."""
        what = _word_for(order)
        if what is None:
            return
        self._parts.board.trades.appendleft(
            TradeLine(
                self._parts.clock.wall_ms(),
                "BUY" if order.side is Side.BID else "SELL",
                order.at_stake_e2 or order.count_e2,
                order.intent.ticker,
                order.price_e4,
                order.intent.liquidity,
                what,
                latency_us=self._parts.board.latency_us.get(order.intent.ticker),
            )
        )

    def _count_exit(self, order: Order, *, is_at_work: bool) -> None:
        """Count each exit once, when it first rests or fills; keep in mind those under way."""
        if order.is_entry:
            return
        name = order.client_order_id
        if is_at_work and name not in self._exits_at_work:
            self._exits_at_work.add(name)
            self._parts.board.counts["exits"] += 1
        if not (order.is_open or order.at_stake_e2):
            self._exits_at_work.discard(name)

    def _show_fill(self, fill: Fill, gained_e6: int) -> None:
        verb = "bought" if fill.side is Side.BID else "sold"
        text = f"{verb} {contracts(fill.count_e2)} {fill.ticker} at {cents(fill.price_e4)}c"
        order = self.ledger.order_of(fill)
        closes = order is not None and not order.is_entry
        if order is not None and order.is_entry and fill.side is Side.ASK:
            text += ", which is to buy NO"
        hand = ", by hand" if self.is_by_hand(fill) else ""
        fee = dollars(fill.fee_e6)
        self._parts.board.say("TRADE", f"{text} ({fill.liquidity}), fee {fee}{hand}")
        latencies = self._parts.board.latency_us
        self._parts.board.trades.appendleft(
            TradeLine(
                fill.at_ms,
                "BUY" if fill.side is Side.BID else "SELL",
                fill.count_e2,
                fill.ticker,
                fill.price_e4,
                fill.liquidity,
                "filled by hand" if self.is_by_hand(fill) else "filled",
                gained_e6 - fill.fee_e6 if closes else None,
                latencies.get(fill.ticker),
            )
        )

    def __repr__(self) -> str:
        return f"<Bookkeeper {self.ledger!r}>"


def _word_for(order: Order) -> str | None:
    if order.state is OrderState.REFUSED:
        return "refused"
    if order.state is OrderState.UNKNOWN:
        return "unknown"
    if order.state is OrderState.RESTING:
        return "resting"
    return "canceled" if order.why_closed.startswith("canceled") else None
