"""What exit must rest for what is held, and what must change to make it so.

The rule: everything held is offered at fair value, rounded to the grid in our favour, and never
more than is held. YES is sold on the ask; NO, which is YES sold short, is bought back on the bid.
One exit order is one tranche; a later fill adds another, and all of them move together when fair
value moves by a tick.
"""

from __future__ import annotations

import attrs

from arb.core.commands import AmendIntent, OrderIntent, Purpose, TimeInForce
from arb.core.edge import exit_price_e4
from arb.core.events import Liquidity, Side, Top
from arb.core.grid import PriceGrid
from arb.core.money import ONE_DOLLAR_E4, CountE2, PriceE4
from arb.core.orders import Order, OrderState


@attrs.frozen
class OpenOrder:
    """One order at stake as a market sees it."""

    client_order_id: str
    order_id: str | None
    purpose: Purpose
    side: Side
    price_e4: PriceE4
    at_stake_e2: CountE2
    state: OrderState
    amending: bool
    created_ms: int

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
            order.state,
            order.amending,
            order.created_ms,
        )


@attrs.frozen
class Holding:
    """What the ledger says of one market: the position and every order at stake.

    ``wishes_heard`` is how many wishes of the market's present instance risk has dealt with. A
    market that has sent more waits for the holding that shows what became of them, or it would
    wish the same thing twice.
    """

    ticker: str
    count_e2: CountE2
    entry_e4: PriceE4
    orders: tuple[OpenOrder, ...]
    realised_e6: int = 0
    wishes_heard: int = 0

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
        return Side.ASK if self.count_e2 > 0 else Side.BID

    @property
    def closing(self) -> tuple[OpenOrder, ...]:
        """Return the exits at stake that lessen the position."""
        return tuple(order for order in self.exits if order.side is self.closing_side)

    @property
    def uncovered_e2(self) -> CountE2:
        """Return how much of the position no exit covers."""
        covered_e2 = sum(order.at_stake_e2 for order in self.closing)
        return CountE2(max(0, abs(self.count_e2) - covered_e2))


@attrs.frozen
class ExitView:
    """All that an exit is decided on; ``fair`` has passed every gate an entry must pass.

    ``expires_s`` is when the exchange takes a new resting exit away, in Unix seconds.
    """

    holding: Holding
    fair: float
    grid: PriceGrid
    top: Top | None
    game_id: str
    trigger_ns: int
    expires_s: int | None = None


def plan_exits(view: ExitView) -> list[OrderIntent | AmendIntent]:
    """Return the orders and amendments that bring the exits in step with position and price."""
    holding = view.holding
    if not holding.count_e2:
        return []
    price_e4 = exit_price_e4(view.fair, view.grid, holding.closing_side)
    moves: list[OrderIntent | AmendIntent] = [
        AmendIntent(
            order.client_order_id,
            holding.ticker,
            resting_e4,
            order.at_stake_e2,
            view.trigger_ns,
        )
        for order in holding.closing
        if (resting_e4 := _not_crossing(price_e4, view)) is not None
        and _should_move(order, resting_e4)
    ]
    if holding.uncovered_e2:
        moves.append(_new_exit(price_e4, view))
    return moves


def _new_exit(price_e4: PriceE4, view: ExitView) -> OrderIntent:
    # Prices that already pay what is asked are taken; a post-only exit would only be refused.
    pays = _crosses(price_e4, view)
    return OrderIntent(
        ticker=view.holding.ticker,
        game_id=view.game_id,
        purpose=Purpose.EXIT,
        side=view.holding.closing_side,
        price_e4=price_e4,
        count_e2=view.holding.uncovered_e2,
        liquidity=Liquidity.TAKER if pays else Liquidity.MAKER,
        time_in_force=(TimeInForce.IMMEDIATE_OR_CANCEL if pays else TimeInForce.GOOD_TILL_CANCELED),
        post_only=not pays,
        trigger_ns=view.trigger_ns,
        fair=view.fair,
        expires_s=None if pays else view.expires_s,
    )


def close_at_bid(holding: Holding, top: Top, game_id: str, trigger_ns: int) -> OrderIntent | None:
    """Return what closes all that no exit covers at once, None where nobody takes it.

    YES is sold at the bid; NO is closed by buying at the ask. A person asked for it, so it is
    not held against fair value.
    """
    price_e4 = top.bid_e4 if holding.closing_side is Side.ASK else top.ask_e4
    if not top.usable or price_e4 is None or not holding.uncovered_e2:
        return None
    return OrderIntent(
        ticker=holding.ticker,
        game_id=game_id,
        purpose=Purpose.EXIT,
        side=holding.closing_side,
        price_e4=price_e4,
        count_e2=holding.uncovered_e2,
        liquidity=Liquidity.TAKER,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        post_only=False,
        trigger_ns=trigger_ns,
        fair=price_e4 / ONE_DOLLAR_E4,
    )


def _should_move(order: OpenOrder, price_e4: PriceE4) -> bool:
    return (
        order.state is OrderState.RESTING
        and not order.amending
        and order.at_stake_e2 > 0
        and order.price_e4 != price_e4
    )


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
