"""One market's evaluation: every gate between a quote and a wish, in their order.

A gate that closes gives its reason and nothing is wished. What the sportsbooks say comes first,
then the exchange's book, then the decision, then what only this market knows: an entry that is
still at work, a signal that has been used, a sibling that sells the same bet cheaper.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.consensus import BookRejected, Consensus, NoConsensus
from arb.core.decide import Action, Decision, MarketView
from arb.core.edge import buy_edge_e4
from arb.core.events import Top
from arb.core.exits import Holding
from arb.core.in_play import limits_in_force, shows_live, strategy_in_force
from arb.core.listing import Listing
from arb.core.money import CountE2, PriceE4
from arb.core.orientation import is_inverted, middle
from arb.core.parameters import Execution, Risk, Sizing, Strategy
from arb.core.sides import decide_sides, is_cheaper_elsewhere
from arb.core.staleness import Freshness, NotFresh, QuoteBoard
from arb.core.ways import Outcome


class Gate(StrEnum):
    """Why nothing is wished although somebody might expect it, in the words a person reads."""

    NO_BOOK = "no order book yet"
    BOOK_DOWN = "order book not live"
    ENTRY_AT_WORK = "an entry is at work"
    SIGNAL_USED = "this price change has been acted on"
    TRIGGER_AGAINST = "the price that changed sees no edge"
    SIBLING_CHEAPER = "the same bet is cheaper in the sibling"
    NO_HOLDING = "holding not known yet"
    INVERTED = "quarantined as inverted: Kalshi's price fits the other team"


# What a row shows while no decision can be made at all.
WAIT = "WAIT"


@attrs.frozen
class Signal:
    """The price change that an evaluation rests on; one signal fires once.

    ``number`` counts the changes of the game's board, both markets' alike.
    """

    book: str
    changed_ms: int
    number: int

    def is_used_up_by(self, used: Signal | None) -> bool:
        """Tell whether what was acted on last was this change, a later one, or one beside it.

        Two books that move in one millisecond are one piece of news.
        """
        if used is None:
            return False
        return self.number <= used.number or self.changed_ms == used.changed_ms


@attrs.frozen
class Inputs:
    """All that one evaluation is made of.

    ``used`` is the signal that either of the game's markets acted on last, ``inverted`` what the
    last evaluation found; ``sibling`` is None where nothing is traded in the game's other market.
    ``now_ns`` is 0 where nobody can set the clock back: on a tape.
    """

    listing: Listing
    top: Top | None
    sibling_top: Top | None
    holding: Holding | None
    used: Signal | None
    now_ms: int
    inverted: bool = False
    sibling: Listing | None = None
    now_ns: int = 0


# An outlier that goes or comes: what the other books say is no older for that.
_UNSETTLED = frozenset({NotFresh.BOOKS_CHANGED, NotFresh.NO_CHANGE_SINCE})


@attrs.frozen
class Evaluation:
    """What an evaluation came to; ``gated_fair`` is set where fair value passed every gate.

    ``unsettled_fair`` is set instead where the set of books has changed and no price of it since.
    ``wished`` is the decision that an order follows from, None where a gate was closed. ``low`` and
    ``no_low`` are the least chances of YES and of NO, by which purchases must pay. ``left_out`` are
    books that support nothing.
    """

    action: str
    reason: str
    fair: float | None = None
    gated_fair: float | None = None
    unsettled_fair: float | None = None
    decision: Decision | None = None
    wished: Decision | None = None
    signal: Signal | None = None
    books: int = 0
    low: float | None = None
    no_low: float | None = None
    inverted: bool = False
    left_out: tuple[BookRejected, ...] = ()

    def edge_e4(self, outcome: Outcome, price_e4: PriceE4) -> int | None:
        """Return what buying an outcome at a YES price is worth by its least chance."""
        least = self.low if outcome is Outcome.YES else self.no_low
        return None if least is None else buy_edge_e4(least, outcome.own_price_e4(price_e4))


@attrs.frozen
class _Chances:
    """The chances of one market's outcomes: fair value of YES, and what buyers may count on."""

    fair: float
    low: float
    no_low: float
    books: int

    @classmethod
    def of(cls, found: Consensus, *, is_home: bool) -> _Chances:
        if is_home:
            return cls(found.home, found.home_low, found.away_low, len(found.books))
        return cls(1.0 - found.home, found.away_low, found.home_low, len(found.books))


