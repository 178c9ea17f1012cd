"""The decision: buy at the ask, buy at the bid, or leave it, and why.

A pure function of what a market knows at one moment. Whether the moment may trigger an order at
all (odds fresh, book live, trading running) is asked before; whether the order may leave, after.
One outcome is bought here, at its own prices; `arb.core.sides` asks for both.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.edge import buy_edge_e4, round_trip_net_e6, sale_price_e4
from arb.core.events import Liquidity
from arb.core.fees import FeeSchedule
from arb.core.grid import PriceGrid
from arb.core.money import CountE2, PriceE4
from arb.core.parameters import Strategy
from arb.core.ways import Outcome

_NO_COUNT = CountE2(0)


class Action(StrEnum):
    """What a decision comes to."""

    TAKER = "TAKER"
    MAKER = "MAKER"
    SKIP = "SKIP"


class Reason(StrEnum):
    """Why a decision came out as it did, in the words that a person reads."""

    TAKER_EDGE = "edge for a taker"
    MAKER_EDGE = "edge for a maker"
    MAKER_IS_CHEAPER = "edge for a taker, but only a maker's fee leaves enough"
    EDGE_TOO_THIN = "edge too thin"
    NET_TOO_THIN = "too little left after fees"
    FAIR_OUT_OF_RANGE = "fair value not between 0 and 1"
    NO_ASK = "no ask"
    NO_BID = "no bid to join"
    LOCKED_BOOK = "bid equals ask"
    CROSSED_BOOK = "bid above ask"
    NO_COUNT = "no contracts to buy"
    TOO_GOOD = "edge too good to be true"


@attrs.frozen
class MarketView:
    """What a market knows when it decides.

    ``fair`` is the chance that what is bought wins; prices are others' (our own orders taken out),
    None where a side is empty; ``count_e2`` is what one order is to buy. ``low`` is the least
    chance that any way of taking margins out leaves, and ``other_low`` that of the other outcome;
    None where they are what ``fair`` says.
    """

    fair: float
    bid_e4: PriceE4 | None
    bid_size_e2: CountE2
    ask_e4: PriceE4 | None
    ask_size_e2: CountE2
    count_e2: CountE2
    grid: PriceGrid
    fees: FeeSchedule
    low: float | None = None
    other_low: float | None = None

    @property
    def least(self) -> float:
        """Return the chance by which a purchase must pay."""
        return self.fair if self.low is None else self.low

    @property
    def no_least(self) -> float:
        """Return the chance by which a purchase of the other outcome must pay."""
        return 1.0 - self.fair if self.other_low is None else self.other_low


@attrs.frozen
class Decision:
    """What to do and why; what was worked out on the way is there for a skip as well.

    ``price_e4`` and ``count_e2`` are the purchase's, ``exit_e4`` is the sale that it counts on,
    ``edge_e4`` the least fair value less the ask and the slippage buffer, ``net_e4`` what the round
    trip leaves per contract, rounded down. `decide` gives the prices of what is bought,
    `arb.core.sides` those of YES.
    """

    action: Action
    reason: Reason
    price_e4: PriceE4 | None = None
    count_e2: CountE2 = _NO_COUNT
    edge_e4: int | None = None
    net_e4: int | None = None
    exit_e4: PriceE4 | None = None
    outcome: Outcome = Outcome.YES

    @property
    def liquidity(self) -> Liquidity:
        """Return whether the purchase takes what is offered or rests."""
        return Liquidity.TAKER if self.action is Action.TAKER else Liquidity.MAKER


def decide(view: MarketView, strategy: Strategy) -> Decision:
    """Decide on one purchase of one outcome.

    Taker at the ask from the taker's threshold on, for no more than the ask shows. Where the
    taker's fee leaves too little, and from the maker's threshold on, a maker: one tick above
    the bid, or at the bid where that tick is the ask. An empty bid side is skipped by a maker:
    there is nobody to better, and a lone bid only tells the next seller whom to hit. A locked
    or crossed book is skipped by both: one of its sides is about to vanish. An edge beyond
    belief is skipped first of all: it is a stale price, a wrong team or a suspended book.
    """
    if not 0.0 < view.fair < 1.0:
        return Decision(Action.SKIP, Reason.FAIR_OUT_OF_RANGE)
    if view.ask_e4 is None or view.ask_size_e2 <= 0:
        return Decision(Action.SKIP, Reason.NO_ASK)
    bid_e4 = view.bid_e4
    edge_e4 = buy_edge_e4(view.least, view.ask_e4) - strategy.slippage_e4
    if buy_edge_e4(view.fair, view.ask_e4) > strategy.max_edge_e4:
        return Decision(Action.SKIP, Reason.TOO_GOOD, edge_e4=edge_e4)
    is_taker = edge_e4 >= strategy.taker_edge_e4
    is_maker = edge_e4 >= strategy.maker_edge_e4
    obstacle = _locked_or_crossed(bid_e4, view.ask_e4)
    if obstacle is None and not (is_taker or is_maker):
        obstacle = Reason.EDGE_TOO_THIN
    if obstacle is None and view.count_e2 <= 0:
        obstacle = Reason.NO_COUNT
    if obstacle is not None:
        return Decision(Action.SKIP, obstacle, edge_e4=edge_e4)
    if is_taker:
        taken = _take(view, view.ask_e4, edge_e4, strategy)
        if taken.action is Action.TAKER or not is_maker or bid_e4 is None:
            return taken
    if bid_e4 is None:
        return Decision(Action.SKIP, Reason.NO_BID, edge_e4=edge_e4)
    reason = Reason.MAKER_IS_CHEAPER if is_taker else Reason.MAKER_EDGE
    price_e4 = _maker_price_e4(view.grid, bid_e4, view.ask_e4)
    wish = Decision(Action.MAKER, reason, price_e4, view.count_e2, edge_e4)
    return _if_worth_it(view, strategy, wish, price_e4)


def _locked_or_crossed(bid_e4: PriceE4 | None, ask_e4: PriceE4) -> Reason | None:
    if bid_e4 is None or bid_e4 < ask_e4:
        return None
    return Reason.LOCKED_BOOK if bid_e4 == ask_e4 else Reason.CROSSED_BOOK


def _take(view: MarketView, ask_e4: PriceE4, edge_e4: int, strategy: Strategy) -> Decision:
    count_e2 = min(view.count_e2, view.ask_size_e2)
    wish = Decision(Action.TAKER, Reason.TAKER_EDGE, ask_e4, count_e2, edge_e4)
    return _if_worth_it(view, strategy, wish, ask_e4)


def _maker_price_e4(grid: PriceGrid, bid_e4: PriceE4, ask_e4: PriceE4) -> PriceE4:
    better_e4 = grid.next_above(bid_e4)
    return bid_e4 if better_e4 is None or better_e4 >= ask_e4 else better_e4


def _if_worth_it(
    view: MarketView, strategy: Strategy, wish: Decision, entry_e4: PriceE4
) -> Decision:
    exit_e4 = sale_price_e4(view.least, view.grid)
    net_e6 = round_trip_net_e6(entry_e4, exit_e4, wish.count_e2, wish.liquidity, view.fees)
    net_e4 = net_e6 // wish.count_e2
    if net_e4 < strategy.min_net_e4:
        reason = Reason.NET_TOO_THIN
        return Decision(Action.SKIP, reason, None, _NO_COUNT, wish.edge_e4, net_e4, exit_e4)
    return Decision(
        wish.action, wish.reason, entry_e4, wish.count_e2, wish.edge_e4, net_e4, exit_e4
    )
