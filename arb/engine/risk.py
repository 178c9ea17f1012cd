"""The risk manager: the only one who approves, and the keeper of the books.

Forward: a market's wish is reviewed by the core and, if nothing speaks against it, goes to the
gateway in the same turn. Back: what the exchange says is counted, and told to the market as its
new holding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs

from actors import Actor, Address, Context, Down, MailboxFull
from arb.core.commands import AmendIntent, CancelOrder, OrderIntent
from arb.core.events import Fill, OrderEvent, OrderRefused
from arb.core.exits import ExitView, plan_exits
from arb.core.money import MoneyE6, cents, contracts, dollars
from arb.core.orders import Order
from arb.core.permission import Halt, Permission
from arb.core.reconcile import difference
from arb.core.risk import Approvals, Approved, Refusal, amendment_of, review, review_amend
from arb.engine.bookkeeping import Bookkeeper
from arb.engine.messages import (
    Account,
    ChangeLimit,
    ClearHalt,
    CloseNow,
    ConnectionChanged,
    Filled,
    Flatten,
    ForceClose,
    GatewayReady,
    HaltTrading,
    Hello,
    JournalBroken,
    LookUp,
    Pause,
    ReadAccount,
    Reported,
    Resume,
    Session,
    StopTrading,
)
from arb.engine.names import BOOK_FEED, GATEWAY, market_name, ticker_of
from arb.engine.parts import Parts
from arb.journal.records import RecordKind

# What still moves is not a difference: an account that differs is read again after this long,
# and differs only if it does so twice without a fill in between.
DIFFERENCE_REPEATED_S = 2.0

# The exposure limit can be lowered to this and no further; at zero, pause says it better.
LIMIT_MIN_E6 = MoneyE6(1_000_000)


class RiskManager(Actor):
    """Approves or refuses every wish, counts what comes back, and holds all the switches."""

    def __init__(self, ctx: Context, parts: Parts) -> None:
        super().__init__(ctx)
        self._parts = parts
        self._board = parts.board
        self._limits = parts.risk
        self._books = Bookkeeper(parts)
        self._permission = Permission(halt=self._books.halt)
        self._approvals = Approvals(parts.installation, self._books.next_order)
        self._gateway = ctx.find(GATEWAY)
        self._book_feed = ctx.find(BOOK_FEED)
        self._markets: dict[str, Address] = {}
        self._away: set[str] = set()
        self._wishes_heard: Counter[str] = Counter()
        self._differed_at_fill: int | None = None
        self._handlers: dict[type, Callable[[Any], object]] = {
            OrderIntent: self._on_intent,
            AmendIntent: self._on_amend,
            CancelOrder: self._gateway.tell,
            Reported: self._on_reported,
            Filled: self._on_filled,
            Hello: self._on_hello,
            Down: self._on_down,
            GatewayReady: self._on_gateway_ready,
            Account: self._on_account,
            ReadAccount: self._gateway.tell,
            ConnectionChanged: self._on_connection,
            JournalBroken: self._on_journal_broken,
            Pause: self._on_pause,
            Resume: self._on_resume,
            HaltTrading: self._on_halt,
            ClearHalt: self._on_clear,
            ForceClose: self._on_force_close,
            Flatten: self._on_flatten,
            ChangeLimit: self._on_change_limit,
            StopTrading: self._on_stop,
        }
        self._publish()

    def receive(self, message: object) -> object:
        """Handle one message; what nobody sends here goes to the dead letters."""
        handler = self._handlers.get(type(message))
        if handler is None:
            self.ctx.dead_letter(message, "not for the risk manager")
            return None
        answer = handler(message)
        if self._books.journal_failure is not None and self._permission.halt is None:
            self._on_journal_broken(JournalBroken(self._books.journal_failure))
        return answer

    # Forward: from a wish to an approval.

    def _on_intent(self, intent: OrderIntent) -> None:
        self._wishes_heard[intent.ticker] += 1
        self._consider(intent)
        self._tell_holding(intent.ticker)

    def _consider(self, intent: OrderIntent) -> None:
        refusal = review(
            intent, self._books.ledger, self._limits, self._permission, self._parts.fee_e6
        )
        if refusal is not None:
            self._refuse(refusal)
            return
        approved = self._approvals.approve(intent, now_ns=self._parts.clock.monotonic_ns())
        order = self._books.open(approved, intent, self._limits.max_total_exposure_e6)
        self._tell_own_resting(intent.ticker)
        self._send(approved, order)

    def _on_amend(self, intent: AmendIntent) -> None:
        self._wishes_heard[intent.ticker] += 1
        self._consider_amend(intent)
        self._tell_holding(intent.ticker)

    def _consider_amend(self, intent: AmendIntent) -> None:
        refusal = review_amend(intent, self._books.ledger)
        if refusal is not None:
            self._refuse(refusal)
            return
        order = self._books.ledger.orders[intent.client_order_id]
        amendment = amendment_of(intent, order, order.order_id or "")
        order.amend_sent(intent.price_e4)
        now_ns = self._parts.clock.monotonic_ns()
        self._send(self._approvals.approve_amend(amendment, now_ns=now_ns), order)

    def _send(self, approved: Approved, order: Order) -> None:
        try:
            self._gateway.tell(approved)
        except MailboxFull:
            refused = OrderRefused(order.client_order_id, "gateway full", "nothing was sent")
            self._on_reported(Reported(refused))

    def _refuse(self, refusal: Refusal) -> None:
        self._board.refusals[refusal.code.value] += 1
        self._tell_market(refusal.ticker, refusal)

    # Back: from what the exchange says to what a market holds.

    def _on_reported(self, reported: Reported) -> None:
        order = self._books.report(reported.event)
        if order is None:
            return
        self._log_report(order, reported.event)
        self._tell_own_resting(order.intent.ticker)
        self._tell_holding(order.intent.ticker)

    def _on_filled(self, filled: Filled) -> None:
        fill = filled.fill
        if not self._books.book(fill):
            self._board.counts["fills_repeated"] += 1
            return
        self._log_fill(fill)
        self._tell_own_resting(fill.ticker)
        self._tell_holding(fill.ticker)
        if fill.ticker in self._away:
            self._cover(fill.ticker)

    def _on_account(self, account: Account) -> None:
        if not self._books.has_account:
            self._books.adopt(account)
            self._board.say("RISK", f"account read: {dollars(account.cash_e6)} in cash")
        for fill in account.fills:
            self._on_filled(Filled(fill))
        positions = {held.ticker: held.count_e2 for held in account.positions}
        differs = difference(self._books.ledger, account.cash_e6, positions)
        if differs is None:
            self._agree()
            return
        fills = self._books.ledger.fills_booked
        if self._differed_at_fill == fills:
            self._permission.unreconciled = differs
            self._board.say("RISK", f"account differs: {differs}", level="error")
        self._differed_at_fill = fills
        self.ctx.after(DIFFERENCE_REPEATED_S, ReadAccount())
        self._publish()

    def _agree(self) -> None:
        self._differed_at_fill = None
        self._permission.unreconciled = None
        if not self._permission.ready:
            self._permission.ready = True
            self._board.say("RISK", "positions and cash agree with the exchange")
        self._publish()

    # Markets that come and go.

    def _on_hello(self, hello: Hello) -> None:
        self._away.discard(hello.ticker)
        self._wishes_heard[hello.ticker] = 0
        self.ctx.monitor(self.ctx.find(market_name(hello.ticker)))
        self._tell_own_resting(hello.ticker)
        self._tell_holding(hello.ticker)

    def _on_down(self, down: Down) -> None:
        ticker = ticker_of(down.address)
        self._away.add(ticker)
        if self._permission.stopping:
            return
        self._board.say("RISK", f"{ticker} is away: its entries are cancelled", level="warning")
        self._cancel_entries("its market is away", ticker)
        self._cover(ticker)

    def _cover(self, ticker: str) -> None:
        """Rest a sale for what an absent market has not covered, at its last known fair value."""
        listing = self._parts.listing(ticker)
        row = self._board.markets.get(ticker)
        if listing is None or row is None or row.fair is None:
            return
        now_ns = self._parts.clock.monotonic_ns()
        holding = self._books.holding(ticker, 0)
        view = ExitView(holding, row.fair, listing.grid, None, listing.game.game_id, now_ns)
        for move in plan_exits(view):
            if isinstance(move, OrderIntent):
                self._consider(move)
        self._tell_holding(ticker)

    # Switches.

    def _on_gateway_ready(self, _ready: GatewayReady) -> None:
        self._permission.ready = False
        self._gateway.tell(Session(self._approvals.new_session()))
        # What an earlier gateway had under way, this one has never heard of.
        for order in self._books.ledger.all_at_stake():
            ticker = order.intent.ticker
            self._gateway.tell(LookUp(order.client_order_id, ticker, order.created_ms))
        self._publish()

    def _on_connection(self, changed: ConnectionChanged) -> None:
        self._board.connection(changed.name, connected=changed.connected, detail=changed.detail)
        moved = self._permission.connection(
            changed.name, connected=changed.connected, detail=changed.detail
        )
        if not moved:
            return
        level = "info" if changed.connected else "warning"
        word = "connected" if changed.connected else f"down: {changed.detail}"
        self._board.say("ENGINE", f"{changed.name} {word}", level=level)
        if not changed.connected:
            self._cancel_entries(f"{changed.name} is down")
        self._publish()

    def _on_journal_broken(self, broken: JournalBroken) -> None:
        self._on_halt(HaltTrading(broken.reason, "the journal"))

    def _on_pause(self, pause: Pause) -> None:
        self._permission.paused_by = pause.by
        self._cancel_entries("paused")
        self._board.say("PERSON", f"paused by {pause.by}")
        self._publish()

    def _on_resume(self, resume: Resume) -> None:
        self._permission.paused_by = None
        self._board.say("PERSON", f"resumed by {resume.by}")
        self._publish()

    def _on_halt(self, wish: HaltTrading) -> None:
        halt = Halt(wish.reason, wish.by, self._parts.clock.wall_ms())
        self._permission.halt = halt
        self._books.record(RecordKind.HALT, {"reason": halt.reason, "by": halt.by})
        self._cancel_entries("halted")
        if wish.cancel_exits:
            self._cancel_exits("halted")
        self._board.say("RISK", halt.text, level="error")
        self._publish()

    def _on_clear(self, clear: ClearHalt) -> bool:
        if self._permission.halt is None:
            return False
        self._permission.halt = None
        self._books.record(RecordKind.CLEAR, {"reason": clear.reason, "by": clear.by})
        self._board.say("PERSON", f"halt cleared by {clear.by}: {clear.reason}")
        self._publish()
        return True

    def _on_force_close(self, wish: ForceClose) -> bool:
        if not self._books.ledger.position(wish.ticker).count_e2:
            return False
        self._board.say("PERSON", f"force close of {wish.ticker} by {wish.by}")
        self._tell_market(wish.ticker, CloseNow(wish.by))
        return True

    def _on_flatten(self, wish: Flatten) -> int:
        held = [t for t, p in sorted(self._books.ledger.positions.items()) if p.count_e2]
        self._permission.paused_by = wish.by
        self._cancel_entries("flatten")
        for ticker in held:
            self._tell_market(ticker, CloseNow(wish.by))
        self._board.say("PERSON", f"flatten by {wish.by}: {len(held)} positions, entries paused")
        self._publish()
        return len(held)

    def _on_change_limit(self, change: ChangeLimit) -> MoneyE6:
        wanted_e6 = self._limits.max_total_exposure_e6 + change.change_e6
        most_e6 = self._parts.risk.max_total_exposure_e6
        limit_e6 = MoneyE6(min(most_e6, max(LIMIT_MIN_E6, wanted_e6)))
        self._limits = attrs.evolve(
            self._limits, max_total_exposure_cents=limit_e6 // 10_000
        )
        self._board.say("PERSON", f"exposure limit {dollars(limit_e6)} by {change.by}")
        self._publish()
        return limit_e6

    def _on_stop(self, stop: StopTrading) -> int:
        """Cancel what must not outlive the engine, and return how many of those still stand."""
        if not self._permission.stopping:
            self._permission.stopping = True
            self._board.say("ENGINE", "stopping: entries are cancelled")
        self._cancel_entries("the engine stops")
        if stop.cancel_exits:
            self._cancel_exits("the engine stops")
        self._publish()
        orders = self._books.ledger.all_at_stake()
        return sum(order.is_open and (order.is_entry or stop.cancel_exits) for order in orders)

    # Helpers.

    def _cancel_entries(self, why: str, ticker: str | None = None) -> None:
        for order in self._books.ledger.all_at_stake():
            if order.is_entry and order.is_open and ticker in (None, order.intent.ticker):
                self._cancel(order, why)

    def _cancel_exits(self, why: str) -> None:
        for order in self._books.ledger.all_at_stake():
            if not order.is_entry and order.is_open:
                self._cancel(order, why)

    def _cancel(self, order: Order, why: str) -> None:
        wish = CancelOrder(order.client_order_id, order.order_id, order.intent.ticker, why)
        self._gateway.tell(wish)

    def _tell_market(self, ticker: str, message: object) -> None:
        # A person may hold something in a market that is not traded here: it has no actor.
        if self._parts.listing(ticker) is None:
            return
        address = self._markets.get(ticker)
        if address is None:
            address = self._markets[ticker] = self.ctx.find(market_name(ticker))
        address.tell(message)

    def _tell_holding(self, ticker: str) -> None:
        holding = self._books.holding(ticker, self._wishes_heard[ticker])
        self._board.holdings[ticker] = holding
        self._tell_market(ticker, holding)
        self._publish()

    def _tell_own_resting(self, ticker: str) -> None:
        if self._parts.orders_stand_on_book:
            self._book_feed.tell(self._books.own_resting(ticker))

    def _publish(self) -> None:
        limit_max_e6 = self._parts.risk.max_total_exposure_e6
        self._books.publish(self._permission, self._limits, limit_max_e6)

    def _log_report(self, order: Order, event: OrderEvent) -> None:
        if isinstance(event, OrderRefused):
            self._board.refusals[f"exchange: {event.code}"] += 1
            text = f"{order.intent.ticker} {order.intent.purpose} refused: {event.text}"
            self._board.say("KALSHI", text, level="warning")

    def _log_fill(self, fill: Fill) -> None:
        verb = "bought" if fill.side.value == "bid" else "sold"
        text = f"{verb} {contracts(fill.count_e2)} {fill.ticker} at {cents(fill.price_e4)}c"
        self._board.say("TRADE", f"{text} ({fill.liquidity}), fee {dollars(fill.fee_e6)}")

    def __repr__(self) -> str:
        return f"<RiskManager {self._permission.state} {self._books!r}>"