@attrs.frozen
class Evaluator:
    """Evaluates markets under one set of settings."""

    strategy: Strategy
    risk: Risk
    execution: Execution

    def evaluate(self, board: QuoteBoard, inputs: Inputs) -> Evaluation:
        """Return what one market should do now, and why."""
        is_live = shows_live(board)
        evaluation = self._evaluate(board, inputs, is_live=is_live)
        reason = inputs.listing.why_not_entered(
            inputs.now_ms, in_play=self.strategy.in_play, is_live=is_live
        )
        if reason is None:
            return evaluation
        return attrs.evolve(evaluation, action=WAIT, reason=reason, wished=None)

    def _evaluate(self, board: QuoteBoard, inputs: Inputs, *, is_live: bool) -> Evaluation:
        quotes = board.evaluate(
            inputs.now_ms,
            min_books=self.strategy.min_books,
            book_confirm_ms=self.execution.book_confirm_ms,
            stale_odds_threshold_ms=self.execution.stale_odds_threshold_ms,
            now_ns=inputs.now_ns,
        )
        if isinstance(quotes.fair, NoConsensus):
            return Evaluation(
                WAIT,
                quotes.fair.reason,
                books=len(quotes.fair.books),
                inverted=inputs.inverted,
                left_out=quotes.fair.rejected,
            )
        chances = _Chances.of(quotes.fair, is_home=inputs.listing.is_home)
        inverted = _inverted(chances.fair, inputs)
        top = inputs.top
        if inverted or top is None or not top.usable:
            gate = Gate.NO_BOOK if top is None else Gate.BOOK_DOWN
            return Evaluation(
                WAIT,
                Gate.INVERTED if inverted else gate,
                chances.fair,
                signal=_signal_of(quotes.freshness),
                books=chances.books,
                low=chances.low,
                no_low=chances.no_low,
                inverted=inverted,
                left_out=quotes.fair.rejected,
            )
        decided = self._decided(chances, inputs, top, quotes.freshness, is_live=is_live)
        rejected = quotes.fair.rejected
        return attrs.evolve(decided, left_out=rejected) if rejected else decided

    def _decided(
        self,
        chances: _Chances,
        inputs: Inputs,
        top: Top,
        freshness: Freshness | None,
        *,
        is_live: bool,
    ) -> Evaluation:
        has_begun = is_live or inputs.listing.has_begun(inputs.now_ms)
        strategy = strategy_in_force(self.strategy, has_begun=has_begun)
        held_e2 = inputs.holding.count_e2 if inputs.holding is not None else CountE2(0)
        limits = limits_in_force(self.risk, has_begun=has_begun)
        room_e2 = CountE2(max(0, limits.max_contracts_per_market_e2 - abs(held_e2)))
        if strategy.sizing == Sizing.FIXED:
            room_e2 = min(room_e2, self.execution.contracts_per_order_e2)
        view = _view(chances, inputs.listing, top, room_e2)
        decision = decide_sides(view, strategy, held_e2)
        signal = _signal_of(freshness)
        action, reason, wished = decision.action.value, decision.reason.value, None
        if decision.action is not Action.SKIP:
            gate = _closed_gate(inputs, freshness, signal)
            if gate is None and not _speaks_for(decision, inputs, freshness, strategy):
                gate = Gate.TRIGGER_AGAINST.value
            if gate is None and self._is_cheaper_elsewhere(decision, view, inputs, strategy):
                gate = Gate.SIBLING_CHEAPER.value
            if gate is None:
                wished = decision
            else:
                action, reason = Action.SKIP.value, gate
        not_fresh = freshness.reason if freshness is not None else NotFresh.ODDS_STALE
        return Evaluation(
            action,
            reason,
            chances.fair,
            chances.fair if not_fresh is None else None,
            chances.fair if not_fresh in _UNSETTLED else None,
            decision,
            wished,
            signal,
            chances.books,
            chances.low,
            chances.no_low,
        )

    def _is_cheaper_elsewhere(
        self, decision: Decision, view: MarketView, inputs: Inputs, strategy: Strategy
    ) -> bool:
        sibling, top = inputs.sibling, inputs.sibling_top
        if sibling is None or top is None or not top.usable:
            return False
        # Whether the game is live is the same for both markets, and asked for both at the end.
        in_play = self.strategy.in_play
        if sibling.why_not_entered(inputs.now_ms, in_play=in_play, is_live=False) is not None:
            return False
        chances = _Chances(1.0 - view.fair, view.no_least, view.least, 0)
        count_e2 = self.execution.contracts_per_order_e2
        there = _view(chances, sibling, top, count_e2)
        return is_cheaper_elsewhere((decision, view), there, strategy, count_e2)

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
            side=decision.outcome.side,
            price_e4=decision.price_e4,
            count_e2=decision.count_e2,
            liquidity=decision.liquidity,
            time_in_force=(
                TimeInForce.IMMEDIATE_OR_CANCEL if is_taker else TimeInForce.GOOD_TILL_CANCELED
            ),
            post_only=not is_taker,
            trigger_ns=trigger_ns,
            fair=evaluation.fair,
            expires_s=None if is_taker else expires_s,
            low=evaluation.low if decision.outcome is Outcome.YES else evaluation.no_low,
        )


