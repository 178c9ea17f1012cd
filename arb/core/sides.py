"""Both outcomes of one market, and one bet in both markets of a game.

NO is bought by selling YES to the one book that a market has. For whoever buys NO that book is
its mirror image: the bid becomes the ask, each price a dollar less, each chance one less. So there
is one decision, made twice, and what holds for YES holds for NO.
"""

from __future__ import annotations

from arb.core.decide import Action, Decision, MarketView, Reason, decide
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4
from arb.core.parameters import Strategy
from arb.core.ways import Outcome, Way, preferred, way_of


def mirrored(view: MarketView) -> MarketView:
    """Return a market as it is for whoever buys its other outcome."""
    return MarketView(
        fair=1.0 - view.fair,
        bid_e4=_other(view.ask_e4),
        bid_size_e2=view.ask_size_e2,
        ask_e4=_other(view.bid_e4),
        ask_size_e2=view.bid_size_e2,
        count_e2=view.count_e2,
        grid=view.grid.mirrored,
        fees=view.fees,
        low=view.other_low,
        other_low=view.low,
    )


def decide_outcome(view: MarketView, strategy: Strategy, outcome: Outcome) -> Decision:
    """Decide on one purchase of an outcome; the prices are those of YES, as orders have them."""
    if outcome is Outcome.YES:
        return decide(view, strategy)
    own = decide(mirrored(view), strategy)
    return Decision(
        own.action,
        own.reason,
        _other(own.price_e4),
        own.count_e2,
        own.edge_e4,
        own.net_e4,
        _other(own.exit_e4),
        Outcome.NO,
    )


def decide_sides(view: MarketView, strategy: Strategy, held_e2: CountE2) -> Decision:
    """Decide on a purchase of either outcome, or of the one that is held already.

    The other one would close the position instead, under the exit that rests for it. Both cannot
    be worth buying, for no least chance lies beyond fair value and a crossed book is left alone;
    of two that are not, the one nearer to it is told.
    """
    if held_e2 < 0:
        return decide_outcome(view, strategy, Outcome.NO)
    yes = decide_outcome(view, strategy, Outcome.YES)
    if held_e2 > 0 or yes.action is not Action.SKIP:
        return yes
    no = decide_outcome(view, strategy, Outcome.NO)
    return no if no.action is not Action.SKIP or _nearer(no, yes) else yes


def is_cheaper_elsewhere(
    here: tuple[Decision, MarketView], there: MarketView, strategy: Strategy, count_e2: CountE2
) -> bool:
    """Tell whether the game's other market sells the bet of a decision on better terms.

    YES of one team is NO of the other. Both markets' actors ask this of each other's books, so
    both ways are priced for the same ``count_e2``, whatever room the one who asks has left. Terms
    too good to be true are better ones: nobody takes them, and nobody buys beside them either.
    """
    decision, view = here
    same_bet = decide_outcome(there, strategy, decision.outcome.other)
    if same_bet.action is Action.SKIP:
        return same_bet.reason is Reason.TOO_GOOD
    own, other = _way(decision, view, count_e2), _way(same_bet, there, count_e2)
    return preferred(own, other) is other


def _way(decision: Decision, view: MarketView, count_e2: CountE2) -> Way:
    price_e4 = decision.price_e4 or PriceE4(0)
    return way_of(decision.outcome, price_e4, count_e2, decision.liquidity, view.fees)


def _nearer(no: Decision, yes: Decision) -> bool:
    if no.edge_e4 is None or yes.edge_e4 is None:
        return no.edge_e4 is not None
    return no.edge_e4 > yes.edge_e4


def _other(price_e4: PriceE4 | None) -> PriceE4 | None:
    return None if price_e4 is None else PriceE4(ONE_DOLLAR_E4 - price_e4)
