"""One market's evaluation: every gate between a quote and a wish, in their order.

A gate that closes gives its reason and nothing is wished. What the sportsbooks say comes first,
then the exchange's book, then the decision, then what only this market knows: an entry that is
still at work, a signal that has been used, a sibling that sells the same bet cheaper.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.consensus import BookRejected, NoConsensus
from arb.core.decide import Action, Decision, MarketView, decide
from arb.core.edge import buy_edge_e4
from arb.core.events import Liquidity, Side, Top
from arb.core.exits import Holding
from arb.core.listing import Listing
from arb.core.money import CountE2
from arb.core.orientation import is_inverted, middle
from arb.core.parameters import Execution, Risk, Strategy
from arb.core.staleness import Freshness, QuoteBoard
from arb.core.ways import cheaper, no_way, yes_way


class Gate(StrEnum):
    """Why nothing is wished although somebody might expect it, in the words a person reads."""

    NO_BOOK = "no order book yet"
    BOOK_DOWN = "order book not live"
    ENTRY_AT_WORK = "an entry is at work"
    SIGNAL_USED = "this price change has been acted on"
    TRIGGER_AGAINST = "the price that changed sees no edge"
    SIBLING_CHEAPER = "the same bet is cheaper as NO of the sibling"
    NO_HOLDING = "holding not known yet"
    INVERTED = "quarantined as inverted: Kalshi's price fits the other team"


# What a row shows while no decision can be made at all.
WAIT = "WAIT"


@attrs.frozen
class Signal:
    """The price change that an evaluation rests on; one signal fires once."""

    book: str
    changed_ms: int


@attrs.frozen
class Inputs:
    """All that one evaluation is made of; ``inverted`` is what the last one found."""

    listing: Listing
    top: Top | None
    sibling_top: Top | None
    holding: Holding | None
    used: Signal | None
    now_ms: int
    inverted: bool = False


@attrs.frozen
class Evaluation:
    """What an evaluation came to; ``gated_fair`` is set where fair value passed every gate.

    ``wished`` is the decision that an order follows from, None where a gate was closed. ``low`` is
    the least fair value, by which purchases must pay. ``left_out`` are books that support nothing.
    """

    action: str
    reason: str
    fair: float | None = None
    gated_fair: float | None = None
    decision: Decision | None = None
    wished: Decision | None = None
    signal: Signal | None = None
    books: int = 0
    low: float | None = None
    inverted: bool = False
    left_out: tuple[BookRejected, ...] = ()


@attrs.frozen
class Evaluator:
    """Evaluates markets under one set of settings."""

    strategy: Strategy
    risk: Risk
    execution: Execution

    def evaluate(self, board: QuoteBoard, inputs: Inputs) -> Evaluation:
        """Return what one market should do now, and why."""
        evaluation = self._evaluate(board, inputs)
        reason = inputs.listing.why_not_entered(inputs.now_ms)
        if reason is None:
            return evaluation
        return attrs.evolve(evaluation, action=WAIT, reason=reason, wished=None)

    def _evaluate(self, board: QuoteBoard, inputs: Inputs) -> Evaluation:
        quotes = board.evaluate(
            inputs.now_ms,
            min_books=self.strategy.min_books,
            book_confirm_ms=self.execution.book_confirm_ms,
            stale_odds_threshold_ms=self.execution.stale_odds_threshold_ms,
        )
        if isinstance(quotes.fair, NoConsensus):
            return Evaluation(
                WAIT,
                quotes.fair.reason,
                books=len(quotes.fair.books),
                inverted=inputs.inverted,
                left_out=quotes.fair.rejected,
            )
        found = quotes.fair
        is_home = inputs.listing.is_home
        fair = found.home if is_home else 1.0 - found.home
        low = found.home_low if is_home else found.away_low
        books = len(found.books)
        inverted = _inverted(fair, inputs)
        top = inputs.top
        if inverted or top is None or not top.usable:
            gate = Gate.NO_BOOK if top is None else Gate.BOOK_DOWN
            return Evaluation(
                WAIT,
                Gate.INVERTED if inverted else gate,
                fair,
                signal=_signal_of(quotes.freshness),
                books=books,
                low=low,
                inverted=inverted,
                left_out=found.rejected,
            )
        decision = self._decide(fair, low, inputs, top)
        gated = self._gated(fair, low, books, decision, inputs, quotes.freshness)
        return attrs.evolve(gated, left_out=found.rejected) if found.rejected else gated

    def _decide(self, fair: float, low: float, inputs: Inputs, top: Top) -> Decision:
        held_e2 = abs(inputs.holding.count_e2) if inputs.holding is not None else 0
        room_e2 = max(0, self.risk.max_contracts_per_market_e2 - held_e2)
        view = MarketView(
            fair=fair,
            bid_e4=top.bid_e4,
            ask_e4=top.ask_e4,
            ask_size_e2=top.ask_size_e2,
            count_e2=CountE2(min(room_e2, self.execution.contracts_per_order_e2)),
            grid=inputs.listing.grid,
            fees=inputs.listing.fees,
            low=low,
        )
        return decide(view, self.strategy)

    def _gated(
        self,
        fair: float,
        low: float,
        books: int,
        decision: Decision,
        inputs: Inputs,
        freshness: Freshness | None,
    ) -> Evaluation:
        fresh = freshness is not None and freshness.may_trigger
        signal = _signal_of(freshness)
        action, reason, wished = decision.action.value, decision.reason.value, None
        if decision.action is not Action.SKIP:
            gate = self._closed_gate(decision, inputs, freshness, signal)
            if gate is None:
                wished = decision
            else:
                action, reason = Action.SKIP.value, gate
        gated_fair = fair if fresh else None
        return Evaluation(action, reason, fair, gated_fair, decision, wished, signal, books, low)

    def _closed_gate(
        self,
        decision: Decision,
        inputs: Inputs,
        freshness: Freshness | None,
        signal: Signal | None,
    ) -> str | None:
        if freshness is not None and freshness.reason is not None:
            return freshness.reason.value
        if inputs.holding is None:
            return Gate.NO_HOLDING.value
        if inputs.holding.entries:
            return Gate.ENTRY_AT_WORK.value
        if signal == inputs.used:
            return Gate.SIGNAL_USED.value
        if freshness is not None and not self._speaks_for(decision, inputs, freshness):
            return Gate.TRIGGER_AGAINST.value
        return Gate.SIBLING_CHEAPER.value if _sibling_is_cheaper(decision, inputs) else None

    def _speaks_for(self, decision: Decision, inputs: Inputs, freshness: Freshness) -> bool:
        """Tell whether the price that triggers sees an edge by itself.

        Where the exchange and some books have moved and most books stand still, the fair value is
        the old one, and a book that follows the exchange would trigger a purchase against itself.
        """
        chance = freshness.home if inputs.listing.is_home else 1.0 - freshness.home
        price_e4 = decision.price_e4
        return price_e4 is None or buy_edge_e4(chance, price_e4) >= self.strategy.maker_edge_e4

    def entry(
        self, evaluation: Evaluation, decision: Decision, inputs: Inputs, trigger_ns: int
    ) -> OrderIntent:
        """Return the order that a wished decision stands for."""
        is_taker = decision.action is Action.TAKER
        expires_s = inputs.now_ms // 1000 + self.execution.entry_expiry_s
        if decision.price_e4 is None or evaluation.fair is None:
            raise ValueError(f"{decision} is no purchase")
        return OrderIntent(
            ticker=inputs.listing.ticker,
            game_id=inputs.listing.game.game_id,
            purpose=Purpose.ENTRY,
            side=Side.BID,
            price_e4=decision.price_e4,
            count_e2=decision.count_e2,
            liquidity=Liquidity.TAKER if is_taker else Liquidity.MAKER,
            time_in_force=(
                TimeInForce.IMMEDIATE_OR_CANCEL if is_taker else TimeInForce.GOOD_TILL_CANCELED
            ),
            post_only=not is_taker,
            trigger_ns=trigger_ns,
            fair=evaluation.fair,
            expires_s=None if is_taker else expires_s,
        )


def _sibling_is_cheaper(decision: Decision, inputs: Inputs) -> bool:
    # Buying NO of the other team is the same bet.
    sibling, fees = inputs.sibling_top, inputs.listing.fees
    if sibling is None or not sibling.usable or sibling.bid_e4 is None or decision.price_e4 is None:
        return False
    liquidity = Liquidity.TAKER if decision.action is Action.TAKER else Liquidity.MAKER
    yes = yes_way(decision.price_e4, decision.count_e2, liquidity, fees)
    no = no_way(sibling.bid_e4, decision.count_e2, fees)
    return cheaper(yes, no) is no


def _inverted(fair: float, inputs: Inputs) -> bool:
    mid = middle(inputs.top) if inputs.top is not None else None
    return inputs.inverted if mid is None else is_inverted(fair, mid, before=inputs.inverted)


def _signal_of(freshness: Freshness | None) -> Signal | None:
    return Signal(freshness.book, freshness.changed_ms) if freshness is not None else None