def _view(chances: _Chances, listing: Listing, top: Top, count_e2: CountE2) -> MarketView:
    return MarketView(
        fair=chances.fair,
        bid_e4=top.bid_e4,
        bid_size_e2=top.bid_size_e2,
        ask_e4=top.ask_e4,
        ask_size_e2=top.ask_size_e2,
        count_e2=count_e2,
        grid=listing.grid,
        fees=listing.fees,
        low=chances.low,
        other_low=chances.no_low,
    )


def _closed_gate(inputs: Inputs, freshness: Freshness | None, signal: Signal | None) -> str | None:
    if freshness is not None and freshness.reason is not None:
        return freshness.reason.value
    if inputs.holding is None:
        return Gate.NO_HOLDING.value
    if inputs.holding.entries:
        return Gate.ENTRY_AT_WORK.value
    if signal is not None and signal.is_used_up_by(inputs.used):
        return Gate.SIGNAL_USED.value
    return None


def _speaks_for(
    decision: Decision, inputs: Inputs, freshness: Freshness | None, strategy: Strategy
) -> bool:
    """Tell whether the price that triggers sees an edge by itself.

    Where the exchange and some books have moved and most books stand still, the fair value is
    the old one, and a book that follows the exchange would trigger a purchase against itself.
    """
    home = freshness.home if freshness is not None else 0.0
    is_of_home = inputs.listing.is_home is (decision.outcome is Outcome.YES)
    chance = home if is_of_home else 1.0 - home
    own_e4 = decision.outcome.own_price_e4(decision.price_e4 or PriceE4(0))
    return buy_edge_e4(chance, own_e4) >= strategy.maker_edge_e4


def _inverted(fair: float, inputs: Inputs) -> bool:
    mid = middle(inputs.top) if inputs.top is not None else None
    return inputs.inverted if mid is None else is_inverted(fair, mid, before=inputs.inverted)


def _signal_of(freshness: Freshness | None) -> Signal | None:
    fresh = freshness
    return Signal(fresh.book, fresh.changed_ms, fresh.change_number) if fresh is not None else None
