"""The risk manager: the only one who approves, and the keeper of the books.

Forward: a market's wish is reviewed by the core and, if nothing speaks against it, goes to the
gateway in the same turn. Back: what the exchange says is counted, and told to the market as its
new holding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from actors import Actor, Context, Down, MailboxFull
from arb.core.commands import AmendIntent, CancelOrder, OrderIntent
from arb.core.events import OrderEvent, OrderKept, OrderRefused
from arb.core.orders import Order
from arb.core.permission import Permission
from arb.core.risk import (
    Approvals,
    Approved,
    Refusal,
    amendment_of,
    review_amend,
    review_rate,
)
from arb.engine.absent_sales import AbsentSales
from arb.engine.account_comparison import Acceptance, Comparison
from arb.engine.account_reading import Account
from arb.engine.bookkeeping import Bookkeeper
from arb.engine.connections import Connections
from arb.engine.exit_watch import ExitWatch, WatchHands
from arb.engine.guard import GATEWAY_FULL, Guard
from arb.engine.market_actors import MarketActors
from arb.engine.messages import (
    AcceptAccount,
    BookFeedReady,
    CancelAgain,
    ConnectionChanged,
    Filled,
    FillsAwaited,
    GatewayReady,
    Hello,
    LookUp,
    NotOurs,
    ReadAccount,
    Reported,
    SellAgain,
    Session,
    ShowComparison,
    StillThere,
    WatchExits,
)
from arb.engine.names import BOOK_FEED, GATEWAY, ticker_of
from arb.engine.other_engines import OtherEngines
from arb.engine.parts import Parts
from arb.engine.reconciler import Reach, Reconciler
from arb.engine.risk_switches import Hands, Switchboard
from arb.engine.unlisted import want_listings
from arb.engine.withdrawals import Withdrawals

# A fill that the exchange has counted comes within milliseconds; one that is missing after this
# long was lost on the way, and the account is read.
FILLS_AWAITED_S = 1.0

# Sessions of one risk manager in a row; the next one's numbers begin beyond them all.
SESSIONS_MAX = 1_000_000


class RiskManager(Actor):
    """Approves or refuses every wish, counts what comes back, and holds all the switches."""

    def __init__(self, ctx: Context, parts: Parts) -> None:
        super().__init__(ctx)
        self._parts = parts
        self._board = parts.board
        self._books = Bookkeeper(parts)
        self._permission = Permission()
        # An approval of an earlier risk manager may still wait at the gateway: its session must
        # never be one of ours.
        first_session = ctx.generation * SESSIONS_MAX
        self._approvals = Approvals(parts.installation, self._books.next_order, first_session)
        self._gateway = ctx.find(GATEWAY)
        self._book_feed = ctx.find(BOOK_FEED)
        self._markets = MarketActors(ctx, parts)
        self._absent = AbsentSales(parts, self._consider, self._consider_amend)
        self._wishes_heard: Counter[str] = Counter()
        self._fills_awaited = False
        self._guard = Guard(parts, self._books, self._permission, ctx.after, self._publish)
        self._withdrawals = Withdrawals(
            self._books.ledger, self._permission, parts.switches, self._gateway.tell, ctx.after
        )
        hands = Hands(
            self._withdrawals.cancel_entries,
            self._withdrawals.cancel_exits,
            self._markets.tell,
            self._publish,
            self._guard.cleared,
            self._sell_again,
            ctx.after,
        )
        self._switches = Switchboard(parts, self._books, self._permission, hands, self._gateway)
        self._others = OtherEngines(parts, self._switches.halt)
        self._reconciler = Reconciler(
            parts,
            self._books,
            self._permission,
            Reach(self._gateway.tell, ctx.after, self._on_settled, self._publish, self._sell_again),
        )
        reach = (self._withdrawals, self._reconciler, self._publish, self._sell_again)
        self._connections = Connections(self._board, self._permission, *reach)
        self._watch = ExitWatch(
            parts,
            self._books,
            WatchHands(self._gateway.tell, self._keep_exits, ctx.after, self._markets.is_away),
        )
        self._handlers = self._table()
        self._publish()

    def _table(self) -> dict[type, Callable[[Any], object]]:
        return {
            OrderIntent: self._on_intent,
            AmendIntent: self._on_amend,
            CancelOrder: self._gateway.tell,
            Reported: self._on_reported,
            Filled: self._on_filled,
            FillsAwaited: self._on_fills_awaited,
            Hello: self._on_hello,
            BookFeedReady: self._on_book_feed_ready,
            Down: self._on_down,
            CancelAgain: self._withdrawals.again,
            GatewayReady: self._on_gateway_ready,
            Account: self._on_account,
            NotOurs: self._on_not_ours,
            ReadAccount: self._on_read_account,
            ShowComparison: self._on_show_comparison,
            AcceptAccount: self._on_accept,
            ConnectionChanged: self._connections.changed,
            StillThere: self._books.still_there,
            WatchExits: self._watch.look,
            **self._switches.handlers,
            **self._guard.handlers,
        }

    async def start(self) -> None:
        """Begin to look after the day, and to watch that everything is on sale."""
        switches = self._parts.switches
        switches.proven_from_ns = switches.proven_from_ns or self._parts.clock.monotonic_ns()
        self._guard.begin()
        self._watch.begin()

    def receive(self, message: object) -> object:
        """Handle one message; what nobody sends here goes to the dead letters."""
        handler = self._handlers.get(type(message))
        if handler is None:
            self.ctx.dead_letter(message, "not for the risk manager")
            return None
        answer = handler(message)
        halt = self._guard.look()
        if halt is not None:
            self._switches.halt(halt)
        return answer

    # Forward: from a wish to an approval.

    def _on_intent(self, intent: OrderIntent) -> None:
        self._wishes_heard[intent.ticker] += 1
        self._consider(intent)
        self._tell_holding(intent.ticker)

    def _consider(self, intent: OrderIntent) -> None:
        parts, books, now_ns = self._parts, self._books, self._parts.clock.monotonic_ns()
        limits = parts.limits(intent.ticker)
        fitted = (
            self._switches.withheld(intent)
            or self._connections.unproven(intent)
            or parts.shut(intent)
            or review_rate(intent, parts.brakes, limits, now_ns)
            or books.fitted(intent, limits, self._permission)
        )
        if isinstance(fitted, Refusal):
            self._refuse(fitted)
            return
        intent = fitted
        parts.brakes.sent(now_ns)
        approved = self._approvals.approve(intent, now_ns=now_ns)
        order = self._books.open(approved, intent)
        self._send(approved, order)
        # The order is out; what follows in the same turn costs it nothing.
        self._books.check(order, limits.max_total_exposure_e6)
        self._tell_own_resting(intent.ticker)

    def _on_amend(self, intent: AmendIntent) -> None:
        self._wishes_heard[intent.ticker] += 1
        self._consider_amend(intent)
        self._tell_holding(intent.ticker)

    def _consider_amend(self, intent: AmendIntent) -> None:
        refusal = self._switches.unmovable(intent) or review_amend(intent, self._books.ledger)
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
            kind = OrderRefused if isinstance(approved.intent, OrderIntent) else OrderKept
            answer = kind(order.client_order_id, GATEWAY_FULL, "nothing was sent")
            self._on_reported(Reported(answer))

    def _refuse(self, refusal: Refusal) -> None:
        self._board.refusals[refusal.code.value] += 1
        self._tell_refusal(refusal)

    def _tell_refusal(self, refusal: Refusal) -> None:
        self._watch.refused(refusal)
        self._absent.refused(refusal)
        self._markets.tell(refusal.ticker, refusal)

    # Back: from what the exchange says to what a market holds.

    def _on_reported(self, reported: Reported) -> None:
        order = self._books.report(reported.event)
        if order is None:
            self._reconciler.hear_of_stranger(reported.event)
            return
        self._guard.reported(order, reported.event)
        # The book without this order comes before a refusal of it: what a market evaluates on the
        # former would hide the latter from whoever reads its row.
        self._tell_own_resting(order.intent.ticker)
        self._log_report(order, reported.event)
        self._await_fills(order)
        self._tell_holding(order.intent.ticker)

    def _await_fills(self, order: Order) -> None:
        if order.reported_filled_e2 > order.filled_e2 and not self._fills_awaited:
            self._fills_awaited = True
            self.ctx.after(FILLS_AWAITED_S, FillsAwaited())

    def _on_fills_awaited(self, _awaited: FillsAwaited) -> None:
        self._fills_awaited = False
        for order in self._books.ledger.all_at_stake():
            if order.reported_filled_e2 > order.filled_e2:
                self._gateway.tell(ReadAccount())
                if not order.is_open:
                    # There may be none: its end was told by what a cancel has left of it.
                    self._gateway.tell(LookUp.of(order))
                self._await_fills(order)
                return

    def _on_filled(self, filled: Filled) -> None:
        fill = filled.fill
        if not self._books.has_account:
            self._reconciler.filled_before()
            return
        if not self._books.book(fill):
            self._board.counts["fills_repeated"] += 1
            return
        self._watch.booked(fill)
        self._on_settled(fill.ticker)
        if self._markets.is_away(fill.ticker):
            self._cover(fill.ticker)

    def _on_account(self, account: Account) -> None:
        if self._books.has_account:
            for fill in account.fills:
                self._on_filled(Filled(fill))
        for order in account.by_hand:
            self._others.saw(order.client_order_id, order.ticker)
        self._reconciler.take(account)
        want_listings(self.ctx, self._parts, self._books.ledger)

    def _on_not_ours(self, order: NotOurs) -> None:
        self._others.saw(order.client_order_id, order.ticker)

    def _on_read_account(self, wish: ReadAccount) -> None:
        self._reconciler.read_again_done()
        self._gateway.tell(wish)

    def _on_show_comparison(self, _wish: ShowComparison) -> Comparison | None:
        return self._reconciler.last

    def _on_accept(self, wish: AcceptAccount) -> Acceptance:
        return self._reconciler.accept(wish.by)

    def _on_settled(self, ticker: str) -> None:
        self._switches.settle(ticker)
        self._watch.trim(ticker)
        self._tell_own_resting(ticker)
        self._tell_holding(ticker)

    # Markets that come and go.

    def _on_hello(self, hello: Hello) -> None:
        self._markets.arrived(hello.ticker)
        self._absent.back(hello.ticker)
        self._wishes_heard[hello.ticker] = 0
        self._tell_own_resting(hello.ticker)
        self._tell_holding(hello.ticker)
        self._switches.remind(hello.ticker)

    def _on_book_feed_ready(self, _ready: BookFeedReady) -> None:
        for ticker in self._books.ledger.active_tickers():
            self._tell_own_resting(ticker)

    def _on_down(self, down: Down) -> None:
        ticker = ticker_of(down.address)
        if self._permission.stopping:
            return
        self._markets.gone(ticker)
        if self._parts.listing(ticker) is None:
            self._forget(ticker)
            return
        self._board.say("RISK", f"{ticker} is away: its entries are cancelled", level="warning")
        self._withdrawals.cancel_entries("its market is away", ticker)
        self._cover(ticker)

    def _forget(self, ticker: str) -> None:
        """Let go of what is known of a market that is over."""
        self._markets.forget(ticker)
        self._absent.forget(ticker)
        del self._wishes_heard[ticker]
        if not self._books.ledger.position(ticker).count_e2:
            self._board.holdings.pop(ticker, None)
            self._books.forget(ticker)

    def _keep_exits(self, ticker: str) -> None:
        if not self._markets.is_away(ticker):
            # What it was told last may have fallen out of a mailbox that was full of prices.
            self._markets.tell(ticker, self._books.holding(ticker, self._wishes_heard[ticker]))
        elif not self._permission.stopping:
            self._cover(ticker)

    def _cover(self, ticker: str) -> None:
        """Rest what an absent market has not covered, and renew what rests."""
        if self._switches.exits_withdrawn:
            return
        self._absent.cover(self._books.holding(ticker, 0))
        self._tell_holding(ticker)

    def _sell_again(self) -> None:
        """Have what is held put on sale at once: what kept sales back is over."""
        self._absent.try_at_once()
        for position in self._books.ledger.held():
            if self._markets.is_away(position.ticker):
                self._keep_exits(position.ticker)
            else:
                self._markets.tell(position.ticker, SellAgain())

    def _on_gateway_ready(self, _ready: GatewayReady) -> None:
        self._permission.ready = False
        self._gateway.tell(Session(self._approvals.new_session()))
        # What an earlier gateway had under way, this one has never heard of.
        for order in self._books.ledger.all_at_stake():
            self._gateway.tell(LookUp.of(order))
        # What an earlier risk manager had cancelled may not have arrived.
        self._withdrawals.look_again()
        self._switches.take_up()
        self._publish()

    # Helpers.

    def _tell_holding(self, ticker: str) -> None:
        holding = self._books.holding(ticker, self._wishes_heard[ticker])
        self._board.holdings[ticker] = holding
        self._watch.changed(holding)
        self._markets.tell(ticker, holding)
        self._publish()

    def _tell_own_resting(self, ticker: str) -> None:
        if self._parts.orders_stand_on_book:
            self._book_feed.tell(self._books.own_resting(ticker))

    def _publish(self) -> None:
        limit_max_e6 = self._parts.risk.max_total_exposure_e6
        limits = self._parts.switches.limits(self._parts.risk)
        self._books.publish(self._permission, limits, limit_max_e6)

    def _log_report(self, order: Order, event: OrderEvent) -> None:
        if isinstance(event, OrderRefused):
            self._board.refusals[f"exchange: {event.code}"] += 1
            wish = order.intent
            text = f"{wish.ticker} {wish.purpose} refused: {event.code}: {event.text}"
            self._board.say("KALSHI", text, level="warning")
            self._absent.answered(order, event)
            self._tell_refusal(self._guard.refusal_of(wish, event))

    def __repr__(self) -> str:
        return f"<RiskManager {self._permission.state} {self._books!r}>"
