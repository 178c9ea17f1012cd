"""What exit must rest for what is held, and what must change to make it so.

The rule: everything that our own orders bought is offered at fair value, rounded to the grid in
our favour and not below the floors that the settings name, and never more than is held. YES is sold
on the ask; NO, which is YES sold short, is bought back on the bid. One exit order is one tranche; a
later fill adds another, and all of them move together when fair value moves by a tick. What rests
expires, so that a sale does not outlive us by much: each move renews that, and half its life over
it is moved to where it stands.
"""

from __future__ import annotations

import attrs

from arb.core.commands import AmendIntent, OrderIntent, Purpose, TimeInForce
from arb.core.edge import exit_price_e4
from arb.core.events import Liquidity, Side, Top
from arb.core.exit_policy import NO_FLOOR, Bought, Floors
from arb.core.grid import PriceGrid
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4
from arb.core.orders import TERMINAL, Order, OrderState
from arb.core.ways import Outcome


@attrs.frozen
class OpenOrder:
    """One order at stake as a market sees it."""

    client_order_id: str
    order_id: str | None
    purpose: Purpose
    side: Side
    price_e4: PriceE4
    at_stake_e2: CountE2
    count_e2: CountE2
    state: OrderState
    amending: bool
    created_ms: int
    expires_s: int | None = None

    @property
    def outcome(self) -> Outcome:
        """Return what the order buys; a sale of YES buys NO, or closes YES."""
        return Outcome.YES if self.side is Side.BID else Outcome.NO

    @classmethod
    def of(cls, order: Order) -> OpenOrder:
        """Describe an order of the ledger."""
        return cls(
            order.client_order_id,
            order.order_id,
            order.intent.purpose,
            order.side,
            order.price_e4,
            order.at_stake_e2,
            order.count_e2,
            order.state,
            order.amending,
            order.created_ms,
            order.expires_s,
        )


@attrs.frozen
class Holding:
    """What the ledger says of one market: the position and every order at stake.

    ``wishes_heard`` is how many wishes of the market's present instance risk has dealt with. A
    market that has sent more waits for the holding that shows what became of them, or it would
    wish the same thing twice. ``by_hand_e2`` is what of ``count_e2`` no order of ours bought: it is
    a person's, and no exit of ours covers it. ``bought`` is what the rest of it cost.
    """

    ticker: str
    count_e2: CountE2
    entry_e4: PriceE4
    orders: tuple[OpenOrder, ...]
    realised_e6: int = 0
    wishes_heard: int = 0
    by_hand_e2: CountE2 = CountE2(0)
    bought: Bought | None = None

    @property
    def ours_e2(self) -> CountE2:
        """Return how much of the position our own orders bought; negative is NO."""
        return CountE2(self.count_e2 - self.by_hand_e2)

    @property
    def entries(self) -> tuple[OpenOrder, ...]:
        """Return the entries at stake."""
        return tuple(order for order in self.orders if order.purpose is Purpose.ENTRY)

    @property
    def exits(self) -> tuple[OpenOrder, ...]:
        """Return the exits at stake."""
        return tuple(order for order in self.orders if order.purpose is Purpose.EXIT)

    @property
    def closing_side(self) -> Side:
        """Return the side of the book on which the position is lessened."""
        return Side.ASK if self.ours_e2 > 0 else Side.BID

    @property
    def closing(self) -> tuple[OpenOrder, ...]:
        """Return the exits at stake that lessen the position."""
        return tuple(order for order in self.exits if order.side is self.closing_side)

    @property
    def uncovered_e2(self) -> CountE2:
        """Return how much of what is ours no exit covers."""
        covered_e2 = sum(order.at_stake_e2 for order in self.closing)
        return CountE2(max(0, abs(self.ours_e2) - covered_e2))

    @property
    def unrested_e2(self) -> CountE2:
        """Return how much of what is ours is covered by no exit that is known to rest."""
        resting = (each for each in self.closing if each.state is OrderState.RESTING)
        return CountE2(max(0, abs(self.ours_e2) - sum(each.at_stake_e2 for each in resting)))


@attrs.frozen
class ExitView:
    """All that an exit is decided on; ``fair`` has passed every gate an entry must pass.

    ``expires_s`` is when the exchange takes a new or moved exit away, in Unix seconds; one that it
    would take away before ``renew_before_s`` is moved for that alone.
    """

    holding: Holding
    fair: float
    grid: PriceGrid
    top: Top | None
    game_id: str
    trigger_ns: int
    expires_s: int | None = None
    renew_before_s: int = 0
    floors: Floors = NO_FLOOR


