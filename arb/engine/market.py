"""One market: hears quotes, tops and its holding, asks the core, and says what it wishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors import Actor, Context
from arb.core.commands import AmendIntent, CancelOrder, OrderIntent, Purpose
from arb.core.decide import Reason as DecisionReason
from arb.core.evaluate import Evaluation, Gate, Inputs
from arb.core.events import GameQuotes, Top
from arb.core.exits import Holding, OpenOrder
from arb.core.in_play import strategy_in_force
from arb.core.listing import SHOWN_LIVE, Listing
from arb.core.money import CountE2, PriceE4, cents
from arb.core.orders import TERMINAL, OrderState
from arb.core.risk import Refusal
from arb.engine.closeup import QuotesView, quotes_closeup
from arb.engine.exit_keeper import ExitHands, ExitKeeper, Stand
from arb.engine.market_row import Shown, purchase_of, row_of
from arb.engine.messages import (
    CloseGivenUp,
    CloseNow,
    EntryTimeout,
    ExitRetry,
    GameBegins,
    Hello,
    Relisted,
    Retuned,
    SellAgain,
    ShowMarket,
)
from arb.engine.names import BOOK_FEED, RISK
from arb.engine.parts import Parts

# A cancel that was not heard of is sent again after this; sooner would cancel a cancelled order,
# whose answer proves nothing and costs a lookup.
CANCEL_AGAIN_S = 1.0
CANCEL_AGAIN_NS = 1_000_000_000

# Prices that are an error until proven otherwise: a person is told once, and nothing is bought.
DOUBTS = frozenset({DecisionReason.TOO_GOOD.value, Gate.INVERTED.value})

# Actions a row shows instead of the decision's while an order or a position is at work.
RESTING = "RESTING"
EXITING = "EXITING"
CLOSING = "CLOSING"


class Market(Actor):
    """Evaluates one market whenever a quote or its top changes, and keeps its exits in step."""

    def __init__(self, ctx: Context, parts: Parts, listing: Listing) -> None:
        super().__init__(ctx)
        self._parts = parts
        self._listed = listing
        self._risk = ctx.find(RISK)
        self._ticker = listing.ticker
        self._odds = parts.odds_of(listing.game.game_id)
        self._top: Top | None = None
        self._sibling_top: Top | None = None
        self._holding: Holding | None = None
        self._inverted = False
        self._defers = False
        self._awaited_ms = 0
        self._doubted = ""
        self._watched: set[str] = set()
        self._canceled_ns: dict[str, int] = {}
        self._began_ns = self._trigger_ns = parts.clock.monotonic_ns()
        hands = ExitHands(
            self._wish,
            self._cancel,
            lambda seconds: ctx.after(seconds, ExitRetry()),
            self._give_up_closing,
        )
        self._exits = ExitKeeper(parts, hands, listing.ticker)
        self._wishes_sent = 0
        self._handlers: dict[type, Callable[[Any], object]] = {
            GameQuotes: self._on_quotes,
            Top: self._on_top,
            Holding: self._on_holding,
            Refusal: self._on_refusal,
            EntryTimeout: self._on_entry_timeout,
            ExitRetry: self._on_exit_retry,
            SellAgain: self._on_sell_again,
            CloseNow: self._on_close_now,
            Relisted: self._decide_anew,
            Retuned: self._decide_anew,
            GameBegins: self._on_game_begins,
            ShowMarket: self._on_show_market,
        }

    @property
    def _listing(self) -> Listing:
        """Return the market as it is listed now, or as it last was while it is being taken away."""
        self._listed = self._parts.listing(self._ticker) or self._listed
        return self._listed

    async def start(self) -> None:
        """Ask everybody for what this market needs to know; the answers come as messages."""
        hello = Hello(self._ticker)
        for name in (BOOK_FEED, *self._parts.odds_feeds, RISK):
            self.ctx.find(name).tell(hello)
        self._await_start(self._parts.clock.wall_ms())

    def receive(self, message: object) -> object:
        """Handle one message; what nobody sends here goes to the dead letters."""
        handler = self._handlers.get(type(message))
        if handler is None:
            self.ctx.dead_letter(message, "not for a market")
            return None
        return handler(message)

    def _on_quotes(self, quotes: GameQuotes) -> None:
        self._odds.take(quotes, self._parts.board.counts)
        self._parts.board.counts["evaluations"] += 1
        self._step(quotes.received_ns, count=True)

    def _on_top(self, top: Top) -> None:
        if top.ticker != self._ticker:
            self._sibling_top = top
            if self._defers:
                # The sibling may not be the cheaper one any more.
                self._step(top.received_ns, count=False)
            return
        self._top = top
        self._step(top.received_ns, count=False)

    def _step(self, trigger_ns: int, *, count: bool) -> None:
        # What a market is told at its start may have come long before it: in hand it is now.
        self._trigger_ns = trigger_ns = max(trigger_ns, self._began_ns)
        inputs = self._inputs()
        evaluation = self._parts.evaluator.evaluate(self._odds.quotes, inputs)
        board = self._parts.board
        if count:
            board.decisions[evaluation.action] += 1
        self._inverted = evaluation.inverted
        self._defers = evaluation.reason == Gate.SIBLING_CHEAPER
        if evaluation.reason in DOUBTS or self._doubted:
            self._doubt(evaluation)
        if evaluation.wished is not None and self._is_heard:
            self._odds.used = evaluation.signal
            board.decided_ns.append(self._parts.clock.monotonic_ns() - trigger_ns)
            self._wish(
                self._parts.evaluator.entry(evaluation, evaluation.wished, inputs, trigger_ns)
            )
        if self._exits.take(evaluation, self._stand):
            self._keep_exits()
        if evaluation.reason == SHOWN_LIVE:
            # No timer tells of it: what rests was to be bought before the game.
            self._cancel_entries(SHOWN_LIVE)
        self._drop_entries_without_edge(evaluation, inputs)
        self._show(evaluation, inputs)

    def _inputs(self) -> Inputs:
        return Inputs(
            self._listing,
            self._top,
            self._sibling_top,
            self._holding,
            self._odds.used,
            self._parts.clock.wall_ms(),
            self._inverted,
            self._parts.listing(self._listed.sibling),
            self._parts.clock.monotonic_ns(),
        )

    def _doubt(self, evaluation: Evaluation) -> None:
        """Log and count once that a price is not believed, until it is again."""
        before, self._doubted = self._doubted, ""
        if evaluation.reason not in DOUBTS:
            return
        self._doubted = evaluation.reason
        if evaluation.reason == before:
            return
        # As JSON keys, words of an enumeration must be plain text.
        self._parts.board.refusals[str(evaluation.reason)] += 1
        self._parts.board.say("ODDS", self._doubt_text(evaluation), level="warning")

    def _doubt_text(self, evaluation: Evaluation) -> str:
        fair = f"{100 * evaluation.fair:.1f}c" if evaluation.fair is not None else "unknown"
        bid_e4, ask_e4 = (self._top.bid_e4, self._top.ask_e4) if self._top else (None, None)
        bid, ask = (cents(each) if each is not None else "--" for each in (bid_e4, ask_e4))
        return f"{self._ticker}: {evaluation.reason}; fair {fair}, bid {bid} ask {ask}"

    def _decide_anew(self, _why: Relisted | Retuned | GameBegins) -> None:
        """Take up another listing or other settings; what rests to be bought does not wait."""
        why = self._parts.why_not_entered(self._listing)
        if why is not None:
            self._cancel_entries(why)
        self._await_start(self._parts.clock.wall_ms())
        self._step(self._parts.clock.monotonic_ns(), count=False)
        self._keep_exits()

    def _cancel_entries(self, why: str) -> None:
        for entry in self._holding.entries if self._holding is not None else ():
            if entry.state not in TERMINAL:
                self._cancel(entry, why)

    def _on_game_begins(self, begins: GameBegins) -> None:
        # Where the wall clock was set back meanwhile, it is awaited once more.
        self._awaited_ms = 0
        self._decide_anew(begins)

    def _await_start(self, now_ms: int) -> None:
        """Look again when the game begins: without a message entries would rest into it."""
        start_ms = self._listed.game.start_ms
        if start_ms > now_ms and start_ms != self._awaited_ms:
            self._awaited_ms = start_ms
            self.ctx.after((start_ms - now_ms) / 1000, GameBegins())

    def _on_holding(self, holding: Holding) -> None:
        self._holding = holding
        for entry in holding.entries:
            self._watch(entry)
        at_stake = {order.client_order_id for order in holding.orders}
        self._watched.intersection_update(at_stake)
        for gone in self._canceled_ns.keys() - at_stake:
            del self._canceled_ns[gone]
        self._keep_exits()

    def _watch(self, entry: OpenOrder) -> None:
        if entry.client_order_id in self._watched:
            return
        self._watched.add(entry.client_order_id)
        # Nothing was created in the future: the clock has been set back since.
        age_ms = max(0, self._parts.clock.wall_ms() - entry.created_ms)
        wait_ms = max(0, self._parts.execution.maker_timeout_ms - age_ms)
        self.ctx.after(wait_ms / 1000, EntryTimeout(entry.client_order_id))

    def _on_entry_timeout(self, timeout: EntryTimeout) -> None:
        for entry in self._holding.entries if self._holding is not None else ():
            # One that has ended and whose fills are still to come cannot be cancelled.
            if entry.client_order_id == timeout.client_order_id and entry.state not in TERMINAL:
                self._cancel(entry, "not filled in time")
                # A cancel can be lost; this one is repeated until the order is gone.
                self.ctx.after(CANCEL_AGAIN_S, timeout)

    def _drop_entries_without_edge(self, evaluation: Evaluation, inputs: Inputs) -> None:
        entries = self._holding.entries if self._holding is not None else ()
        if not entries:
            return
        has_begun = self._parts.has_begun(inputs.listing)
        strategy = strategy_in_force(self._parts.strategy, has_begun=has_begun)
        least_e4 = strategy.maker_edge_e4 + strategy.slippage_e4
        for entry in entries:
            if entry.state is not OrderState.RESTING:
                continue
            edge_e4 = evaluation.edge_e4(entry.outcome, entry.price_e4)
            if evaluation.inverted:
                self._cancel(entry, "the market looks inverted")
            elif edge_e4 is not None and edge_e4 < least_e4:
                self._cancel(entry, "fair value moved")

    def _cancel(self, order: OpenOrder, why: str) -> None:
        now_ns = self._parts.clock.monotonic_ns()
        since_ns = now_ns - self._canceled_ns.get(order.client_order_id, -CANCEL_AGAIN_NS)
        if since_ns < CANCEL_AGAIN_NS:
            return
        self._canceled_ns[order.client_order_id] = now_ns
        name, order_id = order.client_order_id, order.order_id
        self._risk.tell(CancelOrder(name, order_id, self._ticker, order.count_e2, why))

    def _on_refusal(self, refusal: Refusal) -> None:
        if refusal.purpose is Purpose.EXIT:
            self._exits.refused(refusal.code)
        row = self._parts.board.markets.get(self._ticker)
        if row is not None:
            if self._parts.decisions is not None:
                self._parts.decisions.refused(row, refusal.code, refusal.text)
            self._parts.board.refused_row(row, refusal.code, refusal.text)

    def _on_exit_retry(self, _retry: ExitRetry) -> None:
        self._exits.retry()
        self._keep_exits()

    def _on_sell_again(self, _again: SellAgain) -> None:
        self._exits.at_once()
        self._keep_exits()

    def _on_close_now(self, wish: CloseNow) -> None:
        self._exits.close(wish.by)
        self._keep_exits()

    def _keep_exits(self) -> None:
        if self._is_heard:
            self._exits.keep(self._stand)

    @property
    def _stand(self) -> Stand:
        holding = self._holding
        if holding is None:
            holding = Holding(self._ticker, CountE2(0), PriceE4(0), ())
        return Stand(self._listing, holding, self._top, self._trigger_ns)

    @property
    def _is_heard(self) -> bool:
        """Tell whether the holding shows what became of everything this market has wished."""
        return self._holding is not None and self._holding.wishes_heard == self._wishes_sent

    def _wish(self, wish: OrderIntent | AmendIntent) -> None:
        self._wishes_sent += 1
        self._risk.tell(wish)

    def _give_up_closing(self, why: str) -> None:
        self._risk.tell(CloseGivenUp(self._ticker, why))

    def _on_show_market(self, _wish: ShowMarket) -> dict[str, Any]:
        now_ms = self._parts.clock.wall_ms()
        view = QuotesView(self._odds.quotes, self._listing.is_home, now_ms)
        return quotes_closeup(view, self._parts.strategy, self._parts.execution)

    def _show(self, evaluation: Evaluation, inputs: Inputs) -> None:
        closing = self._exits.closing
        reason = closing.text if closing is not None else evaluation.reason
        shown = Shown(self._word(evaluation), reason, self._exits.fair)
        row = row_of(evaluation, inputs, shown)
        self._parts.board.markets[self._ticker] = row
        decisions = self._parts.decisions
        if decisions is None:
            return
        # A purchase with all that it rests on; what has been wished is this game's last signal.
        sent = evaluation.wished is not None and evaluation.signal is self._odds.used
        more = purchase_of(evaluation, inputs, self._odds, self._trigger_ns) if sent else None
        decisions.saw(row, evaluation.action, more)

    def _word(self, evaluation: Evaluation) -> str:
        if self._exits.closing is not None:
            return CLOSING
        if self._holding is not None and self._holding.entries:
            return RESTING
        if self._holding is not None and self._holding.count_e2:
            return EXITING if evaluation.wished is None else evaluation.action
        return evaluation.action

    def __repr__(self) -> str:
        return f"<Market {self._ticker} top={self._top} holding={self._holding}>"