def plan_exits(view: ExitView) -> list[OrderIntent | AmendIntent]:
    """Return the orders and amendments that bring the exits in step with position and price.

    The most urgent comes first: lanes and tokens may not suffice for all of it.
    """
    holding = view.holding
    if not holding.ours_e2:
        return []
    fair_e4 = exit_price_e4(view.fair, view.grid, holding.closing_side)
    price_e4 = _not_below(view.floors.rest_e4, fair_e4, view)
    # What is not on sale at all comes before what is on sale at a price of just now: where moves
    # took what there is first, a new exit would find none of it each time.
    moves: list[OrderIntent | AmendIntent] = []
    if holding.uncovered_e2:
        moves.append(_new_exit(fair_e4, price_e4, view))
    moves.extend(
        AmendIntent(
            order.client_order_id,
            holding.ticker,
            _resting_price(order, price_e4, view),
            order.at_stake_e2,
            view.trigger_ns,
            view.expires_s,
        )
        for order in holding.closing
        if _should_move(order, price_e4, view)
    )
    return moves


def excess_exits(holding: Holding) -> tuple[OpenOrder, ...]:
    """Return the exits to cancel because they could sell more than is left of what is ours.

    A resting exit cannot be reduce-only: one that fills when the position is gone, settled or sold
    by hand, opens the other side. The newest go first; what they leave uncovered is offered anew.
    """
    left_e2 = abs(holding.ours_e2)
    excess = []
    for order in sorted(holding.exits, key=lambda each: each.created_ms):
        lessens = order in holding.closing and order.at_stake_e2 <= left_e2
        if lessens:
            left_e2 -= order.at_stake_e2
        elif order.state not in TERMINAL:
            excess.append(order)
    return tuple(excess)


def _new_exit(fair_e4: PriceE4, price_e4: PriceE4, view: ExitView) -> OrderIntent:
    # Prices that already pay what is asked are taken; a post-only exit would only be refused.
    taking_e4 = _not_below(view.floors.take_e4, fair_e4, view)
    pays = _crosses(taking_e4, view)
    resting_e4 = _not_crossing(price_e4, view)
    return OrderIntent(
        ticker=view.holding.ticker,
        game_id=view.game_id,
        purpose=Purpose.EXIT,
        side=view.holding.closing_side,
        price_e4=taking_e4 if pays else resting_e4 if resting_e4 is not None else price_e4,
        count_e2=view.holding.uncovered_e2,
        liquidity=Liquidity.TAKER if pays else Liquidity.MAKER,
        time_in_force=(TimeInForce.IMMEDIATE_OR_CANCEL if pays else TimeInForce.GOOD_TILL_CANCELED),
        post_only=not pays,
        trigger_ns=view.trigger_ns,
        fair=view.fair,
        expires_s=None if pays else view.expires_s,
    )


def _not_below(floor_e4: PriceE4, price_e4: PriceE4, view: ExitView) -> PriceE4:
    """Return an exit's YES price, or the one that a floor of the side held asks for instead."""
    if view.holding.closing_side is Side.ASK:
        return max(price_e4, view.grid.round_up(floor_e4))
    return min(price_e4, view.grid.round_down(ONE_DOLLAR_E4 - floor_e4))


def _should_move(order: OpenOrder, price_e4: PriceE4, view: ExitView) -> bool:
    if order.state is not OrderState.RESTING or order.amending or not order.at_stake_e2:
        return False
    is_due = order.expires_s is not None and order.expires_s < view.renew_before_s
    return is_due or order.price_e4 != _resting_price(order, price_e4, view)


def _resting_price(order: OpenOrder, price_e4: PriceE4, view: ExitView) -> PriceE4:
    moved_e4 = _not_crossing(price_e4, view)
    return order.price_e4 if moved_e4 is None else moved_e4


def _best_opposite(view: ExitView) -> PriceE4 | None:
    """Return the best price that an exit may trade against, None where none is known."""
    if view.top is None or not view.top.usable:
        return None
    return view.top.bid_e4 if view.holding.closing_side is Side.ASK else view.top.ask_e4


def _crosses(price_e4: PriceE4, view: ExitView) -> bool:
    """Tell whether somebody on the other side of the book pays an exit's price, or better."""
    best_e4 = _best_opposite(view)
    if best_e4 is None:
        return False
    return best_e4 >= price_e4 if view.holding.closing_side is Side.ASK else best_e4 <= price_e4


def _not_crossing(price_e4: PriceE4, view: ExitView) -> PriceE4 | None:
    # An amendment cannot be post-only, so it must not cross: it stops one tick beside the other
    # side's best price, and where that is not known it waits until it is.
    if view.top is None or not view.top.usable:
        return None
    best_e4 = _best_opposite(view)
    if best_e4 is None or not _crosses(price_e4, view):
        return price_e4
    if view.holding.closing_side is Side.ASK:
        return view.grid.next_above(best_e4)
    return view.grid.next_below(best_e4)
